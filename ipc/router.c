/* SPDX-License-Identifier: MIT
 * Sending. On one CPU it is a call, with what has to be known of it before and after; nothing there is shared. */
#include "ipc/router_internal.h"
#include "sys/lib/printf.h"
#include "sys/lib/string.h"

/* What every request is given, by this CPU alone. */
static inline void number(struct router_message *m, struct router_from from)
{
    m->id = this_cpu(router_shard).next_id;
    this_cpu(router_shard).next_id += ROUTER_ID_STEP;
    m->from = from;
}

static inline void begin(struct router_message *m, uint32_t id, bool posted)
{
    m->module = id;
    m->answer_bytes = 0;
    m->answer_cut = false;
    m->posted = posted;
    m->given_up = false;
    m->busy = true;
    m->sent_tsc = cpu_rdtsc();
}

/* Interrupts are off, so it lasts no second: the low half of the TSC is enough. */
static inline __attribute__((always_inline)) enum status call(struct router_module *module, struct router_message *m)
{
    enum status outcome = router_call(module, m);
    router_count(module->counts, (uint32_t)cpu_rdtsc() - (uint32_t)m->sent_tsc, outcome);
    m->busy = false;
    return outcome;
}

enum status router_pass(uint32_t cpu, struct router_message *m)
{
    struct router_shard *other = cpu_ptr(cpu, router_shard); /* remote look: made for it */
    enum status status = router_requests_send(&other->requests, &(struct router_request){m});
    if (status == STATUS_OK)
        wake_ring(&other->wake);
    return status;
}

/* Looks for the answer, and serves what is sent here: whoever sent it may be the one that is asked. */
static enum status wait(struct router_shard *s, struct router_message *m)
{
    uint64_t outcome;
    while (router_outcome_try_recv(&m->outcome, &outcome) != STATUS_OK) {
        if (router_is_past(m)) {
            m->given_up = true;
            return STATUS_DEADLINE_EXCEEDED;
        }
        if (!router_take_request(s))
            cpu_pause();
    }
    m->busy = false;
    return (enum status)outcome;
}

static enum status ask_remote(struct router_shard *s, uint32_t cpu, struct router_message *m)
{
    router_outcome_init(&m->outcome);
    enum status status = router_pass(cpu, m);
    if (status == STATUS_OK)
        return wait(s, m);
    m->busy = false;
    return status;
}

/* In every case. The message has its number. */
static enum status ask(struct router_shard *s, uint32_t id, struct router_message *m)
{
    struct router_module *module = s->modules[id];
    uint32_t cpu;
    if (!module && !router_home(id, &cpu))
        return STATUS_NOT_FOUND;
    if (router_is_past(m))
        return STATUS_DEADLINE_EXCEEDED;
    if (module && s->nesting == ROUTER_NESTING_MAX)
        return STATUS_RESOURCE_EXHAUSTED;
    begin(m, id, false);
    if (!module)
        return ask_remote(s, cpu, m);
    return call(module, m);
}

static bool type_ends(const struct router_message *m)
{
    for (size_t i = ROUTER_TYPE_BYTES; i-- > 0;)
        if (m->type[i] == '\0')
            return true;
    return false;
}

/* Of what was given up, the outcome has come meanwhile. */
bool router_is_busy(const struct router_message *m)
{
    return m->busy && !(m->given_up && oneshot_is_ready(&m->outcome.oneshot));
}

/* Whether a request may be made of it. */
static enum status check(const struct router_message *m)
{
    if (router_is_busy(m))
        return STATUS_FAILED_PRECONDITION;
    return type_ends(m) ? STATUS_OK : STATUS_INVALID_ARGUMENT;
}

static enum status check_address(uint32_t id)
{
    if (id == ROUTER_BROADCAST)
        return STATUS_INVALID_ARGUMENT;
    return id < ROUTER_MODULES_MAX ? STATUS_OK : STATUS_NOT_FOUND;
}

static __attribute__((noinline)) enum status send_slow(uint32_t id, struct router_message *m, struct router_from from)
{
    enum status status = check(m);
    if (status == STATUS_OK)
        status = check_address(id);
    if (status != STATUS_OK)
        return status;
    number(m, from);
    return ask(this_cpu_ptr(router_shard), id, m);
}

/* A module of this CPU, and nothing unusual. */
static inline bool is_direct(const struct router_module *module, const struct router_message *m)
{
    return module && !m->busy && !m->type[ROUTER_TYPE_BYTES - 1] && m->deadline_ns == UINT64_MAX &&
           this_cpu(router_shard).nesting < ROUTER_NESTING_MAX;
}

/* One CPU, release build: 51 instructions, and those of the handler; no locked one. Lines touched: the shard's pointer,
 * number and nesting, the message, the module, its counts. */
enum status router_send(uint32_t id, struct router_message *m, struct router_from from)
{
    struct router_module *module = id < ROUTER_MODULES_MAX ? this_cpu(router_shard).modules[id] : NULL;
    if (__builtin_expect(!is_direct(module, m), 0))
        return send_slow(id, m, from);
    number(m, from);
    begin(m, id, false);
    return call(module, m);
}

static enum status post_here(struct router_shard *s, struct router_message *m)
{
    enum status status = router_mailbox_put(s, s->modules[m->module], m);
    if (status == STATUS_OK)
        router_ring_here(s);
    return status;
}

enum status router_post(uint32_t id, struct router_message *m, struct router_from from)
{
    struct router_shard *s = this_cpu_ptr(router_shard);
    uint32_t cpu;
    enum status status = check(m);
    if (status == STATUS_OK)
        status = m->done && m->priority < ROUTER_PRIORITIES ? check_address(id) : STATUS_INVALID_ARGUMENT;
    if (status != STATUS_OK)
        return status;
    number(m, from);
    if (!router_home(id, &cpu))
        return STATUS_NOT_FOUND;
    if (router_is_past(m))
        return STATUS_DEADLINE_EXCEEDED;
    begin(m, id, true);
    status = cpu == cpu_index() ? post_here(s, m) : router_pass(cpu, m);
    if (status != STATUS_OK)
        m->busy = false;
    return status;
}

uint32_t router_broadcast(struct router_message *m, struct router_from from,
                          void (*each)(void *context, uint32_t id, enum status outcome, const struct router_message *m),
                          void *context)
{
    uint32_t asked = 0, cpu;
    if (check(m) != STATUS_OK)
        return 0;
    number(m, from);
    for (uint32_t id = 0; id < ROUTER_MODULES_MAX; id++) {
        if (!router_home(id, &cpu))
            continue;
        /* If one before is still at it, the deadline has passed, and no more is asked with this message. */
        each(context, id, ask(this_cpu_ptr(router_shard), id, m), m);
        asked++;
    }
    return asked;
}

void router_write(struct router_message *m, const char *format, ...)
{
    size_t room = m->room - m->answer_bytes;
    va_list args;
    va_start(args, format);
    size_t n = (size_t)kvsnprintf(m->answer + m->answer_bytes, room, format, args);
    va_end(args);
    m->answer_cut |= n > 0 && n >= room;
    m->answer_bytes += n < room ? n : room - (room > 0);
}

void router_write_bytes(struct router_message *m, const char *bytes, size_t n)
{
    size_t room = m->room - m->answer_bytes, fit = n < room ? n : room - (room > 0);
    memcpy(m->answer + m->answer_bytes, bytes, fit);
    m->answer_bytes += fit;
    m->answer_cut |= fit < n;
    if (room)
        m->answer[m->answer_bytes] = '\0';
}
