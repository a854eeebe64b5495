# SPDX-License-Identifier: MIT
"""A profile of a guest of this host's KVM, by this host's perf: `perf kvm record` of QEMU's threads, which waits for perf
before it lets the guest run. What is done with it, and why perf cannot name processes, is perfkvm.py's.

perf needs the right to see kernels (root, or kernel.perf_event_paranoid at most 1). Exits are counted by the kernel's own
tracing, root's; without, the profile has none. The clock of samples is cycles, or cpu-clock where there is no counter.
"""
import contextlib
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import monitor
import qemu
from common import TernError, program_said
from perfkvm import AMD, DATA_FILE, EXITS_FILE, HZ, INTEL, KALLSYMS, PERF_SAYS_FILE, TRACE, boot_make, found_make, perf_find
from profiling import Found, Machine

MONITOR_FILE, READY_FILE = "monitor", "ready"
READY_S, END_S = 60.0, 30.0
TRIGGER = Path(TRACE, "events/kvm/kvm_exit/trigger")
EVENTS = ("cycles", "cpu-clock")


def event_choose(perf: Path) -> str:
    """The first of EVENTS that perf can count here. Raises TernError with what perf says if none."""
    said = ""
    for event in EVENTS:
        status, said = program_said([perf, "stat", "-x,", "-e", event, "--", "true"])
        if status == 0 and not re.search(r"^<not", said, re.MULTILINE):
            return event
    lines = [line for line in said.splitlines() if line.strip()] or ["nothing"]
    raise TernError(f"perf cannot count here, it says: {lines[0][:160]}; be root, or see kernel.perf_event_paranoid")


def reasons() -> dict[int, str]:
    """The names of exits of this CPU's kind."""
    return INTEL if re.search(r"^flags\s*:.*\bvmx\b", qemu.read_text(Path("/proc/cpuinfo")), re.MULTILINE) else AMD


@contextlib.contextmanager
def exits_counted(process: subprocess.Popen, out: Path) -> Iterator[None]:
    """Counts the exits of QEMU's threads until the block ends, into a file; where the kernel lets us."""
    threads = " || ".join(f"common_pid == {path.name}" for path in Path(f"/proc/{process.pid}/task").iterdir())
    trigger = f"hist:keys=exit_reason if {threads}\n"
    try:
        TRIGGER.write_text(trigger, encoding="ascii")
    except OSError:
        yield
        return
    try:
        yield
        with contextlib.suppress(OSError):
            out.write_bytes(TRIGGER.with_name("hist").read_bytes())
    finally:
        with contextlib.suppress(OSError):
            TRIGGER.write_text(f"!{trigger}", encoding="ascii")


@contextlib.contextmanager
def perf_recording(perf: Path, machine: Machine, event: str, process: subprocess.Popen, files: Path) -> Iterator[None]:
    """perf watches QEMU's threads until the block ends. Raises TernError if it does not begin."""
    kallsyms = machine.kernel.with_name(KALLSYMS)
    line = [perf, "kvm", "--host", "--guest", f"--guestkallsyms={kallsyms}", "--guestmodules=/dev/null", "record", "-N", "-B"]
    line += ["-p", process.pid, "-e", event, "-F", machine.options.hz or HZ, "-o", DATA_FILE]
    line += ["--", "sh", "-c", f": >{READY_FILE}; exec sleep 1000000"]
    with open(files / PERF_SAYS_FILE, "wb") as says:
        recorder = subprocess.Popen([str(word) for word in line], cwd=files, stdout=says, stderr=says, stdin=subprocess.DEVNULL)
    try:
        end = time.monotonic() + READY_S
        while not (files / READY_FILE).exists() and recorder.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        if not (files / READY_FILE).exists():
            said = qemu.read_text(files / PERF_SAYS_FILE).strip().splitlines() or ["nothing"]
            raise TernError(f"perf kvm does not record, it says: {said[0][:160]}; be root, or see kernel.perf_event_paranoid")
        yield
    finally:
        recorder.send_signal(signal.SIGINT)
        try:
            recorder.wait(timeout=END_S)
        except subprocess.TimeoutExpired:
            recorder.kill()
            recorder.wait()


def command(boot: qemu.Boot) -> list[str]:
    """QEMU's: it waits to be told to go on."""
    line = qemu.command(boot)
    line[line.index("-monitor") + 1] = f"unix:{MONITOR_FILE},server=on,wait=off"
    return [*line, "-S"]


def vcpus_wait(process: subprocess.Popen, files: Path) -> None:
    """The monitor answers once the machine is made and has its threads. Raises TernError."""
    end = time.monotonic() + READY_S
    while process.poll() is None and time.monotonic() < end:
        if monitor.answers_get(files / MONITOR_FILE, ["info status"]):
            return
        time.sleep(0.02)
    said = qemu.read_text(files / qemu.QEMU_FILE).strip().splitlines() or ["nothing"]
    raise TernError(f"QEMU does not begin, it says: {said[-1][:160]}")


def run(machine: Machine, work: Path, folder: Path) -> Found:
    """One boot. Raises TernError."""
    perf = perf_find()
    event, files = event_choose(perf), work / "guest"
    boot = boot_make(machine, machine=machine.options.vmm, accelerator="kvm")
    files.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    with open(files / qemu.QEMU_FILE, "wb") as says, qemu.started(command(boot), files, says) as process:
        vcpus_wait(process, files)
        with perf_recording(perf, machine, event, process, files), exits_counted(process, files / EXITS_FILE):
            monitor.answers_get(files / MONITOR_FILE, ["cont"])
            status = qemu.wait(process, time.monotonic() + boot.timeout_s, "profiling")
    machine.outcome_check(qemu.outcome_read(files, status, time.monotonic() - start, boot.timeout_s), files)
    found = found_make(machine, boot, files, folder, reasons())
    found.how = f"perf kvm on this host, {event} {machine.options.hz or HZ} Hz, {boot.machine}"
    if not any(note.startswith("exits") for note in found.notes):
        found.notes.append(f"exits: not counted; {TRACE} is root's")
    return found
