/* SPDX-License-Identifier: MIT
 * The oracle: what is known before a call, and what must have become of it after. */
#include "tests/unit/ipc/endpoint_oracle.h"

#include "ipc/endpoint_internal.h"

#include <string.h>

enum { UNTOUCHED = 0x55, GENERATIONS = 64 };

static struct channel_state {
    uint32_t number;               /* of the request begun last; all requests have different ones */
    uint32_t numbers[GENERATIONS]; /* of the request of each generation */
    uint64_t bytes[GENERATIONS];   /* and its length */
    char *shadow;                  /* where its answer goes */
    uint32_t accepted;             /* its number, if its answer was accepted and has not been reported */
    uint64_t accepted_bytes;
    uint32_t known; /* number of the request that the handler's process was given last */
} channels[CHANNELS];

static uint32_t last_number;
static uint32_t taken[THREADS]; /* number of the request that the thread took last through a group */
static struct {
    uint32_t flying, bits; /* sent and not arrived; arrived and not taken */
    bool level;
} mail[CHANNELS][2]; /* to the initiator, to the handler */
static char shadow[THREADS][BUFFER_BYTES], async_shadow[CHANNELS][BUFFER_BYTES];
static struct world before;
static struct pieces out_pieces, in_pieces;

uint64_t oracle_events[EVENTS];

static char request_byte(uint32_t number, uint64_t k)
{
    return (char)(number * 131 + k * 7 + (k >> 3));
}

static char answer_byte(uint32_t number, uint64_t k)
{
    return (char)(number * 151 + k * 11 + (k >> 2) + 1);
}

void oracle_create(void)
{
    memset(channels, 0, sizeof(channels));
    memset(taken, 0, sizeof(taken));
    memset(mail, 0, sizeof(mail));
    memset(world.receive, UNTOUCHED, sizeof(world.receive));
    memset(world.async_receive, UNTOUCHED, sizeof(world.async_receive));
    memcpy(shadow, world.receive, sizeof(shadow));
    memcpy(async_shadow, world.async_receive, sizeof(async_shadow));
}

static int channel_of(const struct object *o)
{
    const struct endpoint *e = (const struct endpoint *)o;
    return (int)(o->type == IMAGE_OBJECT_CHANNEL_HANDLER ? e - world.handlers : e - world.initiators);
}

static struct channel_state *state_of(const struct endpoint *h)
{
    return &channels[channel_of(&h->object)];
}

/* The request that is pending at the handler. */
static uint32_t pending_number(const struct endpoint *h)
{
    return state_of(h)->numbers[h->generation % GENERATIONS];
}

static void must_have_request(const struct endpoint *h, const char *buffer, uint64_t offset, uint64_t n)
{
    for (uint64_t k = 0; k < n; k++)
        must(buffer[k] == request_byte(pending_number(h), offset + k));
}

/* The handler that the thread's call is about: by its handle, or what it took through a group and may still answer. */
static struct endpoint *answered_by(const struct call *c, const struct thread *t)
{
    if (c->object->type != IMAGE_OBJECT_WAIT_GROUP)
        return (struct endpoint *)c->object;
    struct endpoint *h = t->served;
    return h && (h->reading & READING_TAKEN) && h->taker == t ? h : NULL;
}

static bool is_answer(const struct call *c)
{
    return c->kind == CALL_RESPOND || (c->kind == CALL_RESPOND_AND_WAIT && c->out);
}

/* What an answer will come to. */
static enum status answer_status(const struct call *c, const struct endpoint *h)
{
    if (!h || !(h->reading & READING_BEGUN))
        return STATUS_UNAVAILABLE;
    if (c->n > h->response_room)
        return STATUS_OUT_OF_RANGE;
    bool open = !h->remote || h->peer->claim == h->generation << 2;
    return open ? STATUS_OK : STATUS_UNAVAILABLE;
}

static void fill(char *buffer, uint32_t number, char (*byte)(uint32_t, uint64_t))
{
    for (uint64_t k = 0; k < BUFFER_BYTES; k++)
        buffer[k] = byte(number, k);
}

