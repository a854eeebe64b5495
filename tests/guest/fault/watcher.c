/* SPDX-License-Identifier: MIT
 * The story: processes each do one forbidden thing, on this process's order and with its request pending. Each
 * time the request ends with UNAVAILABLE and nothing in the buffer, a second request ends so at once, and the survivor
 * still answers. */
#include "handles.h"
#include "tests/guest/check.h"
#include "tests/guest/fault/fault.h"

static const struct victim {
    const char *name;
    const char *sentence;
    uint32_t handle;
} victims[] = {
#define FAULT(NAME, name, sentence) {#name, sentence, HANDLE_##NAME},
#include "tests/guest/fault/faults.def"
#undef FAULT
};

static void ask_survivor(uint64_t value)
{
    uint64_t answer = 0;
    check_ok("survivor", channel_transact(HANDLE_ECHO, &value, sizeof value, &answer, sizeof answer, TIME_MAX),
             sizeof answer);
    check_u64("survivor's answer", answer, value);
}

/* SYSENTER does not tell the kernel where it was executed (ARCHITECTURE.md, Origin): these are ordinary calls then. */
static bool is_no_fault(uint64_t fault)
{
    return (fault == FAULT_OTHER_SITE || fault == FAULT_NO_SUCH_CALL) && (features() & VVAR_FEATURE_SYSENTER);
}

int main(void)
{
    ask_survivor(~UINT64_C(0));
    for (uint64_t fault = 0; fault < FAULT_COUNT; fault++) {
        const struct victim *victim = &victims[fault];
        if (is_no_fault(fault))
            continue;
        uint64_t answer = 0x5a5a;
        check_refused(victim->name,
                      channel_transact(victim->handle, &fault, sizeof fault, &answer, sizeof answer, TIME_MAX),
                      STATUS_UNAVAILABLE);
        check_refused("request to the dead",
                      channel_transact(victim->handle, &fault, sizeof fault, &answer, sizeof answer, TIME_MAX),
                      STATUS_UNAVAILABLE);
        check_u64("answer of the dead", answer, 0x5a5a);
        ask_survivor(fault);
        tern_log("fault %s: a process that %s is stopped", victim->name, victim->sentence);
    }
    tern_success();
}
