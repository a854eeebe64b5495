/* SPDX-License-Identifier: MIT
 * The loop of a service. An answer goes out with the call that waits for the next event, unless a timer is due: then it
 * goes out alone, so that it does not wait for what the timer does. */
#include "user/rt/service.h"

/* The request that was handed to the program, and the length of its answer, TERN_LATER if there is none to send. */
struct answer {
    const struct tern_member *to;
    size_t n;
};

void tern_timer_stop(struct tern_service *s, struct tern_timer *t)
{
    for (struct tern_timer **p = &s->timers; *p; p = &(*p)->next) {
        if (*p == t) {
            *p = t->next;
            return;
        }
    }
}

void tern_timer_set(struct tern_service *s, struct tern_timer *t, uint64_t deadline_ns)
{
    tern_timer_stop(s, t);
    t->deadline_ns = deadline_ns;
    struct tern_timer **p = &s->timers;
    while (*p && (*p)->deadline_ns <= deadline_ns)
        p = &(*p)->next;
    t->next = *p;
    *p = t;
}

static uint64_t next_deadline(const struct tern_service *s)
{
    return s->timers ? s->timers->deadline_ns : TIME_MAX;
}

static void run_timer(struct tern_service *s)
{
    struct tern_timer *t = s->timers;
    tern_timer_stop(s, t);
    t->on_time(s, t);
}

/* An empty answer is not null, which would be none. */
static const void *bytes_of(const struct tern_service *s, struct answer answer)
{
    return answer.n ? s->response : "";
}

static void send_answer(struct tern_service *s, struct answer answer)
{
    if (answer.n == TERN_LATER)
        return;
    if (channel_respond(answer.to->handle, bytes_of(s, answer), answer.n).status != STATUS_OUT_OF_RANGE)
        return; /* answered, or nobody waits any more */
    s->refused++;
    (void)channel_respond(answer.to->handle, "", 0);
}

static struct result wait_only(const struct tern_service *s)
{
    return channel_respond_and_wait(s->group, NULL, 0, s->request, s->room, next_deadline(s));
}

static struct result answer_and_wait(struct tern_service *s, struct answer answer)
{
    if (answer.n == TERN_LATER)
        return wait_only(s);
    struct result r =
        channel_respond_and_wait(s->group, bytes_of(s, answer), answer.n, s->request, s->room, next_deadline(s));
    if (r.status != STATUS_OUT_OF_RANGE && r.status != STATUS_UNAVAILABLE)
        return r;
    send_answer(s, answer); /* it was refused, and nothing was waited for */
    return wait_only(s);
}

static struct answer handle_event(struct tern_service *s, struct result r)
{
    const struct tern_member *m = (const struct tern_member *)(uintptr_t)r.value;
    if (!result_is_request(r)) {
        m->on_signals(s, m, r.signals);
        return (struct answer){m, TERN_LATER};
    }
    size_t n = result_length(r);
    if (n <= s->room && m->on_request)
        return (struct answer){m, m->on_request(s, m, n)};
    s->refused++;
    return (struct answer){m, 0};
}

static enum status serve(struct tern_service *s)
{
    struct answer answer = {NULL, TERN_LATER};
    while (!s->stop) {
        if (s->timers && s->timers->deadline_ns <= clock_now()) {
            send_answer(s, answer);
            answer.n = TERN_LATER;
            run_timer(s);
            if (s->stop)
                break;
        }
        struct result r = answer_and_wait(s, answer);
        answer.n = TERN_LATER;
        if (r.status == STATUS_OK)
            answer = handle_event(s, r);
        else if (r.status != STATUS_DEADLINE_EXCEEDED)
            return r.status;
    }
    send_answer(s, answer);
    return STATUS_OK;
}

static enum status join(const struct tern_service *s, uint32_t *joined)
{
    for (*joined = 0; *joined < s->count; ++*joined) {
        const struct tern_member *m = &s->members[*joined];
        uint32_t mask = m->mask | (m->on_request ? SIGNAL_READABLE : 0);
        if (m->mask && !m->on_signals)
            return STATUS_INVALID_ARGUMENT;
        struct result r = wait_group_add(s->group, m->handle, mask, (uintptr_t)m);
        if (r.status != STATUS_OK)
            return r.status;
    }
    return STATUS_OK;
}

enum status tern_service_run(struct tern_service *s)
{
    uint32_t joined;
    s->stop = false;
    enum status status = join(s, &joined);
    if (status == STATUS_OK)
        status = serve(s);
    while (joined > 0)
        (void)wait_group_remove(s->group, s->members[--joined].handle);
    return status;
}
