/* SPDX-License-Identifier: MIT
 * The middle of a chain: a server to the front and, before it answers, a client of the back. It gives each frame a
 * number. What goes wrong behind it must not end it: the front gets an empty answer. */
#include "handles.h"
#include "user/programs/chain.h"

static uint32_t frames;

/* Forwards n bytes; the length of the receipt. */
static size_t forward(struct chain_frame *frame, size_t n, struct chain_receipt *receipt)
{
    if (!tern_message(struct chain_frame, frame, n) || frame->head.bytes > TEXT_BYTES)
        return 0;
    frame->head.number = ++frames;
    enum status s = tern_call(HANDLE_BACK, frame, receipt, frame->head.deadline_ns);
    if (s != STATUS_OK) {
        tern_log("middle: the back says %s", tern_status_name(s));
        return 0;
    }
    return sizeof *receipt;
}

int main(void)
{
    struct chain_frame frame;
    struct chain_receipt receipt;
    const struct chain_receipt *answer = NULL; /* none is due */
    size_t n = 0;
    for (;;) {
        struct result r = channel_respond_and_wait(HANDLE_FRONT, answer, n, &frame, sizeof frame, TIME_MAX);
        answer = &receipt;
        if (r.status == STATUS_OK)
            n = forward(&frame, r.value, &receipt);
        else if (r.status == STATUS_OUT_OF_RANGE) /* the front has no room for it: it gets an empty one */
            n = 0;
        else if (r.status == STATUS_UNAVAILABLE) /* it has given up, or is gone */
            answer = NULL;
        else
            tern_panic("middle: %s", tern_status_name(r.status));
    }
}
