/* SPDX-License-Identifier: MIT
 * Level-triggered lines, one with its process on the boot CPU, which has the IO-APIC, and one on another CPU: both at
 * the same time, over and over, without a lost or an idle interrupt. A process dies while its line is up; that costs
 * its CPU nothing, and the process that starts again finds the interrupt there. */
#include "handles.h"
#include "tests/guest/objects/edu.h"
#include "tests/guest/objects/pci.h"

#define ROUNDS 300

static void ask_far(uint32_t verb, enum status expected)
{
    check_refused("ask the other CPU", channel_transact(HANDLE_FAR, &verb, sizeof verb, NULL, 0, TIME_MAX), expected);
}

int main(void)
{
    uint32_t verb = LEVEL_ROUNDS;
    struct exit_status status;
    pci_place_edu(4, 0xe0000000);
    pci_place_edu(5, 0xe0100000);
    check_ok("start", channel_async_transact(HANDLE_FAR, &verb, sizeof verb, NULL, 0), 0);
    level_rounds(MAPPING_EDU_START_ADDRESS, HANDLE_LINES, ROUNDS);
    check_signals("the other CPU", object_wait(HANDLE_FAR, SIGNAL_READABLE, TIME_MAX), SIGNAL_READABLE);
    check_ok("the other CPU", channel_async_complete(HANDLE_FAR), 0);

    for (int life = 0; life < 3; life++) {
        ask_far(LEVEL_DIE, STATUS_UNAVAILABLE);
        check_signals("ended", object_wait(HANDLE_FAR_PROCESS, SIGNAL_JOINABLE, TIME_MAX), SIGNAL_JOINABLE);
        check_ok("join", task_join(HANDLE_FAR_PROCESS, &status, sizeof status), sizeof status);
        check_ok("start again", process_start(HANDLE_FAR_PROCESS), 0);
        check_signals("started", object_wait(HANDLE_FAR, SIGNAL_WRITEABLE, TIME_MAX), SIGNAL_WRITEABLE);
        ask_far(LEVEL_FIND, STATUS_OK);
        ask_far(LEVEL_ROUNDS, STATUS_OK);
    }
    tern_success();
}
