# SPDX-License-Identifier: MIT
"""The system-call entry under NMIs, debug exceptions and machine checks, which no flag holds off.

A guest takes each way through the kernel and checks what each call leaves (tests/guest/entry/). It is stopped before
each instruction of a way, from the entry's first to the first in user mode, and an NMI is sent (ci/entry_walk.py). A
machine check ends the machine, and so does an NMI with nmi=panic: there the report must name the instruction.
"""
import re

import qemu
from common import ROOT
from entry_guest import Guest, Kernel
from entry_walk import TF, VECTOR_DEBUG, VECTOR_TIMER, Walk, in_user
from gdb_remote import Registers, Remote
from jobs import Failed, Job

WORK = ROOT / "build/check"
# The client's and the server's calls, by R15 when they enter the kernel; then interrupts.
CALLS = set("nop transact answer invalid missing order respond yield give-way wait deadline resume sleep".split())
REPEATED = ("nop", "transact", "respond")  # ends at once, switches to the thread it calls, answers another
# The one stops the process, the next belongs to boot, the last runs while an NMI is served (Walk.nmi_too_early).
NEVER_HIT = {"syscall_refuse", "enter_user", "ist_again"}
MACHINE_CHECK = "mce 0 1 0xb200000000000000 0x4 0 0"  # bank 1: valid, uncorrected, enabled; one is under way
STOPPED_LINE = "process 'client' stopped: debug exception"


def call_of(now: Registers) -> str:
    """The name of the call that begins here."""
    return now["r15"].to_bytes(8, "little").rstrip(b"\0").decode("ascii", "replace")


def round_begin(remote: Remote) -> Registers:
    """Goes on to where the client makes the first call of a round. In the first round servers begin to wait."""
    while call_of(now := remote.resume()) != "nop":
        pass
    return now


def walk_calls(walk: Walk, now: Registers) -> dict[str, int]:
    """From the first call of a round to that of the next: each way once, and how many instructions it has."""
    counts: dict[str, int] = {}
    while (call := call_of(now)) != "nop" or not counts:
        if call in CALLS and call not in counts:
            counts[call], now = walk.way(now)
            walk.nmi_in_user(now)
        now = walk.remote.resume()
    if set(counts) != CALLS:
        raise Failed(f"the guest made other calls than it should: {' '.join(sorted(counts))}")
    return counts


def walk_interrupts(walk: Walk) -> dict[str, int]:
    """The timer interrupts the spinner, then the idle CPU; nothing stops the guest on the way there, or it would do so
    at once."""
    counts: dict[str, int] = {}
    for name, place in ("timer", walk.kernel.stub(VECTOR_TIMER)), ("idle", walk.kernel.halt):
        counts[name], now = walk.way(walk.remote.run_to(place))
        walk.nmi_in_user(now)
    return counts


def success_expect(outcome: qemu.Outcome) -> None:
    """Fails unless the guest says that all calls were right."""
    end, reason = outcome.judge()
    if end is not qemu.End.SUCCESS:
        raise Failed("\n".join([reason, *outcome.last_lines()]))


def nmi_run(name: str, entry: str, append: str) -> str:
    """An NMI at each instruction of each way; notes how many."""
    kernel, guest = Kernel(), Guest(WORK / name, entry, append)
    with guest as remote:
        walk = Walk(remote, kernel)
        remote.break_at(kernel.symbols[f"{entry}_entry" + ("_hooked" if "hooks=" in append else "")])
        round_begin(remote)
        counts = walk_calls(walk, round_begin(remote)) | walk_interrupts(walk)
        outcome = guest.end(remote)
    success_expect(outcome)
    nmis = walk.finish(outcome, guest.folder)
    return f"{sum(counts.values())} instructions of {len(counts)} ways, {nmis}"


def at_instruction(remote: Remote, kernel: Kernel, entry: str) -> Registers:
    """Goes on to the vDSO's SYSCALL or SYSENTER of the client's first call of a round, and sets TF there. Something is
    known about that address when the call has been made once."""
    remote.break_at(kernel.symbols[f"{entry}_entry"])
    round_begin(remote)
    back = remote.run_to(kernel.find("syscall_return", "sysretq"))["rcx"]
    now = remote.run_to(back - 2)
    remote.write("rflags", now["rflags"] | TF)
    return now


