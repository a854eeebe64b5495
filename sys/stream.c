/* SPDX-License-Identifier: MIT
 * Which carrier a machine has: ports of virtio-console unless somebody offered a byte console, whose frames then carry
 * everything. */
#include "sys/stream.h"

#include "arch/x86_64/uart.h"
#include "drivers/virtio/console.h"
#include "sys/lib/log.h"

#define RELAX_SPINS 1000

struct stream {
    const char *port_name;
    struct virtio_port *port; /* NULL until it was open once; stays when it is closed */
    char letter;
    struct frame_stream frames;
};

static struct stream streams[STREAMS] = {
    [STREAM_LOG] = {.port_name = "org.tern.log", .letter = 'l'},
    [STREAM_HIST] = {.port_name = "org.tern.hist", .letter = 'h'},
    [STREAM_CONTROL] = {.port_name = "org.tern.control", .letter = 'c'},
    [STREAM_PROF] = {.port_name = "org.tern.prof", .letter = 'p'},
};
static struct frame_console frames;
static struct frame_input control_input;
static const struct stream_console *console; /* NULL: virtio, or nothing */
static bool stuck; /* the console did not take what it was given when it was waited for last */

void stream_use_console(const struct stream_console *c)
{
    frame_console_begin(&frames, &c->wire);
    for (unsigned int i = 0; i < STREAMS; i++)
        frame_stream_begin(&streams[i].frames, &frames, streams[i].letter, i == STREAM_CONTROL ? &control_input : NULL);
    console = c;
}

static size_t serial_put(void *context, const char *bytes, size_t n)
{
    (void)context;
    uart_put(bytes, n);
    return n;
}

static size_t serial_get(void *context, char *bytes, size_t n)
{
    (void)context;
    return uart_get(bytes, n);
}

bool stream_use_serial(void)
{
    static const struct stream_console serial = {.name = "COM1", .wire = {serial_put, serial_get, NULL}};
    if (!uart_log_end())
        return false;
    stream_use_console(&serial);
    return true;
}

void stream_init(const char *hints)
{
    if (console)
        return;
    enum status s = virtio_console_init(hints);
    if (s != STATUS_OK)
        log_info("virtio-console: %s", s == STATUS_NOT_FOUND ? "none" : "refused");
}

struct stream *stream_get(enum stream_id id)
{
    struct stream *s = &streams[id];
    if (console)
        return s;
    struct virtio_port *open = virtio_console_port(s->port_name);
    if (open)
        s->port = open;
    return open ? s : NULL;
}

bool stream_is_expected(enum stream_id id)
{
    return console || virtio_console_has_port(streams[id].port_name);
}

bool stream_is_announced(void)
{
    return console && console->announces;
}

void stream_poll(void)
{
    if (!console)
        virtio_console_poll();
}

size_t stream_write(struct stream *s, const void *bytes, size_t n)
{
    return console ? frame_write(&s->frames, bytes, n) : virtio_port_write(s->port, bytes, n);
}

size_t stream_read(struct stream *s, void *buf, size_t n)
{
    return console ? frame_read(&s->frames, buf, n) : virtio_port_read(s->port, buf, n);
}

/* The line under way and all before it, in `spins` looks. */
static bool all_out(uint64_t spins)
{
    for (uint64_t i = 0; i <= spins / RELAX_SPINS; i++) {
        uint64_t some = spins < RELAX_SPINS ? spins : RELAX_SPINS;
        if (frame_flush(&frames, some) && (!console->flush || console->flush(some)))
            return true;
        if (console->relax)
            console->relax();
    }
    return false;
}

/* A console that nobody reads is waited for once, not at each line. */
static bool frames_flush(uint64_t spins)
{
    stuck = !all_out(stuck ? 0 : spins);
    return !stuck;
}

bool stream_flush(struct stream *s, uint64_t spins)
{
    return console ? frames_flush(spins) : virtio_port_flush(s->port, spins);
}

void stream_write_losses(void)
{
    const struct frame_stream *c = &streams[STREAM_CONTROL].frames;
    if (console && (frames.damaged || c->missing))
        log_warn("%s: %lu frames came damaged, %lu are missing", console->name, frames.damaged, c->missing);
}
