/* SPDX-License-Identifier: MIT
 * Shards, and the walk over a shard's subscribers. The ring is its own CPU's alone; shared words are those of the
 * channel of arrivals and of the wake; `interest`, which says for each kind what CPUs have a subscriber: each CPU
 * changes its own bit, and a publisher that sees an old value misses a subscription that is being made, or sends an
 * event that nobody takes; and `paused`.
 *
 * event_append in a release build: 6 instructions without a subscriber anywhere, 19 with any number of them; no locked
 * one; lines touched: the count, the interest, the ring's words, its slot, the wake. */
#include "ipc/event_bus.h"

#include "ipc/channel.h"
#include "ipc/name.h"
#include "ipc/wake.h"
#include "mm/page.h"
#include "sched/timer.h"
#include "sys/lib/panic.h"
#include "sys/lib/string.h"

#include <arch/memory.h>
#include <arch/percpu.h>

CHANNEL_DEFINE(arrival_channel, struct event)

/* An event that one subscription has put off. */
struct deferral {
    struct event event;
    uint64_t id;    /* the subscription's */
    uint64_t times; /* how often */
};

/* Where a walk over the list is; unsubscribing moves it on. Walks nest (event_publish_sync). */
struct walk {
    struct event_subscription *next;
    struct walk *outer;
};

struct shard {
    uint64_t tail;                         /* [o] where the ring's next event goes, in bytes, free-running */
    uint64_t limit;                        /* [o] where it may not go: one ring behind the oldest */
    char *ring;                            /* [I] events; their `cpu` is not set */
    struct event_counts counts;            /* [o] read by all */
    struct wake wake;                      /* for both queues and what is deferred */
    struct channel arrivals;               /* from other CPUs */
    struct event_subscription *first;      /* [o] */
    struct walk *walk;                     /* [o] innermost under way */
    uint32_t nesting;                      /* [o] */
    uint32_t subscriptions;                /* [o] */
    uint64_t deferred_head, deferred_tail; /* [o] free-running */
    struct deferral *deferred;             /* [I] EVENT_DEFERRALS of them */
};

#define RING_BYTES (EVENT_RING * sizeof(struct event))

static PERCPU_ZERO(struct shard, shard);
static _Alignas(CACHE_LINE) uint64_t interest[EVENT_KINDS]; /* [a] CPUs with a subscriber, a bit each */
static bool paused;                                         /* [a] */
static uint64_t last_id;                                    /* [a] */
static uint64_t tick_ns = 10000000;                         /* [I] */

_Static_assert(CPU_MAX <= 64, "a bit for each CPU");
_Static_assert(EVENT_KINDS <= 32, "a bit for each kind");
_Static_assert(NAME_MAX <= 64, "a bit for each name");
_Static_assert((RING_BYTES & (RING_BYTES - 1)) == 0 && (EVENT_DEFERRALS & (EVENT_DEFERRALS - 1)) == 0, "masks");

static bool matches(const struct event_subscription *s, const struct event *e)
{
    if (s->paused || !(s->topics & EVENT_BIT(e->kind)))
        return false;
    return e->kind != EVENT_CUSTOM || s->topics == TOPIC_ALL || (s->names >> EVENT_CUSTOM_NAME(e->value) & 1);
}

/* For the `times`-th time. */
static void defer(struct shard *b, struct event_subscription *s, const struct event *e, uint64_t times)
{
    if (!s->subscribed)
        return;
    if (times > EVENT_DEFERRED_MAX || b->deferred_tail - b->deferred_head == EVENT_DEFERRALS) {
        s->missed++;
        return;
    }
    b->deferred[b->deferred_tail++ % EVENT_DEFERRALS] = (struct deferral){*e, s->id, times};
    wake_ring_here(&b->wake);
}

