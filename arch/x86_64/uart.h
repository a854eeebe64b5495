/* SPDX-License-Identifier: MIT
 * The first serial port as a log sink, polled; each wait is bounded. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* Sets up COM1 and adds it to the log; false if there is none. Boot CPU. */
bool uart_init(void);

/* Once the log has another way, only a panic is written there: each byte is an exit to the hypervisor's user space. */
void uart_log_spare(void);

/* The log has a better way, and the port is free for these; false if there is none. */
bool uart_log_end(void);

/* Sends all of it, waiting, bounded, for each byte. */
void uart_put(const char *bytes, size_t n);

/* Takes up to n bytes that have come. */
size_t uart_get(char *bytes, size_t n);
