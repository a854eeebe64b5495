/* SPDX-License-Identifier: MIT
 * The service loop against a kernel whose events are written down beforehand: what is answered, when, with what
 * deadline, and what the loop makes of clients that are in the way. */
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include "tests/unit/user/rt/kernel.h"
#include "user/rt/service.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#define GROUP 9

static uint64_t now = 1000;
static enum status add_status = STATUS_OK;
static char request[8], response[8];
static size_t answer; /* what on_request says */

uint64_t clock_now(void)
{
    return now;
}

struct result wait_group_add(uint64_t group, uint64_t object, uint64_t mask, uint64_t user_data)
{
    cr_assert(user_data != 0);
    note("add %lu %lu %#lx;", group, object, mask);
    return (struct result){.status = object == 7 ? add_status : STATUS_OK};
}

struct result wait_group_remove(uint64_t group, uint64_t object)
{
    note("remove %lu %lu;", group, object);
    return (struct result){.status = STATUS_OK};
}

struct result channel_respond(uint64_t handle, const void *buffer, size_t n)
{
    cr_assert(buffer != NULL);
    note("respond %lu %zu;", handle, n);
    return next_result();
}

struct result channel_respond_and_wait(uint64_t handle, const void *bytes, size_t n, void *receive, size_t m,
                                       uint64_t deadline_ns)
{
    cr_assert(eq(u64, handle, GROUP));
    cr_assert(eq(ptr, receive, request));
    cr_assert(eq(sz, m, sizeof request));
    if (bytes)
        note("answer %zu, ", n);
    note("wait %ld;", (long)deadline_ns);
    return next_result();
}

static size_t on_request(struct tern_service *s, const struct tern_member *m, size_t n)
{
    note("request %u %zu;", m->handle, n);
    s->stop = n == 5;
    return answer;
}

static void on_signals(struct tern_service *s, const struct tern_member *m, uint32_t signals)
{
    note("signals %u %#x;", m->handle, signals);
    s->stop = signals == SIGNAL_JOINABLE;
}

static struct tern_member members[] = {
    {.handle = 4, .on_request = on_request, .on_signals = on_signals, .mask = SIGNAL_ERROR},
    {.handle = 7, .on_signals = on_signals, .mask = SIGNAL_JOINABLE},
};

static struct tern_service service = {
    .group = GROUP, .members = members, .count = 2, .request = request, .room = sizeof request, .response = response};

static void queue_request(size_t n)
{
    queue_result(STATUS_OK, (uint32_t)n | RESULT_REQUEST, (uintptr_t)&members[0]);
}

static void queue_stop(void)
{
    queue_result(STATUS_OK, SIGNAL_JOINABLE, (uintptr_t)&members[1]);
}

/* Between joining and leaving the group, these calls were made. */
static void expect_run(const char *calls)
{
    char expected[1024];
    snprintf(expected, sizeof expected, "add 9 4 0x5;add 9 7 0x8;%sremove 9 7;remove 9 4;", calls);
    cr_assert(eq(int, tern_service_run(&service), STATUS_OK));
    cr_assert(eq(str, noted, expected));
    cr_assert(eq(sz, used, queued));
}

Test(service, answers_with_the_call_that_waits)
{
    answer = 3;
    queue_request(0);
    queue_request(8);
    queue_stop();
    expect_run("wait -1;request 4 0;answer 3, wait -1;request 4 8;answer 3, wait -1;signals 7 0x8;");
}

Test(service, empty_answer_is_an_answer)
{
    answer = 0;
    service.response = NULL;
    queue_request(1);
    queue_stop();
    expect_run("wait -1;request 4 1;answer 0, wait -1;signals 7 0x8;");
}

Test(service, later_answers_nothing)
{
    answer = TERN_LATER;
    queue_request(1);
    queue_stop();
    expect_run("wait -1;request 4 1;wait -1;signals 7 0x8;");
}

Test(service, last_answer_goes_out)
{
    answer = 2;
    queue_request(5);
    queue_result(STATUS_OK, 0, 0);
    expect_run("wait -1;request 4 5;respond 4 2;");
}

Test(service, signal_is_no_request)
{
    queue_result(STATUS_OK, SIGNAL_ERROR, (uintptr_t)&members[0]);
    queue_stop();
    expect_run("wait -1;signals 4 0x4;wait -1;signals 7 0x8;");
}

Test(service, long_request_does_not_arrive)
{
    queue_request(9);
    queue_stop();
    expect_run("wait -1;answer 0, wait -1;signals 7 0x8;");
    cr_assert(eq(u64, service.refused, 1));
}

