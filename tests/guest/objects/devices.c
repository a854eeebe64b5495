/* SPDX-License-Identifier: MIT
 * Ports and device memory of a process: each width of IN and OUT, by DX and by number, on ports that keep what is
 * written; the firmware's last page, whose reset vector is a far jump. No buffer of a call may lie in device memory.
 * Six other processes touch what they were not given, each in its own way, and end of it, alone. */
#include "handles.h"
#include "tests/guest/check.h"
#include "user/rt/io.h"

#define RESET_VECTOR 0xff0
#define FAR_JUMP 0xea
#define PCI_ADDRESS 0xcf8
#define PCI_DATA 0xcfc
#define PCI_ENABLE 0x80000000u
#define CMOS_DAY 0x07
#define EXCEPTION_PROTECTION 13
#define EXCEPTION_PAGE_FAULT 14

static void ports(void)
{
    for (uint32_t v = 0; v < 256; v += 51) {
        port_out8(0x3ff, (uint8_t)v);
        check_u64("a byte, by DX", port_in8(0x3ff), v);
    }
    port_out8(0x70, CMOS_DAY); /* both below 256: the port is in the instruction */
    uint8_t day = port_in8(0x71);
    check_at_least("day", day, 1);
    check_at_most("day", day, 0x31);
    port_out32(PCI_ADDRESS, PCI_ENABLE); /* the host bridge */
    check_u64("a double word", port_in32(PCI_ADDRESS), PCI_ENABLE);
    uint32_t id = port_in32(PCI_DATA);
    check_u64("vendor of the host bridge", id & 0xffff, 0x8086);
    check_u64("a word", port_in16(PCI_DATA), id & 0xffff);
    check_u64("a word", port_in16(PCI_DATA + 2), id >> 16);
    check_u64("a byte", port_in8(PCI_DATA + 1), 0x80);
    port_out32(PCI_ADDRESS, PCI_ENABLE | 0x3c); /* its interrupt line: written by a word, and put back */
    uint16_t line = port_in16(PCI_DATA);
    port_out16(PCI_DATA, (uint16_t)((line & 0xff00) | 0x5a));
    check_u64("what a word wrote", port_in8(PCI_DATA), 0x5a);
    port_out16(PCI_DATA, line);
}

/* Only AL and AX leave the rest of RAX alone; and no other register is touched. */
static void registers(void)
{
    uint64_t rax = 0x1122334455667788, rdx = 0xffffffffffff0000 | PCI_ADDRESS;
    port_out32(PCI_ADDRESS, PCI_ENABLE);
    __asm__ volatile("inb %%dx, %%al" : "+a"(rax) : "d"(rdx));
    check_u64("RAX after a byte", rax, 0x1122334455667700);
    __asm__ volatile("inw %%dx, %%ax" : "+a"(rax) : "d"(rdx));
    check_u64("RAX after a word", rax, 0x1122334455660000);
    __asm__ volatile("inl %%dx, %%eax" : "+a"(rax) : "d"(rdx));
    check_u64("RAX after a double word", rax, PCI_ENABLE);
}

static void memory(void)
{
    const void *device = (const void *)MAPPING_FIRMWARE_START_ADDRESS;
    check_u64("reset vector", device_read8(MAPPING_FIRMWARE_START_ADDRESS + RESET_VECTOR), FAR_JUMP);
    check_refused("a buffer", debug_log(device, 16), STATUS_PERMISSION_DENIED);
    struct exit_status *status = (struct exit_status *)MAPPING_FIRMWARE_START_ADDRESS;
    check_refused("a buffer to be written", task_join(HANDLE_NONE, status, sizeof *status), STATUS_PERMISSION_DENIED);
    struct user_piece pieces[] = {{(uint64_t)device, 8}};
    check_refused("pieces", debug_log((const char *)pieces, PIECES(1)), STATUS_OUT_OF_RANGE);
}

static void ends(const char *what, uint32_t handle, uint32_t exception)
{
    struct exit_status status;
    check_signals(what, object_wait(handle, SIGNAL_JOINABLE, TIME_MAX), SIGNAL_JOINABLE);
    check_ok(what, task_join(handle, &status, sizeof status), sizeof status);
    check_u64(what, status.kind, EXIT_EXCEPTION);
    check_u64(what, status.exception, exception);
}

int main(void)
{
    ports();
    registers();
    memory();
    ends("a port without any", HANDLE_NONE, EXCEPTION_PROTECTION);
    ends("the port beside", HANDLE_PORT, EXCEPTION_PROTECTION);
    ends("half of a double word", HANDLE_WIDTH, EXCEPTION_PROTECTION);
    ends("INS", HANDLE_STRING, EXCEPTION_PROTECTION);
    ends("execution", HANDLE_EXECUTE, EXCEPTION_PAGE_FAULT);
    ends("past its end", HANDLE_BEYOND, EXCEPTION_PAGE_FAULT);
    tern_success();
}
