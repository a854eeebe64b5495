/* SPDX-License-Identifier: MIT
 * Lines and words of requests, from bytes that a host with bad intentions sends. */
#include "sys/request.h"

#include <criterion/criterion.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include <criterion/new/assert.h>
#include <string.h>

static struct request_reader reader;

/* The news of all bytes but MORE, as letters, and the lines between bars. */
static const char *read_all(const char *bytes, size_t n)
{
    static char trace[8192];
    trace[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        enum request_news news = request_read(&reader, bytes[i]);
        if (news == REQUEST_TOO_LONG)
            strcat(trace, "!");
        if (news == REQUEST_COMPLETE) {
            strncat(trace, reader.text, reader.n);
            strcat(trace, "|");
        }
    }
    return trace;
}

static void lines_are(const char *bytes, const char *expected)
{
    cr_assert(eq(str, (char *)(uintptr_t)read_all(bytes, strlen(bytes)), (char *)(uintptr_t)expected));
}

Test(request, lines)
{
    lines_are("a b\nc", "a b|");
    lines_are("d\n\n\r\n e \r\n", "cd| e |");
    lines_are("\n", "");
    lines_are("\rx\r\r\n", "\rx\r|");
}

Test(request, nuls_are_bytes)
{
    cr_assert(eq(str, (char *)(uintptr_t)read_all("\0\0\n", 3), "|"));
    cr_assert(eq(sz, reader.n, 2));
}

Test(request, the_longest_line_fits_and_one_more_byte_does_not)
{
    char line[REQUEST_BYTES_MAX + 3];
    memset(line, 'x', sizeof(line));
    line[REQUEST_BYTES_MAX] = '\n';
    (void)read_all(line, REQUEST_BYTES_MAX + 1);
    cr_assert(eq(sz, reader.n, REQUEST_BYTES_MAX));
    line[REQUEST_BYTES_MAX] = 'x';
    line[REQUEST_BYTES_MAX + 1] = '\n';
    cr_assert(eq(str, (char *)(uintptr_t)read_all(line, REQUEST_BYTES_MAX + 2), "!"));
    lines_are("y\n", "y|");
}

Test(request, without_end)
{
    unsigned told = 0;
    for (unsigned i = 0; i < 1000000; i++)
        told += request_read(&reader, (char)(i % 9)) == REQUEST_TOO_LONG;
    cr_assert(eq(u32, told, 1));
    lines_are("the rest\nz\n", "z|");
}

static void words_are(const char *text, enum status s, const char *module, const char *type, const char *payload)
{
    struct request r;
    char *copy = strndup(text, strlen(text)); /* so that a look behind the end is seen */
    enum status found = request_parse(copy, strlen(text), &r);
    cr_assert(eq(int, found, s), "%s", text);
    cr_assert(r.module_bytes == strlen(module) && memcmp(r.module, module, r.module_bytes) == 0, "%s", text);
    cr_assert(r.type_bytes == strlen(type) && memcmp(r.type, type, r.type_bytes) == 0, "%s", text);
    cr_assert(r.payload_bytes == strlen(payload) && memcmp(r.payload, payload, r.payload_bytes) == 0, "%s", text);
    free(copy);
}

#define LONGEST_TYPE "0123456789012345678901234567890"

Test(request, words)
{
    words_are("clock get_stats", STATUS_OK, "clock", "get_stats", "");
    words_are("  clock   get_stats ", STATUS_OK, "clock", "get_stats", "");
    words_are("bus publish a  b\t ", STATUS_OK, "bus", "publish", "a  b\t ");
    words_are("m t  x", STATUS_OK, "m", "t", " x");
    words_are("m " LONGEST_TYPE, STATUS_OK, "m", LONGEST_TYPE, "");
    words_are("", STATUS_INVALID_ARGUMENT, "", "", "");
    words_are("   ", STATUS_INVALID_ARGUMENT, "", "", "");
    words_are("clock", STATUS_INVALID_ARGUMENT, "clock", "", "");
    words_are("clock ", STATUS_INVALID_ARGUMENT, "clock", "", "");
    words_are("m x" LONGEST_TYPE, STATUS_INVALID_ARGUMENT, "m", "x" LONGEST_TYPE, "");
    words_are("m a\tb", STATUS_INVALID_ARGUMENT, "m", "a\tb", "");
    words_are("m \x7f", STATUS_INVALID_ARGUMENT, "m", "\x7f", "");
    words_are("m \x80", STATUS_INVALID_ARGUMENT, "m", "\x80", "");
}
