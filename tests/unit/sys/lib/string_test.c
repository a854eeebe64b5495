/* SPDX-License-Identifier: MIT
 * The kernel's memory and string functions against a byte-by-byte reference, at every short length, alignment and
 * overlap, with guard bytes around each result. They are renamed: the sanitizers and Criterion need the C library's
 * own. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdint.h>
#include <stdlib.h>

#define memcpy tern_memcpy
#define memmove tern_memmove
#define memset tern_memset
#define memcmp tern_memcmp
#define strlen tern_strlen
#define strcmp tern_strcmp
#define strncmp tern_strncmp
#include "sys/lib/string.c"
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */

#define LONGEST 200 /* three turns of 64 and an odd end */
#define ROOM (2 * LONGEST + 64)

static void fill(unsigned char *p, unsigned seed)
{
    for (size_t i = 0; i < ROOM; i++)
        p[i] = (unsigned char)(i * 7 + seed * 13 + (i >> 3));
}

/* True if `got` is `before` with n bytes of `from` at `at`, and nothing else changed. */
static bool is_copy(const unsigned char *got, const unsigned char *before, size_t at, const unsigned char *from,
                    size_t n)
{
    for (size_t i = 0; i < ROOM; i++) {
        unsigned char want = i >= at && i - at < n ? from[i - at] : before[i];
        if (got[i] != want)
            return false;
    }
    return true;
}

Test(string, memcpy_at_every_length_and_alignment)
{
    unsigned char from[ROOM], to[ROOM], before[ROOM];
    fill(from, 1);
    fill(before, 2);
    for (size_t n = 0; n <= LONGEST; n++) {
        for (size_t a = 0; a < 64; a++) {
            fill(to, 2);
            cr_assert(eq(ptr, memcpy(&to[a / 8], &from[a % 8], n), &to[a / 8]));
            cr_assert(is_copy(to, before, a / 8, &from[a % 8], n), "length %zu, alignment %zu", n, a);
        }
    }
}

Test(string, memmove_at_every_overlap)
{
    unsigned char bytes[ROOM], before[ROOM];
    fill(before, 3);
    for (size_t n = 0; n <= LONGEST; n++) {
        for (size_t shift = 0; shift <= 2 * 80; shift++) {
            fill(bytes, 3);
            size_t from = 90, to = from + shift - 80;
            cr_assert(eq(ptr, memmove(&bytes[to], &bytes[from], n), &bytes[to]));
            cr_assert(is_copy(bytes, before, to, &before[from], n), "length %zu, from %zu to %zu", n, from, to);
        }
    }
}

Test(string, memset_takes_the_low_byte_only)
{
    unsigned char bytes[ROOM], before[ROOM], value[LONGEST];
    fill(before, 4);
    for (size_t i = 0; i < LONGEST; i++)
        value[i] = 0xa5;
    for (size_t n = 0; n <= LONGEST; n++) {
        for (size_t at = 0; at < 8; at++) {
            fill(bytes, 4);
            cr_assert(eq(ptr, memset(&bytes[at], 0x7a5, n), &bytes[at]));
            cr_assert(is_copy(bytes, before, at, value, n), "length %zu at %zu", n, at);
        }
    }
}

static int sign(int v)
{
    return (v > 0) - (v < 0);
}

Test(string, memcmp_orders_by_the_first_different_byte)
{
    unsigned char a[48], b[48];
    for (size_t n = 0; n <= 40; n++) {
        for (size_t at = 0; at < n; at++) {
            memset(a, 0x80, sizeof a);
            memset(b, 0x80, sizeof b);
            cr_assert(eq(int, memcmp(&a[1], &b[3], n), 0));
            a[1 + at] = 0x7f;
            if (at + 1 < n)
                a[1 + at + 1] = 0xff; /* a later byte must not count */
            cr_assert(eq(int, sign(memcmp(&a[1], &b[3], n)), -1), "length %zu, byte %zu", n, at);
            cr_assert(eq(int, sign(memcmp(&b[3], &a[1], n)), 1), "length %zu, byte %zu", n, at);
            cr_assert(eq(int, memcmp(&a[1], &b[3], at), 0));
        }
    }
}

Test(string, nothing_beyond_the_length_is_read)
{
    for (size_t n = 1; n <= LONGEST; n++) {
        unsigned char *a = malloc(n), *b = malloc(n); /* the sanitizer watches both ends */
        memset(a, 1, n);
        memcpy(b, a, n);
        cr_assert(eq(int, memcmp(a, b, n), 0));
        memmove(b, a, n);
        free(a);
        free(b);
    }
}

Test(string, strings)
{
    cr_assert(eq(sz, strlen(""), 0));
    cr_assert(eq(sz, strlen("12345678"), 8));
    cr_assert(eq(int, strcmp("abc", "abc"), 0));
    cr_assert(lt(int, strcmp("abc", "abd"), 0));
    cr_assert(lt(int, strcmp("ab", "abc"), 0));
    cr_assert(lt(int, 0, strcmp("abc", "ab")));
    cr_assert(lt(int, 0, strcmp("\xff", "a")), "bytes compare unsigned");
    cr_assert(eq(int, strncmp("abcX", "abcY", 3), 0));
    cr_assert(lt(int, strncmp("abcX", "abcY", 4), 0));
    cr_assert(eq(int, strncmp("abc", "abc", 100), 0), "stops at the terminator");
    cr_assert(eq(int, strncmp("a", "b", 0), 0));
}
