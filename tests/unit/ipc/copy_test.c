/* SPDX-License-Identifier: MIT
 * message_copy for every length around its changes of method: all bytes arrive, none beside them is touched. ASan guards the
 * source and the destination, which are exactly as long as the message. */
#include "ipc/copy.h"

#include <criterion/criterion.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

static void check_length(size_t n)
{
    char *from = malloc(n ? n : 1), *to = malloc(n ? n : 1);
    for (size_t i = 0; i < n; i++) {
        from[i] = (char)(i * 7 + 1);
        to[i] = (char)0xee;
    }
    message_copy(to, from, n);
    cr_assert(zero(int, memcmp(to, from, n)), "length %zu", n);
    free(from);
    free(to);
}

Test(copy, every_length_to_300)
{
    for (size_t n = 0; n <= 300; n++)
        check_length(n);
}

Test(copy, large)
{
    static const size_t lengths[] = {1024, 4095, 4096, 4097, 65536 + 3};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        check_length(lengths[i]);
}

Test(copy, same_buffer_stays)
{
    char buffer[200], before[200];
    for (size_t i = 0; i < sizeof(buffer); i++)
        buffer[i] = before[i] = (char)i;
    message_copy(buffer, buffer, sizeof(buffer));
    cr_assert(zero(int, memcmp(buffer, before, sizeof(buffer))));
}
