/* SPDX-License-Identifier: MIT
 * Whole records are staged and written from there, so that the rings' records do not mix in the stream, however little
 * the port takes. */
#include "sys/profile.h"

#include "ipc/event_bus.h"
#include "sys/abi/profile.h"
#include "sys/lib/log.h"
#include "sys/lib/panic.h"
#include "sys/lib/string.h"
#include "sys/machine.h"
#include "sys/sampler.h"
#include "sys/stream.h"

#include <arch/clock.h>

#define STAGE_WORDS 2048
#define STEP_STAGES 8                 /* written at one tick, at most */
#define WAITING_MANY 8192             /* words in a ring that make it worth while */
#define PAUSE_NS UINT64_C(1000000000) /* from one look to the next if there are fewer */
#define STREAM_SPINS 10000000         /* for the host to make room */
#define FINISH_STAGES 4096            /* more than all rings can hold */

static struct profile_wish wish; /* [I] */
static bool on;                  /* [I] */
static uint32_t stage[STAGE_WORDS];
static uint32_t staged;     /* words in it */
static size_t stage_next;   /* bytes of it that are written */
static uint64_t words_sent; /* staged, ever */
static uint32_t ring_next;  /* whose turn it is */
static uint64_t looked_ns;
static bool lost; /* the port took nothing in bounded time */

static enum event_response handle_tick(struct event_subscription *s, const struct event *e);
static struct event_subscription tick = {
    .name = "profile", .handle = handle_tick, .topics = TOPIC_TICK, .priority = EVENT_PRIORITY_LOW, .always = true};

/* Appends a record; there is room. */
static void put(const uint32_t *record, uint32_t n)
{
    panic_if(n > STAGE_WORDS - staged);
    memcpy(stage + staged, record, n * sizeof(uint32_t));
    staged += n;
    words_sent += n;
}

/* Writes what is staged; true: all of it is out, and the stage is empty. */
static bool stage_write(void)
{
    struct stream *stream = stream_get(STREAM_PROF);
    size_t left = staged * sizeof(uint32_t) - stage_next;
    if (stream && left)
        stage_next += stream_write(stream, (const char *)stage + stage_next, left);
    if (stage_next < staged * sizeof(uint32_t))
        return false;
    staged = 0;
    stage_next = 0;
    return true;
}

/* The same, and waits, bounded, for the host. */
static bool stage_write_all(void)
{
    struct stream *stream = stream_get(STREAM_PROF);
    while (!lost && !stage_write()) {
        size_t before = stage_next;
        if (stream)
            stream_flush(stream, STREAM_SPINS);
        lost = !stream || (!stage_write() && stage_next == before);
    }
    return !lost;
}

/* Fills the stage from the rings in turn; false: nothing is there. */
static bool stage_fill(void)
{
    for (uint32_t empty = 0; empty < wish.cpus && STAGE_WORDS - staged >= PROFILE_SAMPLE_WORDS_MAX;) {
        uint32_t record[PROFILE_SAMPLE_WORDS_MAX];
        struct sample_ring *ring = sampler_ring(ring_next);
        size_t n = ring->words ? sample_ring_take(ring, record, PROFILE_SAMPLE_WORDS_MAX) : 0;
        if (n) {
            put(record, (uint32_t)n);
            empty = 0;
        } else {
            ring_next = (ring_next + 1) % wish.cpus;
            empty++;
        }
    }
    return staged;
}

static bool is_worth_while(uint64_t now_ns)
{
    if (now_ns - looked_ns >= PAUSE_NS)
        return true;
    for (uint32_t cpu = 0; cpu < wish.cpus; cpu++)
        if (sample_ring_waiting(sampler_ring(cpu)) >= WAITING_MANY)
            return true;
    return false;
}

static enum event_response handle_tick(struct event_subscription *s, const struct event *e)
{
    (void)s;
    (void)e;
    uint64_t now_ns = clock_now_ns();
    if (!is_worth_while(now_ns))
        return EVENT_HANDLED;
    looked_ns = now_ns;
    stream_poll();
    for (uint32_t i = 0; i < STEP_STAGES && stage_write() && stage_fill(); i++)
        ;
    return EVENT_HANDLED;
}

