/* SPDX-License-Identifier: MIT
 * Has nothing to do with it. Asked in the end, it knows each byte of its memory, and says how many there are. */
#include "handles.h"
#include "tests/guest/hostile/hostile.h"

static unsigned char memory[262144];

int main(void)
{
    for (size_t i = 0; i < sizeof memory; i++)
        memory[i] = (unsigned char)(i * 7 % 127);
    check_ok("inquiry", channel_respond_and_wait(HANDLE_INQUIRY, NULL, 0, NULL, 0, TIME_MAX), 0);
    for (size_t i = 0; i < sizeof memory; i++)
        check_u64("memory of a bystander", memory[i], i * 7 % 127);
    uint64_t n = sizeof memory;
    (void)channel_respond(HANDLE_INQUIRY, &n, sizeof n);
    tern_sleep_until(TIME_MAX);
    return 0;
}
