/* SPDX-License-Identifier: MIT
 * Plays the kernel under the runtime's helpers: each call is noted as a line of text, and its result is the next one
 * that the test has queued. One test file each. */
#pragma once
#include "user/rt/tern.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static char noted[4096];
static struct result queue[64];
static size_t queued, used;

static inline void queue_result(enum status status, uint32_t signals, uint64_t value)
{
    queue[queued++] = (struct result){status, signals, value};
}

__attribute__((format(printf, 1, 2))) static inline void note(const char *format, ...)
{
    va_list args;
    size_t n = strlen(noted);
    va_start(args, format);
    vsnprintf(noted + n, sizeof noted - n, format, args);
    va_end(args);
}

/* Nothing queued: a status that no call gives. */
static inline struct result next_result(void)
{
    return used < queued ? queue[used++] : (struct result){.status = STATUS_UNAUTHENTICATED};
}
