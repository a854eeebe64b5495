/* SPDX-License-Identifier: MIT
 * A table that only grows. Places are filled in order; who finds one being filled waits for it, a few stores long since
 * interrupts are off, before looking further. So a name that is anywhere is found before a free place is, and two CPUs
 * that bring the same name at once agree on one place. */
#include "ipc/name.h"

#include "sys/lib/string.h"

#include <arch/atomic.h>
#include <arch/cpu.h>

enum { PLACE_FREE, PLACE_BEING_FILLED, PLACE_FILLED };

static struct {
    uint32_t state; /* [a] */
    char text[NAME_BYTES];
} places[NAME_MAX];

static bool is_name(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return n > 0 && n < NAME_BYTES;
}

static bool holds(uint32_t i, const char *text, size_t n)
{
    return strncmp(places[i].text, text, n) == 0 && places[i].text[n] == '\0';
}

/* Fills a free place, or waits until somebody else has. */
static void settle(uint32_t i, const char *text, size_t n)
{
    uint32_t state = PLACE_FREE;
    if (cmpxchg_acqrel(&places[i].state, &state, PLACE_BEING_FILLED)) { /* pairs: name-filled */
        memcpy(places[i].text, text, n);
        store_release(&places[i].state, PLACE_FILLED); /* pairs: name-filled */
    }
    while (load_acquire(&places[i].state) != PLACE_FILLED) /* pairs: name-filled */
        cpu_pause();
}

enum status name_intern(const char *text, size_t n, uint32_t *number)
{
    if (!is_name(text, n))
        return STATUS_INVALID_ARGUMENT;
    for (uint32_t i = 0; i < NAME_MAX; i++) {
        settle(i, text, n);
        if (holds(i, text, n)) {
            *number = i;
            return STATUS_OK;
        }
    }
    return STATUS_RESOURCE_EXHAUSTED;
}

enum status name_find(const char *text, size_t n, uint32_t *number)
{
    if (!is_name(text, n))
        return STATUS_INVALID_ARGUMENT;
    for (uint32_t i = 0; i < NAME_MAX && load_acquire(&places[i].state) == PLACE_FILLED; i++) { /* pairs: name-filled */
        if (holds(i, text, n)) {
            *number = i;
            return STATUS_OK;
        }
    }
    return STATUS_NOT_FOUND;
}

const char *name_text(uint32_t number)
{
    return places[number].text;
}
