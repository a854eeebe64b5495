/* SPDX-License-Identifier: MIT
 * Serving requests of the kernel's router: an object `{ name: "echo", type: "channel_handler", module: true }` is a
 * module of this name. Its requests come as on any handler, from the kernel: a text "TYPE", or "TYPE PAYLOAD" with at
 * most 1024 bytes of payload. Each is answered with a status and a text:
 *
 *     struct result r = channel_respond_and_wait(HANDLE_ECHO, NULL, 0, text, sizeof text, TIME_MAX);
 *     size_t payload;
 *     if (tern_module_is(text, r.value, "say", &payload))
 *         tern_module_respond(HANDLE_ECHO, STATUS_OK, text + payload, r.value - payload);
 *
 * Others wait until it is, in order. An answer without the status is INTERNAL to who asked. */
#pragma once
#include "user/rt/tern.h"

#define TERN_MODULE_REQUEST_BYTES 1056 /* no request is longer */
#define TERN_MODULE_ANSWER_BYTES 2048

/* The request of n bytes has this type; its payload begins at *payload, and is empty if that is n. */
bool tern_module_is(const char *request, size_t n, const char *type, size_t *payload);

/* Answers the request that was read; errors as of channel_respond: OUT_OF_RANGE above TERN_MODULE_ANSWER_BYTES. */
struct result tern_module_respond(uint64_t handle, enum status status, const char *text, size_t n);
