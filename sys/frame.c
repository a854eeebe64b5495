/* SPDX-License-Identifier: MIT
 * Lines out and lines in. A line out is built whole in the console's buffer before any of it is sent, and no other is
 * begun until it is gone. A line in is judged when its newline comes. Bytes from the console may be anything. */
#include "sys/frame.h"

#include "sys/lib/crc32.h"
#include "sys/lib/panic.h"
#include "sys/lib/string.h"

#include <arch/cpu.h>

#define POLL_BYTES_MAX 1024u
#define NUMBER_AT 3u /* in the line: "=S:" */
#define NUMBER_DIGITS 4u
#define SUM_AT 8u
#define SUM_DIGITS 8u
#define SUMMED_AT 1u /* "S:QQQQ:" */
#define SUMMED_BYTES 7u
/* The most that one frame adds to an input: its payload, and the mark that a line is spoiled. */
#define INPUT_STEP_MAX (FRAME_TEXT_MAX + 2)

_Static_assert((FRAME_INPUT_BYTES & (FRAME_INPUT_BYTES - 1)) == 0, "indices are masked");
_Static_assert(FRAME_INPUT_BYTES > INPUT_STEP_MAX, "an empty input has room for a frame");
_Static_assert(SUM_AT + SUM_DIGITS + 1 == FRAME_HEAD_BYTES, "the head ends behind the sum and its colon");

void frame_console_begin(struct frame_console *c, const struct frame_wire *wire)
{
    memset(c, 0, sizeof(*c));
    c->wire = *wire;
    crc32_begin();
}

static struct frame_stream *stream_find(const struct frame_console *c, char letter)
{
    struct frame_stream *s = c->streams;
    while (s && s->letter != letter)
        s = s->next;
    return s;
}

void frame_stream_begin(struct frame_stream *s, struct frame_console *c, char letter, struct frame_input *input)
{
    panic_if(letter < 'a' || letter > 'z' || stream_find(c, letter));
    *s = (struct frame_stream){.console = c, .next = c->streams, .input = input, .letter = letter};
    c->streams = s;
}

static void hex_put(char *at, uint32_t value, uint32_t digits)
{
    for (uint32_t i = 0; i < digits; i++)
        at[i] = "0123456789abcdef"[value >> (4 * (digits - 1 - i)) & 15];
}

/* Upper case is no digit. */
static bool hex_get(const char *at, uint32_t digits, uint32_t *out)
{
    uint32_t value = 0;
    for (uint32_t i = 0; i < digits; i++) {
        char c = at[i];
        bool decimal = c >= '0' && c <= '9';
        if (!decimal && (c < 'a' || c > 'f'))
            return false;
        value = value << 4 | (uint32_t)(decimal ? c - '0' : c - 'a' + 10);
    }
    *out = value;
    return true;
}

/* Over "S:QQQQ:" and the payload of the line. */
static uint32_t line_sum(const char *line, size_t payload_bytes)
{
    uint32_t crc = crc32_update(UINT32_MAX, (const unsigned char *)line + SUMMED_AT, SUMMED_BYTES);
    return ~crc32_update(crc, (const unsigned char *)line + FRAME_HEAD_BYTES, payload_bytes);
}

static bool stands_for_itself(char c)
{
    return c >= ' ' && c <= '~' && c != '\\';
}

/* Fills the payload; returns how many of the bytes it holds, and its length. */
static size_t payload_escape(char *text, const char *bytes, size_t n, uint32_t *length)
{
    uint32_t at = 0;
    size_t done = 0;
    for (; done < n; done++) {
        bool plain = stands_for_itself(bytes[done]);
        if (at + (plain ? 1 : 3) > FRAME_TEXT_MAX)
            break;
        if (plain) {
            text[at++] = bytes[done];
            continue;
        }
        text[at] = '\\';
        hex_put(text + at + 1, (unsigned char)bytes[done], 2);
        at += 3;
    }
    *length = at;
    return done;
}

