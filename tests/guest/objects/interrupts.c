/* SPDX-License-Identifier: MIT
 * Interrupt objects, fired by debug_trigger_interrupt from this CPU and from another one: two are seen in one wait, and
 * each by itself; acknowledgements lower what they name and nothing else; what comes before the acknowledgement comes
 * once more after it, however often it came; a wait group tells which object it was. A process that starts again has no
 * signal, whatever was up when it ended or came while it was down, and hears what comes then.
 *
 * Triggers of one CPU arrive in their order, so once a later one is seen an earlier one has been counted. */
#include "handles.h"
#include "tests/guest/check.h"
#include "tests/guest/objects/interrupts.h"

#define BOTH (SIGNAL_FIRST | SIGNAL_SECOND)

static void trigger(uint32_t number)
{
    check_ok("trigger", debug_trigger_interrupt(number), 0);
}

static void acknowledge(uint32_t handle, uint32_t mask)
{
    check_ok("interrupt_ack", interrupt_ack(handle, mask), 0);
}

static void pair_is_quiet(const char *what)
{
    check_refused(what, object_wait(HANDLE_PAIR, BOTH, 0), STATUS_DEADLINE_EXCEEDED);
}

/* All that were triggered here have been counted. */
static void settle(void)
{
    trigger(INTERRUPT_THIRD);
    check_signals("the last one", object_wait(HANDLE_SINGLE, SIGNAL_THIRD, TIME_MAX), SIGNAL_THIRD);
    acknowledge(HANDLE_SINGLE, SIGNAL_THIRD);
    check_refused("after the last one", object_wait(HANDLE_SINGLE, SIGNAL_THIRD, 0), STATUS_DEADLINE_EXCEEDED);
}

static void two_in_one_wait(void)
{
    pair_is_quiet("at the start");
    trigger(INTERRUPT_SECOND);
    check_signals("one", object_wait(HANDLE_PAIR, SIGNAL_SECOND, TIME_MAX), SIGNAL_SECOND);
    trigger(INTERRUPT_FIRST);
    check_signals("the other", object_wait(HANDLE_PAIR, SIGNAL_FIRST, TIME_MAX), BOTH);
    check_signals("both", object_wait(HANDLE_PAIR, BOTH, TIME_MAX), BOTH);
    acknowledge(HANDLE_PAIR, SIGNAL_FIRST);
    check_signals("one is left", object_wait(HANDLE_PAIR, BOTH, 0), SIGNAL_SECOND);
    check_refused("the other is not", object_wait(HANDLE_PAIR, SIGNAL_FIRST, 0), STATUS_DEADLINE_EXCEEDED);
    acknowledge(HANDLE_PAIR, BOTH);
    pair_is_quiet("after the acknowledgement");
}

static void many_are_two(void)
{
    for (uint32_t i = 0; i < 3; i++) { /* each is counted by itself */
        trigger(INTERRUPT_FIRST);
        settle();
    }
    check_signals("three", object_wait(HANDLE_PAIR, BOTH, 0), SIGNAL_FIRST);
    acknowledge(HANDLE_PAIR, SIGNAL_FIRST);
    check_signals("what came meanwhile", object_wait(HANDLE_PAIR, BOTH, 0), SIGNAL_FIRST);
    acknowledge(HANDLE_PAIR, SIGNAL_FIRST);
    pair_is_quiet("and no more");
    acknowledge(HANDLE_PAIR, BOTH); /* of nothing */
    pair_is_quiet("after an acknowledgement of nothing");
    trigger(INTERRUPT_FIRST);
    settle();
    check_signals("the next", object_wait(HANDLE_PAIR, BOTH, 0), SIGNAL_FIRST);
    acknowledge(HANDLE_PAIR, SIGNAL_FIRST);
}

static void group(void)
{
    check_ok("add", wait_group_add(HANDLE_GROUP, HANDLE_PAIR, BOTH, 11), 0);
    check_ok("add", wait_group_add(HANDLE_GROUP, HANDLE_SINGLE, SIGNAL_THIRD, UINT64_MAX), 0);
    check_refused("no member", object_wait(HANDLE_GROUP, SIGNAL_READABLE, 0), STATUS_DEADLINE_EXCEEDED);
    trigger(INTERRUPT_SECOND);
    struct result r = object_wait(HANDLE_GROUP, SIGNAL_READABLE, TIME_MAX);
    check_signals("of the group", r, SIGNAL_SECOND);
    check_u64("user data", r.value, 11);
    trigger(INTERRUPT_THIRD);
    check_signals("beside it", object_wait(HANDLE_SINGLE, SIGNAL_THIRD, TIME_MAX), SIGNAL_THIRD);
    acknowledge(HANDLE_PAIR, SIGNAL_SECOND);
    r = object_wait(HANDLE_GROUP, SIGNAL_READABLE, 0);
    check_signals("of the other member", r, SIGNAL_THIRD);
    check_u64("user data", r.value, UINT64_MAX);
    acknowledge(HANDLE_SINGLE, SIGNAL_THIRD);
    check_refused("after both", object_wait(HANDLE_GROUP, SIGNAL_READABLE, 0), STATUS_DEADLINE_EXCEEDED);
    check_ok("remove", wait_group_remove(HANDLE_GROUP, HANDLE_PAIR), 0);
    check_ok("remove", wait_group_remove(HANDLE_GROUP, HANDLE_SINGLE), 0);
}

