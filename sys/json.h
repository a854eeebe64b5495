/* SPDX-License-Identifier: MIT
 * Writes JSON (RFC 8259) piece by piece to whoever takes bytes. What comes out is as well-formed as the calls are
 * nested; texts may be any bytes: those that are no UTF-8 come out as the characters of their values, U+0080 to U+00FF.
 * A `name` is that of a member, in ASCII without quotes and backslashes, or NULL for an element of a list and for the
 * outermost value. Any context. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_GROWTH 6 /* bytes that one byte of a text can become */

struct json {
    void (*put)(void *context, const char *bytes, size_t n);
    void *context;
    bool comma; /* one must stand before the next value */
};

/* `bracket`: { or [, and } or ]. */
void json_open(struct json *j, const char *name, char bracket);
void json_close(struct json *j, char bracket);

void json_number(struct json *j, const char *name, uint64_t value);
void json_bool(struct json *j, const char *name, bool value);
void json_text(struct json *j, const char *name, const char *text);
void json_bytes(struct json *j, const char *name, const char *bytes, size_t n);

/* A value that is JSON already. */
void json_raw(struct json *j, const char *name, const char *bytes, size_t n);
