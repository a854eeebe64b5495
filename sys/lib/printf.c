/* SPDX-License-Identifier: MIT
 * Formatting into a buffer. One struct carries the output, which counts past the end of the buffer without storing
 * there; each conversion is read into a small struct first and printed after. No state outlives a call, nothing is
 * allocated, so any context may format. Absent on purpose: floating point, octal, %n, %X, positional arguments,
 * locales. */
#include "sys/lib/printf.h"

#include <stdbool.h>
#include <stdint.h>
#include "sys/lib/string.h"

#define FIELD_MAX 1023 /* keeps a damaged format from printing blanks for ever */

struct output {
    char *text;
    size_t room;   /* bytes of text that may hold characters: the terminator is not among them */
    size_t length; /* characters so far, stored or not */
};

enum length { LENGTH_INT, LENGTH_CHAR, LENGTH_SHORT, LENGTH_LONG };

struct conversion {
    bool left, zero, alternate;
    int width;
    int precision; /* -1: none given */
    enum length length;
    char kind;
};

/* A va_list that can be passed on by pointer and read on by the callee. */
struct arguments {
    va_list list;
};

static void put(struct output *o, char c)
{
    if (o->length < o->room)
        o->text[o->length] = c;
    o->length++;
}

static void put_many(struct output *o, char c, int count)
{
    for (; count > 0; count--)
        put(o, c);
}

/* Text of `n` characters in a field: `sign` characters of it stay in front of zeros. */
static void put_field(struct output *o, const struct conversion *c, const char *s, int n, int sign)
{
    int pad = c->width - n;
    bool zeros = c->zero && !c->left;
    if (!c->left && !zeros)
        put_many(o, ' ', pad);
    for (int i = 0; i < n; i++) {
        if (i == sign && zeros)
            put_many(o, '0', pad);
        put(o, s[i]);
    }
    if (c->left)
        put_many(o, ' ', pad);
}

static void put_number(struct output *o, const struct conversion *c, uint64_t value, unsigned base, const char *prefix)
{
    char digits[2 + 20]; /* prefix, then UINT64_MAX in decimal */
    int sign = (int)strlen(prefix);
    size_t at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    at -= (size_t)sign;
    memcpy(&digits[at], prefix, (size_t)sign);
    put_field(o, c, &digits[at], (int)(sizeof digits - at), sign);
}

static void put_string(struct output *o, const struct conversion *c, const char *s)
{
    int limit = c->precision < 0 ? INT32_MAX : c->precision, n = 0;
    if (!s)
        s = "(null)";
    while (n < limit && s[n])
        n++;
    put_field(o, c, s, n, -1);
}

static int64_t take_signed(struct arguments *args, enum length length)
{
    if (length == LENGTH_LONG)
        return va_arg(args->list, int64_t);
    int v = va_arg(args->list, int);
    if (length == LENGTH_CHAR)
        return (signed char)v;
    return length == LENGTH_SHORT ? (short)v : v;
}

static uint64_t take_unsigned(struct arguments *args, enum length length)
{
    if (length == LENGTH_LONG)
        return va_arg(args->list, uint64_t);
    unsigned v = va_arg(args->list, unsigned);
    if (length == LENGTH_CHAR)
        return (unsigned char)v;
    return length == LENGTH_SHORT ? (unsigned short)v : v;
}

/* Width or precision: digits or a star. */
static const char *read_size(const char *f, struct arguments *args, int *out)
{
    int v = 0;
    if (*f == '*') {
        v = va_arg(args->list, int);
        f++;
    }
    for (; *f >= '0' && *f <= '9'; f++) {
        if (v <= FIELD_MAX)
            v = v * 10 + (*f - '0');
    }
    *out = v > FIELD_MAX ? FIELD_MAX : v < -FIELD_MAX ? -FIELD_MAX : v;
    return f;
}

static const char *read_length(const char *f, enum length *out)
{
    if (*f == 'h') {
        bool twice = f[1] == 'h';
        *out = twice ? LENGTH_CHAR : LENGTH_SHORT;
        return f + 1 + twice;
    }
    if (*f == 'l') {
        *out = LENGTH_LONG; /* long and long long are the same size here */
        return f + 1 + (f[1] == 'l');
    }
    *out = *f == 'z' || *f == 'j' ? LENGTH_LONG : LENGTH_INT;
    return f + (*out == LENGTH_LONG);
}

/* `f` is behind the '%'. Returns what follows the conversion; at the terminator, kind is 0. */
static const char *read_conversion(const char *f, struct arguments *args, struct conversion *c)
{
    *c = (struct conversion){.precision = -1};
    for (; *f == '0' || *f == '-' || *f == '#'; f++) {
        c->zero |= *f == '0';
        c->left |= *f == '-';
        c->alternate |= *f == '#';
    }
    f = read_size(f, args, &c->width);
    if (c->width < 0) {
        c->left = true;
        c->width = -c->width;
    }
    if (*f == '.')
        f = read_size(f + 1, args, &c->precision);
    f = read_length(f, &c->length);
    c->kind = *f;
    return *f ? f + 1 : f;
}

/* False if there is no such conversion; no argument is taken then. */
static bool put_conversion(struct output *o, const struct conversion *c, struct arguments *args)
{
    struct conversion text = *c;
    text.zero = false;
    switch (c->kind) {
    case 'd':
    case 'i': {
        int64_t v = take_signed(args, c->length);
        put_number(o, c, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 10, v < 0 ? "-" : "");
        return true;
    }
    case 'u':
        put_number(o, c, take_unsigned(args, c->length), 10, "");
        return true;
    case 'x': {
        uint64_t v = take_unsigned(args, c->length);
        put_number(o, c, v, 16, c->alternate && v ? "0x" : "");
        return true;
    }
    case 'p':
        put_number(o, c, (uint64_t)(uintptr_t)va_arg(args->list, void *), 16, "0x");
        return true;
    case 's':
        put_string(o, &text, va_arg(args->list, const char *));
        return true;
    case 'c':
        put_field(o, &text, &(char){(char)va_arg(args->list, int)}, 1, -1);
        return true;
    case '%':
        put(o, '%');
        return true;
    default:
        return false;
    }
}

int kvsnprintf(char *out, size_t n, const char *format, va_list args)
{
    struct output o = {.text = out, .room = n ? n - 1 : 0};
    struct arguments rest;
    va_copy(rest.list, args);
    while (*format) {
        const char *start = format++;
        struct conversion c;
        if (*start != '%') {
            put(&o, *start);
            continue;
        }
        format = read_conversion(format, &rest, &c);
        if (!put_conversion(&o, &c, &rest)) {
            for (; start < format; start++)
                put(&o, *start);
        }
    }
    va_end(rest.list);
    if (n)
        out[o.length < o.room ? o.length : o.room] = '\0';
    return (int)o.length;
}

int ksnprintf(char *out, size_t n, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = kvsnprintf(out, n, format, args);
    va_end(args);
    return length;
}