/* One handler, one event, which it has put off `times` times. */
static void call(struct shard *b, struct event_subscription *s, const struct event *e, uint64_t times,
                 struct event_dispatch *d)
{
    s->calls++;
    enum event_response said = s->handle(s, e);
    d->handled += said == EVENT_HANDLED;
    d->ignored += said == EVENT_IGNORED;
    d->deferred += said == EVENT_DEFERRED;
    d->errors += said != EVENT_HANDLED && said != EVENT_IGNORED && said != EVENT_DEFERRED;
    if (said == EVENT_DEFERRED)
        defer(b, s, e, times + 1);
}

static void walk_begin(struct shard *b, struct walk *w)
{
    *w = (struct walk){.next = b->first, .outer = b->walk};
    b->walk = w;
}

/* The next one; the walk is over with NULL. */
static struct event_subscription *walk_next(struct shard *b, struct walk *w)
{
    struct event_subscription *s = w->next;
    if (s)
        w->next = s->next;
    else
        b->walk = w->outer;
    return s;
}

static void count(struct shard *b, const struct event_dispatch *d)
{
    b->counts.handled += d->handled;
    b->counts.ignored += d->ignored;
    b->counts.deferred += d->deferred;
    b->counts.errors += d->errors;
}

/* To who matches, but not to who comes meanwhile, wherever in the list. */
static struct event_dispatch deliver(struct shard *b, const struct event *e)
{
    struct event_dispatch d = {0};
    bool all = !load_relaxed(&paused);
    uint64_t newest = load_relaxed(&last_id);
    struct walk w;
    b->counts.delivered += all;
    walk_begin(b, &w);
    for (struct event_subscription *s; (s = walk_next(b, &w));)
        if (matches(s, e) && s->id <= newest && (all || s->always))
            call(b, s, e, 0, &d);
    count(b, &d);
    return d;
}

/* To the subscription that put it off, if it still is one. */
static void deliver_deferral(struct shard *b, const struct deferral *f)
{
    struct event_dispatch d = {0};
    struct event_subscription *s = b->first;
    while (s && s->id != f->id)
        s = s->next;
    if (s && matches(s, &f->event) && (s->always || !load_relaxed(&paused)))
        call(b, s, &f->event, f->times, &d);
    count(b, &d);
}

/* A copy to each other CPU that wants it; of ticks each CPU has its own. */
static void forward(struct shard *b, const struct event *e)
{
    uint64_t cpus = e->kind == EVENT_TICK ? 0 : load_relaxed(&interest[e->kind]) & ~(UINT64_C(1) << cpu_index());
    for (; cpus; cpus &= cpus - 1) {
        struct shard *other = cpu_ptr((uint32_t)__builtin_ctzll(cpus), shard); /* remote look: made for it */
        if (arrival_channel_send(&other->arrivals, e) == STATUS_OK)
            wake_ring(&other->wake);
        else
            b->counts.dropped[e->kind]++;
    }
}

/* Each of the next three: a bounded part of what is there now, not of what handlers add meanwhile. */
static void run_ring(struct shard *b)
{
    uint64_t bytes = b->tail - (b->limit - RING_BYTES), step = EVENT_STEP * sizeof(struct event);
    for (uint64_t end = b->limit + (bytes < step ? bytes : step); b->limit != end;) {
        struct event e = *(struct event *)(b->ring + b->limit % RING_BYTES); /* where the oldest is too */
        e.cpu = (uint16_t)cpu_index();
        b->limit += sizeof(e);
        forward(b, &e);
        (void)deliver(b, &e);
    }
}

static void run_arrivals(struct shard *b)
{
    struct event e;
    size_t n = channel_len(&b->arrivals);
    for (n = n < EVENT_STEP ? n : EVENT_STEP; n > 0 && arrival_channel_try_recv(&b->arrivals, &e) == STATUS_OK; n--)
        (void)deliver(b, &e);
}

static void run_deferred(struct shard *b)
{
    for (uint64_t end = b->deferred_tail; b->deferred_head != end;) {
        struct deferral f = b->deferred[b->deferred_head++ % EVENT_DEFERRALS];
        deliver_deferral(b, &f);
    }
}

