/* SPDX-License-Identifier: MIT
 * Tern's channel, by the wrappers that the kernel uses. */
#include "perf/bench/peers/queue.h"

#include "ipc/channel.h"

CHANNEL_DEFINE(message_channel, struct message)

#define QUEUE_PRODUCERS_MAX PRODUCERS_MAX

struct queue {
    struct channel channel;
};

static struct queue *queue_make(size_t capacity)
{
    struct queue *q = lines_allocate(sizeof(*q));
    size_t bytes = message_channel_bytes(capacity);
    if (message_channel_init(&q->channel, lines_allocate(bytes), bytes, capacity) != STATUS_OK) {
        abort();
    }
    return q;
}

static inline bool queue_send(struct queue *q, const struct message *in)
{
    return message_channel_send(&q->channel, in) == STATUS_OK;
}

static inline bool queue_recv(struct queue *q, struct message *out)
{
    return message_channel_try_recv(&q->channel, out) == STATUS_OK;
}

#include "perf/bench/peers/loops.h"
