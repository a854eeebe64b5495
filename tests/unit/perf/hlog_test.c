/* SPDX-License-Identifier: MIT
 * The log writer: refusals, bounded steps, back-pressure, and slots that change under it. A small decoder checks every
 * length and the Adler-32; whether other programs can read the lines is for tests/host/test_hlog.py. */
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include "perf/hlog.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include "perf/hist.h"

static struct histogram h;
static struct hlog_writer writer;

/* A sink that takes at most `most` bytes a call and nothing at every third call if asked to be moody. */
struct text {
    size_t used, offered, most;
    bool moody;
    unsigned calls;
    char bytes[500000];
};
static struct text out, other;

static size_t text_write(void *context, const char *bytes, size_t n)
{
    struct text *text = context;
    text->offered += n;
    if (text->moody && text->calls++ % 3 == 0)
        return 0;
    size_t taken = n < text->most ? n : text->most;
    cr_assert(le(sz, text->used + taken, sizeof text->bytes - 1));
    memcpy(text->bytes + text->used, bytes, taken);
    text->used += taken;
    text->bytes[text->used] = 0;
    return taken;
}

static void text_reset(struct text *text, size_t most, bool moody)
{
    memset(text, 0, sizeof *text);
    text->most = most;
    text->moody = moody;
}

static void fill(int values)
{
    hist_init(&h);
    for (int i = 0; i < values; i++)
        hist_record(&h, (uint64_t)random() >> (random() % 31));
}

/* Writes the whole line; `between` runs after each step. */
static enum status write_all(struct text *text, uint32_t budget, void (*between)(void))
{
    struct hlog_sink sink = {text_write, text};
    enum status status;
    for (int steps = 0; steps < 10000000; steps++) {
        text->offered = 0;
        status = hlog_step(&writer, &sink, budget);
        cr_assert(le(sz, text->offered, budget));
        if (status != STATUS_UNAVAILABLE)
            return status;
        if (between)
            between();
    }
    cr_assert(0, "the writer does not come to an end");
    return STATUS_INTERNAL;
}

static enum status begin(const char *tag, const char *note)
{
    return hlog_begin(&writer, &h, tag, note, 2000000000, 3234567890);
}

static unsigned digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(digits, c);
    cr_assert(at != NULL && c != 0);
    return (unsigned)(at - digits);
}

static size_t base64_decode(const char *text, unsigned char *bytes)
{
    size_t n = 0;
    for (; *text != '\n'; text += 4) {
        unsigned group = digit(text[0]) << 18 | digit(text[1]) << 12;
        bytes[n++] = (unsigned char)(group >> 16);
        if (text[2] != '=')
            bytes[n++] = (unsigned char)((group |= digit(text[2]) << 6) >> 8);
        if (text[3] != '=')
            bytes[n++] = (unsigned char)(group | digit(text[3]));
    }
    return n;
}

