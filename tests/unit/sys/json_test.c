/* SPDX-License-Identifier: MIT
 * The JSON writer: commas at every depth, and texts of every byte. */
#include "sys/json.h"

#include <criterion/criterion.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

static char text[8192];

static void put(void *context, const char *bytes, size_t n)
{
    cr_assert(eq(ptr, context, &text));
    cr_assert(lt(sz, strlen(text) + n, sizeof(text)));
    strncat(text, bytes, n);
}

static struct json begin(void)
{
    text[0] = '\0';
    return (struct json){.put = put, .context = &text};
}

static void text_is(const char *expected)
{
    cr_assert(eq(str, text, (char *)(uintptr_t)expected));
}

Test(json, members_and_elements)
{
    struct json j = begin();
    json_open(&j, NULL, '{');
    json_number(&j, "a", 0);
    json_open(&j, "b", '[');
    json_close(&j, ']');
    json_open(&j, "c", '[');
    json_open(&j, NULL, '{');
    json_bool(&j, "d", true);
    json_bool(&j, "e", false);
    json_close(&j, '}');
    json_number(&j, NULL, UINT64_MAX);
    json_raw(&j, NULL, "{}xx", 2);
    json_close(&j, ']');
    json_text(&j, "f", "");
    json_close(&j, '}');
    text_is("{\"a\":0,\"b\":[],\"c\":[{\"d\":true,\"e\":false},18446744073709551615,{}],\"f\":\"\"}");
}

static void bytes_become(const char *bytes, size_t n, const char *expected)
{
    struct json j = begin();
    char quoted[256];
    json_bytes(&j, NULL, bytes, n);
    snprintf(quoted, sizeof(quoted), "\"%s\"", expected);
    text_is(quoted);
}

#define BECOMES(bytes, expected) bytes_become(bytes, sizeof(bytes) - 1, expected)

Test(json, what_must_be_escaped)
{
    BECOMES("plain / ' text", "plain / ' text");
    BECOMES("\"\\", "\\\"\\\\");
    BECOMES("a\nb\tc\r\0d\x1f\x7f", "a\\nb\\u0009c\\u000d\\u0000d\\u001f\\u007f");
}

Test(json, utf8_stays_and_all_else_is_single_characters)
{
    BECOMES("\u00e9\u20ac\U0001f600\U0010ffff", "\u00e9\u20ac\U0001f600\U0010ffff");
    BECOMES("\x80\xff", "\\u0080\\u00ff");
    BECOMES("\xc3", "\\u00c3");
    BECOMES("\xc3(", "\\u00c3(");
    BECOMES("\xc0\xaf", "\\u00c0\\u00af");                       /* too long for a slash */
    BECOMES("\xe0\x9f\xbf", "\\u00e0\\u009f\\u00bf");            /* too long */
    BECOMES("\xed\xa0\x80", "\\u00ed\\u00a0\\u0080");            /* a surrogate */
    BECOMES("\xf4\x90\x80\x80", "\\u00f4\\u0090\\u0080\\u0080"); /* above the last */
    BECOMES("\xf8\x88\x80\x80\x80", "\\u00f8\\u0088\\u0080\\u0080\\u0080");
    BECOMES("\xe2\x82", "\\u00e2\\u0082");
    BECOMES("\xe2\x82\xe2\x82\xac", "\\u00e2\\u0082\u20ac");
}

/* Nothing is read behind the end, and the growth is what the header promises. */
Test(json, each_byte_alone)
{
    for (unsigned value = 0; value < 256; value++) {
        char *byte = malloc(1);
        struct json j = begin();
        *byte = (char)value;
        json_bytes(&j, NULL, byte, 1);
        free(byte);
        size_t n = strlen(text) - 2;
        bool plain = value >= ' ' && value < 0x7f && value != '"' && value != '\\';
        cr_assert(plain ? n == 1 && text[1] == (char)value : n == 2 || n == JSON_GROWTH, "%u: %s", value, text);
    }
}
