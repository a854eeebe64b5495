/* SPDX-License-Identifier: MIT
 * Frames out into a console that takes little, frames in from a host that sends anything. The sums are zlib's. */
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include "sys/frame.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sys/lib/crc32.h"

#define WIRE_BYTES 400000u

static char sent[WIRE_BYTES], coming[WIRE_BYTES];
static size_t sent_bytes, coming_bytes, coming_next;
static size_t put_limit = SIZE_MAX; /* bytes a put takes at most */
static bool random_limits;

static size_t part_of(size_t n)
{
    if (random_limits)
        return (size_t)rand() % (n + 1);
    return n < put_limit ? n : put_limit;
}

static size_t wire_put(void *context, const char *bytes, size_t n)
{
    cr_assert(eq(ptr, context, sent));
    size_t part = part_of(n);
    cr_assert(le(sz, sent_bytes + part, WIRE_BYTES));
    memcpy(sent + sent_bytes, bytes, part);
    sent_bytes += part;
    return part;
}

static size_t wire_get(void *context, char *bytes, size_t n)
{
    cr_assert(eq(ptr, context, sent));
    size_t part = n < coming_bytes - coming_next ? n : coming_bytes - coming_next;
    if (random_limits && part)
        part = 1 + (size_t)rand() % part;
    memcpy(bytes, coming + coming_next, part);
    coming_next += part;
    return part;
}

static size_t more_than_all(void *context, const char *bytes, size_t n)
{
    (void)context;
    (void)bytes;
    (void)n;
    return SIZE_MAX;
}

static size_t more_than_asked(void *context, char *bytes, size_t n)
{
    (void)context;
    memset(bytes, '?', n - 1);
    bytes[n - 1] = '\n';
    return SIZE_MAX;
}

static const struct frame_wire wire = { .put = wire_put, .get = wire_get, .context = sent };
static struct frame_console console;
static struct frame_stream log_stream, hist, control;
static struct frame_input input;

static void console_begin(void)
{
    frame_console_begin(&console, &wire);
    frame_stream_begin(&log_stream, &console, 'l', NULL);
    frame_stream_begin(&hist, &console, 'h', NULL);
    frame_stream_begin(&control, &console, 'c', &input);
}

TestSuite(frame, .init = console_begin, .timeout = 60);

static void comes_n(const char *bytes, size_t n)
{
    cr_assert(le(sz, coming_bytes + n, WIRE_BYTES));
    memcpy(coming + coming_bytes, bytes, n);
    coming_bytes += n;
}

static void comes(const char *text)
{
    comes_n(text, strlen(text));
}

/* A frame as the host would send it, with the payload as it stands. */
static void frame_comes(char letter, unsigned number, const char *text)
{
    char line[512];
    int n = snprintf(line, sizeof(line), "%c:%04x:%s", letter, number, text);
    uint32_t sum = ~crc32_update(UINT32_MAX, (unsigned char *)line, (uint64_t)n);
    n = snprintf(line, sizeof(line), "=%c:%04x:%08x:%s\n", letter, number, sum, text);
    comes_n(line, (size_t)n);
}

/* All there is to read, as text. */
static void read_is(const char *expected)
{
    static char got[WIRE_BYTES];
    size_t n = 0, part;
    do {
        part = frame_read(&control, got + n, sizeof(got) - 1 - n);
        n += part;
    } while (part || coming_next != coming_bytes);
    got[n] = '\0';
    cr_assert(eq(str, got, (char *)(uintptr_t)expected));
}

static void sent_is(const char *expected)
{
    cr_assert(le(sz, sent_bytes, WIRE_BYTES - 1));
    sent[sent_bytes] = '\0';
    cr_assert(eq(str, sent, (char *)(uintptr_t)expected));
}

Test(frame, lines_as_the_host_knows_them)
{
    cr_assert(eq(sz, frame_write(&log_stream, "hello\n", 6), 6));
    cr_assert(eq(sz, frame_write(&control, "a\\b\x7f\xff", 5), 5));
    cr_assert(eq(sz, frame_write(&log_stream, "", 0), 0));
    cr_assert(eq(sz, frame_write(&log_stream, "~ ", 2), 2));
    sent_is("=l:0000:5b4bf311:hello\\0a\n"
            "=c:0000:9ecfb607:a\\5cb\\7f\\ff\n"
            "=l:0001:aed2b8e0:~ \n");
}

Test(frame, long_payloads_are_cut_before_an_escape)
{
    char bytes[97], zeros[33] = { 0 };
    memset(bytes, 'x', sizeof(bytes));
    bytes[95] = '\n'; /* has no room behind 95 others */
    cr_assert(eq(sz, frame_write(&hist, bytes, sizeof(bytes)), sizeof(bytes)));
    cr_assert(eq(u64, hist.frames_out, 2));
    cr_assert(eq(sz, sent_bytes, 17 + 95 + 1 + 17 + 4 + 1));
    sent_bytes = 0;
    cr_assert(eq(sz, frame_write(&hist, zeros, sizeof(zeros)), sizeof(zeros)));
    cr_assert(eq(sz, sent_bytes, 17 + 96 + 1 + 17 + 3 + 1));
}

