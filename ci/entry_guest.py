# SPDX-License-Identifier: MIT
"""What the test of the entry steps through: tests/guest/entry/ under QEMU's gdb stub, and addresses in the kernel."""
import bisect
import functools
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import guest_tests
import qemu
from common import ROOT, TernError
from gdb_remote import Remote
from jobs import Failed, run_quiet

BUILD = ROOT / "build/release"
TIMEOUT_S = 60.0  # for the rest of the run, once nobody steps any more
KERNEL_HALF = 1 << 63
STUB_BYTES = 16
STUBS_BYTES = 256 * STUB_BYTES
PADDING = {"nop", "nopw", "nopl", "cs", "data16", "xchg"}  # between functions
INSTRUCTION = re.compile(r"\s+([0-9a-f]+):\s+(\w+)")
# The time of a guest that counts instructions leaps to the machine's next timer at each stop, so there is none but the
# guest's own: it comes as soon as interrupts are on. What a CPU without work would poll for would be stepped through.
MACHINE = "microvm,rtc=off,pit=off"
APPEND = "tsc_khz=1000000 slice_us=100 idle=hlt"


def disassembly(file: str, *options: str) -> str:
    """Of a file of the release build."""
    return run_quiet("objdump", "-d", "--no-show-raw-insn", *options, BUILD / file, cwd=ROOT, seconds=30)


class Kernel:
    """Addresses of the release build. `entry`: address to (label, mnemonic) of each instruction of entry.S, in order,
    without the interrupt stubs, of which one is like the other."""

    def __init__(self) -> None:
        rows = re.findall(
            r"^([0-9a-f]+) [tT] (\S+)$", run_quiet("nm", BUILD / "tern.elf", cwd=ROOT, seconds=30), re.M
        )
        self.symbols = {name: int(address, 16) for address, name in rows}
        self.ordered = sorted((address, name) for name, address in self.symbols.items())
        self.entry: dict[int, tuple[str, str]] = {}
        label = ""
        for line in disassembly("arch/x86_64/entry.S.o", "-j", ".text.entry").splitlines():
            if row := re.match(r"[0-9a-f]+ <(\w+)>:", line):
                label = row[1]
            elif (row := INSTRUCTION.match(line)) and label != "trap_stubs" and row[2] not in PADDING:
                self.entry[self.symbols["syscall_entry"] + int(row[1], 16)] = (label, row[2])

    @functools.cached_property
    def halt(self) -> int:
        """Where a CPU without work halts: the HLT behind an STI."""
        halts = re.findall(r"\tsti\s*\n\s*([0-9a-f]+):\thlt", disassembly("tern.elf"))
        found = [int(at, 16) for at in halts if self.name(int(at, 16)).startswith("sched_")]
        if len(found) != 1:
            raise Failed(f"{len(found)} places of the scheduler halt with interrupts on, expected 1")
        return found[0]

    def find(self, label: str, mnemonic: str, number: int = 0) -> int:
        """The first, or a later, instruction of this kind from a label of entry.S on."""
        start = self.symbols[label]
        found = [at for at, (_, name) in self.entry.items() if at >= start and name == mnemonic]
        if len(found) <= number:
            raise Failed(f"entry.S has no {mnemonic} behind {label}")
        return found[number]

    def stub(self, vector: int) -> int:
        """Where the CPU goes on an interrupt."""
        return self.symbols["trap_stubs"] + STUB_BYTES * vector

    def is_c(self, address: int) -> bool:
        """Neither entry.S nor an interrupt stub."""
        return address not in self.entry and not 0 <= address - self.symbols["trap_stubs"] < STUBS_BYTES

    def name(self, address: int) -> str:
        """`function+0x12`, `stub of vector 8`, or the bare address of a process."""
        if address < KERNEL_HALF:
            return f"{address:#x}"
        vector, offset = divmod(address - self.symbols["trap_stubs"], STUB_BYTES)
        if vector in range(256) and offset == 0:
            return f"stub of vector {vector}"
        base, name = self.ordered[bisect.bisect_right(self.ordered, (address, "~")) - 1]
        return f"{name}+{address - base:#x}"


class Guest:
    """One boot, stopped before the first instruction; `with` gives the stub and ends QEMU. Both ends of the stub's
    connection are made before QEMU is, so there is neither a port nor a file that could be in the way."""

    def __init__(self, folder: Path, entry: str, append: str) -> None:
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        boot = qemu.Boot(
            kernel=BUILD / "tern.elf",
            initrd=BUILD / "images/entry.img",
            append=f"{APPEND} entry={entry} {append}".strip(),
            machine=MACHINE,
            cpu=guest_tests.cpu_model("", entry),
        )
        self.link, theirs = socket.socketpair()
        stub = ["-S", "-chardev", f"socket,id=gdb,fd={theirs.fileno()}", "-gdb", "chardev:gdb"]
        with theirs, open(folder / qemu.QEMU_FILE, "wb") as says:
            try:
                self.process = subprocess.Popen(
                    [*qemu.command(boot), *stub],
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=says,
                    stderr=says,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
            except OSError as error:
                raise TernError(
                    f"QEMU cannot be started ({error.strerror}); install qemu-system-x86"
                ) from error
        qemu.running.add(self.process)

    def __enter__(self) -> Remote:
        try:
            return Remote(self.link)
        except Failed as reason:
            self.stop()
            raise Failed(self.with_log(reason)) from None

    def __exit__(self, _kind: object, reason: BaseException | None, _trace: object) -> None:
        self.stop()
        if isinstance(reason, Failed):
            raise Failed(self.with_log(reason)) from None

    def stop(self) -> None:
        """Ends QEMU."""
        self.link.close()
        qemu.stop(self.process)

    def with_log(self, reason: Failed) -> str:
        """The reason, then what QEMU and the guest said last."""
        says = qemu.read_text(self.folder / qemu.QEMU_FILE).splitlines()
        log = qemu.read_log(self.folder)
        first = str(reason) + qemu.clause(log, "VERDICT|panic:|kernel fault")
        return "\n".join([first, *says[-5:], *log.splitlines()[-15:]])

    def end(self, remote: Remote) -> qemu.Outcome:
        """Lets it run to its end."""
        start = time.monotonic()
        remote.leave()
        status = qemu.wait(self.process, start + TIMEOUT_S, "")
        self.stop()
        says = qemu.read_text(self.folder / qemu.QEMU_FILE)
        return qemu.Outcome(
            status, time.monotonic() - start, qemu.read_log(self.folder), b"", says, TIMEOUT_S
        )
