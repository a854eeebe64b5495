/* SPDX-License-Identifier: MIT
 * A driver in user mode: the first serial port, a 16550. It has the port's interrupt, its eight registers, and a
 * channel to its client; one wait group holds them together, so it sleeps until a byte has come or the client wants
 * something.
 *
 * What comes goes into a ring. A read that finds the ring empty is answered later, when the interrupt has brought
 * something. When the ring is full the port keeps the rest, and its sender waits.
 *
 * The kernel writes its log to the same port, and may do so at any time: it only transmits, byte by byte, and leaves
 * the port as it was. So the driver must not touch the divisor, and what both write may mix. */
#include "handles.h"
#include "user/programs/uart.h"
#include "user/rt/io.h"
#include "user/rt/service.h"

#define UART_DATA (MAPPING_COM1_START_ADDRESS + 0)
#define UART_INTERRUPTS (MAPPING_COM1_START_ADDRESS + 1)
#define UART_MODEM (MAPPING_COM1_START_ADDRESS + 4)
#define UART_STATUS (MAPPING_COM1_START_ADDRESS + 5)
#define INTERRUPT_RECEIVED 1
#define MODEM_READY 0x0b /* terminal ready, request to send, and the gate of the interrupt line */
#define STATUS_RECEIVED 0x01
#define STATUS_TRANSMIT_EMPTY 0x20
#define TRANSMIT_SPINS 100000
#define RING_BYTES 128

static struct {
    uint8_t bytes[RING_BYTES];
    uint32_t first, count;
} ring;

static uint32_t reader_room; /* of the read that waits for its answer; 0: none does */
static bool told;            /* USER is on at the client's end */

static union {
    struct uart_request head;
    uint8_t bytes[sizeof(struct uart_request) + UART_WRITE_MAX];
} request;
static uint8_t answer[RING_BYTES];

/* What the port has, as far as there is room. */
static void receive(void)
{
    while (ring.count < RING_BYTES && (port_in8(UART_STATUS) & STATUS_RECEIVED))
        ring.bytes[(ring.first + ring.count++) % RING_BYTES] = port_in8(UART_DATA);
}

/* The port interrupts when a byte comes into an empty receiver, so nothing is heard of those that stay there: they are
 * fetched whenever there is room again. */
static uint32_t take(uint32_t room)
{
    uint32_t n = 0;
    for (receive(); n < room && ring.count > 0; n++) {
        answer[n] = ring.bytes[ring.first];
        ring.first = (ring.first + 1) % RING_BYTES;
        ring.count--;
    }
    receive();
    return n;
}

static void tell(void)
{
    bool on = ring.count > 0;
    if (on != told && object_set_peer_user_signal(HANDLE_STREAM, on).status == STATUS_OK)
        told = on;
}

static void transmit(uint8_t byte)
{
    for (int i = 0; i < TRANSMIT_SPINS && !(port_in8(UART_STATUS) & STATUS_TRANSMIT_EMPTY); i++)
        ;
    port_out8(UART_DATA, byte);
}

static size_t write_bytes(size_t n)
{
    if (request.head.n != n - sizeof request.head)
        return 0;
    for (size_t i = sizeof request.head; i < n; i++)
        transmit(request.bytes[i]);
    return 0;
}

static size_t read_bytes(void)
{
    uint32_t room = request.head.n < sizeof answer ? request.head.n : sizeof answer;
    uint32_t n = take(room);
    tell(); /* before the answer: a client that reads all of it finds USER off */
    if (n > 0 || room == 0)
        return n;
    reader_room = room;
    return TERN_LATER;
}

static size_t serve(struct tern_service *s, const struct tern_member *m, size_t n)
{
    (void)s, (void)m;
    if (n < sizeof request.head)
        return 0;
    return request.head.verb == UART_READ ? read_bytes() : write_bytes(n);
}

/* Acknowledged first: a byte that comes after the look raises the interrupt again. */
static void interrupted(struct tern_service *s, const struct tern_member *m, uint32_t signals)
{
    (void)s, (void)m;
    (void)interrupt_ack(HANDLE_UART, signals);
    receive();
    if (reader_room > 0 && ring.count > 0) {
        uint32_t n = take(reader_room);
        reader_room = 0;
        (void)channel_respond(HANDLE_STREAM, answer, n); /* unless the client has given up */
    }
    tell();
}

static struct tern_member members[] = {
    {.handle = HANDLE_STREAM, .on_request = serve},
    {.handle = HANDLE_UART, .on_signals = interrupted, .mask = SIGNAL_RECEIVE},
};

static struct tern_service service = {
    .group = HANDLE_EVENTS,
    .members = members,
    .count = 2,
    .request = &request,
    .room = sizeof request,
    .response = answer,
};

int main(void)
{
    port_out8(UART_MODEM, MODEM_READY);
    port_out8(UART_INTERRUPTS, 0); /* off, then on: a byte that is there already interrupts then */
    port_out8(UART_INTERRUPTS, INTERRUPT_RECEIVED);
    tern_panic("uart: %s", tern_status_name(tern_service_run(&service)));
}
