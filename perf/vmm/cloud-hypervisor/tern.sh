#!/bin/sh
# SPDX-License-Identifier: MIT
# Boots Tern by Cloud Hypervisor, which takes its PVH entry. In the tree's root, after `make`:
#   perf/vmm/cloud-hypervisor/tern.sh [WORD...]    the words become the kernel's command line
#   TERN_IMAGE=FILE  another image than the benches     TERN_OUT=DIR  where log and frames go (build/vmm)
# The guest's end is the monitor's: its exit status says nothing of the guest, whose verdict is in log.txt.
set -eu
out=${TERN_OUT:-build/vmm}
mkdir -p "$out"

# Two vCPUs, on the host's CPUs 2 and 3. Huge pages must have been set aside (/proc/sys/vm/nr_hugepages); hugepages=off
# does without. The console is virtio's, with its only port, which has the log; the serial line has the framed streams.
exec cloud-hypervisor \
    --kernel build/release/tern.elf \
    --initramfs "${TERN_IMAGE:-build/release/images/bench.img}" \
    --cmdline "streams=serial $*" \
    --cpus "boot=2,affinity=[0@[2],1@[3]]" \
    --memory size=256M,hugepages=on \
    --console "file=$out/log.txt" \
    --serial "file=$out/serial.txt"
