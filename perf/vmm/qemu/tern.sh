#!/bin/sh
# SPDX-License-Identifier: MIT
# Boots Tern by plain QEMU, each of its streams on a port of its own. In the tree's root, after `make`:
#   perf/vmm/qemu/tern.sh [WORD...]    the words become the kernel's command line
#   TERN_ACCEL=tcg   without KVM: all of it works, but what it measures is no time
#   TERN_IMAGE=FILE  another image than the benches
#   TERN_SMP=N       CPUs (2)
#   TERN_OUT=DIR     where the streams go (build/vmm)
# The exit status is QEMU's: 33 success, 35 failure, 37 panic, 39 refused. What the guest says on COM1 comes on this terminal.
set -eu
kernel=build/release/tern.elf
image=${TERN_IMAGE:-build/release/images/bench.img}
smp=${TERN_SMP:-2}
out=${TERN_OUT:-build/vmm}

for file in "$kernel" "$image"; do
    [ -r "$file" ] || {
        echo "tern.sh: cannot read $file; run make in the tree's root, and this script there" >&2
        exit 1
    }
done
mkdir -p "$out"

# host: all that the CPU has. migratable=off and +invtsc: the TSC is said to be steady. kvm-hint-dedicated: nobody else uses
# the vCPUs' cores, so the guest may spin. kvm-poll-control: a guest that polls turns the host's polling off.
case ${TERN_ACCEL:-kvm} in
kvm) cpu=host,migratable=off,+invtsc,kvm-hint-dedicated=on,kvm-poll-control=on ;;
tcg) cpu=max ;;
*)
    echo "tern.sh: TERN_ACCEL is kvm or tcg" >&2
    exit 1
    ;;
esac

# cpu-pm=on: HLT and MWAIT do not leave the guest, the least latency; a pinned core is then busy for its host all the time.
# mem-lock=on and prealloc=on: no page of the guest is missing at its first touch.
# debug-threads=on names the vCPUs' threads, by which perf/vmm/kvm/pin.sh finds them.
case ${TERN_ACCEL:-kvm} in
kvm) set -- -overcommit mem-lock=on,cpu-pm=on -append "$*" ;;
tcg) set -- -append "$*" ;;
esac
exec qemu-system-x86_64 -name tern,debug-threads=on \
    -M q35,memory-backend=ram,hpet=off -object memory-backend-ram,id=ram,size=256M,prealloc=on -m 256 \
    -accel "${TERN_ACCEL:-kvm}" -cpu "$cpu" -smp "$smp" \
    -no-user-config -nodefaults -no-reboot -display none -monitor none -serial stdio \
    -device isa-debug-exit,iobase=0xf4,iosize=0x4 \
    -device virtio-serial-pci \
    -chardev "file,id=log,path=$out/log.txt" -device virtserialport,chardev=log,name=org.tern.log \
    -chardev "file,id=hist,path=$out/hist.hlog" -device virtserialport,chardev=hist,name=org.tern.hist \
    -chardev "file,id=prof,path=$out/prof.bin" -device virtserialport,chardev=prof,name=org.tern.prof \
    -chardev "socket,id=control,path=$out/control.sock,server=on,wait=off" \
    -device virtserialport,chardev=control,name=org.tern.control \
    -kernel "$kernel" -initrd "$image" "$@"
