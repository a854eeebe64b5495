/* SPDX-License-Identifier: MIT
 * The story: a process has the bytes of SYSENTER in a constant of its code and jumps into it. Where calls enter by
 * SYSCALL that is a fault, general protection on Intel's CPUs and an invalid opcode on others: it stops that process,
 * and another still answers. With entry=sysenter the kernel could not tell such a call from a good one, so it refuses
 * the image at boot (tests.cfg), and this program never runs. */
#include "handles.h"
#include "tests/guest/check.h"

static void echo(uint64_t value)
{
    uint64_t answer = 0;
    check_ok("echo", channel_transact(HANDLE_ECHO, &value, sizeof value, &answer, sizeof answer, TIME_MAX),
             sizeof answer);
    check_u64("echo", answer, value);
}

int main(void)
{
    check_u64("instruction of system calls", features() & VVAR_FEATURE_SYSENTER, 0);
    echo(1);
    check_refused("order", channel_transact(HANDLE_VICTIM, NULL, 0, NULL, 0, TIME_MAX), STATUS_UNAVAILABLE);
    echo(2);
    tern_success();
}