/* Buffers of a transaction, unless one is under way, whose they are. */
static void prepare_request(struct call *c, int i)
{
    bool async = c->kind == CALL_ASYNC_TRANSACT;
    int channel = channel_of(c->object);
    c->out = async ? world.async_send[channel] : world.send[i];
    c->in = async ? world.async_receive[channel] : world.receive[i];
    if (async && endpoint_is_busy((const struct endpoint *)c->object))
        return;
    fill(async ? world.async_send[channel] : world.send[i], last_number + 1, request_byte);
    memset(c->in, UNTOUCHED, BUFFER_BYTES);
    memset(async ? async_shadow[channel] : shadow[i], UNTOUCHED, BUFFER_BYTES);
}

/* In pieces, some of them empty, one behind the other: what is in them all is what would be in one. */
static const struct pieces *cut(struct pieces *p, const char *buffer, uint64_t bytes)
{
    char *at = (char *)(uintptr_t)buffer;
    *p = (struct pieces){.total = bytes, .count = 1 + world_random(PIECES_MAX)};
    for (uint32_t k = 0; k < p->count; k++) {
        uint64_t n = k + 1 == p->count ? bytes : world_random((uint32_t)bytes + 1);
        p->piece[k] = (struct piece){at, n};
        at += n;
        bytes -= n;
    }
    return p;
}

static void prepare(struct call *c, int i)
{
    if (c->kind == CALL_TRANSACT || c->kind == CALL_ASYNC_TRANSACT) {
        prepare_request(c, i);
        return;
    }
    c->in = world.receive[i];
    if (!is_answer(c))
        return;
    const struct endpoint *h = answered_by(c, &world.threads[i]);
    uint32_t number = c->object->type == IMAGE_OBJECT_WAIT_GROUP ? taken[i] : state_of(h)->known;
    fill(world.send[i], number, answer_byte);
    c->out = world.send[i];
    if (answer_status(c, h) != STATUS_OK)
        return;
    must(number == pending_number(h) && number == state_of(h)->number); /* it is the one that was given for it */
    struct channel_state *s = state_of(h);
    must(!s->accepted);
    s->accepted = number;
    s->accepted_bytes = c->n;
    memcpy(s->shadow, world.send[i], c->n);
}

static void note_begun(const struct call *c, int i)
{
    const struct endpoint *e = (const struct endpoint *)c->object;
    const struct thread *t = &world.threads[i];
    bool async = c->kind == CALL_ASYNC_TRANSACT;
    bool begun = async ? t->result.status == STATUS_OK : t->waiter.state == THREAD_WAIT_RESPONSE;
    if (!begun)
        return;
    int channel = channel_of(c->object);
    struct channel_state *s = &channels[channel];
    must(!s->accepted);
    s->number = ++last_number;
    s->numbers[e->generation % GENERATIONS] = s->number;
    s->bytes[e->generation % GENERATIONS] = c->n;
    s->shadow = async ? async_shadow[channel] : shadow[i];
    oracle_events[EVENT_HELD] += e->held;
}

/* The end of a transaction, as it is told. */
static void must_be_end(struct channel_state *s, const struct result *r)
{
    if (r->status == STATUS_OK)
        must(s->accepted == s->number && r->value == s->accepted_bytes);
    else
        must(!s->accepted);
    s->accepted = 0;
}

static void note_caller(int channel, const struct thread *t)
{
    const struct result *r = &t->result;
    if (t->process->stopped || t->waiter.state == THREAD_STOPPED)
        return;
    if (before.initiators[channel].async == ASYNC_CANCELLED) {
        must(r->status == STATUS_OK && !r->value);
        return;
    }
    must_be_end(&channels[channel], r);
    oracle_events[world.initiators[channel].remote ? EVENT_ANSWERED_REMOTE : EVENT_ANSWERED] += !r->status;
    oracle_events[EVENT_EXPIRED] += r->status == STATUS_DEADLINE_EXCEEDED;
    oracle_events[EVENT_CANCELLED] += r->status == STATUS_CANCELLED;
    oracle_events[EVENT_PEER_DIED] += r->status == STATUS_UNAVAILABLE;
}