static bool is_at_rest(const struct shard *b)
{
    return b->tail == b->limit - RING_BYTES && channel_is_empty(&b->arrivals) && b->deferred_head == b->deferred_tail;
}

static void bus_run(struct wake *w)
{
    struct shard *b = this_cpu_ptr(shard);
    run_arrivals(b);
    run_ring(b);
    run_deferred(b);
    if (!is_at_rest(b))
        wake_ring_here(w);
}

static __attribute__((noinline, cold)) void ring_here(void)
{
    wake_ring_here(&this_cpu_ptr(shard)->wake);
}

static __attribute__((noinline, cold)) void drop(uint64_t kind)
{
    this_cpu(shard).counts.dropped[kind]++;
}

/* All through GS, so that no address need be made. */
void event_append(uint64_t kind_and_value, uint64_t word0, uint64_t word1, uint64_t word2)
{
    uint64_t kind = (uint16_t)kind_and_value, tail = this_cpu(shard).tail;
    this_cpu(shard).counts.published[kind]++;
    if (word_is_zero(&interest[kind]))
        return;
    if (__builtin_expect(tail == this_cpu(shard).limit, 0)) {
        drop(kind);
        return;
    }
    this_cpu(shard).tail = tail + sizeof(struct event);
    uint64_t *slot = (uint64_t *)(this_cpu(shard).ring + tail % RING_BYTES);
    slot[0] = kind_and_value;
    slot[1] = word0;
    slot[2] = word1;
    slot[3] = word2;
    if (__builtin_expect(word_is_zero(&this_cpu(shard).wake.announced), 0))
        ring_here();
}

enum status event_publish_custom(const char *name, const void *data, size_t bytes)
{
    uint64_t word[3] = {0};
    uint32_t number;
    if (bytes > EVENT_DATA_BYTES)
        return STATUS_INVALID_ARGUMENT;
    enum status s = name_intern(name, strlen(name), &number);
    if (s != STATUS_OK)
        return s;
    if (bytes)
        memcpy(word, data, bytes);
    event_publish(EVENT_CUSTOM, EVENT_CUSTOM_VALUE(number, bytes), word[0], word[1], word[2]);
    return STATUS_OK;
}

struct event_dispatch event_publish_sync(const struct event *e)
{
    struct shard *b = this_cpu_ptr(shard);
    struct event own = *e;
    own.cpu = (uint16_t)cpu_index();
    if (b->nesting == EVENT_NESTING_MAX) {
        event_publish(e->kind, e->value, e->word[0], e->word[1], e->word[2]);
        return (struct event_dispatch){0};
    }
    b->counts.published[e->kind]++;
    b->nesting++;
    forward(b, &own);
    struct event_dispatch d = deliver(b, &own);
    b->nesting--;
    return d;
}

static void tick(uint64_t now_ns)
{
    event_publish(EVENT_TICK, 0, now_ns, now_ns / tick_ns, 0);
}

void event_set_tick(uint64_t ns)
{
    tick_ns = ns;
}

static uint32_t wanted(const struct shard *b)
{
    uint32_t topics = 0;
    for (const struct event_subscription *s = b->first; s; s = s->next)
        topics |= s->topics;
    return topics;
}

/* The bits of `cpu`, after its list has changed. */
static void update_interest(const struct shard *b, uint32_t cpu)
{
    uint64_t bit = UINT64_C(1) << cpu;
    uint32_t topics = wanted(b);
    for (uint32_t kind = 0; kind < EVENT_KINDS; kind++) {
        uint64_t cpus = load_relaxed(&interest[kind]);
        /* Orders nothing that matters: each CPU has its own bit, and an old value does no harm. */
        while (!cmpxchg_acqrel(&interest[kind], &cpus, topics & EVENT_BIT(kind) ? cpus | bit : cpus & ~bit))
            ;
    }
}

static void update_tick(const struct shard *b)
{
    timer_every(wanted(b) & TOPIC_TICK ? tick_ns : 0, tick);
}

