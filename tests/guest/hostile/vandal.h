/* SPDX-License-Identifier: MIT
 * What the two hostile processes share: an arena that a second thread changes all the time, and vectors that it
 * changes too, to pieces of the arena, or to what it wishes were there. */
#pragma once
#include "tests/guest/hostile/hostile.h"

#define ARENA_BYTES 65536

static unsigned char arena[ARENA_BYTES] __attribute__((aligned(4096)));
static struct user_piece vector[2][USER_PIECES_MAX + 1];
static unsigned char guard_bytes[4096]; /* of this process, in nobody's vector */

static inline void arena_prepare(void)
{
    memset(arena, TOP_BIT, sizeof arena);
    memset(guard_bytes, GUARD, sizeof guard_bytes);
}

static inline struct user_piece choose_piece(struct random *r)
{
    static const struct user_piece wishes[] = {
        {0xffffffff80200000, 64},
        {0xffff800000000000, 4096},
        {0, 8},
        {0x10000, 64},
        {UINT64_C(1) << 63, 64},
        {UINT64_MAX - 7, 64},
        {1, 0},
        {USER_PROCESS_BASE + 2 * USER_PROCESS_STRIDE, 64},
        {USER_PROCESS_BASE + 4 * USER_PROCESS_STRIDE, 4096},
    };
    const uint64_t lengths[] = {0, 1, 7, 64, 500};
    uint64_t n = random_below(r, 40);
    if (n < sizeof wishes / sizeof wishes[0])
        return wishes[n];
    if (n == 20)
        return (struct user_piece){(uint64_t)arena, UINT64_MAX};
    if (n == 21)
        return (struct user_piece){(uint64_t)arena, UINT64_C(1) << 24};
    return (struct user_piece){(uint64_t)arena + random_below(r, ARENA_BYTES - 500), lengths[n % 5]};
}

/* One buffer of a call: its address, and its length or the number of its pieces. */
struct choice {
    void *address;
    size_t n;
};

static inline struct choice choose_buffer(struct random *r, uint32_t which)
{
    uint64_t n = random_below(r, 16);
    struct user_piece p = choose_piece(r);
    if (n == 0)
        return (struct choice){vector[which], PIECES(USER_PIECES_MAX + 1)};
    if (n == 1)
        return (struct choice){(void *)p.address, PIECES(1 + random_below(r, 8))};
    if (n < 6)
        return (struct choice){(void *)p.address, p.bytes};
    for (size_t i = 0; i < n / 2; i++)
        vector[which][i] = p.bytes ? p : choose_piece(r);
    return (struct choice){vector[which], PIECES(1 + random_below(r, 4))};
}

/* The second thread. */
static inline int vandalize(uint64_t handle)
{
    struct random r = {seeded(521288629)};
    for (uint64_t i = 0;; i++) {
        for (size_t k = 0; k < 50; k++) {
            arena[random_below(&r, ARENA_BYTES)] = (unsigned char)(TOP_BIT | i);
            vector[k % 2][random_below(&r, USER_PIECES_MAX + 1)] = choose_piece(&r);
        }
        if (i % 64 == 0)
            (void)channel_async_cancel((uint32_t)handle);
        thread_yield();
    }
    return 0;
}

static inline void check_own_guard(void)
{
    for (size_t i = 0; i < sizeof guard_bytes; i++)
        check_u64("own memory", guard_bytes[i], GUARD);
}

/* Nothing but what the contract names. */
static inline bool is_documented(enum status s)
{
    return s == STATUS_OK || s == STATUS_CANCELLED || s == STATUS_INVALID_ARGUMENT || s == STATUS_DEADLINE_EXCEEDED ||
           s == STATUS_PERMISSION_DENIED || s == STATUS_FAILED_PRECONDITION || s == STATUS_OUT_OF_RANGE ||
           s == STATUS_UNAVAILABLE;
}

static uint64_t outcomes[17];

static inline void count(const char *what, struct result r)
{
    if (!is_documented(r.status))
        tern_failure(STATUS_INTERNAL, "%s: %s", what, tern_status_name(r.status));
    outcomes[r.status]++;
}

static inline void log_outcomes(void)
{
    for (size_t i = 0; i < 17; i++)
        if (outcomes[i])
            tern_log("%s: %lu of %s", PROCESS_NAME, outcomes[i], tern_status_name((enum status)i));
}
