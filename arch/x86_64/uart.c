/* SPDX-License-Identifier: MIT
 * 16550 at 0x3f8, 115200 8n1. Present if the scratch register keeps what is written. */
#include "arch/x86_64/uart.h"

#include "sys/lib/absent.h"
#include "sys/lib/log.h"

#include <arch/cpu.h>
#include <arch/io.h>
#include <stddef.h>

#define COM1 0x3f8
#define UART_DATA (COM1 + 0)
#define UART_INTERRUPTS (COM1 + 1)
#define UART_FIFO (COM1 + 2)
#define UART_LINE (COM1 + 3)
#define UART_MODEM (COM1 + 4)
#define UART_STATUS (COM1 + 5)
#define UART_SCRATCH (COM1 + 7)
#define STATUS_TRANSMIT_EMPTY 0x20
#define STATUS_RECEIVED 0x01
#define FIFO_ON 0xc0 /* in both of the FIFO register's top bits: it works */
#define FIFO_BYTES 16
#define WAIT_SPINS 100000

static bool logs;                /* there is a port, and the log goes there */
static unsigned int burst_bytes; /* what fits in once all has been sent */

/* `room`: how much is known to fit in without a look. */
static void put(char c, unsigned int *room)
{
    if (!*room) {
        for (unsigned int i = 0; i < WAIT_SPINS && !(io_in8(UART_STATUS) & STATUS_TRANSMIT_EMPTY); i++)
            cpu_pause();
        *room = burst_bytes;
    }
    --*room;
    io_out8(UART_DATA, (uint8_t)c);
}

static void log_write_bytes(const char *bytes, size_t n)
{
    unsigned int room = 0;
    for (size_t i = 0; logs && i < n; i++) {
        if (bytes[i] == '\n')
            put('\r', &room);
        put(bytes[i], &room);
    }
}

static struct log_sink uart_sink = {.write = log_write_bytes};

bool uart_init(void)
{
    io_out8(UART_SCRATCH, 0x5a);
    if (io_in8(UART_SCRATCH) != 0x5a) {
        absent_note("COM1");
        return false;
    }
    io_out8(UART_INTERRUPTS, 0);
    io_out8(UART_LINE, 0x80);
    io_out8(UART_DATA, 1);
    io_out8(UART_INTERRUPTS, 0);
    io_out8(UART_LINE, 3);
    io_out8(UART_FIFO, 7);
    burst_bytes = (io_in8(UART_FIFO) & FIFO_ON) == FIFO_ON ? FIFO_BYTES : 1;
    io_out8(UART_MODEM, 3);
    logs = true;
    log_add_sink(&uart_sink);
    return true;
}

void uart_log_spare(void)
{
    uart_sink.spare = true;
}

bool uart_log_end(void)
{
    bool there = logs;
    logs = false;
    return there;
}

void uart_put(const char *bytes, size_t n)
{
    unsigned int room = 0;
    for (size_t i = 0; i < n; i++)
        put(bytes[i], &room);
}

size_t uart_get(char *bytes, size_t n)
{
    size_t i = 0;
    while (i < n && (io_in8(UART_STATUS) & STATUS_RECEIVED))
        bytes[i++] = (char)io_in8(UART_DATA);
    return i;
}