/* Sends of the line under way what the console takes. True if none is left. */
static bool line_push(struct frame_console *c)
{
    if (c->line_sent < c->line_bytes) {
        uint32_t left = c->line_bytes - c->line_sent;
        size_t taken = c->wire.put(c->wire.context, c->line + c->line_sent, left);
        c->line_sent += taken < left ? (uint32_t)taken : left;
    }
    return c->line_sent >= c->line_bytes;
}

/* Builds the next line; returns how many of the bytes it holds. The line before it is out. */
static size_t line_build(struct frame_stream *s, const char *bytes, size_t n)
{
    struct frame_console *c = s->console;
    uint32_t length;
    c->line_bytes = c->line_sent = 0;
    size_t done = payload_escape(c->line + FRAME_HEAD_BYTES, bytes, n, &length);
    c->line[0] = '=';
    c->line[1] = s->letter;
    c->line[2] = c->line[NUMBER_AT + NUMBER_DIGITS] = c->line[FRAME_HEAD_BYTES - 1] = ':';
    hex_put(c->line + NUMBER_AT, s->number_out, NUMBER_DIGITS);
    hex_put(c->line + SUM_AT, line_sum(c->line, length), SUM_DIGITS);
    c->line[FRAME_HEAD_BYTES + length] = '\n';
    s->number_out++;
    s->frames_out++;
    c->line_bytes = FRAME_HEAD_BYTES + length + 1;
    return done;
}

size_t frame_write(struct frame_stream *s, const void *bytes, size_t n)
{
    size_t done = 0;
    while (line_push(s->console) && done < n)
        done += line_build(s, (const char *)bytes + done, n - done);
    return done;
}

bool frame_flush(struct frame_console *c, uint64_t spins)
{
    bool out = line_push(c);
    for (uint64_t i = 0; !out && i < spins; i++) {
        cpu_pause();
        out = line_push(c);
    }
    return out;
}

static uint32_t input_room(const struct frame_input *in)
{
    return FRAME_INPUT_BYTES - (in->written - in->read);
}

static void input_put(struct frame_input *in, char byte)
{
    in->bytes[in->written++ % FRAME_INPUT_BYTES] = byte;
}

/* The line that the reader may hold part of is void. */
static void input_cancel(struct frame_input *in)
{
    input_put(in, FRAME_CANCELLED);
    input_put(in, '\n');
}

static bool input_is_within_line(const struct frame_input *in)
{
    return in->written && in->bytes[(in->written - 1) % FRAME_INPUT_BYTES] != '\n';
}

/* Bytes behind a gap belong to a line whose beginning is lost, up to its end. */
static void input_add(struct frame_stream *s, const char *bytes, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (!s->input->cut)
            input_put(s->input, bytes[i]);
        else
            s->bytes_cut++;
        if (bytes[i] == '\n')
            s->input->cut = false;
    }
}

/* Back to bytes; false if it is not what an encoder writes. */
static bool payload_decode(const char *text, size_t n, char *bytes, uint32_t *length)
{
    uint32_t done = 0;
    for (size_t at = 0; at < n; done++) {
        uint32_t byte;
        if (stands_for_itself(text[at])) {
            bytes[done] = text[at++];
            continue;
        }
        if (text[at] != '\\' || n - at < 3 || !hex_get(text + at + 1, 2, &byte))
            return false;
        bytes[done] = (char)byte;
        at += 3;
    }
    *length = done;
    return true;
}

/* Compares the number with the one expected. Most that is wrong with a stream shows here. */
static void number_check(struct frame_stream *s, uint16_t number)
{
    uint16_t gap = (uint16_t)(number - s->number_in);
    s->number_in = (uint16_t)(number + 1);
    if (gap == 0)
        return;
    if (number == 0)
        s->restarts++;
    else
        s->missing += gap;
    if (!s->input)
        return;
    if (number != 0 || input_is_within_line(s->input))
        input_cancel(s->input);
    s->input->cut = number != 0;
}

