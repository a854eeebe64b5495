/* SPDX-License-Identifier: MIT
 * What the stories are told with: puppets in other processes, and helpers, which are threads of this one. */
#pragma once
#include "handles.h"
#include "tests/guest/fault/fault.h"
#include "tests/guest/objects/order.h"

struct puppet {
    uint32_t control;
    uint32_t process;
    bool calls; /* it fetches its orders: the caller */
};

extern const struct puppet caller, server_1, server_2, server_3;

/* Orders, for the functions below. */
#define ORDER(...) (&(const struct order){__VA_ARGS__})
#define CALL(name, ...) ORDER(.deed = DEED_CALL, .number = CALL_##name, .a = {__VA_ARGS__})
#define DO(what, ...) ORDER(.deed = DEED_##what, .a = {__VA_ARGS__})

/* One order; the puppet's result. A puppet that dies of it is `begun`, or the story ends here. */
struct result puppet_do(const struct puppet *p, const struct order *order);
void puppet_begin(const struct puppet *p, const struct order *order);
struct result puppet_end(const struct puppet *p);

/* The puppet has ended: waits for it, joins it. */
struct exit_status puppet_join(const struct puppet *p);

/* Starts one that was joined; it is ready for orders. */
void puppet_start(const struct puppet *p);

/* Ends it, however it lives, and starts it again. */
void puppet_terminate(const struct puppet *p);
void puppet_restart(const struct puppet *p);

/* Helpers 1 and 2. */
void helper_start(uint32_t helper, int (*body)(uint64_t argument), uint64_t argument);
int helper_join(uint32_t helper); /* waits; its exit code */

/* Yields so often that a helper that was started blocks, if nothing else keeps it. */
void helper_let_block(void);

/* One transaction that a helper makes: started, then awaited. */
struct errand {
    uint32_t handle;
    const void *send;
    size_t n;
    void *receive;
    size_t m;
    uint64_t deadline_ns;
    struct result result;
};
void errand_start(uint32_t helper, struct errand *e);
struct result errand_end(uint32_t helper, struct errand *e);

/* Buffers of bytes that fill_byte knows. */
void fill(void *to, size_t n, uint64_t seed);
void check_filled(const char *what, const void *with, size_t n, uint64_t seed);

/* No signal of the mask is active. */
void check_quiet(const char *what, uint32_t handle, uint32_t mask);

/* One whole transaction of the caller with this process, each way a word, over `handle`, its `remote` there. */
void check_caller_works(uint32_t handle, uint32_t remote);

/* One whole transaction with a server, over `handle`. */
void check_server_works(const struct puppet *p, uint32_t handle);

#define ALONE STORY
#define STORY(name) void story_##name(void);
#include "tests/guest/objects/conductor/stories.def"
#undef STORY
#undef ALONE
