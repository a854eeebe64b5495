/* SPDX-License-Identifier: MIT
 * The front of a chain of three processes: sends texts to the middle and gets receipts, and knows of nothing behind it.
 * A call that is nested keeps its deadline: all clocks are one. */
#include "handles.h"
#include "user/programs/chain.h"

#define PATIENCE_NS UINT64_C(10000000000)

static const char *const texts[] = {"", "a", "three processes", "forty-eight bytes are what a frame has room for."};

static void send(const char *text, size_t n)
{
    struct chain_receipt receipt;
    struct chain_frame frame = {.head = {clock_now() + PATIENCE_NS, 0, (uint32_t)n}};
    for (size_t i = 0; i < n; i++)
        frame.text[i] = text[i];
    enum status s = tern_call(HANDLE_MIDDLE, &frame, &receipt, frame.head.deadline_ns);
    if (s != STATUS_OK)
        tern_failure(s, "'%s': %s", text, tern_status_name(s));
    if (receipt.bytes != n || receipt.checksum != chain_checksum(text, n))
        tern_failure(STATUS_DATA_LOSS, "'%s' arrived otherwise", text);
    tern_log("%u: '%s' has arrived, checksum %#lx", receipt.number, text, receipt.checksum);
}

int main(void)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        size_t n = 0;
        while (texts[i][n] != '\0')
            n++;
        send(texts[i], n);
    }
    tern_success();
}
