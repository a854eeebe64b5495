/* SPDX-License-Identifier: MIT
 * Handler that does what its first request says, and with that request pending: the watcher must hear of its end. */
#include "handles.h"
#include "tests/guest/check.h"
#include "tests/guest/fault/fault.h"

#define FAULT(NAME, name, sentence) void fault_##name(void);
#include "tests/guest/fault/faults.def"
#undef FAULT

static void (*const faults[])(void) = {
#define FAULT(NAME, name, sentence) fault_##name,
#include "tests/guest/fault/faults.def"
#undef FAULT
};

int main(void)
{
    check_status("wait", object_wait(HANDLE_ORDER, SIGNAL_READABLE, TIME_MAX).status, STATUS_OK);
    uint64_t fault = FAULT_COUNT;
    check_ok("read", channel_read(HANDLE_ORDER, 0, &fault, sizeof fault), sizeof fault);
    check_at_most("fault", fault, FAULT_COUNT - 1);
    faults[fault]();
    tern_failure(STATUS_INTERNAL, "fault %lu did no harm", fault);
}
