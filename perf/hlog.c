/* SPDX-License-Identifier: MIT
 * From slots to text, one byte at a time through three layers, each of which knows only the one below:
 *     number (zigzag, LEB128)  ->  body_byte (Adler-32, stored blocks)  ->  base64_byte  ->  stage  ->  sink
 * Every length comes before what it counts, so SIZE walks the slots once before PAYLOAD walks them again. If a process
 * changes its slots in between, PAYLOAD keeps one invariant: what is left of the promise fits into the slots that are
 * left, at NUMBER_MAX bytes each. It holds for an unchanged histogram; the first number that would break it ends the
 * honest part, and the rest of the promise is filled with zeros, which readers take as empty slots. */
#include "perf/hlog.h"

#include "perf/hist.h"
#include "sys/lib/printf.h"
#include "sys/lib/string.h"

enum hlog_phase { IDLE, SIZE, COMMENT, INTERVAL, FRAME, PAYLOAD, PAD, TRAILER, DRAIN, DONE };

#define NUMBER_MAX 7    /* bytes of a LEB128 number; HIST_SLOT_MAX, zigzagged, has 48 bits */
#define BLOCK_MAX 65535 /* bytes of a stored deflate block */
#define BLOCK_HEADER 5
#define FRAME_BYTES 40
#define ADLER_MODULUS 65521
#define ROOM_MIN 192 /* what one unit of any phase can stage at most, COMMENT apart, which finds the stage empty */

#define COOKIE_FRAME 0x1c849313u
#define COOKIE_COMPRESSED 0x1c849314u
#define DOUBLE_ONE UINT64_C(0x3ff0000000000000)

_Static_assert(HIST_SLOT_MAX < UINT64_C(1) << (7 * NUMBER_MAX - 1), "a zigzagged slot fits");
_Static_assert(HLOG_STAGE_BYTES >= 64 + HLOG_TAG_MAX + HLOG_NOTE_MAX + 5 * 28, "the comment fits into the stage");
_Static_assert(ROOM_MIN >= 5 + HLOG_TAG_MAX + 3 * 26, "the start of the interval line fits");
_Static_assert(ROOM_MIN >= (8 + 2 + BLOCK_HEADER + FRAME_BYTES + 2) / 3 * 4, "the frame fits in base64");

static bool printable(const char *text, size_t length, char least)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] < least || text[i] > '~')
            return false;
    }
    return true;
}

static bool tag_valid(const char *tag, size_t length)
{
    if (length == 0 || length > HLOG_TAG_MAX || !printable(tag, length, '!'))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (tag[i] == ',')
            return false;
    }
    return true;
}

/* Words with one space between them, each key=value with something on both sides. */
static bool note_valid(const char *note, size_t length)
{
    if (length > HLOG_NOTE_MAX || !printable(note, length, ' '))
        return false;
    size_t word = 0, equals = 0;
    for (size_t i = 0; length && i <= length; i++) {
        if (i == length || note[i] == ' ') {
            if (equals == word || i == equals + 1)
                return false;
            word = equals = i + 1;
        } else if (note[i] == '=' && equals == word) {
            equals = i;
        }
    }
    return true;
}

/* strlen that gives up: a name that never ends is only too long. */
static size_t length_up_to(const char *text, size_t most)
{
    size_t n = 0;
    while (n < most && text[n])
        n++;
    return n;
}

enum status hlog_begin(struct hlog_writer *w, const struct histogram *h, const char *tag, const char *note,
                       uint64_t start_ns, uint64_t end_ns)
{
    size_t tag_length = length_up_to(tag, HLOG_TAG_MAX + 1), note_length = length_up_to(note, HLOG_NOTE_MAX + 1);
    if (w->phase != IDLE && w->phase != DONE)
        return STATUS_FAILED_PRECONDITION;
    if (!tag_valid(tag, tag_length) || !note_valid(note, note_length) || end_ns < start_ns)
        return STATUS_INVALID_ARGUMENT;
    if (h->magic != HISTOGRAM_MAGIC || h->version != 1)
        return STATUS_DATA_LOSS;

    /* point of no return */
    memset(w, 0, sizeof *w);
    memcpy(w->tag, tag, tag_length);
    memcpy(w->note, note, note_length);
    w->h = h;
    w->start_ns = start_ns;
    w->end_ns = end_ns;
    w->sum = h->sum;
    w->overflow = h->overflow;
    w->low = w->limit = 1; /* an empty histogram is one empty slot */
    if (hist_range(h, &w->min, &w->max)) {
        w->low = (uint32_t)hist_index(w->min);
        w->limit = (uint32_t)hist_index(w->max) + 1;
    }
    w->index = w->zeros = w->low;
    w->adler_a = 1;
    w->phase = SIZE;
    return STATUS_OK;
}

