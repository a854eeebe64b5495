/* SPDX-License-Identifier: MIT
 * Copying between messages in pieces. */
#include "ipc/pieces.h"

#include "ipc/copy.h"

/* A place in a message. */
struct cursor {
    const struct piece *piece;
    uint64_t done; /* bytes of that piece */
};

static struct cursor cursor_at(const struct pieces *p, uint64_t offset)
{
    struct cursor c = {p->piece, offset};
    while (c.done && c.done >= c.piece->bytes) {
        c.done -= c.piece->bytes;
        c.piece++;
    }
    return c;
}

/* Bytes in a row from here on; empty pieces are passed over. */
static uint64_t cursor_run(struct cursor *c)
{
    while (c->done == c->piece->bytes) {
        c->piece++;
        c->done = 0;
    }
    return c->piece->bytes - c->done;
}

void pieces_copy(const struct pieces *to, const struct pieces *from, uint64_t offset, uint64_t n)
{
    struct cursor t = cursor_at(to, 0), f = cursor_at(from, offset);
    while (n) {
        uint64_t run = cursor_run(&t), other = cursor_run(&f);
        run = run < other ? run : other;
        run = run < n ? run : n;
        message_copy(t.piece->address + t.done, f.piece->address + f.done, run);
        t.done += run;
        f.done += run;
        n -= run;
    }
}
