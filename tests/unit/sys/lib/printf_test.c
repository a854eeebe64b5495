/* SPDX-License-Identifier: MIT
 * The kernel's formatting against the host's snprintf: every conversion, length, flag and width over the values at
 * which signs, widths and digits change, into buffers of every size from none to ample. */
#include "sys/lib/printf.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ROOM 80

#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
/* The formats are put together at run time, which is what the test is about. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-truncation"

/* Compares both for every buffer size, the byte behind the buffer included. */
#define EXPECT_SAME(format, ...)                                                                     \
    do {                                                                                             \
        char want[ROOM], got[ROOM];                                                                  \
        for (size_t size = 0; size < ROOM; size++) {                                                 \
            memset(want, 0x55, ROOM);                                                                \
            memset(got, 0x55, ROOM);                                                                 \
            int want_length = snprintf(want, size, format, __VA_ARGS__);                             \
            int got_length = ksnprintf(got, size, format, __VA_ARGS__);                              \
            if (got_length != want_length || memcmp(got, want, ROOM))                                \
                cr_assert(0, "format '%s', %zu bytes: '%.*s' (%d), wanted '%.*s' (%d)", format, size, \
                          (int)size, got, got_length, (int)size, want, want_length);                 \
        }                                                                                            \
    } while (0)

static const char *const fields[] = {"", "0", "-", "1", "3", "03", "-3", "10", "010", "-10", "-010", "24", "024",
                                     "-24"};
static const int64_t values[] = {0, 1, -1, 9, 10, -10, 127, 128, -128, 255, 256, 32767, 32768, 65535, 65536, INT_MAX,
                                 INT_MIN, UINT32_MAX, INT64_C(1) << 32, INT64_MAX, INT64_MIN,
                                 INT64_C(-0x123456789abcdef)};

Test(printf, numbers_are_those_of_the_host)
{
    static const char kinds[] = "diux";
    for (size_t f = 0; f < sizeof fields / sizeof fields[0]; f++) {
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
            for (size_t k = 0; k < sizeof kinds - 1; k++) {
                static const char *const lengths[] = {"l", "ll", "z", "j", "", "h", "hh"};
                for (size_t l = 0; l < 7; l++) {
                    char format[32];
                    snprintf(format, sizeof format, "<%%%s%s%c>", fields[f], lengths[l], kinds[k]);
                    if (l < 4)
                        EXPECT_SAME(format, values[v]);
                    else
                        EXPECT_SAME(format, (int)values[v]);
                }
            }
        }
    }
}

Test(printf, alternate_hexadecimal)
{
    for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
        EXPECT_SAME("%#lx", values[v]);
        EXPECT_SAME("%#018lx", values[v]);
        EXPECT_SAME("%#20lx|", values[v]);
        EXPECT_SAME("%-#20lx|", values[v]);
        EXPECT_SAME("%#x", (unsigned)values[v]);
    }
}

Test(printf, text_and_characters)
{
    static const char *const texts[] = {"", "a", "abc", "a longer text with blanks"};
    for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
        EXPECT_SAME("<%s>", texts[t]);
        EXPECT_SAME("<%10s>", texts[t]);
        EXPECT_SAME("<%-10s>", texts[t]);
        EXPECT_SAME("<%.0s>", texts[t]);
        EXPECT_SAME("<%.s>", texts[t]);
        EXPECT_SAME("<%.2s>", texts[t]);
        EXPECT_SAME("<%-6.2s>", texts[t]);
        for (int n = -4; n < 6; n++) {
            EXPECT_SAME("<%.*s>", n, texts[t]);
            EXPECT_SAME("<%*s>", n, texts[t]);
            EXPECT_SAME("<%*.*s>", n, 2, texts[t]);
        }
    }
    EXPECT_SAME("<%c%c>", 'x', 0x80);
    EXPECT_SAME("<%3c>", 'x');
    EXPECT_SAME("<%-3c>", 'x');
    EXPECT_SAME("<%c>", '\0');
}

Test(printf, precision_bounds_what_is_read)
{
    const char open[3] = {'a', 'b', 'c'}; /* no terminator: the sanitizer sees a fourth read */
    EXPECT_SAME("%.3s", open);
}

Test(printf, several_arguments_stay_in_step)
{
    EXPECT_SAME("%s %d%% of %5lu, %x; %hhd %c|%-4s|", "take", 42, 7ul, 0xbeefu, 300, '!', "ab");
    EXPECT_SAME("%%%s", "");
    EXPECT_SAME("%p", (void *)&values);
}

Test(printf, null_pointers)
{
    const char *volatile none = NULL;
    char out[32];
    cr_assert(eq(int, ksnprintf(out, sizeof out, "<%s>", none), 8));
    cr_assert(eq(str, out, "<(null)>"));
    cr_assert(eq(int, ksnprintf(out, sizeof out, "<%p>", (const void *)none), 5));
    cr_assert(eq(str, out, "<0x0>"));
}

Test(printf, damaged_formats_come_out_as_they_stand)
{
    static const char *const formats[] = {"%", "100%", "%5", "%-0", "%ll", "%.", "%q", "%5.3k|", "%n"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        char out[32];
        cr_assert(eq(int, ksnprintf(out, sizeof out, formats[i]), (int)strlen(formats[i])));
        cr_assert(eq(str, out, (char *)(uintptr_t)formats[i]));
    }
}

Test(printf, width_is_bounded)
{
    static const char *const formats[] = {"%99999999999999999999d", "%-4294967297d", "%01024d"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        cr_assert(eq(int, ksnprintf(NULL, 0, formats[i], 1), 1023));
    volatile int least = INT_MIN, most = INT_MAX; /* the compiler refuses what it can see */
    cr_assert(eq(int, ksnprintf(NULL, 0, "%*d", least, 1), 1023));
    cr_assert(eq(int, ksnprintf(NULL, 0, "%*d", most, 1), 1023));
}

static int call(char *out, size_t n, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)kvsnprintf(out, n, format, args);
    int length = kvsnprintf(out, n, format, args); /* the caller's list was not used up */
    va_end(args);
    return length;
}

Test(printf, leaves_the_callers_list_alone)
{
    char out[16];
    cr_assert(eq(int, call(out, sizeof out, "%d %s", 5, "five"), 6));
    cr_assert(eq(str, out, "5 five"));
}
