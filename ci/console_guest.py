# SPDX-License-Identifier: MIT
"""`tern ctl --console`: a guest without any virtio device, whose streams are frames on COM1, asked through a terminal, as
xenconsoled has one for each guest, or through a socket. It waits until it is asked to end."""
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import build
import qemu
from common import ROOT, program_said
from jobs import Failed, Job

KERNEL = ROOT / "build/release/tern.elf"
LOGS = ROOT / "build/check"
TIMEOUT_S, PATIENCE_S = 60.0, "20"
TERMINAL = re.compile(r"char device redirected to (\S+)")
SOCKET = "console.sock"
KINDS = {"q35": "pty", "microvm": f"unix:{SOCKET},server=on,wait=off"}


def command(machine: str) -> list[str]:
    """QEMU's, with COM1 as a terminal or a socket."""
    boot = qemu.Boot(
        kernel=KERNEL, initrd=build.image_find("patient", KERNEL), machine=machine, virtio="none", append="streams=serial"
    )
    line = qemu.command(boot)
    line[line.index("-serial") + 1] = KINDS[machine]
    return line


def console_find(process: subprocess.Popen, says: Path, listener: Path) -> Path:
    """The terminal that QEMU tells of, or the socket, once it is there."""
    end = time.monotonic() + TIMEOUT_S
    while process.poll() is None and time.monotonic() < end:
        if found := TERMINAL.search(qemu.read_text(says)):
            return Path(found[1])
        if listener.exists():
            return listener
        time.sleep(0.05)
    raise Failed(f"QEMU has no console: {qemu.read_text(says)[-300:]}")


def ask(console: Path, words: list[str], status: int, *said: str) -> None:
    """Asks as a user does. Raises Failed unless the exit status is as expected and each text was printed."""
    line = [ROOT / "tern", "ctl", "--console", console, "--timeout", PATIENCE_S, *words]
    got, text = program_said(line, seconds=TIMEOUT_S)
    missing = [one for one in said if one not in text]
    if got != status or missing:
        raise Failed(f"tern ctl {' '.join(words)}: status {got}, expected {status}; it lacks {missing}; it says: {text[-500:]}")


def is_up(console: Path) -> bool:
    """Whether the guest hears. Before, whatever is sent is lost."""
    return program_said([ROOT / "tern", "ctl", "--console", console, "--timeout", "1", "help"], seconds=TIMEOUT_S)[0] == 0


def story(console: Path) -> None:
    """Requests that are answered, one that is refused, the end."""
    end = time.monotonic() + TIMEOUT_S
    while not is_up(console) and time.monotonic() < end:
        pass
    ask(console, ["help"], 0, "scheduler:", "get_stats")
    ask(console, ["scheduler", "get_stats"], 0, "patient")
    ask(console, ["--json", "*", "get_stats"], 0, '"status": "OK"')
    ask(console, ["scheduler", "no_such"], 1, "tern: scheduler no_such: ")
    ask(console, ["power", "off"], 0)


def console_run(name: str, machine: str) -> str:
    """One boot, of which QEMU's words stay in build/check/."""
    folder = LOGS / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    says = folder / qemu.QEMU_FILE
    with tempfile.TemporaryDirectory(prefix="tern-", dir="/tmp") as place, open(says, "wb") as file:
        with qemu.started(command(machine), Path(place), file) as process:
            story(console_find(process, says, Path(place) / SOCKET))
            status = qemu.wait(process, time.monotonic() + TIMEOUT_S, "")
    if status != qemu.EXIT_SUCCESS:
        raise Failed(f"the guest's end: status {status}, expected {qemu.EXIT_SUCCESS}")
    return KINDS[machine].partition(":")[0]


def console_jobs() -> list[Job]:
    """A job per machine."""
    names = {machine: f"guest.console.{machine}.1cpu" for machine in KINDS}
    return [
        Job(name, lambda name=name, machine=machine: console_run(name, machine), ("build.gcc.release",))
        for machine, name in names.items()
    ]
