/* SPDX-License-Identifier: MIT
 * Sinks on streams. The log waits, bounded, for a full stream, then drops and counts; the histogram stream never drops:
 * a full one ends the step. */
#include "sys/console.h"

#include "perf/hlog.h"
#include "sys/lib/log.h"
#include "sys/lib/string.h"
#include "sys/machine.h"
#include "sys/stream.h"

#include <arch/clock.h>

#define STREAM_SPINS 10000000
#define STEP_BUDGET 4096
#define REST_STEPS_MAX 1000

static struct stream *log_stream, *hist_stream;
static uint64_t log_lost; /* bytes */
static struct hlog_writer writer;
static const struct histogram *writing; /* NULL: nothing under way */
static uint64_t written, dropped, last_end_ns;
static bool header_sent;

/* Waits, bounded, for a full stream. 0: nothing goes out any more: the device is stuck, or the host closed the stream.
 */
static size_t write_some(struct stream *stream, const char *bytes, size_t n)
{
    size_t taken = stream_write(stream, bytes, n);
    return taken || !stream_flush(stream, STREAM_SPINS) ? taken : stream_write(stream, bytes, n);
}

static void log_stream_write(const char *bytes, size_t n)
{
    while (n) {
        size_t taken = write_some(log_stream, bytes, n);
        if (!taken) {
            log_lost += n;
            return;
        }
        bytes += taken;
        n -= taken;
    }
}

static struct log_sink log_sink = {.write = log_stream_write};

static size_t hist_stream_write(void *context, const char *bytes, size_t n)
{
    (void)context;
    return stream_write(hist_stream, bytes, n);
}

static const struct hlog_sink hist_sink = {.write = hist_stream_write};

static void hist_write_all(const char *bytes, size_t n)
{
    while (n) {
        size_t taken = write_some(hist_stream, bytes, n);
        if (!taken)
            return;
        bytes += taken;
        n -= taken;
    }
}

/* A host may open its streams after the bounded wait of the driver's start: looked for again at every export and at the
 * end. */
static void attach(void)
{
    stream_poll();
    if (!hist_stream)
        hist_stream = stream_get(STREAM_HIST);
    if (log_stream || !(log_stream = stream_get(STREAM_LOG)))
        return;
    log_add_sink(&log_sink); /* replays what it missed */
}

void console_init(const char *hints)
{
    stream_init(hints);
    attach();
    if (log_stream || hist_stream)
        log_info("streams: log %s, histograms %s", log_stream ? "open" : "absent", hist_stream ? "open" : "absent");
}

static void send_header(void)
{
    char text[2048];
    size_t n = hlog_header(text, sizeof(text));
    n += machine_describe(text + n, sizeof(text) - n);
    hist_write_all(text, n);
    header_sent = true;
}

/* Splits "NAME rest" and starts the writer. */
static enum status export_begin(const struct histogram *h, const char *text, uint64_t n)
{
    char tag[HLOG_TAG_MAX + 1], note[HLOG_NOTE_MAX + 1];
    uint64_t tag_bytes = 0;
    while (tag_bytes < n && text[tag_bytes] != ' ')
        tag_bytes++;
    uint64_t note_start = tag_bytes < n ? tag_bytes + 1 : n, note_bytes = n - note_start;
    if (tag_bytes > HLOG_TAG_MAX || note_bytes > HLOG_NOTE_MAX)
        return STATUS_INVALID_ARGUMENT;
    memcpy(tag, text, tag_bytes);
    tag[tag_bytes] = 0;
    memcpy(note, text + note_start, note_bytes);
    note[note_bytes] = 0;
    uint64_t now = clock_now_ns();
    enum status s = hlog_begin(&writer, h, tag, note, last_end_ns, now);
    if (s == STATUS_OK) {
        writing = h;
        last_end_ns = now;
    }
    return s;
}

/* One step of the histogram under way. */
static enum status export_step(void)
{
    enum status s = hlog_step(&writer, &hist_sink, STEP_BUDGET);
    if (s == STATUS_UNAVAILABLE)
        return s;
    writing = NULL;
    written++;
    dropped += s == STATUS_DATA_LOSS;
    return s;
}

enum status console_export(const struct histogram *h, const char *text, uint64_t n)
{
    attach();
    if (!hist_stream) {
        dropped++;
        return STATUS_OK;
    }
    if (!header_sent)
        send_header();
    if (writing == h)
        return export_step();
    enum status s = STATUS_UNAVAILABLE;
    if (writing)
        (void)export_step(); /* somebody else's, who may have ended: whoever comes drives it */
    else
        s = export_begin(h, text, n);
    return s == STATUS_OK ? STATUS_UNAVAILABLE : s;
}

/* What a process had not finished when the machine stops. */
static void export_rest(void)
{
    for (uint32_t i = 0; writing && i < REST_STEPS_MAX; i++)
        if (export_step() == STATUS_UNAVAILABLE)
            stream_flush(hist_stream, STREAM_SPINS);
}

void console_finish(bool complete)
{
    char text[128];
    attach();
    if (complete)
        export_rest();
    if (complete && hist_stream && !writing) {
        if (!header_sent)
            send_header();
        hist_write_all(text, hlog_end(text, sizeof(text), written, dropped));
    }
    if (dropped)
        log_warn("%lu histograms were dropped", dropped);
    if (log_lost)
        log_warn("%lu bytes of log were lost on the way to the host", log_lost);
    if (log_stream)
        stream_flush(log_stream, STREAM_SPINS);
    if (hist_stream)
        stream_flush(hist_stream, STREAM_SPINS);
}
