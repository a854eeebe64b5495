/* SPDX-License-Identifier: MIT
 * The first serial port as a log sink, polled; each wait is bounded. */
#pragma once
#include <stdbool.h>

/* Sets up COM1 and adds it to the log; false if there is none. Boot CPU. */
bool uart_init(void);
