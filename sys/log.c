/* SPDX-License-Identifier: MIT
 * The log belongs to the boot CPU: it alone writes the ring and the sinks. Other CPUs send their bytes in a kernel
 * channel and ring its wake; what does not fit is counted and reported. A panic stops the others first, so it may write
 * from any CPU. */
#include "sys/lib/log.h"

#include "ipc/channel.h"
#include "ipc/wake.h"
#include "mm/page.h"
#include "sys/lib/panic.h"
#include "sys/lib/printf.h"
#include "sys/lib/string.h"
#include "sys/log_internal.h"

#include <arch/atomic.h>
#include <arch/clock.h>
#include <arch/percpu.h>

#define RING_BYTES 65536
#define LINE_BYTES 256
#define PIECE_BYTES 240
#define PIECES 64

struct log_piece {
    uint64_t bytes;
    char text[PIECE_BYTES];
};
CHANNEL_DEFINE(log_channel, struct log_piece)

static char ring[RING_BYTES];
static uint64_t ring_written; /* free-running; the ring holds the last RING_BYTES of it */
static struct log_sink *sinks;
static struct channel pieces;
static bool pieces_open;     /* [1] other CPUs may send */
static uint64_t pieces_lost; /* [a] */
static struct wake pieces_wake;
static bool panicking; /* [1] */
static enum log_level threshold = LOG_INFO;

void log_set_level(enum log_level level)
{
    threshold = level;
}

static bool has_lasting_sink(void)
{
    for (const struct log_sink *s = sinks; s; s = s->next)
        if (!s->spare)
            return true;
    return false;
}

/* Boot CPU. */
static void emit(const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ring[ring_written++ % RING_BYTES] = bytes[i];
    bool spares_rest = !panicking && has_lasting_sink();
    for (struct log_sink *s = sinks; s; s = s->next)
        if (!s->spare || !spares_rest)
            s->write(bytes, n);
}

void log_add_sink(struct log_sink *sink)
{
    uint64_t from = ring_written > RING_BYTES ? ring_written - RING_BYTES : 0;
    while (from < ring_written) {
        size_t start = from % RING_BYTES;
        uint64_t run = ring_written - from;
        if (run > RING_BYTES - start)
            run = RING_BYTES - start;
        sink->write(ring + start, run);
        from += run;
    }
    sink->next = sinks;
    sinks = sink;
}

static void run_collect(struct wake *w)
{
    (void)w;
    log_collect();
}

void log_open_to_all(void)
{
    size_t bytes = log_channel_bytes(PIECES);
    paddr_t p;
    panic_if(page_alloc((bytes + PAGE_SIZE - 1) / PAGE_SIZE, PAGE_SIZE, &p) != STATUS_OK);
    panic_if(log_channel_init(&pieces, phys_to_virt(p), bytes, PIECES) != STATUS_OK);
    wake_init(&pieces_wake, 0, 0, run_collect);
    store_release(&pieces_open, true); /* pairs: log-open */
}

static void send_pieces(const char *bytes, size_t n)
{
    if (!load_acquire(&pieces_open)) { /* pairs: log-open */
        fetch_add_relaxed(&pieces_lost, 1);
        return;
    }
    for (size_t done = 0; done < n;) {
        struct log_piece piece = {.bytes = n - done < PIECE_BYTES ? n - done : PIECE_BYTES};
        memcpy(piece.text, bytes + done, piece.bytes);
        if (log_channel_send(&pieces, &piece) != STATUS_OK)
            fetch_add_relaxed(&pieces_lost, 1);
        done += piece.bytes;
    }
    wake_ring(&pieces_wake);
}

void log_collect(void)
{
    struct log_piece piece;
    if (!pieces_open)
        return;
    /* What is there now, not what comes meanwhile: others may be faster than the sinks. */
    for (size_t n = channel_len(&pieces); n > 0 && log_channel_try_recv(&pieces, &piece) == STATUS_OK; n--)
        emit(piece.text, piece.bytes);
    uint64_t lost = xchg_acqrel(&pieces_lost, 0);
    if (lost)
        log_warn("%lu pieces of other CPUs' log were lost", lost);
}

void log_panic_mode(void)
{
    panicking = true;
}

void log_write(const char *bytes, size_t n)
{
    if (cpu_index() == 0 || panicking)
        emit(bytes, n);
    else
        send_pieces(bytes, n);
}

static void log_line(enum log_level level, const char *format, va_list args)
{
    static const char *const marks[] = {"error: ", "warning: ", ""};
    char line[LINE_BYTES];
    if (level > threshold)
        return;
    uint64_t us = clock_state.mult ? clock_now_ns() / 1000 : 0;
    int head = ksnprintf(line, sizeof(line), "[%3lu.%06lu] %s", us / 1000000, us % 1000000, marks[level]);
    int body = kvsnprintf(line + head, sizeof(line) - 1 - (size_t)head, format, args);
    size_t n = (size_t)head + (size_t)body;
    if (n > sizeof(line) - 2)
        n = sizeof(line) - 2;
    line[n++] = '\n';
    log_write(line, n);
}

#define DEFINE_LOG(name, level)                                                                                        \
    void name(const char *format, ...)                                                                                 \
    {                                                                                                                  \
        va_list args;                                                                                                  \
        va_start(args, format);                                                                                        \
        log_line(level, format, args);                                                                                 \
        va_end(args);                                                                                                  \
    }
DEFINE_LOG(log_error, LOG_ERROR)
DEFINE_LOG(log_warn, LOG_WARN)
DEFINE_LOG(log_info, LOG_INFO)
