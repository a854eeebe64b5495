/* SPDX-License-Identifier: MIT
 * A process that makes random calls, as many as the judge says, and looks after each of them at all that a call may not
 * change. judge/judge.c has the story. */
#include "tests/guest/fuzz/fuzzer/fuzzer.h"
#include "handles.h"
#include "sys/abi/histogram.h"

#define ALL_EVERY 1024    /* calls between two looks at all memory */
#define SCRIBBLE_EVERY 64 /* and between two changes of the histogram, which the kernel reads */

struct fuzz_report fuzz_report;
uint64_t fuzz_state;
uint64_t fuzz_before[REGISTERS], fuzz_after[REGISTERS], fuzz_seventh;

/* By its own will, or not. */
static _Noreturn void die(void)
{
    if (fuzz_below(2))
        process_exit((int)fuzz_random());
    __builtin_trap();
}

/* Into a head that still is one, or into a slot; the kernel may be in the middle of an export. */
static void scribble(void)
{
    struct histogram *h = HISTOGRAM_TIMES;
    uint64_t *const words[] = {&h->overflow, &h->sum, &h->min, &h->max};
    *words[fuzz_below(4)] = fuzz_extreme(fuzz_random());
    h->counts[fuzz_below(HISTOGRAM_COUNTS)] = fuzz_extreme(fuzz_random());
}

/* As many calls as the order says. */
static void make_calls(const struct fuzz_order *order)
{
    struct random_call c = {0};
    for (uint64_t i = 0; i < order->calls; i++) {
        draw_call(&c, order->starts);
        fuzz_report.calls[c.number]++;
        fuzz_enter();
        verify_call(&c, i);
        if (i % SCRIBBLE_EVERY == 0)
            scribble();
        if (i % ALL_EVERY == 0)
            buffers_check();
    }
    buffers_check();
    fuzz_report.work = order->calls;
}

int main(void)
{
    fuzz_random_begin();
    buffers_begin();
    objects_begin();
    draw_begin();
    for (;;) {
        struct fuzz_order order = fuzz_ask(HANDLE_JUDGE);
        make_calls(&order);
        if (order.dies)
            die();
        objects_settle();
    }
}
