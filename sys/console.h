/* SPDX-License-Identifier: MIT
 * The kernel's byte streams to the host: the log and histograms (sys/stream.h). Boot CPU only. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "sched/thread.h"
#include "sys/abi/histogram.h"

/* Finds the streams and sends the log to its own. Without it the UART has the log, and histograms are dropped and
 * counted. `hints`: the command line, which may name virtio-mmio devices. */
void console_init(const char *hints);

/* One bounded step of writing `h` to the histogram stream. `text` is "NAME key=value ...", read at the first step only.
 * OK when the line is out; UNAVAILABLE when there is more to do, if need be of another's line; INVALID_ARGUMENT for a
 * bad text; DATA_LOSS if the histogram changed under way. */
enum status console_export(const struct histogram *h, const char *text, uint64_t n);

/* Ends the histogram stream (`complete`: with its end line) and waits, bounded, until the host has everything. */
void console_finish(bool complete);
