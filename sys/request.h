/* SPDX-License-Identifier: MIT
 * The text of a request to a module of the router: `MODULE TYPE [PAYLOAD]`, one line. Module and type are words of
 * printable characters; the payload is whatever follows the blank behind the type. Any context. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "sys/abi/status.h"

#define REQUEST_BYTES_MAX 1023

struct request {
    const char *module, *type, *payload; /* not terminated; the payload may be anything */
    size_t module_bytes, type_bytes, payload_bytes;
};

/* INVALID_ARGUMENT: there are no two words, or a type that does not fit struct router_message or is not printable. What
 * was found is in *r also then. */
enum status request_parse(const char *text, size_t n, struct request *r);

/* Puts lines together from bytes that come in pieces. All zero begins. */
struct request_reader {
    size_t n;
    bool skipping; /* of a line that is too long, until its end */
    bool complete; /* the next byte begins a new line */
    char text[REQUEST_BYTES_MAX];
};
enum request_news { REQUEST_MORE, REQUEST_COMPLETE, REQUEST_TOO_LONG };

/* One more byte. COMPLETE: `text` has a line of `n` bytes, without its end, until the next byte. TOO_LONG: once for
 * each such line. Empty lines are none; a carriage return before the end belongs to it. */
enum request_news request_read(struct request_reader *r, char c);
