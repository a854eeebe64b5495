/* SPDX-License-Identifier: MIT
 * Writes a histogram as two lines of an HdrHistogram interval log: a comment with the exact numbers, then the interval
 * (V2 payload, zlib with stored blocks, base64). One writer belongs to one CPU and does one histogram at a time, in
 * steps of bounded work, into a sink that may take less than it is offered. The slots are read twice, to size and to
 * emit; a process may change them in between: the promised lengths are kept and the loss is reported. A stream is
 * hlog_header, then any number of histograms, then hlog_end. No allocation, no compression, no floating point. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sys/abi/histogram.h"
#include "sys/abi/status.h"

#define HLOG_TAG_MAX 63
#define HLOG_NOTE_MAX 160
#define HLOG_STAGE_BYTES 512

/* Where the bytes go. Takes the first k of n bytes and returns k; 0 means full, try again later. */
struct hlog_sink {
    size_t (*write)(void *context, const char *bytes, size_t n);
    void *context;
};

/* All fields are private to hlog.c. Zeroed storage is a writer that has nothing to do. */
struct hlog_writer {
    const struct histogram *h;
    uint32_t phase;                   /* enum hlog_phase */
    uint32_t low, limit, index;       /* the slots to write, fixed at begin; the next one to look at */
    uint32_t zeros;                   /* empty slots before `index` that no number has covered yet */
    uint32_t payload_bytes;           /* sized, then promised in the frame */
    uint32_t payload_left, body_left; /* still to emit of the payload; of frame and payload together */
    uint32_t block_left;              /* of the stored block under way */
    uint32_t adler_a, adler_b;
    uint32_t group, group_bytes; /* base64: up to 3 bytes that wait for company */
    bool loss;
    uint64_t count, emitted;          /* values promised; values written */
    uint64_t min, max, sum, overflow; /* as at begin */
    uint64_t start_ns, end_ns;
    uint32_t staged, sent;
    char tag[HLOG_TAG_MAX + 1];
    char note[HLOG_NOTE_MAX + 1];
    char stage[HLOG_STAGE_BYTES];
};

/* Starts on *h, which must stay mapped until the line is out; tag and note are copied. The tag is 1..63 printable ASCII
 * characters without space or comma; the note is empty or `key=value key=value`, at most 160 printable characters.
 * INVALID_ARGUMENT for a bad tag, note or interval; DATA_LOSS if *h is not a histogram; FAILED_PRECONDITION if a line
 * is under way: zero the writer to give that up. Nothing is written yet. */
enum status hlog_begin(struct hlog_writer *w, const struct histogram *h, const char *tag, const char *note,
                       uint64_t start_ns, uint64_t end_ns);

/* Does at most `budget` units of work; a unit is one slot looked at or one byte offered to the sink.
 * OK: both lines are out and are what *h held. DATA_LOSS: both lines are out and well formed, but *h changed meanwhile
 * or held impossible counts. UNAVAILABLE: there is more to do, or the sink is full. FAILED_PRECONDITION: not begun. */
enum status hlog_step(struct hlog_writer *w, const struct hlog_sink *sink, uint32_t budget);

/* The three lines every log starts with, and the line that says it is complete: `histograms` lines came out, DATA_LOSS
 * ones included; `dropped` are missing or were DATA_LOSS. Return the length, like snprintf. */
size_t hlog_header(char *out, size_t n);
size_t hlog_end(char *out, size_t n, uint64_t histograms, uint64_t dropped);
