/* SPDX-License-Identifier: MIT
 * A PCI device is told the message of an interrupt without a line, and fires it on this process's CPU: each raise is
 * one interrupt, and those before the acknowledgement come once more after it. Messages of two interrupts are
 * different, and one that has a line has none. */
#include "handles.h"
#include "tests/guest/objects/edu.h"
#include "tests/guest/objects/pci.h"

#define ROUNDS 300

static uint64_t message_of(uint32_t handle, uint32_t number)
{
    struct result r = interrupt_message(handle, number);
    check_status("message", r.status, STATUS_OK);
    check_u64("its address", r.value & 0xfff00000, 0xfee00000);
    return r.value;
}

static void nothing(const char *what)
{
    check_refused(what, object_wait(HANDLE_INTERRUPTS, SIGNAL_LINE | SIGNAL_EDU, 0), STATUS_DEADLINE_EXCEEDED);
}

int main(void)
{
    const uint64_t edu = MAPPING_EDU_START_ADDRESS, message = message_of(HANDLE_INTERRUPTS, INTERRUPT_EDU);
    check_refused("a line", interrupt_message(HANDLE_INTERRUPTS, INTERRUPT_LINE), STATUS_NOT_FOUND);
    check_refused("another's", interrupt_message(HANDLE_INTERRUPTS, INTERRUPT_OTHER), STATUS_NOT_FOUND);
    check_refused("no number", interrupt_message(HANDLE_INTERRUPTS, 256), STATUS_OUT_OF_RANGE);
    if (message_of(HANDLE_OTHER, INTERRUPT_OTHER) == message)
        tern_failure(STATUS_INTERNAL, "two interrupts have one message");
    pci_place_edu(4, 0xe0000000);
    pci_set_message(4, (uint32_t)message, (uint32_t)(message >> 32));

    for (uint32_t i = 1; i <= ROUNDS; i++) {
        device_write32(edu + EDU_RAISE, i);
        edu_expect(edu, HANDLE_INTERRUPTS, i);
        edu_serve(edu);
        check_ok("acknowledge", interrupt_ack(HANDLE_INTERRUPTS, SIGNAL_EDU), 0);
        nothing("after a round");
    }

    device_write32(edu + EDU_RAISE, 1);
    edu_expect(edu, HANDLE_INTERRUPTS, 1);
    for (uint32_t bit = 2; bit < 1u << 5; bit <<= 1) /* each write is a message */
        device_write32(edu + EDU_RAISE, bit);
    check_ok("trigger", debug_trigger_interrupt(INTERRUPT_OTHER), 0); /* the messages have been counted when it comes */
    check_signals("the other", object_wait(HANDLE_OTHER, SIGNAL_OTHER, TIME_MAX), SIGNAL_OTHER);
    check_ok("acknowledge", interrupt_ack(HANDLE_INTERRUPTS, SIGNAL_EDU), 0);
    edu_expect(edu, HANDLE_INTERRUPTS, 31);
    check_ok("acknowledge", interrupt_ack(HANDLE_INTERRUPTS, SIGNAL_EDU), 0);
    nothing("after all");
    tern_success();
}
