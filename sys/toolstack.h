/* SPDX-License-Identifier: MIT
 * Whoever runs this guest under Xen: the console that it reads, the store in which it leaves requests (`xl shutdown`).
 * On other machines there is none, and nothing here does anything. Boot CPU. */
#pragma once
#include <stdint.h>

/* Offers Xen's console as carrier of the streams, if there is one. Before stream_init; allocates no frames later than
 * page_seal. */
void toolstack_init(void);

/* Reads who this guest is, and hears of requests from here on; processes have `grace_ns` between a request to end and
 * the end. When the streams are open, before page_seal. */
void toolstack_listen(uint64_t grace_ns);

/* The console or the store has news (XEN_EVENT_DEVICE). */
void toolstack_interrupt(void);
