/* SPDX-License-Identifier: MIT
 * Several streams over one byte console, for guests that get a single one (Xen). Each frame is one line of text:
 *
 *     =S:QQQQ:CCCCCCCC:PAYLOAD\n
 *
 * S is the stream's letter; QQQQ numbers the frames of a stream and direction, 4 lower-case hex digits from 0000 on,
 * wrapping; CCCCCCCC is the CRC-32 of "S:QQQQ:" and the payload as it stands there; PAYLOAD has at most 96 characters,
 * printable ASCII as itself, everything else and the backslash as a backslash and two lower-case hex digits. A carriage
 * return before the newline is ignored. Other lines are somebody else's text and are skipped and counted.
 *
 * Out: one line at a time is under way, whichever stream's it is, and goes out whole before the next: our own lines
 * never tear each other. What frame_write took is in a line or out, never lost. In: streams of text lines. Nothing is
 * read from the console that has no room; a wrong sum or a gap in the numbers is counted, and the reader is told within
 * the stream: it gets FRAME_CANCELLED and a newline, which spoil the line that it may hold the beginning of, and what
 * follows up to the end of that line is not given. A frame that is numbered 0000 out of turn is a peer that began
 * anew: a line under way is spoiled, the frame is good.
 *
 * Boot CPU, no lock, no allocation, no logging: the log ends up here. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_TEXT_MAX 96u              /* characters of an escaped payload */
#define FRAME_HEAD_BYTES 17u            /* "=S:QQQQ:CCCCCCCC:" */
#define FRAME_LINE_MAX (17u + 96u + 2u) /* with CR and LF */
#define FRAME_INPUT_BYTES 1024u         /* a power of two */
#define FRAME_CANCELLED '\x18'          /* ASCII CAN: what was given of this line is void */

/* The console's two ends. Both take or give the first k of n bytes and return k, at once. */
struct frame_wire {
    size_t (*put)(void *context, const char *bytes, size_t n);
    size_t (*get)(void *context, char *bytes, size_t n);
    void *context;
};

/* Bytes that came for a stream and were not read yet. Zeroed storage is an empty one; private to frame.c. */
struct frame_input {
    uint32_t read, written; /* free-running */
    bool cut;               /* up to the next newline what comes is not given */
    char bytes[FRAME_INPUT_BYTES];
};

/* One stream. Fields are private to frame.c except the counts, which may be read. */
struct frame_stream {
    struct frame_console *console;
    struct frame_stream *next;
    struct frame_input *input; /* NULL: nothing is expected from the host */
    char letter;
    uint16_t number_out, number_in; /* of the next frame */
    uint64_t frames_out, frames_in;
    uint64_t missing;   /* frames in, by their numbers */
    uint64_t restarts;  /* of the peer: number 0000 out of turn */
    uint64_t unwanted;  /* frames in for a stream without input */
    uint64_t bytes_cut; /* behind a gap, up to the end of the line */
};

/* Fields are private to frame.c except the counts, which may be read. */
struct frame_console {
    struct frame_wire wire;
    struct frame_stream *streams;
    uint32_t line_bytes, line_sent; /* the line that goes out */
    uint32_t in_bytes, in_next;     /* of `in`: got, and looked at */
    uint32_t text_bytes;            /* the line that comes in; more than FRAME_LINE_MAX: too long, not kept */
    uint64_t foreign;               /* lines in that are no frames, and frames of unknown streams; empty ones apart */
    uint64_t damaged;               /* frames in with a wrong sum or an impossible payload; each is missing as well */
    char line[FRAME_LINE_MAX];
    char text[FRAME_LINE_MAX];
    char in[64];
};

/* Starts a console without streams. Nothing is written. */
void frame_console_begin(struct frame_console *c, const struct frame_wire *wire);

/* Adds a stream; storage is the caller's and stays. `letter` is a lower-case letter no other stream of it has.
 * `input` is NULL or the room for what comes. Panics if the letter will not do. */
void frame_stream_begin(struct frame_stream *s, struct frame_console *c, char letter, struct frame_input *input);

/* Takes the first k of n bytes, in frames, and returns k: fewer than n when the console took no more. The last frame
 * may still be under way: it goes on with the next frame_write of any stream, frame_read or frame_flush. */
size_t frame_write(struct frame_stream *s, const void *bytes, size_t n);

/* Gives the console the rest of the line under way, with up to `spins` further tries; false if some is left. That the
 * host has read it is not said: ask the console. */
bool frame_flush(struct frame_console *c, uint64_t spins);

/* Reads what the console has, bounded by the streams' room and by 1 KiB, then takes up to n bytes of this stream. */
size_t frame_read(struct frame_stream *s, void *buf, size_t n);