static uint32_t big_endian(const unsigned char *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Unpacks stored blocks in place and checks the trailer; the length of the body. */
static size_t inflate_stored(unsigned char *z, size_t n)
{
    size_t from = 2, to = 0;
    uint32_t a = 1, b = 0;
    cr_assert(eq(u32, big_endian(z) >> 16, 0x7801));
    for (bool last = false; !last; ) {
        last = z[from];
        size_t length = z[from + 1] | (size_t)z[from + 2] << 8;
        cr_assert(eq(sz, length ^ 0xffff, z[from + 3] | (size_t)z[from + 4] << 8));
        cr_assert(le(sz, from + 5 + length + 4, n));
        memmove(z + to, z + from + 5, length);
        from += 5 + length;
        to += length;
    }
    cr_assert(eq(sz, from + 4, n));
    uint32_t adler = big_endian(z + from);
    for (size_t i = 0; i < to; i++) {
        a = (a + z[i]) % 65521;
        b = (b + a) % 65521;
    }
    cr_assert(eq(u32, adler, b << 16 | a));
    return to;
}

/* Decodes the interval line into slots; their number. */
static uint64_t decode(const char *text, uint64_t slots[HISTOGRAM_COUNTS])
{
    static unsigned char bytes[400000];
    const char *payload = strstr(text, ",HISTF");
    cr_assert(payload != NULL);
    size_t n = base64_decode(payload + 1, bytes), at = 40;
    cr_assert(eq(u32, big_endian(bytes), 0x1c849314));
    cr_assert(eq(sz, big_endian(bytes + 4), n - 8));
    n = inflate_stored(bytes + 8, n - 8);
    const unsigned char *frame = bytes + 8;
    cr_assert(eq(sz, big_endian(frame + 4), n - 40));
    uint64_t index = 0;
    memset(slots, 0, HISTOGRAM_COUNTS * sizeof *slots);
    while (at < n) {
        uint64_t raw = 0;
        for (unsigned shift = 0;; shift += 7) {
            cr_assert(lt(sz, at, n));
            raw |= (uint64_t)(frame[at] & 127) << shift;
            if (frame[at++] < 128)
                break;
        }
        cr_assert(lt(u64, index, HISTOGRAM_COUNTS));
        if (!(raw & 1))
            slots[index] = raw >> 1;
        index += raw & 1 ? (raw >> 1) + 1 : 1;
    }
    cr_assert(le(u64, index, HISTOGRAM_COUNTS));
    return index;
}

Test(hlog, the_two_lines)
{
    hist_init(&h);
    hist_record(&h, 1500000);
    hist_record(&h, 500);
    hist_record(&h, HISTOGRAM_HIGHEST + 1);
    text_reset(&out, 9999, false);
    cr_assert(eq(int, begin("ipc.call/8", "unit=ns cpu=0"), STATUS_OK));
    cr_assert(eq(int, write_all(&out, UINT32_MAX, NULL), STATUS_OK));
    const char *start = "#[Tern histogram=ipc.call/8 count=2 min=500 max=1500000 sum=1500500 overflow=1 "
                        "unit=ns cpu=0]\nTag=ipc.call/8,2.000,1.234,1.500,HISTFAAA";
    cr_assert(eq(int, strncmp(out.bytes, start, strlen(start)), 0), "%s", out.bytes);
    cr_assert(eq(chr, out.bytes[out.used - 1], '\n'));
}

Test(hlog, header_and_end_line)
{
    char text[300];
    size_t n = hlog_header(text, sizeof text);
    cr_assert(eq(sz, n, strlen(text)));
    cr_assert(strstr(text, "#[StartTime: 0.000 (seconds since epoch), 1970-01-01T00:00:00Z]\n") != NULL);
    n = hlog_end(text, sizeof text, 12, 3);
    cr_assert(eq(int, strcmp(text, "#[Tern end histograms=12 dropped=3]\n"), 0));
    cr_assert(eq(sz, n, strlen(text)));
    cr_assert(eq(sz, hlog_end(text, 5, 12, 3), n));
    cr_assert(eq(sz, strlen(text), 4));
}

Test(hlog, bad_names_and_times_are_refused)
{
    static const char *const tags[] = {"", "a b", "a,b", "a\nb", "a\rb", "a\tb", "a\x7f", "caf\xc3\xa9",
        "0123456789012345678901234567890123456789012345678901234567890123"};
    static const char *const notes[] = {" ", "a", "a=", "=b", "a=b ", " a=b", "a=b  c=d", "a=b c", "a=b\n", "a=\x80"};
    char note[HLOG_NOTE_MAX + 2] = "k=";
    fill(10);
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        cr_assert(eq(int, begin(tags[i], ""), STATUS_INVALID_ARGUMENT), "tag %zu", i);
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
        cr_assert(eq(int, begin("a", notes[i]), STATUS_INVALID_ARGUMENT), "note %zu", i);
    memset(note + 2, 'v', HLOG_NOTE_MAX - 1);
    cr_assert(eq(int, begin("a", note), STATUS_INVALID_ARGUMENT));
    cr_assert(eq(int, hlog_begin(&writer, &h, "a", "", 5, 4), STATUS_INVALID_ARGUMENT));
    h.magic = 0;
    cr_assert(eq(int, begin("a", ""), STATUS_DATA_LOSS));

    h.magic = HISTOGRAM_MAGIC;
    note[HLOG_NOTE_MAX] = 0;
    cr_assert(eq(int, begin("012345678901234567890123456789012345678901234567890123456789012", note), STATUS_OK));
    text_reset(&out, 9999, false);
    cr_assert(eq(int, write_all(&out, 50, NULL), STATUS_OK));
    cr_assert(strstr(out.bytes, note) != NULL);
}

Test(hlog, one_line_at_a_time)
{
    struct hlog_sink sink = {text_write, &out};
    fill(10);
    cr_assert(eq(int, hlog_step(&writer, &sink, 100), STATUS_FAILED_PRECONDITION));
    cr_assert(eq(int, begin("a", ""), STATUS_OK));
    cr_assert(eq(int, begin("b", ""), STATUS_FAILED_PRECONDITION));
    text_reset(&out, 9999, false);
    cr_assert(eq(int, write_all(&out, 77, NULL), STATUS_OK));
    size_t used = out.used;
    cr_assert(eq(int, hlog_step(&writer, &sink, 100), STATUS_OK));
    cr_assert(eq(sz, out.used, used));
    cr_assert(eq(int, begin("b", ""), STATUS_OK));
}

/* However small the steps and however slow the sink, the bytes are the same, and they hold what was recorded. */
Test(hlog, budget_and_back_pressure_do_not_change_the_bytes)
{
    static uint64_t slots[HISTOGRAM_COUNTS];
    static const uint32_t budgets[] = {1, 2, 63, 700, 100000};
    fill(3000);
    text_reset(&out, SIZE_MAX, false);
    cr_assert(eq(int, begin("t", "n=1"), STATUS_OK));
    cr_assert(eq(int, write_all(&out, UINT32_MAX, NULL), STATUS_OK));
    uint64_t limit = decode(out.bytes, slots);
    cr_assert(eq(u64, limit, hist_index(h.max) + 1));
    cr_assert(eq(int, memcmp(slots, h.counts, sizeof slots), 0));
    for (size_t i = 0; i < sizeof budgets / sizeof *budgets; i++) {
        text_reset(&other, 1 + 10 * i, i % 2);
        cr_assert(eq(int, begin("t", "n=1"), STATUS_OK));
        cr_assert(eq(int, write_all(&other, budgets[i], NULL), STATUS_OK));
        cr_assert(eq(str, other.bytes, out.bytes), "budget %u", budgets[i]);
    }
}

Test(hlog, a_step_does_no_more_slots_than_its_budget)
{
    struct hlog_sink sink = {text_write, &out};
    hist_init(&h);
    hist_record(&h, 0);
    hist_record(&h, HISTOGRAM_HIGHEST);
    text_reset(&out, SIZE_MAX, false);
    cr_assert(eq(int, begin("t", ""), STATUS_OK));
    for (uint32_t done = 0; done + 500 <= HISTOGRAM_COUNTS; done += 500) {
        cr_assert(eq(int, hlog_step(&writer, &sink, 500), STATUS_UNAVAILABLE));
        cr_assert(eq(u32, writer.index, done + 500));
    }
}

static void go_on_recording(void)
{
    for (int i = 0; i < 20; i++)
        hist_record(&h, (uint64_t)random() >> (random() % 31));
}

static void scribble(void)
{
    size_t at = (size_t)random() % HISTOGRAM_COUNTS;
    for (size_t i = at; i < at + 100 && i < HISTOGRAM_COUNTS; i++)
        h.counts[i] = random() % 3 ? (uint64_t)random() << (random() % 34) : 0;
    if (random() % 4 == 0)
        h.max = (uint64_t)random() << (random() % 33);
}

static void clear(void)
{
    memset(h.counts, 0, sizeof h.counts);
}

static void set_all(void)
{
    memset(h.counts, 0xff, sizeof h.counts);
}

/* Slots that change between sizing and emitting: all promised lengths hold, no more slots than there are, and the loss
 * is told unless the payload is what the comment counts. */
Test(hlog, slots_that_change_meanwhile)
{
    static uint64_t slots[HISTOGRAM_COUNTS];
    static void (*const changes[])(void) = {go_on_recording, scribble, clear, set_all};
    int lost = 0;
    for (int round = 0; round < 60; round++) {
        fill(round % 7 * 300);
        if (round % 3 == 0)
            hist_record(&h, HISTOGRAM_HIGHEST);
        text_reset(&out, SIZE_MAX, false);
        cr_assert(eq(int, begin("t", ""), STATUS_OK));
        enum status status = write_all(&out, 100u + (uint32_t)random() % 20000, changes[round % 4]);
        decode(out.bytes, slots);
        uint64_t total = 0, promised = strtoul(strstr(out.bytes, "count=") + 6, NULL, 10);
        for (size_t i = 0; i < HISTOGRAM_COUNTS; i++)
            total += slots[i];
        cr_assert(status == STATUS_OK || status == STATUS_DATA_LOSS, "status %d", (int)status);
        if (total != promised)
            cr_assert(eq(int, status, STATUS_DATA_LOSS), "round %d", round);
        lost += status == STATUS_DATA_LOSS;
    }
    cr_assert(lt(int, 20, lost));
}

/* The loss that no length shows: another count of the same number of bytes. */
Test(hlog, a_count_that_changes_after_it_was_sized)
{
    struct hlog_sink sink = {text_write, &out};
    text_reset(&out, SIZE_MAX, false);
    hist_init(&h);
    hist_record(&h, 3);
    cr_assert(eq(int, begin("t", ""), STATUS_OK));
    cr_assert(eq(int, hlog_step(&writer, &sink, 3), STATUS_UNAVAILABLE));
    hist_record(&h, 3);
    cr_assert(eq(int, write_all(&out, 1000, NULL), STATUS_DATA_LOSS));
    cr_assert(strstr(out.bytes, "count=1 ") != NULL);
}

Test(hlog, contents_that_no_recorder_makes)
{
    static uint64_t slots[HISTOGRAM_COUNTS];
    hist_init(&h);
    h.min = 5;
    text_reset(&out, SIZE_MAX, false);
    cr_assert(eq(int, begin("t", ""), STATUS_OK));
    cr_assert(eq(int, write_all(&out, 1000, NULL), STATUS_OK));
    cr_assert(eq(u64, decode(out.bytes, slots), 1));

    h.max = UINT64_MAX;
    set_all();
    text_reset(&out, SIZE_MAX, false);
    cr_assert(eq(int, begin("t", ""), STATUS_OK));
    cr_assert(eq(int, write_all(&out, 1000, NULL), STATUS_DATA_LOSS));
    cr_assert(eq(u64, decode(out.bytes, slots), HISTOGRAM_COUNTS));
    cr_assert(eq(u64, slots[4], 0));
    cr_assert(eq(u64, slots[HISTOGRAM_COUNTS - 1], HIST_SLOT_MAX));
}