static void ask_far(uint32_t number, uint32_t times, uint32_t late)
{
    struct far_request request = {number, times, late};
    check_ok("ask the other CPU", channel_transact(HANDLE_FAR, &request, sizeof request, NULL, 0, TIME_MAX), 0);
}

/* The answer follows the triggers into this CPU's inbox; a late trigger finds this thread in its wait, or not yet. */
static void from_another_cpu(void)
{
    ask_far(INTERRUPT_FIRST, 1, 0);
    check_signals("from elsewhere", object_wait(HANDLE_PAIR, BOTH, 0), SIGNAL_FIRST);
    acknowledge(HANDLE_PAIR, SIGNAL_FIRST);
    for (uint32_t i = 0; i < 200; i++) {
        ask_far(INTERRUPT_SECOND, 1, 1);
        check_signals("late", object_wait(HANDLE_PAIR, SIGNAL_SECOND, TIME_MAX), SIGNAL_SECOND);
        acknowledge(HANDLE_PAIR, SIGNAL_SECOND);
    }
    ask_far(INTERRUPT_SECOND, 1000, 0); /* however many arrive by themselves */
    check_signals("many", object_wait(HANDLE_PAIR, BOTH, 0), SIGNAL_SECOND);
    acknowledge(HANDLE_PAIR, SIGNAL_SECOND);
    acknowledge(HANDLE_PAIR, SIGNAL_SECOND);
    pair_is_quiet("after many");
}

static void refusals(void)
{
    check_refused("READABLE", interrupt_ack(HANDLE_PAIR, SIGNAL_READABLE), STATUS_INVALID_ARGUMENT);
    check_refused("bit 31", interrupt_ack(HANDLE_PAIR, 1u << 31 | SIGNAL_FIRST), STATUS_INVALID_ARGUMENT);
    check_ok("a bit without an interrupt", interrupt_ack(HANDLE_PAIR, SIGNAL_INTERRUPT_A << 14), 0);
    check_refused("no interrupt object", interrupt_ack(HANDLE_GROUP, SIGNAL_FIRST), STATUS_UNIMPLEMENTED);
    check_refused("no handle", interrupt_ack(99, SIGNAL_FIRST), STATUS_OUT_OF_RANGE);
    check_refused("nobody's number", debug_trigger_interrupt(200), STATUS_NOT_FOUND);
    check_refused("no number", debug_trigger_interrupt(256), STATUS_OUT_OF_RANGE);
}

static uint32_t ask_reborn(uint32_t verb, uint32_t mask)
{
    struct reborn_request request = {verb, mask};
    uint32_t signals = 0;
    struct result r = channel_transact(HANDLE_REBORN_IPC, &request, sizeof request, &signals, sizeof signals, TIME_MAX);
    if (verb == REBORN_END)
        check_refused("the end", r, STATUS_UNAVAILABLE);
    else
        check_ok("ask", r, sizeof signals);
    return signals;
}

/* The question reaches it behind the triggers. */
static void reborn(void)
{
    const uint32_t line = SIGNAL_INTERRUPT_A, no_line = SIGNAL_INTERRUPT_A << 1;
    struct exit_status status;
    for (uint32_t life = 0; life < 3; life++) {
        check_u64("signals of a new life", ask_reborn(REBORN_TELL, 0), 0);
        trigger(7);
        trigger(255);
        check_u64("signals", ask_reborn(REBORN_TELL, 0), line | no_line);
        check_u64("signals", ask_reborn(REBORN_ACKNOWLEDGE, line), no_line);
        trigger(255); /* to be remembered, and forgotten */
        trigger(7);
        check_u64("signals", ask_reborn(REBORN_TELL, 0), line | no_line);
        (void)ask_reborn(REBORN_END, 0);
        check_signals("ended", object_wait(HANDLE_REBORN, SIGNAL_JOINABLE, TIME_MAX), SIGNAL_JOINABLE);
        trigger(7);
        trigger(255);
        check_ok("join", task_join(HANDLE_REBORN, &status, sizeof status), sizeof status);
        check_u64("its end", status.kind, EXIT_CODE);
        check_ok("start", process_start(HANDLE_REBORN), 0);
        check_signals("started", object_wait(HANDLE_REBORN_IPC, SIGNAL_WRITEABLE, TIME_MAX), SIGNAL_WRITEABLE);
    }
    trigger(7);
    check_u64("signals", ask_reborn(REBORN_TELL, 0), line);
    check_u64("signals", ask_reborn(REBORN_ACKNOWLEDGE, line), 0);
}

int main(void)
{
    two_in_one_wait();
    many_are_two();
    group();
    from_another_cpu();
    refusals();
    reborn();
    tern_success();
}
