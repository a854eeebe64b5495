/* SPDX-License-Identifier: MIT
 * The kernel's named byte streams to and from the host, whatever carries them: ports of virtio-console, or frames on
 * the one console that a Xen guest has. Boot CPU only, interrupts off, nothing blocks; only stream_init and stream_poll
 * write to the log, so a log sink may call the others. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sys/frame.h"

enum stream_id { STREAM_LOG, STREAM_HIST, STREAM_CONTROL, STREAM_PROF, STREAMS };

struct stream;

/* A byte console that can carry all streams, in frames. */
struct stream_console {
    const char *name;
    struct frame_wire wire;
    bool (*flush)(uint64_t spins); /* waits until its other end has consumed what was put; NULL: nothing to wait for */
    void (*relax)(void);           /* between looks at a full console: lets its other end run; NULL: a pause will do */
    bool announces;                /* what comes raises an interrupt, and somebody calls control_look */
};

/* This is to be the carrier; *console stays. Before stream_init, which then looks for nothing else. */
void stream_use_console(const struct stream_console *console);

/* COM1 is to be the carrier: for machines whose only device it is. False: there is none. */
bool stream_use_serial(void);

/* Looks for what carries the streams. `hints`: the command line, which may name virtio-mmio devices. Before page_seal.
 * Without anything the UART has the log, and the rest is lost where it begins. */
void stream_init(const char *hints);

/* The stream, or NULL while nobody on the host would get it. A stream that was once there stays valid. */
struct stream *stream_get(enum stream_id id);

/* Whether nobody need look at each tick for what the host sends. */
bool stream_is_announced(void);

/* What frames met with on the console, for the end of the log; nothing where there are none. */
void stream_write_losses(void);

/* Whether the stream is there, or will be as soon as the host opens it. */
bool stream_is_expected(enum stream_id id);

/* What the host did meanwhile: ports that come and go, places that became free, bytes that came. Bounded. */
void stream_poll(void);

/* Copies bytes towards the host. Returns how many were taken, the first ones: fewer than n when the carrier is full. */
size_t stream_write(struct stream *s, const void *bytes, size_t n);

/* Takes up to n bytes that the host sent. */
size_t stream_read(struct stream *s, void *buf, size_t n);

/* Waits until the host's side has consumed all that was written; false if it has not after `spins` looks. */
bool stream_flush(struct stream *s, uint64_t spins);