static void frame_take(struct frame_stream *s, uint16_t number, const char *bytes, uint32_t n)
{
    s->frames_in++;
    number_check(s, number);
    if (s->input)
        input_add(s, bytes, n);
    else
        s->unwanted++;
}

/* Whether the line has the shape of a frame's head, whatever follows; then its stream, number and sum. */
static bool head_parse(const struct frame_console *c, size_t n, struct frame_stream **s, uint32_t *number,
                       uint32_t *sum)
{
    const char *t = c->text;
    if (n < FRAME_HEAD_BYTES || t[0] != '=' || t[2] != ':' || t[NUMBER_AT + NUMBER_DIGITS] != ':' ||
        t[FRAME_HEAD_BYTES - 1] != ':')
        return false;
    *s = stream_find(c, t[1]);
    return *s && hex_get(t + NUMBER_AT, NUMBER_DIGITS, number) && hex_get(t + SUM_AT, SUM_DIGITS, sum);
}

/* A whole line is there, without its newline. A frame that is too long has lost its newline: damage. */
static void line_take(struct frame_console *c)
{
    struct frame_stream *s;
    uint32_t number, sum, bytes_n;
    char bytes[FRAME_TEXT_MAX];
    bool too_long = c->text_bytes > FRAME_LINE_MAX;
    size_t n = too_long ? FRAME_LINE_MAX : c->text_bytes;
    c->text_bytes = 0;
    if (!too_long && n && c->text[n - 1] == '\r')
        n--;
    if (!n)
        return;
    if (!head_parse(c, n, &s, &number, &sum)) {
        c->foreign++;
        return;
    }
    size_t payload_bytes = n - FRAME_HEAD_BYTES;
    if (too_long || payload_bytes > FRAME_TEXT_MAX || line_sum(c->text, payload_bytes) != sum ||
        !payload_decode(c->text + FRAME_HEAD_BYTES, payload_bytes, bytes, &bytes_n)) {
        c->damaged++;
        return;
    }
    frame_take(s, (uint16_t)number, bytes, bytes_n);
}

static bool every_input_has_room(const struct frame_console *c)
{
    for (const struct frame_stream *s = c->streams; s; s = s->next)
        if (s->input && input_room(s->input) < INPUT_STEP_MAX)
            return false;
    return true;
}

/* Gets the next bytes into c->in; false if there are none. */
static bool in_refill(struct frame_console *c)
{
    size_t got = c->wire.get(c->wire.context, c->in, sizeof(c->in));
    c->in_next = 0;
    c->in_bytes = got < sizeof(c->in) ? (uint32_t)got : (uint32_t)sizeof(c->in);
    return got != 0;
}

static void byte_take(struct frame_console *c, char byte)
{
    if (byte == '\n') {
        line_take(c);
        return;
    }
    if (c->text_bytes < FRAME_LINE_MAX)
        c->text[c->text_bytes] = byte;
    if (c->text_bytes <= FRAME_LINE_MAX)
        c->text_bytes++;
}

/* What there is no room for stays in the console, where the host sees that it is full. */
static void console_poll(struct frame_console *c)
{
    for (uint32_t i = 0; i < POLL_BYTES_MAX && every_input_has_room(c); i++) {
        if (c->in_next == c->in_bytes && !in_refill(c))
            return;
        byte_take(c, c->in[c->in_next++]);
    }
}

size_t frame_read(struct frame_stream *s, void *buf, size_t n)
{
    size_t done = 0;
    line_push(s->console);
    console_poll(s->console);
    for (struct frame_input *in = s->input; in && done < n && in->read != in->written; done++)
        ((char *)buf)[done] = in->bytes[in->read++ % FRAME_INPUT_BYTES];
    return done;
}
