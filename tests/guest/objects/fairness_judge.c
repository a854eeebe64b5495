/* SPDX-License-Identifier: MIT
 * The story: one member of a wait group is signalled all the time, for a million waits, and nine others now and then,
 * often together. Each of them is given out before any other comes twice, and never later: so is the busy one. */
#include "handles.h"
#include "tests/guest/check.h"

#define MEMBERS 10
#define BUSY 0
#define WAITS 1000000

static struct member {
    uint64_t due;    /* the wait before which it calls again */
    uint64_t latest; /* the wait in which it must be given out, while it is signalled; otherwise 0 */
    uint64_t given;
    uint64_t word;
} members[MEMBERS];

/* It calls, and is answered before the next wait. */
static void call(uint32_t i, uint64_t now)
{
    struct member *m = &members[i];
    check_ok("call", channel_async_transact(i, &m->word, sizeof m->word, &m->word, sizeof m->word), 0);
    check_signals("answer", object_wait(i, SIGNAL_READABLE, TIME_MAX), SIGNAL_READABLE);
    m->latest = now + MEMBERS - 1;
}

static void call_who_is_due(uint64_t now)
{
    for (uint32_t i = 1; i < MEMBERS; i++)
        if (!members[i].latest && members[i].due <= now)
            call(i, now);
}

static void given(uint32_t i, uint64_t now)
{
    struct member *m = &members[i];
    check_at_most("last wait for a member", now, m->latest);
    m->given++;
    if (i == BUSY) { /* it stays signalled */
        m->latest = now + MEMBERS;
        return;
    }
    check_ok("collect", channel_async_complete(i), sizeof m->word);
    m->latest = 0;
    m->due = m->given % 4 ? now + 20 + i * i * 7 + m->given % 13 * i : (now / 500 + 1) * 500; /* often together */
}

int main(void)
{
    for (uint32_t i = 0; i < MEMBERS; i++) {
        members[i].due = 5 * i;
        check_ok("add", wait_group_add(HANDLE_GROUP, i, SIGNAL_READABLE, i), 0);
    }
    call(BUSY, 1);
    uint64_t waits = tern_argument_u64("iterations", WAITS);
    for (uint64_t now = 1; now <= waits; now++) {
        call_who_is_due(now);
        struct result r = object_wait(HANDLE_GROUP, SIGNAL_READABLE, TIME_MAX);
        check_status("wait", r.status, STATUS_OK);
        check_at_most("member", r.value, MEMBERS - 1);
        given((uint32_t)r.value, now);
    }
    for (uint32_t i = 0; i < MEMBERS; i++) {
        check_at_least("times that a member was given out", members[i].given, waits / 2000);
        tern_log("member %u: %lu times", i, members[i].given);
    }
    tern_success();
}
