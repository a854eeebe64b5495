/* SPDX-License-Identifier: MIT
 * The catalogue of hooks. */
#include "sys/syscall/hooks.h"

#include "sys/lib/log.h"
#include "sys/lib/string.h"
#include "sys/syscall/audit.h"
#include "sys/syscall/latency.h"
#include "sys/syscall/lockdown.h"

static struct {
    struct syscall_hook *hook;
    bool reserved; /* [I] it has what memory it needs */
} catalogue[] = {{&audit_hook, false}, {&latency_hook, false}, {&lockdown_hook, true}};

#define HOOKS (sizeof(catalogue) / sizeof(catalogue[0]))

void hooks_reserve(uint32_t cpus, uint64_t sample_mult, const char *unit)
{
    catalogue[0].reserved = audit_reserve(cpus);
    catalogue[1].reserved = latency_reserve(cpus, sample_mult, unit);
}

enum status hooks_switch(const char *name, size_t n, bool on)
{
    for (size_t i = 0; i < HOOKS; i++) {
        struct syscall_hook *h = catalogue[i].hook;
        if (!bytes_are(name, n, h->name))
            continue;
        if (!catalogue[i].reserved)
            return STATUS_RESOURCE_EXHAUSTED;
        enum status s = on ? hook_add(h) : hook_remove(h);
        if (s != STATUS_OK)
            return s;
        return hook_state(h) == (on ? HOOK_ON : HOOK_OFF) ? STATUS_OK : STATUS_UNAVAILABLE;
    }
    return STATUS_NOT_FOUND;
}

enum status hooks_start(const char *list, const char **bad, size_t *n)
{
    while (*list) {
        const char *end = list;
        while (*end && *end != ',')
            end++;
        *bad = list;
        *n = (size_t)(end - list);
        enum status s = hooks_switch(list, *n, true);
        if (s != STATUS_OK && s != STATUS_UNAVAILABLE)
            return s;
        list = *end ? end + 1 : end;
    }
    return STATUS_OK;
}

void hooks_finish(void)
{
    latency_export();
    audit_write();
}
