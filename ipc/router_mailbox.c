/* SPDX-License-Identifier: MIT
 * What is not a call on one CPU: requests that other CPUs sent, mailboxes, and answers on their way back. All of it is
 * done in steps of ROUTER_STEP, one after the other, when the kernel looks at its inbox; requests that were sent also
 * while this CPU waits for an answer. Mailboxes have their turns one request at a time. */
#include "ipc/router_internal.h"
#include "sys/lib/panic.h"

#include <arch/atomic.h>

enum status router_no_outcome(enum status said)
{
    return said == ROUTER_LATER ? STATUS_UNIMPLEMENTED : STATUS_INTERNAL;
}

/* These, linked from the oldest, are behind those that were there. */
static void append(struct router_shard *s, struct router_message *oldest, struct router_message *newest)
{
    if (s->untold)
        s->untold_last->next = oldest;
    else
        s->untold = oldest;
    s->untold_last = newest;
}

static void push(struct router_shard *other, struct router_message *m)
{
    struct router_message *newest = load_relaxed(&other->answers);
    do
        m->next = newest;
    while (!cmpxchg_acqrel(&other->answers, &newest, m)); /* pairs: router-answers */
    wake_ring(&other->wake);
}

void router_end(struct router_message *m, enum status outcome)
{
    uint64_t value = outcome;
    uint32_t cpu = router_sender_cpu(m);
    if (!m->posted) {
        enum status status = router_outcome_send(&m->outcome, &value);
        panic_if(status != STATUS_OK); /* answered twice */
        return;
    }
    m->outcome.value = value;
    if (cpu != cpu_index()) {
        push(cpu_ptr(cpu, router_shard), m); /* remote look: made for it */
        return;
    }
    m->next = NULL;
    append(this_cpu_ptr(router_shard), m, m);
    router_ring_here(this_cpu_ptr(router_shard));
}

/* The handler has not seen it. */
static void end_unserved(struct router_module *module, struct router_message *m, enum status outcome)
{
    module->counts->outcomes[outcome]++;
    router_end(m, outcome);
}

void router_mailbox_update(struct router_shard *s, const struct router_module *module)
{
    uint64_t bit = UINT64_C(1) << module->id;
    if (s->modules[module->id] == module)
        s->ready = module->waiting && !module->serving ? s->ready | bit : s->ready & ~bit;
}

enum status router_mailbox_put(struct router_shard *s, struct router_module *module, struct router_message *m)
{
    struct router_message **end =
        module->last[m->priority] ? &module->last[m->priority]->next : &module->first[m->priority];
    if (module->waiting == ROUTER_MAILBOX) {
        module->counts->refused++;
        return STATUS_RESOURCE_EXHAUSTED;
    }
    m->next = NULL;
    *end = module->last[m->priority] = m;
    module->waiting++;
    if (module->waiting > module->counts->waiting_most)
        module->counts->waiting_most = module->waiting;
    router_mailbox_update(s, module);
    return STATUS_OK;
}

/* The first of the most urgent. There is one. */
static struct router_message *mailbox_take(struct router_shard *s, struct router_module *module)
{
    uint32_t priority = ROUTER_PRIORITIES - 1;
    while (!module->first[priority])
        priority--;
    struct router_message *m = module->first[priority];
    module->first[priority] = m->next;
    if (!m->next)
        module->last[priority] = NULL;
    module->waiting--;
    router_mailbox_update(s, module);
    return m;
}

void router_mailbox_drop(struct router_shard *s, struct router_module *module)
{
    struct router_message *put_off = module->serving;
    if (put_off && put_off != s->in_hand) {
        module->serving = NULL;
        module->counts->abandoned++;
        end_unserved(module, put_off, STATUS_UNAVAILABLE);
    }
    while (module->waiting) {
        module->counts->abandoned++;
        end_unserved(module, mailbox_take(s, module), STATUS_UNAVAILABLE);
    }
}

