/* SPDX-License-Identifier: MIT
 * The driver of the level test on the other CPU. */
#include "handles.h"
#include "tests/guest/objects/edu.h"

#define ROUNDS 300
#define LEFT_UP 0x5a

int main(void)
{
    const uint64_t edu = MAPPING_EDU_START_ADDRESS;
    for (;;) {
        uint32_t verb;
        check_signals("request", object_wait(HANDLE_IPC, SIGNAL_READABLE, TIME_MAX), SIGNAL_READABLE);
        check_ok("read", channel_read(HANDLE_IPC, 0, &verb, sizeof verb), sizeof verb);
        if (verb == LEVEL_ROUNDS)
            level_rounds(edu, HANDLE_LINES, ROUNDS);
        if (verb == LEVEL_DIE) {
            device_write32(edu + EDU_RAISE, LEFT_UP);
            edu_expect(edu, HANDLE_LINES, LEFT_UP);
            process_exit(0);
        }
        if (verb == LEVEL_FIND) {
            edu_expect(edu, HANDLE_LINES, LEFT_UP);
            edu_serve(edu);
            check_ok("acknowledge", interrupt_ack(HANDLE_LINES, SIGNAL_EDU), 0);
        }
        check_ok("answer", channel_respond(HANDLE_IPC, NULL, 0), 0);
    }
}
