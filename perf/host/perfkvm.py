# SPDX-License-Identifier: MIT
"""A profile from the host of a guest of KVM: `perf kvm record` in the first level (nested.py) while the guest runs, and what
the guest left for: exits by reason. perf names the kernel's functions by the kallsyms file; what it sees of processes it
cannot name, and is named here by address. perfhost.py does the same where the host is this one.

The first level runs under -icount, where samples follow instructions; perf's event is cpu-clock, since nothing here has
performance counters. The guest is sampled without being asked, hence without callers.
"""
import re
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import bench
import firstlevel
import nested
import qemu
from common import TernError
from disassembly import said_by
from initramfs import Archive
from profiling import Found, Machine

PERF = "perf"
DATA_FILE, EXITS_FILE, PERF_SAYS_FILE = "perf.data.kvm", "exits.txt", "perf.txt"
KALLSYMS = "tern.kallsyms"
HZ = 997
ITERATIONS = 3000000
SAMPLE = re.compile(r"^\s*(\S+)\s+([0-9a-f]+)\s*$")  # perf script -F misc,ip: the mode's letters, the address
GUEST = "G"  # among them for both modes of a guest
EXIT = re.compile(r"exit_reason: *(\d+) *\} hitcount: *(\d+)")
TRACE = "/sys/kernel/tracing"
# Exit codes, as in <asm/svm.h> and <asm/vmx.h> of the kernel.
AMD = {
    0x60: "interrupt", 0x61: "NMI", 0x64: "interrupt window", 0x72: "CPUID", 0x73: "RSM", 0x77: "PAUSE", 0x78: "HLT",
    0x7B: "port", 0x7C: "MSR", 0x7F: "shutdown", 0x81: "VMMCALL", 0x8A: "MONITOR", 0x400: "nested page fault",
}  # fmt: skip
INTEL = {
    0: "exception or NMI", 1: "interrupt", 7: "interrupt window", 10: "CPUID", 12: "HLT", 18: "VMCALL", 28: "control register",
    30: "port", 31: "RDMSR", 32: "WRMSR", 40: "PAUSE", 44: "APIC access", 48: "nested page fault", 49: "nested misconfiguration",
    52: "preemption timer", 56: "APIC write",
}  # fmt: skip
# The exits' reasons come from the kernel's own tracing, counted in place: perf kvm stat costs minutes under emulation. perf
# takes long to start there, so the guest waits for it.
BEFORE = f"""
mkdir -p {TRACE}
mount -t tracefs tracefs {TRACE} 2>/dev/null
echo 'hist:keys=exit_reason' >{TRACE}/events/kvm/kvm_exit/trigger
perf kvm --host --guest --guestkallsyms=/{KALLSYMS} --guestmodules=/dev/null record -N -B -a -e cpu-clock -F %d \\
  -o {DATA_FILE} -- sleep 1000000 >{PERF_SAYS_FILE} 2>&1 &
perf=$!
n=0
until pidof sleep >/dev/null || [ $n -gt 300 ]; do n=$((n + 1)); usleep 100000; done
"""
AFTER = f"""
cat {TRACE}/events/kvm/kvm_exit/hist >{EXITS_FILE} 2>/dev/null
kill -INT $perf
wait $perf
"""


def perf_find() -> Path:
    """The host's perf, which runs in the first level too. Raises TernError."""
    found = shutil.which(PERF)
    if found is None:
        raise TernError("perf is missing; install linux-perf")
    return Path(found)


def extra_make(machine: Machine) -> nested.Extra:
    """What the first level needs besides."""
    kallsyms = machine.kernel.with_name(KALLSYMS)
    if not kallsyms.is_file():
        raise TernError(f"{kallsyms} is not there; give --kernel one where make built it")

    def programs(archive: Archive) -> None:
        archive.program("usr/bin/perf", perf_find())
        archive.file(KALLSYMS, kallsyms)

    return nested.Extra(programs, before=BEFORE % (machine.options.hz or HZ), after=AFTER)


