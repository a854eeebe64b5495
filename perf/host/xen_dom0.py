# SPDX-License-Identifier: MIT
"""Guest boots as the first domain of a real Xen: a QEMU per boot, Xen as its kernel, the guest and its image as Xen's
modules (dom0=pvh). No Linux anywhere.

The guest's console is Xen's, on COM1, between Xen's own lines. It ends by isa-debug-exit, as without Xen: the outcomes
are those of direct boots. `exact`: QEMU runs under -icount, where each instruction of guest and hypervisor is one tick
of every clock; else by the wall's clock, which is no speed there. Xen has one CPU (nested.py says why).
"""
import contextlib
import shutil
import socket
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import debcache
import qemu
import xen
from common import TernError

NAME = "Xen with the guest as dom0"
PACKAGES = (xen.HYPERVISOR,)
MEMORY_MB, GUEST_MB = 512, 256
LINE_FILE, KNOCK_S = "line", 3.0
KEYS = "conswitch=ax"  # what is typed is Xen's, not dom0's
DOM0 = "dom0=pvh dom0-iommu=none dom0_vcpus_pin"  # a vCPU that moves sees the emulated TSC step back


def hypervisor_append(boot: qemu.Boot) -> str:
    """Xen's command line."""
    return f"{xen.APPEND} {KEYS} {DOM0} dom0_mem={GUEST_MB}M dom0_max_vcpus={boot.smp}"


def command(boot: qemu.Boot, hypervisor: Path, exact: bool) -> list[str]:
    """QEMU's command line of one boot."""
    if exact:
        run = ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off", "-rtc", "clock=vm,base=2026-01-01"]
    else:
        run = ["-accel", "tcg,thread=multi", "-rtc", "clock=vm,base=2026-01-01"]
    modules = " ".join(filter(None, [str(boot.kernel), boot.append]))
    initrd = xen.comma(modules) + (f",{xen.comma(str(boot.initrd))}" if boot.initrd else "")
    line = [qemu.program(), "-M", "q35", *run, "-smp", "1", "-cpu", xen.CPU]
    line += ["-m", str(MEMORY_MB), "-no-user-config", "-nodefaults", "-display", "none", "-monitor", "none", "-no-reboot"]
    line += ["-chardev", f"socket,id=line,path={LINE_FILE},server=on,wait=off,logfile={xen.CONSOLE_FILE}"]
    line += ["-serial", "chardev:line", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x4"]
    return [*line, "-kernel", str(hypervisor), "-initrd", initrd, "-append", hypervisor_append(boot)]


def commands_shown(boots: Sequence[qemu.Boot], exact: bool) -> list[list[str]]:
    """The command line of each boot; downloads nothing."""
    packages = debcache.packages_peek(PACKAGES)
    hypervisor = xen.hypervisor_get(packages) if packages else Path("xen.elf")
    return [command(boot, hypervisor, exact) for boot in boots]


def environment(exact: bool) -> dict[str, str]:
    """What results.json says of the hypervisor's machine."""
    return {
        "kernel": xen.hypervisor_get(debcache.packages_get(PACKAGES)).name,
        "machine": "q35",
        "cpu": xen.CPU,
        "cpus": "1",
        "accelerator": "tcg, icount shift=0" if exact else "tcg",
        "command_line": f"{xen.APPEND} {KEYS} {DOM0}",
    }


class Knocker:
    """Types a byte that means nothing to Xen every KNOCK_S: an interrupt, so that a CPU that was not told of the one
    before (pulse.py) hears of both. Seldom enough for an emulator that is not stuck not to notice."""

    def __init__(self, line: Path) -> None:
        self.line, self.since = line, time.monotonic()

    def look(self) -> None:
        """Does so if it is time."""
        if time.monotonic() - self.since < KNOCK_S:
            return
        self.since = time.monotonic()
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self.line))
            link.sendall(b"\0")


def boot_run(boot: qemu.Boot, folder: Path, hypervisor: Path, exact: bool, label: str) -> qemu.Outcome:
    """One boot in `folder`, which is emptied first."""
    if boot.cdrom or boot.plugin or boot.typed:
        raise TernError(f"{folder.name}: dom0 boots no ISO, takes no plugin, and nothing is typed on its console")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    start = time.monotonic()
    limit = boot.timeout_s * (10 if exact else 2) + 30
    with open(folder / qemu.QEMU_FILE, "wb") as says:
        with qemu.started(command(boot, hypervisor, exact), folder, says) as process:
            status = qemu.wait(process, start + limit, label, None if exact else Knocker(folder / LINE_FILE))
    console = qemu.read_bytes(folder / xen.CONSOLE_FILE)
    damage = xen.streams_write(folder, console, console, 0)
    flaw = xen.crash_find(console) or damage
    outcome = qemu.outcome_read(folder, status, time.monotonic() - start, limit)
    return replace(outcome, flaw=flaw, console=xen.tail(console))


def boots_try(
    boots: Sequence[tuple[qemu.Boot, Path]], work: Path, exact: bool, label: str = "dom0"
) -> list[qemu.Outcome | TernError]:
    """Runs the boots, each with the folder that gets its files. `work` is for those who share one: not used."""
    del work
    hypervisor = xen.hypervisor_get(debcache.packages_get(PACKAGES))
    count = len(boots)
    return [
        boot_run(boot, folder, hypervisor, exact, f"{label}: boot {number} of {count}")
        for number, (boot, folder) in enumerate(boots, 1)
    ]
