#!/bin/sh
# SPDX-License-Identifier: MIT
# Gives each vCPU of a QEMU that runs a CPU of the host, and the rest of QEMU what is left. As root or the guest's owner:
#   perf/vmm/kvm/pin.sh PID CPU...    vCPU 0 to the first CPU, vCPU 1 to the second; QEMU's other threads to the last one
# For example, with CPUs 2 and 3 kept free by isolcpus= and CPU 0 for the rest: pin.sh "$(pgrep -nx qemu-system-x86)" 2 3 0
# QEMU must have been started with -name NAME,debug-threads=on: its threads are found by their names.
set -eu
[ $# -ge 3 ] || {
    echo "usage: pin.sh PID CPU... CPU_FOR_THE_REST" >&2
    exit 2
}
pid=$1
shift
[ -d "/proc/$pid/task" ] || {
    echo "pin.sh: there is no process $pid" >&2
    exit 1
}
for rest; do :; done # the last one
vcpus=0
for task in "/proc/$pid/task"/*; do
    name=$(cat "$task/comm")
    case $name in
    "CPU "*/*)
        index=${name#CPU }
        index=${index%%/*}
        [ "$index" -lt $(($# - 1)) ] || {
            echo "pin.sh: no CPU is given for vCPU $index" >&2
            exit 1
        }
        eval "cpu=\${$((index + 1))}"
        vcpus=$((vcpus + 1))
        ;;
    *) cpu=$rest ;;
    esac
    taskset -pc "$cpu" "${task##*/}" >/dev/null
done
[ "$vcpus" -gt 0 ] || {
    echo "pin.sh: process $pid has no thread that is called CPU 0/...; start QEMU with -name NAME,debug-threads=on" >&2
    exit 1
}
echo "$vcpus vCPUs pinned"