Test(frame, a_line_goes_out_whole_before_another)
{
    put_limit = 5;
    cr_assert(eq(sz, frame_write(&log_stream, "hello\n", 6), 6), "within the line under way");
    cr_assert(eq(sz, frame_write(&control, "a", 1), 0));
    put_limit = 0;
    cr_assert(not(frame_flush(&console, 3)));
    cr_assert(eq(sz, frame_write(&control, "a", 1), 0));
    put_limit = 100;
    cr_assert(eq(sz, frame_write(&control, "a\\b\x7f\xff", 5), 5));
    put_limit = 1;
    cr_assert(frame_flush(&console, 200));
    sent_is("=l:0000:5b4bf311:hello\\0a\n"
            "=c:0000:9ecfb607:a\\5cb\\7f\\ff\n");
}

Test(frame, a_console_that_lies_about_what_it_took)
{
    const struct frame_wire liar = { .put = more_than_all, .get = more_than_asked };
    frame_console_begin(&console, &liar);
    frame_stream_begin(&control, &console, 'c', &input);
    cr_assert(eq(sz, frame_write(&control, "xyz", 3), 3));
    cr_assert(frame_flush(&console, 0));
    char byte;
    cr_assert(eq(sz, frame_read(&control, &byte, 1), 0));
    cr_assert(lt(u64, 10, console.foreign));
}

Test(frame, numbers_wrap)
{
    for (unsigned n = 0; n < 65537; n++) {
        sent_bytes = 0;
        cr_assert(eq(sz, frame_write(&log_stream, "x", 1), 1));
    }
    cr_assert(eq(int, memcmp(sent, "=l:0000:", 8), 0));
    for (unsigned n = 0; n < 65538; n++) {
        char byte;
        coming_bytes = coming_next = 0;
        frame_comes('c', n & 0xffff, "y");
        cr_assert(eq(sz, frame_read(&control, &byte, 1), 1));
        cr_assert(eq(chr, byte, 'y'));
    }
    cr_assert(zero(u64, control.missing + control.restarts + console.damaged));
}

Test(frame, other_peoples_text_is_skipped)
{
    comes("(XEN) d1v0 something\r\n\r\n\n");
    frame_comes('c', 0, "ab\\0a");
    comes("=c:0001:zzzzzzzz:x\n=q:0001:00000000:x\n=c:00FF:00000000:x\n=\n=c:0001:0000000\nlogin: ");
    comes("\n");
    frame_comes('c', 1, "c");
    read_is("ab\nc");
    cr_assert(eq(u64, console.foreign, 7));
    cr_assert(zero(u64, console.damaged + control.missing));
}

Test(frame, carriage_returns_and_escapes)
{
    comes("=c:0000:ca140a8d:a\\5cb\r\n");
    frame_comes('c', 1, "\\00\\ff\\0a");
    char got[8];
    cr_assert(eq(sz, frame_read(&control, got, sizeof(got)), 6));
    cr_assert(eq(int, memcmp(got, "a\\b\0\xff\n", 6), 0));
}

Test(frame, damage_is_counted_and_spoils_the_line)
{
    frame_comes('c', 0, "one\\0atw");
    comes("=c:0001:12345678:o\\0ath\n");
    frame_comes('c', 2, "ree\\0afour\\0a");
    read_is("one\ntw\x18\nfour\n");
    cr_assert(eq(u64, console.damaged, 1));
    cr_assert(eq(u64, control.missing, 1));
    cr_assert(eq(u64, control.bytes_cut, 4));
}

Test(frame, impossible_payloads_are_damage)
{
    char zeros[111];
    memset(zeros, '0', 110); /* what stands behind a short line must not count */
    zeros[110] = '\n';
    comes_n(zeros, sizeof(zeros));
    static const char *const bad[] = { "\\", "\\0", "\\0A", "\\zz", "a\\1", "\x01", "\xc3\xa4", "\r\r" };
    for (size_t n = 0; n < sizeof(bad) / sizeof(*bad); n++)
        frame_comes('c', 0, bad[n]);
    char text[98];
    memset(text, 'x', 97);
    text[97] = '\0';
    frame_comes('c', 0, text);
    read_is("");
    cr_assert(eq(u64, console.damaged, sizeof(bad) / sizeof(*bad) + 1));
    frame_comes('c', 0, text + 1);
    read_is(text + 1);
}