/* Numbers of the payload, before LEB128: a count n is 2n, a run of n >= 2 empty slots is -n, zigzagged; one is 0. */

static uint64_t count_number(uint64_t count)
{
    return 2 * count;
}

static uint64_t run_number(uint32_t zeros)
{
    return zeros < 2 ? 0 : 2 * (uint64_t)zeros - 1;
}

static uint32_t number_bytes(uint64_t number)
{
    uint32_t n = 1;
    while (number >>= 7)
        n++;
    return n;
}

static uint64_t take_slot(struct hlog_writer *w)
{
    uint64_t count = hist_slot(w->h, w->index++);
    if (count == HIST_SLOT_MAX)
        w->loss = true;
    return count;
}

static void size_slot(struct hlog_writer *w)
{
    bool end = w->index == w->limit;
    uint64_t count = end ? 0 : take_slot(w);
    if (!end && !count) {
        w->zeros++;
        return;
    }
    if (w->zeros)
        w->payload_bytes += number_bytes(run_number(w->zeros));
    w->zeros = 0;
    if (!end) {
        w->payload_bytes += number_bytes(count_number(count));
        w->count += count;
        return;
    }
    w->payload_left = w->payload_bytes;
    w->body_left = FRAME_BYTES + w->payload_bytes;
    w->index = w->zeros = w->low;
    w->phase = COMMENT;
}

static void stage_comment(struct hlog_writer *w)
{
    int n = ksnprintf(w->stage, HLOG_STAGE_BYTES,
                      "#[Tern histogram=%s count=%lu min=%lu max=%lu sum=%lu overflow=%lu%s%s]\n", w->tag, w->count,
                      w->min, w->max, w->sum, w->overflow, w->note[0] ? " " : "", w->note);
    w->staged = (uint32_t)n;
    w->phase = INTERVAL;
}

/* Three decimals everywhere: readers in C take the digits behind the point as milliseconds, however many there are. */
static void stage_interval(struct hlog_writer *w)
{
    uint64_t start_ms = w->start_ns / 1000000, length_ms = (w->end_ns - w->start_ns) / 1000000;
    uint64_t max = (w->max + 500) / 1000;
    int n =
        ksnprintf(w->stage + w->staged, HLOG_STAGE_BYTES - w->staged, "Tag=%s,%lu.%03lu,%lu.%03lu,%lu.%03lu,", w->tag,
                  start_ms / 1000, start_ms % 1000, length_ms / 1000, length_ms % 1000, max / 1000, max % 1000);
    w->staged += (uint32_t)n;
    w->phase = FRAME;
}

static void base64_flush(struct hlog_writer *w)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = w->group << (8 * (3 - w->group_bytes));
    for (uint32_t i = 0; i < 4; i++)
        w->stage[w->staged++] = i <= w->group_bytes ? digits[bits >> (18 - 6 * i) & 63] : '=';
    w->group = w->group_bytes = 0;
}

static void base64_byte(struct hlog_writer *w, uint32_t byte)
{
    w->group = w->group << 8 | byte;
    if (++w->group_bytes == 3)
        base64_flush(w);
}

static void base64_big_endian(struct hlog_writer *w, uint32_t word)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        base64_byte(w, word >> shift & 255);
}

/* The header of a stored block: last or not, length, complement of the length, both low byte first. */
static void block_begin(struct hlog_writer *w)
{
    bool last = w->body_left <= BLOCK_MAX;
    w->block_left = last ? w->body_left : BLOCK_MAX;
    base64_byte(w, last);
    base64_byte(w, w->block_left & 255);
    base64_byte(w, w->block_left >> 8);
    base64_byte(w, ~w->block_left & 255);
    base64_byte(w, ~w->block_left >> 8 & 255);
}

static void body_byte(struct hlog_writer *w, uint32_t byte)
{
    if (w->block_left == 0)
        block_begin(w);
    w->block_left--;
    w->body_left--;
    w->adler_a = (w->adler_a + byte) % ADLER_MODULUS;
    w->adler_b = (w->adler_b + w->adler_a) % ADLER_MODULUS;
    base64_byte(w, byte);
}

static void body_big_endian(struct hlog_writer *w, uint64_t word, int bytes)
{
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        body_byte(w, word >> shift & 255);
}

static void emit_frame(struct hlog_writer *w)
{
    uint32_t blocks = (w->body_left + BLOCK_MAX - 1) / BLOCK_MAX;
    base64_big_endian(w, COOKIE_COMPRESSED);
    base64_big_endian(w, 2 + blocks * BLOCK_HEADER + w->body_left + 4);
    base64_byte(w, 0x78); /* zlib: deflate, 32 KiB window; then the check bits */
    base64_byte(w, 0x01);
    body_big_endian(w, COOKIE_FRAME, 4);
    body_big_endian(w, w->payload_bytes, 4);
    body_big_endian(w, 0, 4); /* normalizing index offset */
    body_big_endian(w, HISTOGRAM_DIGITS, 4);
    body_big_endian(w, 1, 8); /* lowest discernible value */
    body_big_endian(w, HISTOGRAM_HIGHEST, 8);
    body_big_endian(w, DOUBLE_ONE, 8); /* integer to double ratio */
    w->phase = PAYLOAD;
}

