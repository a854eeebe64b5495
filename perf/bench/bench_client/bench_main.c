/* SPDX-License-Identifier: MIT
 * The benches of the image `bench`, and with other servers of `bench_cross`. */
#include "perf/bench/harness_main.h"

const struct bench benches[] = {
    {"boot.to_user", BENCH_ANYWHERE, 1, 0, boot_to_user_run},
    {"syscall.null", BENCH_BY_SYSCALL, 1, 0, syscall_null_run},
    {"syscall.null.sysenter", BENCH_BY_SYSENTER, 1, 0, syscall_null_run},
    {"vdso.clock_now", BENCH_ANYWHERE, 1, 0, vdso_clock_now_run},
    {"hist.record", BENCH_ANYWHERE, 16, 0, hist_record_run},
    {"sched.switch", BENCH_SAME_CPU, 2, 0, sched_switch_run},
    {"channel.transact.same_cpu.0", BENCH_SAME_CPU, 1, 0, channel_transact_run},
    {"channel.transact.same_cpu.8", BENCH_SAME_CPU, 1, 8, channel_transact_run},
    {"channel.transact.same_cpu.32", BENCH_SAME_CPU, 1, 32, channel_transact_run},
    {"channel.transact.same_cpu.64", BENCH_SAME_CPU, 1, 64, channel_transact_run},
    {"channel.transact.same_cpu.1024", BENCH_SAME_CPU, 1, 1024, channel_transact_run},
    {"channel.transact.same_cpu.4096", BENCH_SAME_CPU, 1, 4096, channel_transact_run},
    {"channel.call.same_cpu.0", BENCH_SAME_CPU, 1, 0, channel_call_run},
    {"channel.call.same_cpu.8", BENCH_SAME_CPU, 1, 8, channel_call_run},
    {"channel.call.same_cpu.32", BENCH_SAME_CPU, 1, 32, channel_call_run},
    {"channel.call.same_cpu.64", BENCH_SAME_CPU, 1, 64, channel_call_run},
    {"channel.call.same_cpu.1024", BENCH_SAME_CPU, 1, 1024, channel_call_run},
    {"channel.call.same_cpu.4096", BENCH_SAME_CPU, 1, 4096, channel_call_run},
    {"notify.round_trip", BENCH_SAME_CPU, 1, 0, notify_run},
    {"kchannel.send_recv", BENCH_SAME_CPU, 1, 8, kernel_part_run},
    {"oneshot.round_trip", BENCH_SAME_CPU, 1, 8, kernel_part_run},
    {"bus.publish.0", BENCH_SAME_CPU, 1, 0, kernel_part_run},
    {"bus.publish.1", BENCH_SAME_CPU, 1, 0, kernel_part_run},
    {"bus.publish.8", BENCH_SAME_CPU, 1, 0, kernel_part_run},
    {"bus.publish.64", BENCH_SAME_CPU, 1, 0, kernel_part_run},
    {"router.send.same_cpu", BENCH_SAME_CPU, 1, 0, kernel_part_run},
    {"ipi.round_trip", BENCH_CROSS_CPU, 1, 0, kernel_part_run},
    {"kchannel.cross_cpu", BENCH_CROSS_CPU, 1, 8, kernel_part_run},
    {"bus.deliver.cross_cpu", BENCH_CROSS_CPU, 1, 0, kernel_part_run},
    {"router.send.cross_cpu", BENCH_CROSS_CPU, 1, 0, kernel_part_run},
    {"channel.call.cross_cpu.0", BENCH_CROSS_CPU, 1, 0, channel_call_cross_run},
    {"channel.call.cross_cpu.64", BENCH_CROSS_CPU, 1, 64, channel_call_cross_run},
};
const size_t bench_count = sizeof benches / sizeof benches[0];

int main(void)
{
    static const uint32_t servers[] = {HANDLE_CALL, HANDLE_TRANSACT, HANDLE_YIELDER, HANDLE_NOTIFY};
    bench_run(servers, sizeof servers / sizeof servers[0]);
}
