/* SPDX-License-Identifier: MIT
 * The back of a chain. It reads head and text apart, as a driver would that puts the text where it belongs. */
#include "handles.h"
#include "user/programs/chain.h"

/* What the request is, as far as it can be trusted; false: nothing of it. It begins at the request's beginning: only
 * what was read, be it less than wanted, can be answered. */
static bool receive(char text[TEXT_BYTES], struct chain_receipt *receipt)
{
    struct chain_head head;
    if (tern_read_exact(HANDLE_MIDDLE, 0, &head, sizeof head).status != STATUS_OK || head.bytes > TEXT_BYTES ||
        tern_read_exact(HANDLE_MIDDLE, sizeof head, text, head.bytes).status != STATUS_OK)
        return false;
    *receipt = (struct chain_receipt){head.number, head.bytes, chain_checksum(text, head.bytes)};
    return true;
}

int main(void)
{
    char text[TEXT_BYTES];
    for (;;) {
        struct chain_receipt receipt;
        struct result r = object_wait(HANDLE_MIDDLE, SIGNAL_READABLE, TIME_MAX);
        if (r.status != STATUS_OK)
            tern_panic("wait: %s", tern_status_name(r.status));
        size_t n = receive(text, &receipt) ? sizeof receipt : 0;
        (void)channel_respond(HANDLE_MIDDLE, &receipt, n); /* or the middle has given up */
    }
}
