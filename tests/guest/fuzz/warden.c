/* SPDX-License-Identifier: MIT
 * A process that makes no use of anybody and whose memory and objects nobody has a handle for. It looks again and again
 * whether anything of it has changed: its memory, its histogram, the page that the kernel shows it, and the handler end
 * of a channel on which the judge never calls. */
#include "handles.h"
#include "sys/abi/histogram.h"
#include "tests/guest/fuzz/fuzz.h"

#define WORDS 2048
#define REST_NS (2 * MS)

struct fuzz_report fuzz_report;
static uint64_t memory[WORDS];

static uint64_t sum(const void *from, size_t bytes)
{
    const uint64_t *word = from;
    uint64_t total = 0;
    for (size_t i = 0; i < bytes / sizeof *word; i++)
        total = total * 31 + word[i];
    return total;
}

static void look(uint64_t histogram, uint64_t page)
{
    for (uint64_t i = 0; i < WORDS; i++)
        check_u64("word of the warden's", memory[i], i * 0x9e3779b97f4a7c15ul);
    check_u64("the warden's page", sum(tern_vvar(), sizeof(struct vvar)), page);
    if (fuzz_report.work % 16 == 0)
        check_u64("the warden's histogram", sum(HISTOGRAM_STILL, sizeof(struct histogram)), histogram);
    check_refused("signals of the warden's",
                  COUNTED(object_wait)(HANDLE_QUIET, SIGNAL_READABLE | SIGNAL_ERROR, clock_now() + REST_NS),
                  STATUS_DEADLINE_EXCEEDED);
    fuzz_report.work++;
}

int main(void)
{
    uint64_t histogram = sum(HISTOGRAM_STILL, sizeof(struct histogram));
    uint64_t page = sum(tern_vvar(), sizeof(struct vvar));
    for (uint64_t i = 0; i < WORDS; i++)
        memory[i] = i * 0x9e3779b97f4a7c15ul;
    for (;;) {
        (void)fuzz_ask(HANDLE_JUDGE);
        for (int i = 0; i < 20; i++)
            look(histogram, page);
    }
}
