/* SPDX-License-Identifier: MIT
 * The writer keeps one bit of state, since it trusts its caller about nesting; about texts it trusts nobody. */
#include "sys/json.h"

#include "sys/lib/printf.h"
#include "sys/lib/string.h"

static void put(struct json *j, const char *bytes, size_t n)
{
    j->put(j->context, bytes, n);
}

static void put_string(struct json *j, const char *text)
{
    put(j, text, strlen(text));
}

/* What stands before a value. */
static void begin(struct json *j, const char *name)
{
    if (j->comma)
        put_string(j, ",");
    j->comma = true;
    if (!name)
        return;
    put_string(j, "\"");
    put_string(j, name);
    put_string(j, "\":");
}

void json_open(struct json *j, const char *name, char bracket)
{
    begin(j, name);
    put(j, &bracket, 1);
    j->comma = false;
}

void json_close(struct json *j, char bracket)
{
    put(j, &bracket, 1);
    j->comma = true;
}

void json_raw(struct json *j, const char *name, const char *bytes, size_t n)
{
    begin(j, name);
    put(j, bytes, n);
}

void json_number(struct json *j, const char *name, uint64_t value)
{
    char text[24];
    int n = ksnprintf(text, sizeof(text), "%lu", value);
    json_raw(j, name, text, (size_t)n);
}

void json_bool(struct json *j, const char *name, bool value)
{
    const char *text = value ? "true" : "false";
    json_raw(j, name, text, strlen(text));
}

/* The least value that a sequence of so many bytes may stand for: a shorter one could say less. */
static const uint32_t utf8_least[] = {0, 0, 0x80, 0x800, 0x10000};

static size_t utf8_length(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc0 || first > 0xf7)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Bytes of the character at the beginning; 0 if there is none. */
static size_t utf8_character(const unsigned char *bytes, size_t n)
{
    size_t length = utf8_length(bytes[0]);
    if (length < 2 || length > n)
        return length > n ? 0 : length;
    uint32_t value = bytes[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (bytes[i] & 0x3fu);
    }
    bool is_surrogate = value >= 0xd800 && value < 0xe000;
    return value < utf8_least[length] || value > 0x10ffff || is_surrogate ? 0 : length;
}

static void put_escaped(struct json *j, unsigned char c)
{
    char text[8];
    int n = c == '"' || c == '\\' ? ksnprintf(text, sizeof(text), "\\%c", c)
            : c == '\n'           ? ksnprintf(text, sizeof(text), "\\n")
                                  : ksnprintf(text, sizeof(text), "\\u%04x", c);
    put(j, text, (size_t)n);
}

void json_bytes(struct json *j, const char *name, const char *bytes, size_t n)
{
    begin(j, name);
    put_string(j, "\"");
    size_t plain = 0; /* where what may stand as it is begins */
    for (size_t i = 0; i < n;) {
        unsigned char c = (unsigned char)bytes[i];
        size_t length = utf8_character((const unsigned char *)bytes + i, n - i);
        if (length && c >= ' ' && c != '"' && c != '\\' && c != 0x7f) {
            i += length;
            continue;
        }
        put(j, bytes + plain, i - plain);
        put_escaped(j, c);
        plain = ++i;
    }
    put(j, bytes + plain, n - plain);
    put_string(j, "\"");
}

void json_text(struct json *j, const char *name, const char *text)
{
    json_bytes(j, name, text, strlen(text));
}
