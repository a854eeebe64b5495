# SPDX-License-Identifier: MIT
"""A profile that the guest takes of itself: a CPU without processes sends NMIs to the others, each of which notes where it
is and who called (sys/sampler.h). Needs nothing of the host, so it is the same on TCG, KVM and Xen. Leaves perf.data."""
from collections import Counter
from pathlib import Path

import bench
import firstlevel
import folded
import perfdata
import profstream
import qemu
from common import TernError
from profiling import Found, Machine

HZ = 2000
ITERATIONS = 100000
PERF_FILE = "perf.data"
BATCHED = {"kvm-nested": "kvm-nested", "xen": "xen-domu"}


def outcome_of(machine: Machine, boot: qemu.Boot, work: Path) -> tuple[qemu.Outcome, Path]:
    """The boot on the machine that was asked for, and the folder with its files."""
    place = BATCHED.get(machine.options.vmm)
    folder = work / "guest"
    if place is None:
        return qemu.run(boot, folder, "sampling"), folder
    outcomes = bench.batch_module(place).boots_try([(boot, folder)], work / "level", False, cpus=2)  # who samples has one of them
    return firstlevel.outcomes_all(outcomes)[0], folder


def run(machine: Machine, work: Path, folder: Path) -> Found:
    """One boot. Raises TernError."""
    options = machine.options
    hz = options.hz or HZ
    iterations = "" if options.image or "iterations=" in machine.append else f" iterations={ITERATIONS}"
    boot = qemu.Boot(
        kernel=machine.kernel,
        initrd=machine.initrd,
        machine=bench.BATCH_MACHINE if options.vmm in BATCHED else options.vmm,
        accelerator="kvm" if qemu.kvm_usable() and options.vmm not in BATCHED else "mttcg",
        smp=2,
        append=f"prof={hz} {machine.append}{iterations}",
        profile=True,
        timeout_s=options.timeout_s,
    )
    outcome, files = outcome_of(machine, boot, work)
    machine.outcome_check(outcome, files)
    profile = profstream.read(qemu.read_bytes(files / qemu.PROFILE_FILE))
    names = machine.symbols
    names.check(profile)
    found = Found("samples", f"samples by NMI, {hz} a second, {options.vmm}, {len(profile.samples)} in all")
    busy = [sample for sample in profile.samples if sample.process is not None]
    found.functions = Counter(names.place((sample.kernel or sample.user)[0]) for sample in busy)
    found.addresses = Counter((sample.kernel or sample.user)[0] for sample in busy)
    found.stacks = folded.fold(profile, names, idle=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        perfdata.write(profile, folder / PERF_FILE, names)
    except OSError as error:
        raise TernError(f"cannot write to {folder}: {error.strerror}; choose another --out") from error
    shown = bench.shown(folder / PERF_FILE)
    found.notes.append(f"callers: perf report -g --stdio -i {shown} --vmlinux {shown}.elf/tern.elf")
    if profile.dropped():
        found.notes.append(f"warning: {profile.dropped()} samples were dropped for want of room; take fewer (--hz)")
    return found
