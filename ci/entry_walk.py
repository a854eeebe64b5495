# SPDX-License-Identifier: MIT
"""Steps through the kernel with an NMI before each instruction, and looks at what becomes of it.

An NMI must arrive at its stub, on a stack of its own that holds the interrupted state, and leave every register as it
was. C must run with the kernel's GS base and none of the user's flags, the handler's and any other.
"""
import re
from pathlib import Path

import qemu
from entry_guest import Kernel
from gdb_remote import Registers, Remote
from jobs import Failed

TF, DF, AC = 1 << 8, 1 << 10, 1 << 18
VECTOR_DEBUG, VECTOR_NMI, VECTOR_TIMER = 1, 2, 0xF1
IST_OF = {VECTOR_DEBUG: 3, VECTOR_NMI: 1}
WAY_MOST = 5000  # instructions; those of the guest take less than a thousand
STACK_BYTES = 4096  # what a way through the kernel uses at most
USERS_GS = 3  # instructions of EXIT_TO_USER from SWAPGS's next on
TSS_IST = 36  # offset of the first of its stacks
FRAME = ("rip", "cs", "rflags", "rsp", "ss")  # as the CPU pushes them
COUNT_LINE = re.compile(r"CPU 0 had (\d+) NMIs in processes and (\d+) in the kernel")


def in_user(now: Registers) -> bool:
    """The CPU is in user mode."""
    return now["cs"] & 3 == 3