def debug_syscall(name: str) -> str:
    """TF set before SYSCALL, which masks it: the exception comes in user mode behind the instruction and stops the
    process; with an NMI at each instruction until C begins."""
    kernel, guest = Kernel(), Guest(WORK / name, "syscall", "")
    with guest as remote:
        walk = Walk(remote, kernel)
        place = at_instruction(remote, kernel, "syscall")["rip"] + 2
        now = remote.run_to(kernel.stub(VECTOR_DEBUG))
        before = walk.pushed(now)
        if not in_user(before) or before["rip"] != place:
            raise Failed(f"the debug exception came at {kernel.name(before['rip'])}, not behind SYSCALL")
        walk.arrived(VECTOR_DEBUG, now, before)
        count, _ = walk.way(now, kernel.symbols["trap_user"])
        outcome = guest.end(remote)
    if outcome.status != qemu.EXIT_FAILURE or STOPPED_LINE not in outcome.log:
        raise Failed("\n".join([f"no line like: {STOPPED_LINE}", *outcome.last_lines()]))
    return f"{count} instructions, {walk.finish(outcome, guest.folder)}"


def debug_sysenter(name: str) -> str:
    """TF set before SYSENTER, which leaves it set: the exception comes in the kernel, behind SYSENTER or one further
    on, and takes the flag away; with an NMI at each of its instructions."""
    kernel, guest = Kernel(), Guest(WORK / name, "sysenter", "")
    first, count = kernel.symbols["sysenter_entry"], 0
    with guest as remote:
        walk = Walk(remote, kernel)
        at_instruction(remote, kernel, "sysenter")
        for place in (first, first + 3):
            now = remote.run_to(kernel.stub(VECTOR_DEBUG))
            before = walk.pushed(now)
            if before["rip"] != place or not before["rflags"] & TF:
                raise Failed(f"the debug exception came at {kernel.name(before['rip'])}, not {kernel.name(place)}")
            walk.arrived(VECTOR_DEBUG, now, before)
            more, now = walk.way(now, place)
            walk.same(before, {**before, "rflags": before["rflags"] & ~TF}, now, "after the debug exception")
            count += more
            if place == first:
                remote.write("rflags", now["rflags"] | TF)
        outcome = guest.end(remote)
    success_expect(outcome)
    return f"{count} instructions, {walk.finish(outcome, guest.folder)}"


def machine_check_run(name: str, entry: str, place: int) -> None:
    """A machine check before the instruction at `place`, 0: the first in user mode. The report must be whole, down to
    the count of the NMI that came right before."""
    kernel, guest = Kernel(), Guest(WORK / name, entry, "")
    with guest as remote:
        walk = Walk(remote, kernel)
        remote.break_at(kernel.symbols[f"{entry}_entry"])
        round_begin(remote)
        now = round_begin(remote)
        if now["rip"] != place:
            now = remote.run_to(place or kernel.find("syscall_return", "sysretq"))
        if place:
            walk.nmi_in_kernel(now)
        else:
            now = remote.step()
            walk.nmi_in_user(now)
        if said := remote.monitor(MACHINE_CHECK):
            raise Failed(f"QEMU's monitor says to {MACHINE_CHECK}: {said}")
        outcome = guest.end(remote)
    panic_expect(outcome, rf"kernel fault: machine check.*\n.*rip {now['rip']:#018x} ", kernel.name(now["rip"]))
    walk.finish(outcome, guest.folder)


def panic_expect(outcome: qemu.Outcome, report: str, place: str) -> None:
    """Fails unless the guest ended as a panic with the report."""
    if outcome.status != qemu.EXIT_PANIC or not re.search(report, outcome.log):
        what = f"at {place}: status {outcome.status}, and {report!r} is expected in the log"
        raise Failed("\n".join([what, *outcome.last_lines(20)]))