def samples_read(folder: Path, kallsyms: Path) -> tuple[Counter, int]:
    """samples_count of perf's file. Raises TernError."""
    if not (folder / DATA_FILE).is_file():
        said = qemu.read_text(folder / PERF_SAYS_FILE).strip().splitlines() or ["nothing"]
        raise TernError(f"perf wrote no file; it said: {said[-1][:200]}")
    options = (f"--guestkallsyms={kallsyms}", "--guestmodules=/dev/null", "-F", "misc,ip", "-i", folder / DATA_FILE)
    return samples_count(said_by(PERF, "script", *options))


def samples_count(lines: Sequence[str]) -> tuple[Counter, int]:
    """(guest addresses to samples, samples of the host). The address alone does not say whose it is: both have a kernel in
    the highest 2 GiB."""
    guest: Counter = Counter()
    host = 0
    for line in lines:
        found = SAMPLE.match(line)
        if found and GUEST in found[1]:
            guest[int(found[2], 16)] += 1
        elif found:
            host += 1
    return guest, host


def exits_read(text: str, reasons: dict[int, str]) -> list[tuple[str, int]]:
    """The kernel's histogram of exits, most frequent first."""
    found = [(int(row[1]), int(row[2])) for row in EXIT.finditer(text)]
    return sorted(((reasons.get(code, f"{code:#x}"), count) for code, count in found), key=lambda row: -row[1])


def per_sample(exits: int, append: str) -> str:
    """Exits, those of boot and end included, against the samples that the bench was to take."""
    words = dict(word.partition("=")[::2] for word in append.split())
    count = int(words.get("iterations", "0"), 0) if "bench" in words and "," not in words["bench"] else 0
    return f"exits in all: {exits}" + (f", {exits / count:.4g} per sample of {count}" if count else "")


def boot_make(profiled: Machine, **more) -> qemu.Boot:
    """The guest, busy for long enough."""
    options = profiled.options
    iterations = "" if options.image or "iterations=" in profiled.append else f" iterations={ITERATIONS}"
    append = f"{profiled.append}{iterations}"
    return qemu.Boot(kernel=profiled.kernel, initrd=profiled.initrd, append=append, timeout_s=options.timeout_s, **more)


def found_make(machine: Machine, boot: qemu.Boot, files: Path, folder: Path, reasons: dict[int, str]) -> Found:
    """What perf and the kernel's tracing left in the boot's folder; perf's file stays in the run's. Raises TernError."""
    guest, host = samples_read(files, machine.kernel.with_name(KALLSYMS))
    found = Found("samples", "")
    found.addresses = guest
    for address, count in guest.items():
        found.functions[machine.symbols.place(address)] += count
    found.notes.append(f"{sum(guest.values())} samples of the guest, {host} of its host")
    exits = exits_read(qemu.read_text(files / EXITS_FILE), reasons)
    if exits:
        found.notes.append("exits: " + ", ".join(f"{reason} {count}" for reason, count in exits))
        found.notes.append(per_sample(sum(count for _, count in exits), boot.append))
    keep(files, folder)
    return found


def run(machine: Machine, work: Path, folder: Path) -> Found:
    """One boot in one first level. Raises TernError."""
    boot = boot_make(machine, machine=bench.BATCH_MACHINE)
    files = work / "guest"
    outcomes = nested.boots_try([(boot, files)], work / "level", True, extra=extra_make(machine))
    machine.outcome_check(firstlevel.outcomes_all(outcomes)[0], files)
    found = found_make(machine, boot, files, folder, AMD)
    found.how = f"perf kvm on the host, cpu-clock {machine.options.hz or HZ} Hz, kvm-nested under icount"
    if not any(note.startswith("exits") for note in found.notes):
        found.notes.append("exits: the first level's kernel did not count them")
    return found


def keep(files: Path, folder: Path) -> None:
    """perf's own file stays, for `perf kvm report`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(files / DATA_FILE, folder / DATA_FILE)
    except OSError as error:
        raise TernError(f"cannot write to {folder}: {error.strerror}; choose another --out") from error