void router_answer(struct router_module *module, enum status outcome)
{
    struct router_message *m = module->serving;
    struct router_shard *s = this_cpu_ptr(router_shard);
    if (!m)
        return;
    if (outcome >= STATUS_COUNT)
        outcome = STATUS_INTERNAL;
    module->serving = NULL;
    router_count_answer(module->counts, m, outcome);
    router_end(m, outcome);
    router_mailbox_update(s, module);
    router_ring_here(s);
}

/* The oldest and most urgent of a mailbox. In its handler the module may go, come back, and answer by itself. */
static void serve(struct router_shard *s, struct router_module *module)
{
    struct router_message *m = mailbox_take(s, module);
    if (router_is_past(m)) {
        module->counts->expired++;
        end_unserved(module, m, STATUS_DEADLINE_EXCEEDED);
        return;
    }
    module->serving = s->in_hand = m;
    router_mailbox_update(s, module);
    s->nesting++;
    enum status outcome = module->handle(module, m);
    s->nesting--;
    s->in_hand = NULL;
    if (outcome == ROUTER_LATER && module->registered)
        return;
    router_answer(module, outcome == ROUTER_LATER ? STATUS_UNAVAILABLE : outcome);
}

/* A post, or a send, that has come from another CPU. */
static void arrive(struct router_shard *s, struct router_message *m)
{
    struct router_module *module = s->modules[m->module];
    if (!module) {
        s->gone.abandoned++;
        router_end(m, STATUS_UNAVAILABLE);
    } else if (m->posted) {
        if (router_mailbox_put(s, module, m) != STATUS_OK)
            end_unserved(module, m, STATUS_RESOURCE_EXHAUSTED);
    } else if (router_is_past(m)) {
        module->counts->expired++;
        end_unserved(module, m, STATUS_DEADLINE_EXCEEDED);
    } else if (s->nesting == ROUTER_NESTING_MAX) {
        end_unserved(module, m, STATUS_RESOURCE_EXHAUSTED);
    } else {
        enum status outcome = router_call(module, m);
        router_count_answer(module->counts, m, outcome); /* where it says now: it may have gone */
        router_end(m, outcome);
    }
}

bool router_take_request(struct router_shard *s)
{
    struct router_request r;
    if (router_requests_try_recv(&s->requests, &r) != STATUS_OK)
        return false;
    arrive(s, r.message);
    return true;
}

static void run_mailboxes(struct router_shard *s)
{
    for (uint32_t n = 0; n < ROUTER_STEP && s->ready; n++) {
        uint64_t later = s->ready >> s->turn << s->turn;
        uint32_t id = (uint32_t)__builtin_ctzll(later ? later : s->ready);
        s->turn = (id + 1) % ROUTER_MODULES_MAX;
        serve(s, s->modules[id]);
    }
}

/* All that have come from other CPUs, which are linked newest first. */
static void take_answers(struct router_shard *s)
{
    struct router_message *m = xchg_acqrel(&s->answers, NULL); /* pairs: router-answers */
    struct router_message *oldest = NULL, *newest = m;
    while (m) {
        struct router_message *older = m->next;
        m->next = oldest;
        oldest = m;
        m = older;
    }
    if (oldest)
        append(s, oldest, newest);
}

static void run_answers(struct router_shard *s)
{
    take_answers(s);
    for (uint32_t n = 0; n < ROUTER_STEP && s->untold; n++) {
        struct router_message *m = s->untold;
        s->untold = m->next;
        m->busy = false;
        m->done(m, (enum status)m->outcome.value);
    }
}

/* Not so much as looks for answers: all that had come were taken, and with others comes a message. */
static bool is_at_rest(const struct router_shard *s)
{
    return channel_is_empty(&s->requests) && !s->ready && !s->untold;
}

void router_run(struct wake *w)
{
    struct router_shard *s = this_cpu_ptr(router_shard);
    s->running = true;
    for (uint32_t n = 0; n < ROUTER_STEP && router_take_request(s); n++)
        ;
    run_mailboxes(s);
    run_answers(s);
    s->running = false;
    if (!is_at_rest(s))
        wake_ring_here(w);
}
