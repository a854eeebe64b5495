/* SPDX-License-Identifier: MIT
 * The kernel's named byte streams to and from the host, whatever carries them: ports of virtio-console, or frames on the
 * one console that a Xen guest has. Boot CPU only, interrupts off, nothing blocks; only stream_init and stream_poll write
 * to the log, so a log sink may call the others. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum stream_id { STREAM_LOG, STREAM_HIST, STREAM_CONTROL, STREAM_PROF, STREAMS };

struct stream;

/* Looks for what carries the streams. `hints`: the command line, which may name virtio-mmio devices. Before page_seal.
 * Without anything the UART has the log, and the rest is lost where it begins. */
void stream_init(const char *hints);

/* The stream, or NULL while nobody on the host would get it. A stream that was once there stays valid. */
struct stream *stream_get(enum stream_id id);

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
