/* SPDX-License-Identifier: MIT
 * Waits until all of the crowd have called, reads every other request, and dies. */
#include "handles.h"
#include "tests/guest/check.h"

int main(void)
{
    for (uint32_t i = HANDLE_C0; i <= HANDLE_C63; i++)
        check_signals("request", object_wait(i, SIGNAL_READABLE, TIME_MAX), SIGNAL_READABLE);
    for (uint32_t i = HANDLE_C0; i <= HANDLE_C63; i += 2) {
        uint64_t word = UINT64_MAX;
        check_ok("read", channel_read(i, 0, &word, sizeof word), sizeof word);
        check_u64("request", word, i);
    }
    __builtin_trap();
}