static enum status subscribe(struct shard *b, uint32_t cpu, struct event_subscription *s)
{
    if (s->subscribed)
        return STATUS_ALREADY_EXISTS;
    if (!s->handle || !s->topics || (s->topics & ~TOPIC_ALL))
        return STATUS_INVALID_ARGUMENT;
    struct event_subscription **p = &b->first;
    while (*p && (*p)->priority <= s->priority)
        p = &(*p)->next;
    s->next = *p;
    s->subscribed = true;
    s->id = fetch_add_relaxed(&last_id, 1) + 1;
    *p = s;
    b->subscriptions++;
    update_interest(b, cpu);
    return STATUS_OK;
}

enum status event_subscribe_at_boot(uint32_t cpu, struct event_subscription *s)
{
    return subscribe(cpu_ptr(cpu, shard), cpu, s); /* remote, but that CPU does not run threads yet */
}

enum status event_subscribe(struct event_subscription *s)
{
    struct shard *b = this_cpu_ptr(shard);
    enum status status = subscribe(b, cpu_index(), s);
    if (status == STATUS_OK)
        update_tick(b);
    return status;
}

enum status event_unsubscribe(struct event_subscription *s)
{
    struct shard *b = this_cpu_ptr(shard);
    struct event_subscription **p = &b->first;
    while (*p && *p != s)
        p = &(*p)->next;
    if (!*p)
        return STATUS_NOT_FOUND;
    *p = s->next;
    for (struct walk *w = b->walk; w; w = w->outer)
        if (w->next == s)
            w->next = s->next;
    s->subscribed = false;
    b->subscriptions--;
    update_interest(b, cpu_index());
    update_tick(b);
    return STATUS_OK;
}

void event_bus_pause(bool on)
{
    store_relaxed(&paused, on);
}

static void *pages(size_t bytes)
{
    paddr_t p;
    panic_if(page_alloc_raw((bytes + PAGE_SIZE - 1) / PAGE_SIZE, PAGE_SIZE, &p) != STATUS_OK);
    return phys_to_virt(p);
}

void event_bus_create(uint32_t cpu)
{
    size_t bytes = arrival_channel_bytes(EVENT_ARRIVALS);
    struct shard *b = cpu_ptr(cpu, shard);
    b->ring = pages(RING_BYTES);
    b->limit = RING_BYTES;
    b->deferred = pages(EVENT_DEFERRALS * sizeof(struct deferral));
    panic_if(arrival_channel_init(&b->arrivals, pages(bytes), bytes, EVENT_ARRIVALS) != STATUS_OK);
    wake_init(&b->wake, cpu, THREAD_PRIORITIES - 1, bus_run);
}

void event_bus_start(void)
{
    update_tick(this_cpu_ptr(shard));
}

void event_bus_counts(uint32_t cpu, struct event_counts *counts)
{
    *counts = cpu_ptr(cpu, shard)->counts; /* remote look: counters */
}

uint32_t event_bus_subscriptions(uint32_t cpu)
{
    return load_relaxed(&cpu_ptr(cpu, shard)->subscriptions); /* remote look: a counter */
}

const char *event_kind_name(enum event_kind kind)
{
    static const char *const names[EVENT_KINDS] = {
        "tick",           "timer_expired", "shutdown",  "memory_pressure", "cpu_hotplug", "process_created",
        "process_exited", "bad_origin",    "interrupt", "custom",
    };
    return names[kind];
}

bool event_bus_valid(void)
{
    const struct shard *b = this_cpu_ptr(shard);
    uint32_t n = 0, topics = 0;
    for (const struct event_subscription *s = b->first; s; s = s->next, n++) {
        if (!s->subscribed || (s->next && s->next->priority < s->priority))
            return false;
        topics |= s->topics;
    }
    for (uint32_t kind = 0; kind < EVENT_KINDS; kind++)
        if ((load_relaxed(&interest[kind]) >> cpu_index() & 1) != (topics >> kind & 1))
            return false;
    return n == b->subscriptions && channel_valid(&b->arrivals);
}
