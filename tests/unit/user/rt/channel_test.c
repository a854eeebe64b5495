/* SPDX-License-Identifier: MIT
 * Messages of one exact length, against a kernel that says any length. */
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include "tests/unit/user/rt/kernel.h"
#include "user/rt/message.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

TERN_MESSAGE(pair, 8, uint16_t first[2]; uint32_t second;);
TERN_MESSAGE(outer, 16, struct pair pair; uint64_t third;);

struct result channel_read(uint64_t handle, size_t offset, void *buffer, size_t n)
{
    memset(buffer, 0x77, n);
    note("read %lu %zu %zu;", handle, offset, n);
    return next_result();
}

struct result channel_transact(uint64_t handle, const void *send, size_t n, void *receive, size_t m,
                               uint64_t deadline_ns)
{
    memcpy(receive, send, n < m ? n : m);
    note("transact %lu %zu %zu %lu;", handle, n, m, deadline_ns);
    return next_result();
}

Test(channel, read_exact)
{
    char buffer[8];
    queue_result(STATUS_OK, 0, 8);
    queue_result(STATUS_OK, 0, 7);
    queue_result(STATUS_OK, 0, 0);
    queue_result(STATUS_UNAVAILABLE, 0, 8);
    struct result r = tern_read_exact(3, 5, buffer, sizeof buffer);
    cr_assert(eq(int, r.status, STATUS_OK));
    cr_assert(eq(u64, r.value, 8));
    cr_assert(eq(int, tern_read_exact(3, 5, buffer, sizeof buffer).status, STATUS_OUT_OF_RANGE));
    cr_assert(eq(int, tern_read_exact(3, 5, buffer, sizeof buffer).status, STATUS_OUT_OF_RANGE));
    cr_assert(eq(int, tern_read_exact(3, 5, buffer, sizeof buffer).status, STATUS_UNAVAILABLE));
    cr_assert(eq(str, noted, "read 3 5 8;read 3 5 8;read 3 5 8;read 3 5 8;"));
}

Test(channel, call_wants_a_whole_response)
{
    struct outer request = {.third = 9}, response = {0};
    queue_result(STATUS_OK, 0, sizeof response);
    queue_result(STATUS_OK, 0, sizeof response - 1);
    queue_result(STATUS_DEADLINE_EXCEEDED, 0, 0);
    cr_assert(eq(int, tern_call(2, &request, &response, 11), STATUS_OK));
    cr_assert(eq(u64, response.third, 9));
    cr_assert(eq(int, tern_call(2, &request, &response, 11), STATUS_OUT_OF_RANGE));
    cr_assert(eq(int, tern_call(2, &request, &response, 11), STATUS_DEADLINE_EXCEEDED));
    cr_assert(eq(str, noted, "transact 2 16 16 11;transact 2 16 16 11;transact 2 16 16 11;"));
}

static const void *as_outer(const void *buffer, size_t n)
{
    return tern_message(const struct outer, buffer, n);
}

Test(channel, message_has_its_exact_length)
{
    static _Alignas(TERN_MESSAGE_ALIGNMENT) char buffer[32];
    cr_assert(eq(ptr, (void *)(uintptr_t)as_outer(buffer, sizeof(struct outer)), buffer));
    cr_assert(as_outer(buffer, sizeof(struct outer) - 1) == NULL);
    cr_assert(as_outer(buffer, sizeof(struct outer) + 1) == NULL);
    cr_assert(as_outer(buffer, 0) == NULL);
}