def machine_checks(name: str) -> str:
    """With the user's GS base and stack, with RSP in struct thread, in C, and with the user's again."""
    kernel = Kernel()
    places = [("syscall", kernel.symbols["syscall_entry"]), ("syscall", kernel.find("syscall_entry", "mov", 2))]
    places += [("syscall", kernel.symbols["sys_debug_nop"]), ("syscall", kernel.find("syscall_return", "sysretq"))]
    places += [("sysenter", kernel.symbols["sysenter_entry"]), ("sysenter", kernel.find("sysenter_entry", "popf"))]
    places += [("sysenter", kernel.find("syscall_return", "sysretq")), ("syscall", 0)]
    for entry, place in places:
        machine_check_run(name, entry, place)
    return f"{len(places)} boots"


def nmi_panics(name: str) -> str:
    """With nmi=panic: the entry, with a user's RBP that leads nowhere; an interrupt; the idle CPU."""
    kernel = Kernel()
    places = [(kernel.symbols["syscall_entry"], r"syscall_entry\+0\b"), (kernel.halt, r"sched_\w+\+0x")]
    places += [(kernel.symbols["timer_interrupt"], r"timer_interrupt\+0\n.*backtrace.*\n(.* trap_user\+.*\n)?.* trap_from_user\+0x")]
    for place, backtrace in places:
        guest = Guest(WORK / name, "syscall", "nmi=panic")
        with guest as remote:
            remote.run_to(place)
            remote.monitor("nmi")
            outcome = guest.end(remote)
        panic_expect(outcome, rf"kernel fault: NMI(.*\n)*.*#0 .* {backtrace}", kernel.name(place))
    return f"{len(places)} boots"


def repeated_run(name: str) -> str:
    """The timer's interrupt while interrupts are off, as QEMU's emulated SVM repeats one (sys/trap.c), before each
    instruction of a call from its handler on, but the three that have the user's GS base."""
    kernel, guest, count = Kernel(), Guest(WORK / name, "syscall", ""), 0
    with guest as remote:
        walk = Walk(remote, kernel)
        remote.break_at(kernel.symbols["syscall_entry"])
        now = round_begin(remote)
        for call in REPEATED:
            while call_of(now) != call:
                now = remote.resume()
            count += walk.repeats(now)
        outcome = guest.end(remote)
    success_expect(outcome)
    if f"CPU 0 was interrupted {count} times while interrupts were off; it went on" not in outcome.log:
        raise Failed("\n".join([f"the log does not count {count} interrupts", *outcome.last_lines()]))
    return f"{count} interrupts"


def covered(jobs: list[Job]) -> str:
    """Every instruction of entry.S has been hit by an NMI in one of the jobs, but those of NEVER_HIT."""
    kernel = Kernel()
    hit: set[int] = set()
    for job in jobs:
        hit |= {int(word, 16) for word in (WORK / job.name / "hit").read_text(encoding="ascii").split()}
    entry = {address for address, (label, _) in kernel.entry.items() if label not in NEVER_HIT}
    if missed := sorted(entry - hit):
        raise Failed(f"no NMI has hit {', '.join(map(kernel.name, missed))}")
    return f"{len(entry)} of {len(kernel.entry)} instructions of entry.S, {len(hit - entry)} of C"


def entry_jobs() -> list[Job]:
    """A job per boot, or per row of boots, then what they have covered together."""
    needs = ("build.gcc.release",)
    works = {
        f"entry.nmi.{entry}{suffix}": lambda name, entry=entry, append=append: nmi_run(name, entry, append)
        for suffix, append in (("", ""), ("_hooked", "hooks=latency"), ("_sampled", "nmi=sample"))
        for entry in ("syscall", "sysenter")
    }
    works |= {"entry.debug.syscall": debug_syscall, "entry.debug.sysenter": debug_sysenter}
    hits = [
        Job(name, lambda name=name, work=work: work(name), needs, long=name.endswith(("hooked", "sampled")))
        for name, work in works.items()
    ]
    return [
        *hits,
        Job("entry.nmi.covered", lambda: covered(hits), tuple(job.name for job in hits), long=True),
        Job("entry.machine_check", lambda: machine_checks("entry.machine_check"), needs),
        Job("entry.repeated", lambda: repeated_run("entry.repeated"), needs),
        Job("entry.nmi.panic", lambda: nmi_panics("entry.nmi.panic"), needs),
    ]
