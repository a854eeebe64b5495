/* SPDX-License-Identifier: MIT
 * The kernel log: lines stamped with seconds since boot, kept in a ring from the first instruction on and sent to every
 * sink (UART, virtio port org.tern.log) as it appears; a sink that comes late gets the ring replayed. Any context. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Raw bytes as they are, for user programs' output. */
void log_write(const char *bytes, size_t n);

/* A place log bytes go to. `write` must not log. `spare`: nothing but a panic goes there once another sink that is not
 * spare has the log. */
struct log_sink {
    void (*write)(const char *bytes, size_t n);
    bool spare;
    struct log_sink *next;
};
void log_add_sink(struct log_sink *sink);