static void note_ends(const struct call *c, int i)
{
    for (int k = 0; k < CHANNELS; k++) {
        const struct endpoint *was = &before.initiators[k], *is = &world.initiators[k];
        struct channel_state *s = &channels[k];
        if (was->caller && is->caller != was->caller) {
            note_caller(k, was->caller);
            s->accepted = is->async == ASYNC_ABANDONED ? s->accepted : 0;
        }
        if (c->kind == CALL_ASYNC_COMPLETE && c->object == &is->object && was->async == ASYNC_DONE) {
            must_be_end(s, &world.threads[i].result);
            oracle_events[is->remote ? EVENT_COLLECTED_REMOTE : EVENT_COLLECTED] += !world.threads[i].result.status;
        }
        if (was->async != ASYNC_NONE && is->async == ASYNC_NONE)
            s->accepted = 0;
        oracle_events[EVENT_ABANDONED] += was->async != ASYNC_ABANDONED && is->async == ASYNC_ABANDONED;
        oracle_events[EVENT_CANCEL_WAITED] += was->async != ASYNC_CANCELLED && is->async == ASYNC_CANCELLED;
        if (is->object.process->stopped)
            s->accepted = 0;
        if (world.handlers[k].object.process->stopped)
            s->known = 0;
    }
}

/* The thread was given something by a wait for requests. */
static void note_given(int i, const struct object *o)
{
    const struct thread *t = &world.threads[i];
    const struct result *r = &t->result;
    if ((enum status)r->status != STATUS_OK)
        return;
    const struct endpoint *h = (const struct endpoint *)o;
    uint64_t n = r->value;
    if (o->type == IMAGE_OBJECT_WAIT_GROUP) {
        must(r->value < o->process->object_count);
        const struct member *m = &world.members[o->process - world.processes][r->value];
        uint32_t signals = (uint32_t)(r->status >> 32);
        oracle_events[EVENT_GROUP_TOLD]++;
        if (!(signals & RESULT_REQUEST)) {
            must(signals && m->object->process == o->process);
            return;
        }
        h = (const struct endpoint *)m->object;
        n = signals & ~RESULT_REQUEST;
        taken[i] = pending_number(h);
        oracle_events[EVENT_TAKEN]++;
    } else {
        oracle_events[EVENT_RECEIVED]++;
    }
    must(n == state_of(h)->bytes[h->generation % GENERATIONS] && (h->reading & READING_BEGUN));
    must_have_request(h, t->buffer, 0, n < t->buffer_bytes ? n : t->buffer_bytes);
    state_of(h)->known = pending_number(h);
}

static bool waits_for_request(const struct thread *t)
{
    return t->waiter.state == THREAD_WAIT_REQUEST || t->waiter.state == THREAD_WAIT_BEHIND;
}

/* It waited for signals of this mask: it is told of one of them; by a group, of one of its members. */
static void note_told(const struct thread *t, const struct object *o, uint32_t mask)
{
    uint32_t signals = (uint32_t)(t->result.status >> 32);
    if ((enum status)t->result.status != STATUS_OK)
        return;
    if (o->type == IMAGE_OBJECT_WAIT_GROUP)
        must(t->result.value < o->process->object_count && signals);
    else
        must((signals & mask) && !t->result.value);
}

static void note_waits(const struct call *c, int i)
{
    for (int k = 0; k < THREADS; k++) {
        const struct thread *was = &before.threads[k], *is = &world.threads[k];
        const struct object *o = k == i ? c->object : was->wait_object;
        if (is->waiter.state != THREAD_RUNNING && is->waiter.state != THREAD_READY)
            continue;
        if (waits_for_request(was) || (k == i && c->kind == CALL_RESPOND_AND_WAIT))
            note_given(k, o);
        if (was->waiter.state == THREAD_WAIT_SIGNALS || (k == i && c->kind == CALL_WAIT))
            note_told(is, o, k == i ? c->mask : was->waiter.mask);
    }
}

static void note_read(const struct call *c, int i)
{
    const struct endpoint *h = (const struct endpoint *)c->object;
    const struct result *r = &world.threads[i].result;
    oracle_events[EVENT_READ_UNAVAILABLE] += r->status == STATUS_UNAVAILABLE;
    if (r->status != STATUS_OK)
        return;
    must_have_request(h, world.receive[i], c->offset, r->value);
    state_of(h)->known = pending_number(h);
    oracle_events[EVENT_READ]++;
}

/* Bits and level on their way to the other end. */
static void note_mail(const struct call *c, int i)
{
    int channel = channel_of(c->object), is_handler = c->object->type == IMAGE_OBJECT_CHANNEL_HANDLER;
    if (world.threads[i].result.status != STATUS_OK)
        return;
    bool flies = ((const struct endpoint *)c->object)->remote;
    if (c->kind == CALL_NOTIFY)
        *(flies ? &mail[channel][!is_handler].flying : &mail[channel][!is_handler].bits) |= c->mask;
    else
        mail[channel][!is_handler].level = c->value;
}

