/* SPDX-License-Identifier: MIT
 * The benches of the image `bench_objects`: what needs many objects, and would make the boot of the others longer. */
#include "perf/bench/harness_main.h"

const struct bench benches[] = {
    {"channel.call.group.1", BENCH_SAME_CPU, 1, 0, channel_group_1_run},
    {"channel.call.group.8", BENCH_SAME_CPU, 1, 0, channel_group_8_run},
    {"channel.call.group.64", BENCH_SAME_CPU, 1, 0, channel_group_64_run},
    {"process.death.64", BENCH_SAME_CPU, 1, 0, process_death_run},
    {"timer.lateness", BENCH_SAME_CPU, 1, 0, timer_lateness_run},
};
const size_t bench_count = sizeof benches / sizeof benches[0];

int main(void)
{
    static const uint32_t servers[] = {HANDLE_GROUP_1_0, HANDLE_GROUP_8_0, HANDLE_GROUP_64_0};
    bench_run(servers, sizeof servers / sizeof servers[0]);
}
