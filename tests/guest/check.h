/* SPDX-License-Identifier: MIT
 * Checks of guest tests. The first that does not hold ends the run: it logs what was expected and what came, and stops
 * the machine with a FAILURE verdict. Any process of a test image may check; one process says SUCCESS. */
#pragma once
#include "sys/lib/string.h"
#include "user/rt/tern.h"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)

/* A bit that no object of these tests ever raises: waiting for it is sleeping. */
#define SIGNAL_NEVER SIGNAL_USER

static inline void check_status(const char *what, enum status got, enum status expected)
{
    if (got != expected)
        tern_failure(STATUS_INTERNAL, "%s: %s, expected %s", what, tern_status_name(got), tern_status_name(expected));
}

static inline void check_u64(const char *what, uint64_t got, uint64_t expected)
{
    if (got != expected)
        tern_failure(STATUS_INTERNAL, "%s: %lu, expected %lu", what, got, expected);
}

static inline void check_at_least(const char *what, uint64_t got, uint64_t least)
{
    if (got < least)
        tern_failure(STATUS_INTERNAL, "%s: %lu, expected at least %lu", what, got, least);
}

static inline void check_at_most(const char *what, uint64_t got, uint64_t most)
{
    if (got > most)
        tern_failure(STATUS_INTERNAL, "%s: %lu, expected at most %lu", what, got, most);
}

static inline void check_refused(const char *what, struct result r, enum status expected)
{
    check_status(what, r.status, expected);
}

/* OK, and this value. */
static inline void check_ok(const char *what, struct result r, uint64_t expected)
{
    check_status(what, r.status, STATUS_OK);
    check_u64(what, r.value, expected);
}

/* OK, and these signals, no others. */
static inline void check_signals(const char *what, struct result r, uint32_t expected)
{
    check_status(what, r.status, STATUS_OK);
    check_u64(what, r.signals, expected);
}

/* A start for random numbers of which `salt` is one more: another one with each `seed=`, never 0. */
static inline uint64_t seeded(uint64_t salt)
{
    return (salt ^ (tern_argument_u64("seed", 1) * UINT64_C(0x9e3779b97f4a7c15))) | 1;
}

/* Sleeps on an object of this process, and never wakes early. */
static inline void check_sleep_until(uint32_t handle, uint64_t deadline_ns)
{
    check_refused("sleep", object_wait(handle, SIGNAL_NEVER, deadline_ns), STATUS_DEADLINE_EXCEEDED);
    check_at_least("time after a sleep", clock_now(), deadline_ns);
}
