/* SPDX-License-Identifier: MIT
 * Which modules there are. `places` says for each id who has it, `owners` for each name what id; both are claimed by a
 * compare-and-exchange, the id first, and given back by their home CPU only. Other CPUs read these words and never the
 * module: they send the request to its home, which has the pointers.
 *
 *     CPU 0, register                      CPU 1, register         any CPU, send
 *   1 cmpxchg place: FREE -> CLAIMED     1 the same: fails,      5 load place: as long as it is CLAIMED
 *   2 cmpxchg owner: 0 -> id + 1           ALREADY_EXISTS          there is no such module
 *   3 own pointer                        2 the same: fails,
 *   4 place = home and name                place = FREE
 * 4 -> 5 carries the name's text (router-place). What 5 saw may change at once: the home CPU answers a request for a
 * module that it has not got UNAVAILABLE, and one that came back with another module is that one's. Going, the name is
 * given back before the id: whoever sees the id free finds the name free too, and the counts at rest (router-place,
 * router-owner). */
#include "ipc/router_internal.h"
#include "sched/thread.h"
#include "sys/lib/panic.h"
#include "sys/lib/string.h"

#include <arch/atomic.h>

PERCPU_ZERO(struct router_shard, router_shard);

#define FREE 0
#define CLAIMED 1
#define PLACE(cpu, number) (((number) + 1) << 8 | (cpu))
#define PLACE_IS_HOME(place) ((place) >> 8 != 0)
#define PLACE_CPU(place) ((place)&0xff)
#define PLACE_NAME(place) (((place) >> 8) - 1)

static uint32_t places[ROUTER_MODULES_MAX]; /* [a] */
static uint32_t owners[NAME_MAX];           /* [a] id + 1, or 0 */
/* [w] By the home CPU; no two share a line. */
static _Alignas(CACHE_LINE) struct router_counts counts[ROUTER_MODULES_MAX];
_Static_assert(sizeof(struct router_counts) % CACHE_LINE == 0, "lines of its own");

_Static_assert(CPU_MAX <= 256, "a CPU in 8 bits");

void router_create(uint32_t cpu)
{
    struct router_shard *s = cpu_ptr(cpu, router_shard); /* remote, but that CPU does not run threads yet */
    s->next_id = cpu + 1;
    panic_if(router_requests_init(&s->requests, s->slots, sizeof(s->slots), ROUTER_REQUESTS) != STATUS_OK);
    wake_init(&s->wake, cpu, THREAD_PRIORITIES - 1, router_run);
}

/* The name's number, and the name is this id's. */
static enum status claim_name(const struct router_module *module, uint32_t *number)
{
    uint32_t owner = 0;
    enum status s = name_intern(module->name, strlen(module->name), number);
    if (s == STATUS_OK && !cmpxchg_acqrel(&owners[*number], &owner, module->id + 1)) /* pairs: router-owner */
        s = STATUS_FAILED_PRECONDITION;
    return s;
}

static enum status register_on(struct router_shard *s, uint32_t cpu, struct router_module *module)
{
    uint32_t free = FREE, number;
    if (!module->name || !module->handle || module->id >= ROUTER_MODULES_MAX)
        return STATUS_INVALID_ARGUMENT;
    if (!cmpxchg_acqrel(&places[module->id], &free, CLAIMED)) /* pairs: router-place */
        return STATUS_ALREADY_EXISTS;
    enum status status = claim_name(module, &number);
    if (status != STATUS_OK) {
        store_release(&places[module->id], FREE); /* pairs: router-place */
        return status;
    }
    module->cpu = cpu;
    module->registered = true;
    module->counts = &counts[module->id];
    *module->counts = (struct router_counts){0};
    s->modules[module->id] = module;
    store_release(&places[module->id], PLACE(module->cpu, number)); /* pairs: router-place */
    return STATUS_OK;
}