Test(frame, a_frame_without_its_newline_is_damage)
{
    char text[97];
    memset(text, 'x', 96);
    text[96] = '\0';
    for (unsigned n = 0; n < 3; n++) {
        frame_comes('c', n, text);
        coming_bytes--; /* the newline */
    }
    comes("\n");
    read_is("");
    cr_assert(eq(u64, console.damaged, 1));
    frame_comes('c', 3, "x\\0ay");
    read_is("\x18\ny");
    cr_assert(eq(u64, control.missing, 3));
}

Test(frame, a_peer_that_begins_anew)
{
    frame_comes('c', 0, "a\\0a");
    frame_comes('c', 1, "b\\0a");
    frame_comes('c', 0, "c");
    read_is("a\nb\nc");
    frame_comes('c', 0, "d\\0a");
    read_is("\x18\nd\n");
    cr_assert(eq(u64, control.restarts, 2));
    cr_assert(zero(u64, control.missing));
}

Test(frame, streams_without_input)
{
    char byte;
    frame_comes('l', 0, "x");
    frame_comes('l', 5, "x");
    cr_assert(eq(sz, frame_read(&log_stream, &byte, 1), 0));
    cr_assert(eq(u64, log_stream.unwanted, 2));
    cr_assert(eq(u64, log_stream.missing, 4));
    frame_comes('c', 0, "y");
    read_is("y");
}

Test(frame, what_has_no_room_stays_in_the_console)
{
    char text[91], expected[40 * 90 + 1] = "";
    memset(text, 'x', 90);
    text[90] = '\0';
    for (unsigned n = 0; n < 40; n++) {
        frame_comes('c', n, text);
        strcat(expected, text);
    }
    char nothing;
    for (unsigned n = 0; n < 100; n++)
        cr_assert(eq(sz, frame_read(&control, &nothing, 0), 0));
    cr_assert(lt(sz, coming_next, 2000));
    read_is(expected);
    cr_assert(zero(u64, control.missing + console.damaged));
}

/* What one side writes the other reads, whatever parts the console takes. */
Test(frame, what_goes_out_comes_in_again)
{
    static char bytes[60000], got[60000];
    size_t written = 0, read = 0;
    srand(1);
    random_limits = true;
    for (size_t n = 0; n < sizeof(bytes); n++)
        bytes[n] = (char)(rand() % 4 ? ' ' + rand() % 95 : rand());
    while (read < sizeof(bytes)) {
        size_t left = sizeof(bytes) - written, part = (size_t)rand() % 300;
        written += frame_write(&control, bytes + written, part < left ? part : left);
        if (rand() % 3 == 0)
            frame_write(&log_stream, "between\n", 8);
        if (written == sizeof(bytes))
            cr_assert(frame_flush(&console, 10000));
        if (coming_next == coming_bytes)
            coming_next = coming_bytes = 0;
        comes_n(sent, sent_bytes);
        sent_bytes = 0;
        part = (size_t)rand() % 500;
        read += frame_read(&control, got + read, part < sizeof(got) - read ? part : sizeof(got) - read);
    }
    cr_assert(eq(int, memcmp(bytes, got, sizeof(bytes)), 0));
    cr_assert(zero(u64, control.missing + console.damaged + console.foreign));
}

/* Every byte of a good exchange once wrong: it is counted, and nothing is given as if it had been sent. */
Test(frame, each_byte_wrong_once)
{
    frame_comes('c', 0, "first\\0a");
    frame_comes('c', 1, "second\\0a");
    frame_comes('c', 2, "third\\0a");
    size_t length = coming_bytes;
    frame_comes('c', 3, "fourth\\0a");
    for (size_t at = 0; at < length; at++) {
        char got[64] = "", byte = coming[at];
        console_begin();
        memset(&input, 0, sizeof(input));
        coming_next = 0;
        coming[at] ^= 1;
        frame_read(&control, got, sizeof(got));
        coming[at] = byte;
        cr_assert(console.damaged + console.foreign + control.missing + control.restarts > 0);
        for (char *line = strtok(got, "\n"); line; line = strtok(NULL, "\n"))
            cr_assert(strcmp(line, "first") == 0 || strcmp(line, "second") == 0 || strcmp(line, "third") == 0 ||
                      strcmp(line, "fourth") == 0 || strcmp(line, "\x18") == 0);
    }
}

Test(frame, noise)
{
    char got[64];
    srand(2);
    for (unsigned n = 0; n < 200000; n++) {
        static const char likely[] = "=c:0000000:\\\n\r";
        coming[n] = (char)(rand() % 3 ? likely[(size_t)rand() % (sizeof(likely) - 1)] : rand());
    }
    coming_bytes = 200000;
    while (coming_next < coming_bytes)
        frame_read(&control, got, sizeof(got));
    cr_assert(lt(u64, 0, console.foreign));
}
