/* SPDX-License-Identifier: MIT
 * The story: as the fault test, with the dying on CPU 1 and their peers on CPU 0. Here handlers die with this
 * process's request pending: it ends with UNAVAILABLE, ERROR is there, the next request is refused without a wait, and
 * a survivor on their CPU still answers. Meanwhile fault_cross_handler.c watches initiators die; its report ends the
 * test. */
#include "handles.h"
#include "tests/guest/check.h"
#include "tests/guest/fault/fault.h"

static const struct victim {
    const char *name;
    uint64_t fault;
    uint32_t handle;
} victims[] = {
    {"null_read", FAULT_NULL_READ, HANDLE_NULL_READ},
    {"stack_overflow", FAULT_STACK_OVERFLOW, HANDLE_STACK_OVERFLOW},
    {"bare_syscall", FAULT_BARE_SYSCALL, HANDLE_BARE_SYSCALL},
    {"process_exit", FAULT_PROCESS_EXIT, HANDLE_PROCESS_EXIT},
};

static void ask_survivor(uint64_t value)
{
    uint64_t answer = 0;
    check_ok("survivor", channel_transact(HANDLE_ECHO, &value, sizeof value, &answer, sizeof answer, TIME_MAX),
             sizeof answer);
    check_u64("survivor's answer", answer, value);
}

static void watch(const struct victim *victim)
{
    uint64_t answer = 0x5a5a;
    const uint64_t *fault = &victim->fault;
    check_refused(victim->name,
                  channel_transact(victim->handle, fault, sizeof *fault, &answer, sizeof answer, TIME_MAX),
                  STATUS_UNAVAILABLE);
    check_signals("signals of the dead", object_wait(victim->handle, SIGNAL_ERROR, 0), SIGNAL_ERROR);
    check_refused("request to the dead",
                  channel_transact(victim->handle, fault, sizeof *fault, &answer, sizeof answer, TIME_MAX),
                  STATUS_UNAVAILABLE);
    check_refused("request to the dead, without a wait",
                  channel_transact(victim->handle, fault, sizeof *fault, &answer, sizeof answer, 0),
                  STATUS_UNAVAILABLE);
    check_u64("answer of the dead", answer, 0x5a5a);
    ask_survivor(victim->fault);
    tern_log("fault_cross: handler %s died and was heard", victim->name);
}

int main(void)
{
    ask_survivor(~UINT64_C(0));
    for (size_t i = 0; i < sizeof victims / sizeof victims[0]; i++)
        watch(&victims[i]);
    uint64_t reads = 0;
    check_ok("report", channel_transact(HANDLE_REPORT, NULL, 0, &reads, sizeof reads, TIME_MAX), sizeof reads);
    check_at_least("requests read before their initiators died", reads, 1);
    tern_success();
}