enum status router_register(struct router_module *module)
{
    return register_on(this_cpu_ptr(router_shard), cpu_index(), module);
}

enum status router_register_at_boot(uint32_t cpu, struct router_module *module)
{
    return register_on(cpu_ptr(cpu, router_shard), cpu, module); /* remote, but that CPU does not run threads yet */
}

enum status router_unregister(struct router_module *module)
{
    struct router_shard *s = this_cpu_ptr(router_shard);
    uint32_t id = module->id;
    if (id >= ROUTER_MODULES_MAX || s->modules[id] != module)
        return STATUS_NOT_FOUND;
    router_mailbox_drop(s, module);
    module->registered = false;
    module->counts = &s->gone;
    s->modules[id] = NULL;
    store_release(&owners[PLACE_NAME(load_relaxed(&places[id]))], 0); /* pairs: router-owner */
    store_release(&places[id], FREE);                                 /* pairs: router-place */
    return STATUS_OK;
}

static uint32_t place(uint32_t id)
{
    return id < ROUTER_MODULES_MAX ? load_acquire(&places[id]) : FREE; /* pairs: router-place */
}

bool router_home(uint32_t id, uint32_t *cpu)
{
    uint32_t p = place(id);
    *cpu = PLACE_CPU(p);
    return PLACE_IS_HOME(p);
}

enum status router_lookup(const char *name, size_t n, uint32_t *id)
{
    uint32_t number, owner = 0, cpu;
    if (name_find(name, n, &number) == STATUS_OK)
        owner = load_acquire(&owners[number]); /* pairs: router-owner */
    if (!owner || !router_home(owner - 1, &cpu))
        return STATUS_NOT_FOUND;
    *id = owner - 1;
    return STATUS_OK;
}

const char *router_module_name(uint32_t id)
{
    uint32_t p = place(id);
    return PLACE_IS_HOME(p) ? name_text(PLACE_NAME(p)) : NULL;
}

enum status router_counts_of(uint32_t id, struct router_counts *c)
{
    uint32_t cpu;
    if (!router_home(id, &cpu))
        return STATUS_NOT_FOUND;
    *c = counts[id]; /* of another CPU: counters */
    return STATUS_OK;
}

uint64_t router_messages_sent(void)
{
    uint64_t sent = 0;
    for (uint32_t cpu = 0; cpu < CPU_MAX && percpu_offset(cpu); cpu++) {
        uint64_t next = load_relaxed(&cpu_ptr(cpu, router_shard)->next_id); /* remote look: a counter */
        sent += next / ROUTER_ID_STEP;
    }
    return sent;
}

static bool mailbox_is_valid(const struct router_shard *s, const struct router_module *module)
{
    uint32_t n = 0;
    for (uint32_t priority = 0; priority < ROUTER_PRIORITIES; priority++) {
        const struct router_message *last = NULL;
        for (const struct router_message *m = module->first[priority]; m; last = m, m = m->next, n++)
            if (!m->posted || m->priority != priority || m->module != module->id)
                return false;
        if (last != module->last[priority])
            return false;
    }
    bool ready = s->ready >> module->id & 1;
    return n == module->waiting && n <= ROUTER_MAILBOX && ready == (n > 0 && !module->serving);
}

bool router_valid(void)
{
    const struct router_shard *s = this_cpu_ptr(router_shard);
    for (uint32_t id = 0; id < ROUTER_MODULES_MAX; id++) {
        const struct router_module *module = s->modules[id];
        uint32_t cpu, p = place(id);
        bool here = router_home(id, &cpu) && cpu == cpu_index();
        if (here != (module != NULL) || (!module && s->ready >> id & 1))
            return false;
        if (module && (!module->registered || module->id != id || module->counts != &counts[id] ||
                       owners[PLACE_NAME(p)] != id + 1 || !mailbox_is_valid(s, module)))
            return false;
    }
    return channel_valid(&s->requests);
}
