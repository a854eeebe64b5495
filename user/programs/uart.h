/* SPDX-License-Identifier: MIT
 * What one asks the driver of the serial port. A read is answered with the bytes that have come, at most n, as soon as
 * there is one; it is the request alone. A write is the request and, right behind it, n bytes, and is answered with
 * nothing when they are out. USER is on at the client's end while there are bytes to read. */
#pragma once
#include "user/rt/message.h"

#define UART_WRITE_MAX 96

enum uart_verb { UART_READ, UART_WRITE };

TERN_MESSAGE(uart_request, 8, uint32_t verb; uint32_t n;);
