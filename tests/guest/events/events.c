/* SPDX-License-Identifier: MIT
 * Event subscriptions of processes, on the CPU where things happen and, as events_cross, on another one. The births of
 * the boot are heard, then each death and birth of a supervised process, once, in order and with its facts. A
 * subscription that is full keeps the oldest and counts the rest; reads give as many as fit, oldest first, and tell of
 * losses once. Each subscription hears its topics and no others. A reader that dies with events unread, and misses some
 * while it is dead, has none when it starts again, and hears the next. A wait group tells of events as of any signal.
 * Arguments that are wrong change nothing. Custom events, which the module `bus` publishes for whoever asks, are heard
 * by their names.
 *
 * MANY hears last on this CPU: what it has, FEW has been offered. Interrupts of this CPU arrive in their order. */
#include "handles.h"
#include "tests/guest/check.h"
#include "tests/guest/events/events.h"

#define WARD_CODE 77
#define ALL_LINES (SIGNAL_L0 | SIGNAL_L1 | SIGNAL_L2 | SIGNAL_L3 | SIGNAL_L4)

enum { JUDGE, WARD, READER, PROCESSES };

static struct event next_of(uint64_t handle)
{
    struct event e;
    check_signals("an event", object_wait(handle, SIGNAL_READABLE, TIME_MAX), SIGNAL_READABLE);
    check_ok("event_read", event_read(handle, &e, sizeof e), 1);
    return e;
}

static void is_empty(const char *what, uint64_t handle)
{
    struct event e;
    check_refused(what, event_read(handle, &e, sizeof e), STATUS_UNAVAILABLE);
    check_refused(what, object_wait(handle, SIGNAL_READABLE, 0), STATUS_DEADLINE_EXCEEDED);
}

static uint32_t ward_cpu;

static void check_life(const char *what, const struct event *e, enum event_kind kind, uint64_t process)
{
    check_u64(what, e->kind, kind);
    check_u64(what, e->word[0], process);
    check_u64(what, e->cpu, process == JUDGE ? cpu_id() : ward_cpu);
    if (kind == EVENT_PROCESS_CREATED)
        check_u64(what, e->word[1], process == JUDGE ? EVENT_NOBODY : JUDGE);
}

static void check_exit(const struct event *e, uint64_t process, enum exit_kind kind, uint64_t code)
{
    check_life("a death", e, EVENT_PROCESS_EXITED, process);
    check_u64("how it died", e->value, kind);
    check_u64("its code", e->word[1], code);
}

/* Three births and the ward's death, each CPU's in their order. */
static void boot(void)
{
    uint32_t born = 0, died = 0;
    for (uint32_t i = 0; i < PROCESSES + 1; i++) {
        struct event e = next_of(HANDLE_LIVES);
        if (e.word[0] == WARD)
            ward_cpu = e.cpu;
        if (e.kind == EVENT_PROCESS_EXITED) {
            check_exit(&e, WARD, EXIT_CODE, WARD_CODE);
            check_u64("born before it died", born >> WARD & 1, 1);
            died++;
        } else {
            check_u64("a birth", e.kind, EVENT_PROCESS_CREATED);
            check_u64("once", born >> e.word[0] & 1, 0);
            check_u64("by whom", e.word[1], e.word[0] == JUDGE ? EVENT_NOBODY : JUDGE);
            born |= 1u << e.word[0];
        }
    }
    check_u64("births", born, (1u << PROCESSES) - 1);
    check_u64("deaths", died, 1);
    is_empty("after the boot", HANDLE_LIVES);
}

static void bury(uint64_t handle)
{
    struct exit_status status;
    check_signals("the end", object_wait(handle, SIGNAL_JOINABLE, TIME_MAX), SIGNAL_JOINABLE);
    check_ok("join", task_join(handle, &status, sizeof status), sizeof status);
}

static void lives(void)
{
    for (int i = 0; i < 5; i++) {
        bury(HANDLE_WARD);
        check_ok("start", process_start(HANDLE_WARD), 0);
        struct event e = next_of(HANDLE_LIVES);
        check_life("a birth", &e, EVENT_PROCESS_CREATED, WARD);
        e = next_of(HANDLE_LIVES);
        check_exit(&e, WARD, EXIT_CODE, WARD_CODE);
        is_empty("between lives", HANDLE_LIVES);
    }
}

static void trigger(uint32_t from, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        check_ok("trigger", debug_trigger_interrupt(from + i), 0);
}

static void settle(uint32_t from, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct event e = next_of(HANDLE_MANY);
        check_u64("kind", e.kind, EVENT_INTERRUPT);
        check_u64("number", e.value, from + i);
    }
    is_empty("MANY", HANDLE_MANY);
    check_ok("acknowledge", interrupt_ack(HANDLE_LINES, ALL_LINES), 0);
}