Test(service, long_answer_becomes_an_empty_one)
{
    answer = 8;
    queue_request(1);
    queue_result(STATUS_OUT_OF_RANGE, 0, 0);
    queue_result(STATUS_OUT_OF_RANGE, 0, 0);
    queue_result(STATUS_OK, 0, 0);
    queue_stop();
    expect_run("wait -1;request 4 1;answer 8, wait -1;respond 4 8;respond 4 0;wait -1;signals 7 0x8;");
    cr_assert(eq(u64, service.refused, 1));
}

Test(service, late_answer_is_dropped)
{
    answer = 8;
    queue_request(1);
    queue_result(STATUS_UNAVAILABLE, 0, 0);
    queue_result(STATUS_UNAVAILABLE, 0, 0);
    queue_stop();
    expect_run("wait -1;request 4 1;answer 8, wait -1;respond 4 8;wait -1;signals 7 0x8;");
    cr_assert(eq(u64, service.refused, 0));
}

static void on_time(struct tern_service *s, struct tern_timer *t)
{
    note("time %lu;", t->deadline_ns);
    if (t->deadline_ns == 1)
        tern_timer_set(s, t, 2);
}

static struct tern_timer timers[] = {{.on_time = on_time}, {.on_time = on_time}, {.on_time = on_time}};

Test(service, timers_come_in_the_order_of_their_deadlines)
{
    tern_timer_set(&service, &timers[0], 3000);
    tern_timer_set(&service, &timers[1], 2000);
    tern_timer_set(&service, &timers[2], 3000);
    tern_timer_set(&service, &timers[1], 4000);
    cr_assert(eq(ptr, service.timers, &timers[0]));
    cr_assert(eq(ptr, timers[0].next, &timers[2])); /* behind the one that was set first */
    cr_assert(eq(ptr, timers[2].next, &timers[1]));
    tern_timer_stop(&service, &timers[2]);
    tern_timer_stop(&service, &timers[2]);
    queue_result(STATUS_DEADLINE_EXCEEDED, 0, 0);
    queue_stop();
    expect_run("wait 3000;wait 3000;signals 7 0x8;");
    cr_assert(eq(ptr, service.timers, &timers[0]));
    now = 3000;
    memset(noted, 0, sizeof noted);
    queue_stop();
    expect_run("time 3000;wait 4000;signals 7 0x8;");
}

/* Two timers are due, and one sets itself again at once; requests never cease. */
Test(service, timers_and_requests_take_turns)
{
    answer = 1;
    tern_timer_set(&service, &timers[0], 1);
    tern_timer_set(&service, &timers[1], 500);
    queue_request(1);
    queue_result(STATUS_OK, 0, 0);
    queue_request(2);
    queue_result(STATUS_OK, 0, 0);
    queue_request(3);
    queue_stop();
    expect_run("time 1;wait 2;request 4 1;"
               "respond 4 1;time 2;wait 500;request 4 2;"
               "respond 4 1;time 500;wait -1;request 4 3;"
               "answer 1, wait -1;signals 7 0x8;");
}

Test(service, wrong_member_is_told_and_the_others_leave)
{
    add_status = STATUS_RESOURCE_EXHAUSTED;
    cr_assert(eq(int, tern_service_run(&service), STATUS_RESOURCE_EXHAUSTED));
    cr_assert(eq(str, noted, "add 9 4 0x5;add 9 7 0x8;remove 9 4;"));
}

Test(service, signals_that_nobody_hears_are_refused)
{
    members[0].on_signals = NULL;
    cr_assert(eq(int, tern_service_run(&service), STATUS_INVALID_ARGUMENT));
    cr_assert(eq(str, noted, ""));
}

Test(service, request_that_nobody_hears_is_answered)
{
    members[0].on_request = NULL;
    members[0].mask = SIGNAL_READABLE | SIGNAL_ERROR;
    queue_request(1);
    queue_stop();
    expect_run("wait -1;answer 0, wait -1;signals 7 0x8;");
}

Test(service, wait_that_fails_ends_it)
{
    queue_result(STATUS_PERMISSION_DENIED, 0, 0);
    cr_assert(eq(int, tern_service_run(&service), STATUS_PERMISSION_DENIED));
    cr_assert(eq(str, noted, "add 9 4 0x5;add 9 7 0x8;wait -1;remove 9 7;remove 9 4;"));
}
