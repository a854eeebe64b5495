/* SPDX-License-Identifier: MIT
 * Which carrier a machine has. */
#include "sys/stream.h"

#include "drivers/virtio/console.h"
#include "sys/lib/log.h"

struct stream {
    const char *port_name;
    struct virtio_port *port; /* NULL until it was open once; stays when it is closed */
};

static struct stream streams[STREAMS] = {
    [STREAM_LOG] = {.port_name = "org.tern.log"},
    [STREAM_HIST] = {.port_name = "org.tern.hist"},
    [STREAM_CONTROL] = {.port_name = "org.tern.control"},
    [STREAM_PROF] = {.port_name = "org.tern.prof"},
};

void stream_init(const char *hints)
{
    enum status s = virtio_console_init(hints);
    if (s != STATUS_OK)
        log_info("virtio-console: %s", s == STATUS_NOT_FOUND ? "none" : "refused");
}

struct stream *stream_get(enum stream_id id)
{
    struct stream *s = &streams[id];
    struct virtio_port *open = virtio_console_port(s->port_name);
    if (open)
        s->port = open;
    return open ? s : NULL;
}

bool stream_is_expected(enum stream_id id)
{
    return virtio_console_has_port(streams[id].port_name);
}

void stream_poll(void)
{
    virtio_console_poll();
}

size_t stream_write(struct stream *s, const void *bytes, size_t n)
{
    return virtio_port_write(s->port, bytes, n);
}

size_t stream_read(struct stream *s, void *buf, size_t n)
{
    return virtio_port_read(s->port, buf, n);
}

bool stream_flush(struct stream *s, uint64_t spins)
{
    return virtio_port_flush(s->port, spins);
}