static void check_numbers(const struct event *events, uint32_t from, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        check_u64("kind", events[i].kind, EVENT_INTERRUPT);
        check_u64("number", events[i].value, from + i);
        check_u64("CPU", events[i].cpu, cpu_id());
    }
}

static void overflow(void)
{
    struct event events[4];
    is_empty("FEW", HANDLE_FEW);
    trigger(INTERRUPT_L0, 5);
    settle(INTERRUPT_L0, 5);
    check_ok("three are kept, two lost", event_read(HANDLE_FEW, events, sizeof events), 3 | UINT64_C(2) << 32);
    check_numbers(events, INTERRUPT_L0, 3);
    is_empty("FEW", HANDLE_FEW);

    trigger(INTERRUPT_L0, 3);
    settle(INTERRUPT_L0, 3);
    check_ok("exactly full", event_read(HANDLE_FEW, events, 2 * sizeof *events), 2);
    check_numbers(events, INTERRUPT_L0, 2);
    check_signals("one is left", object_wait(HANDLE_FEW, SIGNAL_READABLE, 0), SIGNAL_READABLE);
    trigger(INTERRUPT_L3, 2); /* around the end of the ring */
    settle(INTERRUPT_L3, 2);
    trigger(INTERRUPT_L0, 1);
    settle(INTERRUPT_L0, 1);
    check_ok("one of three, one lost", event_read(HANDLE_FEW, events, sizeof *events), 1 | UINT64_C(1) << 32);
    check_ok("the others, losses are told once", event_read(HANDLE_FEW, events + 1, sizeof events), 2);
    check_numbers(events, INTERRUPT_L2, 3);
    is_empty("FEW", HANDLE_FEW);
}

static void ask(uint32_t wait_for, enum status status, uint32_t count, uint32_t lost, uint32_t from)
{
    struct reader_request request = {wait_for};
    struct reader_answer answer;
    check_ok("ask", channel_transact(HANDLE_ASK, &request, sizeof request, &answer, sizeof answer, TIME_MAX),
             sizeof answer);
    check_status("the reader's", (enum status)answer.status, status);
    check_u64("the reader's events", answer.count, count);
    check_u64("the reader's losses", answer.lost, lost);
    for (uint32_t i = 0; i < count; i++)
        check_u64("the reader's number", answer.numbers[i], from + i);
}

static void reader(void)
{
    ask(11, STATUS_OK, 4, 7, INTERRUPT_L0); /* of overflow() */
    trigger(INTERRUPT_L0, 2);
    settle(INTERRUPT_L0, 2);
    ask(2, STATUS_OK, 2, 0, INTERRUPT_L0);
    trigger(INTERRUPT_L0, 5);
    settle(INTERRUPT_L0, 5);
    check_ok("terminate", task_terminate(HANDLE_READER), 0);
    bury(HANDLE_READER);
    struct event e = next_of(HANDLE_LIVES);
    check_exit(&e, READER, EXIT_TERMINATED, 0);
    trigger(INTERRUPT_L0, 3);
    settle(INTERRUPT_L0, 3);
    check_ok("start", process_start(HANDLE_READER), 0);
    e = next_of(HANDLE_LIVES);
    check_life("a birth", &e, EVENT_PROCESS_CREATED, READER);
    ask(0, STATUS_UNAVAILABLE, 0, 0, 0);
    trigger(INTERRUPT_L3, 1);
    settle(INTERRUPT_L3, 1);
    ask(1, STATUS_OK, 1, 0, INTERRUPT_L3);
}

static void group(void)
{
    struct event e;
    while (event_read(HANDLE_FEW, &e, sizeof e).status == STATUS_OK)
        ;
    check_ok("add", wait_group_add(HANDLE_GROUP, HANDLE_FEW, SIGNAL_READABLE, 1), 0);
    check_ok("add", wait_group_add(HANDLE_GROUP, HANDLE_LIVES, SIGNAL_READABLE, 2), 0);
    check_refused("quiet", object_wait(HANDLE_GROUP, SIGNAL_READABLE, 0), STATUS_DEADLINE_EXCEEDED);
    trigger(INTERRUPT_L1, 1);
    for (int i = 0; i < 2; i++) { /* it stays signalled */
        struct result r = object_wait(HANDLE_GROUP, SIGNAL_READABLE, TIME_MAX);
        check_signals("of the group", r, SIGNAL_READABLE);
        check_u64("which", r.value, 1);
    }
    settle(INTERRUPT_L1, 1);
    check_ok("read", event_read(HANDLE_FEW, &e, sizeof e), 1);
    check_refused("quiet again", object_wait(HANDLE_GROUP, SIGNAL_READABLE, 0), STATUS_DEADLINE_EXCEEDED);
    bury(HANDLE_WARD);
    check_ok("start", process_start(HANDLE_WARD), 0);
    check_u64("the other", object_wait(HANDLE_GROUP, SIGNAL_READABLE, TIME_MAX).value, 2);
    e = next_of(HANDLE_LIVES);
    check_life("a birth", &e, EVENT_PROCESS_CREATED, WARD);
    e = next_of(HANDLE_LIVES);
    check_exit(&e, WARD, EXIT_CODE, WARD_CODE);
    check_ok("remove", wait_group_remove(HANDLE_GROUP, HANDLE_FEW), 0);
    check_ok("remove", wait_group_remove(HANDLE_GROUP, HANDLE_LIVES), 0);
}

