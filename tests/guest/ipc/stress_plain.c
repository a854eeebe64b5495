/* SPDX-License-Identifier: MIT
 * Handler of the stress test that serves by object_wait, channel_read, channel_respond. It reads some requests in two
 * parts or twice, answers some after a while and tries some answers again. A request may be withdrawn under it at any
 * time; what it then says must not reach the next one. */
#include "handles.h"
#include "tests/guest/ipc/stress.h"

static struct stress_message message, again;
static uint64_t last; /* sequence of the newest request seen, plus 1 */

static void dawdle(void)
{
    uint64_t how = stress_random() % 8;
    if (how == 0)
        stress_spin_until(clock_now() + stress_random() % (60 * US));
    else if (how == 1)
        check_sleep_until(HANDLE_PLAIN, clock_now() + stress_random() % (30 * US));
}

/* Its length; 0 if it was withdrawn. */
static uint64_t read_whole(struct stress_message *m)
{
    struct result r = channel_read(HANDLE_PLAIN, 0, m, sizeof *m);
    if (r.status == STATUS_UNAVAILABLE)
        return 0;
    check_status("read", r.status, STATUS_OK);
    stress_check("request", m, STRESS_REQUEST, r.value);
    check_at_least("sequence of a request", m->sequence, last ? last - 1 : 0);
    last = m->sequence + 1;
    return r.value;
}

/* The second half, then the head again. A request that is withdrawn meanwhile costs one read its UNAVAILABLE: two that
 * succeed are of one request. False if a read was refused. */
static bool read_tail(void)
{
    uint64_t head[3], half = message.words / 2;
    size_t skip = STRESS_HEAD_BYTES + half * sizeof(uint64_t);
    struct result r = channel_read(HANDLE_PLAIN, skip, again.word, sizeof again.word);
    if (r.status == STATUS_UNAVAILABLE)
        return false;
    check_ok("read at an offset", r, (message.words - half) * sizeof(uint64_t));
    for (uint64_t i = half; i < message.words; i++)
        check_u64("word read at an offset", again.word[i - half], stress_word(&message, i));
    r = channel_read(HANDLE_PLAIN, 0, head, sizeof head);
    if (r.status == STATUS_UNAVAILABLE)
        return false;
    check_status("read of the head", r.status, STATUS_OK);
    check_u64("sequence after a read at an offset", head[1], message.sequence);
    return true;
}

int main(void)
{
    for (;;) {
        struct result r = object_wait(HANDLE_PLAIN, SIGNAL_READABLE | SIGNAL_ERROR, TIME_MAX);
        check_status("wait", r.status, STATUS_OK);
        if (r.signals & SIGNAL_ERROR)
            process_exit(0); /* the initiator is gone */
        if (!read_whole(&message))
            continue;
        if (stress_random() % 4 == 0 && !read_tail())
            continue;
        dawdle();
        if (stress_random() % 4 == 0 && !read_whole(&message))
            continue;
        stress_fill(&message, STRESS_ANSWER, message.sequence, stress_random() % (STRESS_WORDS_MAX + 1));
        r = channel_respond(HANDLE_PLAIN, &message, stress_bytes(&message));
        if (r.status != STATUS_OK)
            check_refused("late answer", r, STATUS_UNAVAILABLE);
        if (stress_random() % 4 == 0)
            check_refused("second answer", channel_respond(HANDLE_PLAIN, &message, stress_bytes(&message)),
                          STATUS_UNAVAILABLE);
    }
}