/* The announcement has been looked at; the sender's death takes all with it. */
static void note_arrived(int channel, int is_handler)
{
    const struct endpoint *e = is_handler ? &world.handlers[channel] : &world.initiators[channel];
    const struct endpoint *was = is_handler ? &before.handlers[channel] : &before.initiators[channel];
    typeof(&mail[0][0]) m = &mail[channel][is_handler];
    if (was->mail >> 32 > 1 && e->mail >> 32 <= 1) {
        m->bits |= m->flying;
        m->flying = 0;
    }
    if (e->dead && !was->dead) {
        m->bits = m->flying = 0;
        m->level = false;
    }
}

static void note_takers(const struct call *c, int i)
{
    for (int k = 0; k < THREADS; k++) {
        const struct thread *was = &before.threads[k], *is = &world.threads[k];
        bool waited = was->waiter.state == THREAD_WAIT_TAKE || (k == i && c->kind == CALL_TAKE);
        if (!waited || is->waiter.state > THREAD_READY || is->result.status != STATUS_OK)
            continue;
        const struct object *o = k == i ? c->object : was->wait_object;
        uint32_t *bits = &mail[channel_of(o)][o->type == IMAGE_OBJECT_CHANNEL_HANDLER].bits;
        must(is->result.value && !(is->result.value & ~(uint64_t)*bits));
        *bits &= ~(uint32_t)is->result.value;
        oracle_events[EVENT_BITS]++;
    }
}

/* What has arrived is there, and what no message announces has arrived. */
static void check_mail(void)
{
    for (int k = 0; k < CHANNELS; k++) {
        for (int is_handler = 0; is_handler < 2; is_handler++) {
            const struct endpoint *e = is_handler ? &world.handlers[k] : &world.initiators[k];
            must(e->notified == mail[k][is_handler].bits);
            must(e->mail >> 32 > 1 || (!mail[k][is_handler].flying && e->user == mail[k][is_handler].level));
        }
    }
}

/* Where a request may be copied to, or may just have been, anything may be. */
static void check_buffers(const struct call *c, int i)
{
    for (int k = 0; k < THREADS; k++) {
        const struct thread *t = &world.threads[k];
        bool is_own = k == i && (c->kind == CALL_READ || c->kind == CALL_RESPOND_AND_WAIT);
        if (is_own || waits_for_request(t) || waits_for_request(&before.threads[k]))
            memcpy(shadow[k], world.receive[k], BUFFER_BYTES);
    }
    must(memcmp(shadow, world.receive, sizeof(shadow)) == 0);
    must(memcmp(async_shadow, world.async_receive, sizeof(async_shadow)) == 0);
}

void oracle_call(struct call *c)
{
    int i = c->kind < CALL_INTERRUPT ? world_running() : -1;
    enum status expected = STATUS_OK;
    if (i >= 0) {
        expected = is_answer(c) ? answer_status(c, answered_by(c, &world.threads[i])) : STATUS_OK;
        prepare(c, i);
        c->out_pieces = c->out_pieces ? cut(&out_pieces, c->out, c->n) : NULL;
        c->in_pieces = c->in_pieces ? cut(&in_pieces, c->in, c->room) : NULL;
    }
    memcpy(&before, &world, sizeof(before));
    world_call(c);
    if (expected != STATUS_OK) {
        must(world_got(i, expected, 0) && world.threads[i].waiter.state <= THREAD_READY);
        oracle_events[EVENT_REFUSED]++;
    }
    if (c->kind == CALL_TRANSACT || c->kind == CALL_ASYNC_TRANSACT)
        note_begun(c, i);
    else if (c->kind == CALL_NOTIFY || c->kind == CALL_SET_PEER_USER)
        note_mail(c, i);
    else if (c->kind == CALL_READ)
        note_read(c, i);
    for (int k = 0; k < CHANNELS * 2; k++)
        note_arrived(k / 2, k % 2);
    note_takers(c, i);
    if (expected == STATUS_OK)
        note_waits(c, i);
    note_ends(c, i);
    for (int k = 0; k < PROCESSES; k++)
        oracle_events[EVENT_STARTED_AGAIN] += before.processes[k].stopped && !world.processes[k].stopped;
    check_mail();
    check_buffers(c, i);
}