static void arguments(void)
{
    static const struct event constant;
    struct event e[2];
    memset(e, 0x5a, sizeof e);
    is_empty("FEW", HANDLE_FEW);
    check_refused("too small, and empty", event_read(HANDLE_FEW, e, sizeof *e - 1), STATUS_OUT_OF_RANGE);
    trigger(INTERRUPT_L2, 1);
    settle(INTERRUPT_L2, 1);
    check_refused("too small", event_read(HANDLE_FEW, e, sizeof *e - 1), STATUS_OUT_OF_RANGE);
    check_refused("nothing", event_read(HANDLE_FEW, e, 0), STATUS_OUT_OF_RANGE);
    check_refused("null", event_read(HANDLE_FEW, NULL, sizeof e), STATUS_INVALID_ARGUMENT);
    check_refused("read-only", event_read(HANDLE_FEW, (struct event *)(uintptr_t)&constant, sizeof constant),
                  STATUS_PERMISSION_DENIED);
    check_refused("another type", event_read(HANDLE_GROUP, e, sizeof e), STATUS_UNIMPLEMENTED);
    check_refused("no handle", event_read(99, e, sizeof e), STATUS_OUT_OF_RANGE);
    check_ok("less than two", event_read(HANDLE_FEW, e, 2 * sizeof *e - 1), 1);
    check_numbers(e, INTERRUPT_L2, 1);
    check_u64("behind it", e[1].word[0], UINT64_C(0x5a5a5a5a5a5a5a5a));
}

static void publish(const char *request)
{
    char answer[64];
    struct result r = router_request(HANDLE_TO_BUS, request, strlen(request), answer, sizeof answer, TIME_MAX);
    check_status(request, r.status, STATUS_OK);
}

/* By their names, of which the subscription has two; told by the places of these. */
static void custom(void)
{
    publish("bus publish fire hot");
    publish("bus publish earth quake");
    publish("bus publish water");
    struct event e = next_of(HANDLE_ALARMS);
    check_u64("kind", e.kind, EVENT_CUSTOM);
    check_u64("name", EVENT_CUSTOM_NAME(e.value), EVENT_NAME_ALARMS_FIRE);
    check_u64("bytes", EVENT_CUSTOM_BYTES(e.value), 3);
    check_u64("text", (uint64_t)memcmp(e.word, "hot", 4), 0);
    e = next_of(HANDLE_ALARMS);
    check_u64("name", EVENT_CUSTOM_NAME(e.value), EVENT_NAME_ALARMS_WATER);
    check_u64("bytes", EVENT_CUSTOM_BYTES(e.value), 0);
    is_empty("ALARMS", HANDLE_ALARMS);
}

static void ticks(void)
{
    struct event a, b;
    check_signals("a tick", object_wait(HANDLE_TICKS, SIGNAL_READABLE, TIME_MAX), SIGNAL_READABLE);
    struct result r = event_read(HANDLE_TICKS, &a, sizeof a); /* the first one; one is kept, however many there were */
    check_status("the first", r.status, STATUS_OK);
    check_u64("the first", result_events(r), 1);
    check_signals("another", object_wait(HANDLE_TICKS, SIGNAL_READABLE, TIME_MAX), SIGNAL_READABLE);
    r = event_read(HANDLE_TICKS, &b, sizeof b);
    check_u64("another", result_events(r), 1);
    check_u64("kind", a.kind, EVENT_TICK);
    check_at_least("its number", b.word[1], a.word[1] + 1);
    check_at_least("its time", b.word[0], a.word[0] + 1);
    check_at_most("its time", b.word[0], clock_now());
}

int main(void)
{
    boot();
    lives();
    overflow();
    reader();
    group();
    arguments();
    custom();
    ticks();
    tern_success();
}
