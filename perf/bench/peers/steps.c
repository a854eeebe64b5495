/* SPDX-License-Identifier: MIT
 * Exact instruction counts: a child runs the pairs and is stopped after each instruction. Difference of two lengths and
 * of the empty loop: the caller's. A stop after each instruction also counts each iteration of a REP instruction. */
#define _GNU_SOURCE
#include "perf/bench/peers/harness.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void child_run(size_t capacity, uint64_t n)
{
    struct subject *s = subject_make(capacity);
    uint64_t laps = 2 * capacity;
    if (subject_pairs(s, laps) != laps || ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
        _exit(1);
    }
    raise(SIGSTOP);
    _exit(subject_pairs(s, n) == n ? 0 : 1);
}

uint64_t steps_count(size_t capacity, uint64_t n)
{
    pid_t child = fork();
    if (child == 0) {
        child_run(capacity, n);
    }
    uint64_t count = 0;
    int status = 0;
    while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
        if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0) {
            die("cannot stop a child after each instruction: ptrace is forbidden here");
        }
        count++;
    }
    if (child < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        die("the pairs that were to be counted failed");
    }
    return count;
}