static void put_name(uint32_t *words, const char *name)
{
    size_t n = strlen(name);
    memset(words, 0, PROFILE_NAME_WORDS * sizeof(uint32_t));
    memcpy(words, name, n < PROFILE_NAME_WORDS * sizeof(uint32_t) ? n : PROFILE_NAME_WORDS * sizeof(uint32_t) - 1);
}

static void put_head(void)
{
    uint32_t begin[6 + PROFILE_BUILD_ID_WORDS + PROFILE_NAME_WORDS] = {0}, magic[2];
    memcpy(magic, PROFILE_MAGIC, sizeof(magic));
    put(magic, 2);
    begin[0] = PROFILE_HEAD(PROFILE_BEGIN, sizeof(begin) / sizeof(begin[0]), 0, 0);
    begin[1] = PROFILE_VERSION;
    begin[2] = (uint32_t)wish.hz;
    begin[3] = wish.cpus;
    begin[4] = sampler_cpu();
    begin[5] = wish.process_count;
    memcpy(begin + 6, machine_build_id_bytes(), PROFILE_BUILD_ID_WORDS * sizeof(uint32_t));
    put_name(begin + 6 + PROFILE_BUILD_ID_WORDS, wish.image);
    put(begin, sizeof(begin) / sizeof(begin[0]));
    for (uint32_t i = 0; i < wish.process_count; i++) {
        uint32_t process[2 + PROFILE_NAME_WORDS] = {PROFILE_HEAD(PROFILE_PROCESS, 2 + PROFILE_NAME_WORDS, 0, 0), i};
        put_name(process + 2, wish.processes[i].name);
        put(process, 2 + PROFILE_NAME_WORDS);
    }
}

enum status profile_init(const struct profile_wish *wanted)
{
    wish = *wanted;
    if (!wish.hz && !wish.by_host)
        return STATUS_OK;
    enum status s = sampler_init(wish.hz, wish.cpus, wish.processes, wish.process_count);
    if (s != STATUS_OK)
        return s;
    on = true;
    put_head();
    stream_poll();
    if (!stream_is_expected(STREAM_PROF))
        log_warn("profile: the host has no port org.tern.prof, so all samples will be dropped");
    panic_if(event_subscribe_at_boot(0, &tick) != STATUS_OK);
    return STATUS_OK;
}

void profile_start(void)
{
    if (!on)
        return;
    sampler_start();
    if (wish.hz)
        log_info("profile: %lu samples a second of each CPU, by CPU %u", wish.hz, sampler_cpu());
    else
        log_info("profile: a sample at each NMI");
}

void profile_stop(void)
{
    if (on)
        sampler_stop();
}

/* What a CPU took, dropped and missed. */
static void put_counts(uint32_t cpu)
{
    const struct sample_ring *r = sampler_ring(cpu);
    uint64_t late = sampler_late(cpu);
    const uint32_t words[] = {PROFILE_HEAD(PROFILE_CPU, 6, cpu, 0), (uint32_t)r->taken,
                              (uint32_t)(r->taken >> 32),           (uint32_t)r->dropped,
                              (uint32_t)(r->dropped >> 32),         late > UINT32_MAX ? UINT32_MAX : (uint32_t)late};
    put(words, 6);
    if (r->dropped || late)
        log_warn("profile: CPU %u: %lu samples, of which %lu were dropped; late %lu times", cpu, r->taken, r->dropped,
                 late);
}

void profile_finish(void)
{
    uint64_t taken = 0;
    if (!on)
        return;
    stream_poll();
    for (uint32_t i = 0; i < FINISH_STAGES && stage_write_all() && stage_fill(); i++)
        ;
    for (uint32_t cpu = 0; cpu < wish.cpus; cpu++) {
        taken += sampler_ring(cpu)->taken;
        if (stage_write_all())
            put_counts(cpu);
    }
    const uint32_t end[] = {PROFILE_HEAD(PROFILE_END, 3, 0, 0), (uint32_t)words_sent, (uint32_t)(words_sent >> 32)};
    if (stage_write_all()) {
        put(end, 3);
        stage_write_all();
    }
    struct stream *stream = stream_get(STREAM_PROF);
    if (!lost && stream)
        lost = !stream_flush(stream, STREAM_SPINS);
    if (lost)
        log_warn("profile: the host did not take all samples");
    log_info("profile: %lu samples", taken);
}
