/* SPDX-License-Identifier: MIT
 * Inboxes over the kernel channel. The level word has a line of its own: its CPU writes it, senders read it. */
#include "sched/inbox.h"

#include "arch/x86_64/asm.h"
#include "ipc/channel.h"
#include "mm/page.h"
#include "sys/lib/panic.h"

#include <arch/atomic.h>
#include <arch/memory.h>
#include <arch/platform.h>

CHANNEL_DEFINE(inbox_channel, struct inbox_message)

PERCPU(struct inbox, inbox);

void inbox_create(uint32_t cpu, size_t capacity)
{
    size_t bytes = channel_bytes(capacity, sizeof(struct inbox_message));
    struct inbox *in = cpu_ptr(cpu, inbox);
    paddr_t p;
    panic_if(!bytes || page_alloc((bytes + PAGE_SIZE - 1) / PAGE_SIZE, PAGE_SIZE, &p) != STATUS_OK);
    panic_if(inbox_channel_init(&in->channel, phys_to_virt(p), bytes, capacity) != STATUS_OK);
    in->level = INBOX_POLLING;
}

void inbox_kick(uint32_t cpu, uint8_t priority)
{
    fence_full(); /* pairs: inbox-wake */
    /* Remote look: one word, written by its owner only; seldom the channel, which is made for it. */
    const struct inbox *in = cpu_ptr(cpu, inbox);
    int level = load_relaxed(&in->level);
    if (level <= (int)priority || (level != INBOX_POLLING && channel_len(&in->channel) > 1))
        platform.wake(cpu);
}

void inbox_send(uint32_t cpu, const struct inbox_message *m, uint8_t priority)
{
    /* Remote look: the channel is made for it. */
    enum status s = inbox_channel_send(&cpu_ptr(cpu, inbox)->channel, m);
    panic_if(s != STATUS_OK); /* inbox_create's bound does not hold */
    inbox_kick(cpu, priority);
}

void inbox_run(void)
{
    struct channel *c = &this_cpu_ptr(inbox)->channel;
    struct inbox_message m;
    for (size_t n = channel_len(c); n > 0; n--) {
        if (inbox_channel_try_recv(c, &m) != STATUS_OK)
            return;
        m.run(&m);
    }
}

void inbox_set_level(int level)
{
    struct inbox *in = this_cpu_ptr(inbox);
    int before = load_relaxed(&in->level);
    store_relaxed(&in->level, level);
    if (level >= before)
        return;
    fence_full(); /* pairs: inbox-wake */
    if (!channel_is_empty(&in->channel))
        platform.wake(cpu_index());
}
