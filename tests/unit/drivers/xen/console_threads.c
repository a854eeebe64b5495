/* SPDX-License-Identifier: MIT
 * A thread plays the backend: whatever it is given it gives back, in parts of odd sizes, so that each frame that one
 * stream writes comes in again. A byte that is read before it is written, or overwritten before it is read, shows as
 * damage, and to TSan as a race. */
#include "drivers/xen/console.h"

#include <arch/atomic.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sys/frame.h"

#define BYTES 2000000u
#define LOOKS_MAX 200000000u

static struct xencons_interface ring = {.out_prod = UINT32_MAX - 5000,
                                        .out_cons = UINT32_MAX - 5000,
                                        .in_prod = UINT32_MAX - 9000,
                                        .in_cons = UINT32_MAX - 9000};
static bool over; /* [a] */

static void notify(uint32_t port)
{
    (void)port; /* the backend looks all the time */
}

/* Moves up to `most` bytes from one direction to the other; returns how many. */
static uint32_t echo(uint32_t most)
{
    uint32_t cons = ring.out_cons, prod = ring.in_prod, n = 0;
    uint32_t there = load_acquire(&ring.out_prod) - cons;                   /* pairs: xen-console-out */
    uint32_t room = sizeof(ring.in) - (prod - load_acquire(&ring.in_cons)); /* pairs: xen-console-in-space */
    for (; n < most && n < there && n < room; n++)
        ring.in[MASK_XENCONS_IDX(prod + n, ring.in)] = ring.out[MASK_XENCONS_IDX(cons + n, ring.out)];
    store_release(&ring.out_cons, cons + n); /* pairs: xen-console-out-space */
    store_release(&ring.in_prod, prod + n);  /* pairs: xen-console-in */
    return n;
}

static void *play(void *argument)
{
    uint32_t most = 1;
    while (!load_acquire(&over)) {
        if (!echo(most))
            sched_yield();
        most = most * 7 % 1021;
    }
    return argument;
}

static char byte_of(uint32_t n)
{
    return (char)(n * 2654435761u >> 24);
}

static struct frame_console frames;
static struct frame_stream log_stream, control;
static struct frame_input input;

/* Writes and reads until all is back; false if a byte is not what was sent, or none comes. */
static bool exchange(void)
{
    char buf[333];
    uint32_t written = 0, read = 0, looks = 0;
    while (read < BYTES && looks++ < LOOKS_MAX) {
        uint32_t n = BYTES - written < sizeof(buf) ? BYTES - written : (uint32_t)sizeof(buf);
        for (uint32_t i = 0; i < n; i++)
            buf[i] = byte_of(written + i);
        uint32_t taken = (uint32_t)frame_write(&control, buf, n);
        written += taken;
        (void)frame_write(&log_stream, "between\n", looks % 3 ? 0 : 8);
        uint32_t got = (uint32_t)frame_read(&control, buf, sizeof(buf));
        for (uint32_t i = 0; i < got; i++)
            if (buf[i] != byte_of(read++))
                return false;
        if (!taken && !got)
            sched_yield();
    }
    return read == BYTES;
}

int main(void)
{
    static struct xen_console console;
    const struct frame_wire wire = {.put = xen_console_put, .get = xen_console_get, .context = &console};
    pthread_t backend;
    if (!xen_console_begin(&console, &ring, 1, notify))
        return 1;
    frame_console_begin(&frames, &wire);
    frame_stream_begin(&log_stream, &frames, 'l', NULL);
    frame_stream_begin(&control, &frames, 'c', &input);
    pthread_create(&backend, NULL, play, NULL);
    bool same = exchange();
    store_release(&over, true);
    pthread_join(backend, NULL);
    if (same && !console.fault && !frames.damaged && !frames.foreign && !control.missing && !log_stream.missing)
        return 0;
    fprintf(stderr, "same %d, fault %s, damaged %lu, foreign %lu, missing %lu\n", same,
            console.fault ? console.fault : "none", frames.damaged, frames.foreign,
            control.missing + log_stream.missing);
    return 1;
}
