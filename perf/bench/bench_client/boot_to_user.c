/* SPDX-License-Identifier: MIT
 * How long from the kernel's first instruction to the first one of this process, which is the first of the image. One
 * sample per boot. */
#include "perf/bench/harness.h"

void boot_to_user_run(const struct bench *bench)
{
    (void)bench;
    bench_record(tern_start_tsc - tern_vvar()->entry_tsc, 0);
}