class Walk:
    """The NMIs of one boot: how many, and which instructions of the kernel they hit."""

    def __init__(self, remote: Remote, kernel: Kernel) -> None:
        self.remote, self.kernel = remote, kernel
        self.hit: set[int] = set()
        self.in_kernel = self.in_processes = 0
        self.stacks: dict[int, int] = {}
        self.c, self.end = kernel.symbols["trap_kernel"], kernel.find("trap_entry_ist", "iretq")

    def stack(self, vector: int) -> int:
        """The top of a vector's own stack, out of the task state segment."""
        if vector not in self.stacks:
            base = re.search(r"^TR =\S+ ([0-9a-f]+)", self.remote.monitor("info registers"), re.M)
            entry = int(base[1], 16) + TSS_IST + 8 * (IST_OF[vector] - 1)
            self.stacks[vector] = self.remote.words(entry, 1)[0]
        return self.stacks[vector]

    def fail(self, before: Registers, what: str) -> None:
        """Raises Failed with the place that was interrupted."""
        raise Failed(f"at {self.kernel.name(before['rip'])}: {what}")

    def same(self, before: Registers, wanted: Registers, now: Registers, when: str) -> None:
        """Fails if a register that is wanted has another value."""
        wrong = [f"{name} is {now[name]:#x}, was {wanted[name]:#x}" for name in wanted if now[name] != wanted[name]]
        if wrong:
            self.fail(before, f"{when} {', '.join(wrong)}")

    def pushed(self, now: Registers) -> Registers:
        """At a stub: the interrupted state, by what the CPU pushed."""
        return {**now, **dict(zip(FRAME, self.remote.words(now["rsp"], len(FRAME))))}

    def arrived(self, vector: int, now: Registers, before: Registers) -> None:
        """Fails unless the CPU stands at the vector's stub with the state before it on the vector's own stack."""
        stub = self.kernel.stub(vector)
        if now["rip"] != stub:
            self.fail(before, f"the CPU is at {self.kernel.name(now['rip'])}, not {self.kernel.name(stub)}")
        if now["rsp"] != self.stack(vector) - 8 * len(FRAME):
            self.fail(before, f"RSP at the stub is {now['rsp']:#x}, not right below {self.stack(vector):#x}")
        self.same(before, {name: before[name] for name in FRAME}, self.pushed(now), "on the stack")

    def c_runs(self, place: Registers, now: Registers) -> None:
        """Fails unless C runs with the kernel's GS base and none of the user's flags."""
        if now["rflags"] & (TF | DF | AC) or not now["gs_base"] >> 63:
            where = self.kernel.name(now["rip"])
            self.fail(place, f"C at {where} runs with RFLAGS {now['rflags']:#x}, GS base {now['gs_base']:#x}")

    def nmi_in_kernel(self, before: Registers) -> None:
        """One before the next instruction. After it an HLT that waits for interrupts is left out."""
        wanted = {**before, "rip": before["rip"] + (before["rip"] == self.kernel.halt)}
        in_entry = before["rip"] in self.kernel.entry
        self.remote.break_at(self.end, *[self.c] * in_entry)
        self.remote.monitor("nmi")
        now = self.remote.step()
        self.arrived(VECTOR_NMI, now, before)
        if in_entry:
            now = self.remote.resume(now["rip"])
            self.c_runs(before, now)
        self.nmi_too_early(self.remote.resume(now["rip"]))
        self.same(before, wanted, self.remote.step(), "after the NMI")
        self.hit.add(before["rip"])
        self.in_kernel += 2

    def nmi_too_early(self, end: Registers) -> None:
        """Another one before the last one's IRETQ, which no CPU takes but Xen under QEMU: by what a CPU would do, which
        pushes its frame where the last one's was. It ends at the same IRETQ."""
        frame = self.stack(VECTOR_NMI) - 8 * len(FRAME)
        self.remote.words_write(frame, *(end[name] for name in FRAME))
        self.remote.write("rsp", frame)
        self.remote.write("rip", self.kernel.stub(VECTOR_NMI))
        self.same(end, end, self.remote.run_to(self.end), "after an NMI that came too early")

    def nmi_in_user(self, before: Registers) -> None:
        """One before the next instruction, and another while the first is served, which must wait for its IRET."""
        end = self.kernel.find("return_full", "iretq")
        self.remote.monitor("nmi")
        self.arrived(VECTOR_NMI, self.remote.step(), before)
        self.c_runs(before, self.remote.run_to(self.kernel.symbols["trap_user"]))
        self.remote.monitor("nmi")
        self.remote.run_to(end)
        self.same(before, before, self.remote.step(), "after the NMI")
        self.arrived(VECTOR_NMI, self.remote.step(), before)
        self.remote.run_to(end)
        self.same(before, before, self.remote.step(), "after the second NMI")
        self.in_processes += 2

    def way(self, now: Registers, end: int = 0) -> tuple[int, Registers]:
        """From here to user mode, or to the address `end`: how many instructions, and the registers there. Each of
        entry.S is hit, each of C if it has not been in this boot."""
        start, count, kept = now, 0, self.remote.breakpoints
        while not in_user(now) and now["rip"] != end:
            if count == WAY_MOST:
                self.fail(start, f"the way from here has more than {WAY_MOST} instructions")
            if self.kernel.is_c(now["rip"]):
                self.c_runs(start, now)
            if now["rip"] in self.kernel.entry or now["rip"] not in self.hit:
                self.nmi_in_kernel(now)
            now = self.remote.step()
            count += 1
        self.remote.break_at(*kept)
        return count, now

    def repeat(self, before: Registers) -> None:
        """An interrupt before the next instruction although interrupts are off, by what a CPU would do; nothing but
        the stack below may change."""
        stub, frame = self.kernel.stub(VECTOR_TIMER), (before["rsp"] & ~15) - 8 * len(FRAME)
        self.remote.words_write(frame, *(before[name] for name in FRAME))
        self.remote.write("rsp", frame)
        self.remote.write("rip", stub)
        self.remote.run_to(self.kernel.find("trap_from_kernel", "iretq"))
        self.same(before, before, self.remote.step(), "after the repeated interrupt")

    def repeats(self, now: Registers) -> int:
        """From the entry to user mode, one before each instruction from C's first on that has the kernel's stack and GS
        base; how many. Fails if more than the last have not."""
        while not self.kernel.is_c(now["rip"]):
            now = self.remote.step()
        stack, count, missed = now["rsp"], 0, []
        while not in_user(now):
            if abs(now["rsp"] - stack) < STACK_BYTES and now["gs_base"] >> 63:
                self.repeat(now)
                count += 1
            else:
                missed.append(self.kernel.name(now["rip"]))
            now = self.remote.step()
        if len(missed) != USERS_GS:
            raise Failed(f"an interrupt would not be survived at {', '.join(missed)}; expected at the last {USERS_GS}")
        return count

    def finish(self, outcome: qemu.Outcome, folder: Path) -> str:
        """Fails unless the guest counted what was sent. Keeps for entry.nmi.covered what was hit; notes the count."""
        found = COUNT_LINE.search(outcome.log)
        counted = (int(found[1]), int(found[2])) if found else (0, 0)
        if counted != (self.in_processes, self.in_kernel):
            raise Failed(
                f"the guest counted {counted[0]} NMIs in processes and {counted[1]} in the kernel,"
                f" {self.in_processes} and {self.in_kernel} were sent"
            )
        (folder / "hit").write_text("\n".join(map(hex, sorted(self.hit))), encoding="ascii")
        return f"{self.in_kernel + self.in_processes} NMIs"