/* Emits a number after which slot `next` is the first one not covered; false, and nothing emitted, if that would break
 * the invariant at the top of this file. */
static bool put_number(struct hlog_writer *w, uint64_t number, uint32_t next)
{
    uint32_t n = number_bytes(number);
    if (n > w->payload_left || w->payload_left - n > NUMBER_MAX * (w->limit - next))
        return false;
    w->payload_left -= n;
    for (; n > 1; n--, number >>= 7)
        body_byte(w, (number & 127) | 128);
    body_byte(w, (uint32_t)number);
    return true;
}

static void emit_slot(struct hlog_writer *w)
{
    bool end = w->index == w->limit;
    uint64_t count = end ? 0 : take_slot(w);
    if (!end && !count) {
        w->zeros++;
        return;
    }
    bool kept = !w->zeros || put_number(w, run_number(w->zeros), end ? w->limit : w->index - 1);
    w->zeros = 0;
    if (kept && !end) {
        kept = put_number(w, count_number(count), w->index);
        if (kept)
            w->emitted += count;
    }
    if (!kept)
        w->phase = PAD;
    else if (end)
        w->phase = TRAILER;
}

/* One zero, spelled as long as it may be. */
static void emit_padding(struct hlog_writer *w)
{
    uint32_t n = w->payload_left < NUMBER_MAX ? w->payload_left : NUMBER_MAX;
    w->loss = true;
    w->payload_left -= n;
    for (; n > 1; n--)
        body_byte(w, 128);
    if (n)
        body_byte(w, 0);
    if (w->payload_left == 0)
        w->phase = TRAILER;
}

static void emit_trailer(struct hlog_writer *w)
{
    base64_big_endian(w, w->adler_b << 16 | w->adler_a);
    if (w->group_bytes)
        base64_flush(w);
    w->stage[w->staged++] = '\n';
    if (w->emitted != w->count)
        w->loss = true;
    w->phase = DRAIN;
}

static void produce(struct hlog_writer *w)
{
    switch ((enum hlog_phase)w->phase) {
    case SIZE:
        size_slot(w);
        break;
    case COMMENT:
        stage_comment(w);
        break;
    case INTERVAL:
        stage_interval(w);
        break;
    case FRAME:
        emit_frame(w);
        break;
    case PAYLOAD:
        emit_slot(w);
        break;
    case PAD:
        emit_padding(w);
        break;
    case TRAILER:
        emit_trailer(w);
        break;
    case IDLE:
    case DRAIN:
    case DONE:
        break;
    }
}

/* Offers what is staged; false if the sink did not take all that was offered. */
static bool flush(struct hlog_writer *w, const struct hlog_sink *sink, uint32_t *budget)
{
    uint32_t n = w->staged - w->sent < *budget ? w->staged - w->sent : *budget;
    size_t taken = sink->write(sink->context, w->stage + w->sent, n);
    *budget -= n;
    w->sent += taken < n ? (uint32_t)taken : n;
    if (w->sent == w->staged) {
        w->sent = w->staged = 0;
        if (w->phase == DRAIN)
            w->phase = DONE;
    }
    return taken >= n;
}

enum status hlog_step(struct hlog_writer *w, const struct hlog_sink *sink, uint32_t budget)
{
    if (w->phase == IDLE)
        return STATUS_FAILED_PRECONDITION;
    while (w->phase != DONE) {
        if (budget == 0)
            return STATUS_UNAVAILABLE;
        if (w->phase == DRAIN || HLOG_STAGE_BYTES - w->staged < ROOM_MIN) {
            if (!flush(w, sink, &budget))
                break;
        } else {
            produce(w);
            budget--;
        }
    }
    if (w->phase != DONE)
        return STATUS_UNAVAILABLE;
    return w->loss ? STATUS_DATA_LOSS : STATUS_OK;
}

/* Without a wall clock a start time of zero is the one with which all readers take the stamps as relative. */
size_t hlog_header(char *out, size_t n)
{
    static const char header[] =
        "#[Histogram log format version 1.3]\n"
        "#[StartTime: 0.000 (seconds since epoch), 1970-01-01T00:00:00Z]\n"
        "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n";
    return (size_t)ksnprintf(out, n, "%s", header);
}

size_t hlog_end(char *out, size_t n, uint64_t histograms, uint64_t dropped)
{
    return (size_t)ksnprintf(out, n, "#[Tern end histograms=%lu dropped=%lu]\n", histograms, dropped);
}
