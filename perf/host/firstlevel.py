# SPDX-License-Identifier: MIT
"""A session in a first level: a Linux under QEMU's emulation (with KVM in it, or above Xen) that runs a list of
tasks, one after another, and hands back what each leaves.

The Linux is its kernel and one initramfs (initramfs.py) with busybox, the kernel modules, the programs of the
level, every file of the tasks, and a shell script per task. A task's script runs in an empty folder; its status,
its output and all files in that folder come back at once, as a tar through a virtio port, so that a later hang
takes nothing from what ended before. No network, no disk, no root rights.

Stages are told on the first level's console by lines `tern: WORD...`: linux, ready, task NAME, stop REASON, done.
Everything is bounded: the way to `ready` by the level's boot_timeout_s, each task by its own limit.
"""
import contextlib
import hashlib
import io
import os
import re
import shutil
import subprocess
import tarfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import qemu
from common import TernError, progress
from initramfs import Archive
from monitor import key_press, machine_ask
from pulse import FAINT_S, STOPPED_S, Pulse

CONSOLE_FILE, RESULT_FILE, INITRAMFS_FILE, QEMU_FILE = "console.txt", "results.tar", "initramfs.cpio", "qemu.txt"
MONITOR_FILE, MACHINE_FILE, WOKEN_FILE = "monitor", "machine.txt", "woken.txt"
STATUS_FILE, OUTPUT_FILE, TIMES_FILE = "status.txt", "output.txt", "times.txt"
PORT = "org.tern.result"
PORT_MODULES = ("virtio_pci", "virtio_console")
STAGE = re.compile(r"^.*?tern: (linux|ready|task|stop|done)\b ?(.*)$", re.MULTILINE)
SHOWN_LINES = 15
POWER_OFF_SECONDS, KNOCK_S = 10.0, 3.0
TAIL_BYTES = 1 << 16

INIT = """#!/bin/sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /session/out
/bin/busybox --install -s /bin
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
say() { echo "tern: $*" >/dev/console; }
stop() { say "stop $*"; poweroff -f; while :; do :; done; }
say linux
while read -r module; do insmod "/$module" || say "cannot insert $module"; done </etc/modules
. /etc/setup
port=
tries=0
while [ -z "$port" ]; do
    for name in /sys/class/virtio-ports/*/name; do
        [ "$(cat "$name" 2>/dev/null)" != PORT ] || port=/dev/$(basename "${name%/name}")
    done
    tries=$((tries + 1))
    [ $tries -lt 50 ] || stop "there is no port PORT for the results"
    [ -n "$port" ] || sleep 0.1
done
say ready
cd /session/tasks || stop "there are no tasks"
for task in *; do
    say "task $task"
    mkdir "/session/out/$task"
    cd "/session/out/$task"
    read -r from rest </proc/uptime
    sh "/session/tasks/$task" >OUTPUT 2>&1 </dev/null
    echo $? >STATUS
    read -r to rest </proc/uptime
    echo "$from $to" >TIMES
    cd /session/out
    tar -cf - "$task" >"$port" || say "cannot hand back $task"
    rm -rf "$task"
done
say done
poweroff -f
"""


@dataclass(frozen=True)
class Level:
    """A first level.

    `name` is for messages. `initrd` is what QEMU gets as -initrd, with {initramfs} for the file that the session
    writes (a comma in a path is the caller's to double). `exact`: one CPU, one tick per instruction, no wall
    clock; else `cpus` real threads. `options`: more words for QEMU. `cpu`: QEMU's model.
    """

    name: str
    kernel: Path
    append: str
    archive: Archive
    initrd: str = "{initramfs}"
    exact: bool = False
    cpus: int = 1
    cpu: str = "max"
    machine: str = "q35"
    memory_mb: int = 1024
    options: tuple[str, ...] = ()
    boot_timeout_s: float = 120.0


@dataclass(frozen=True)
class Task:
    """One script for the first level's shell. `limit_s`: real seconds after which the whole session is stopped;
    the script should end itself before that. `files`: more of the initramfs's paths with the host's files."""

    name: str
    script: str
    limit_s: float
    files: dict[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class TaskEnd:
    """How a task ended: its script's status, or None if the session ended first, and `reason` why.

    `seconds` by the first level's clock. Its files are in `folder`, on this host.
    """

    status: int | None
    seconds: float
    folder: Path
    reason: str = ""


def archive_make(packages: Path, modules: Sequence[str], setup: str) -> Archive:
    """The initramfs of a level so far: busybox, /init, kernel modules. The shell text `setup` makes the level
    ready or calls `stop REASON`; the caller adds programs to what is returned."""
    archive = Archive()
    archive.file("bin/busybox", packages / "bin/busybox", 0o755)
    archive.symlink("bin/sh", "busybox")
    archive.node("dev/console", "c", 5, 1)
    init = INIT
    for word, value in (("PORT", PORT), ("OUTPUT", OUTPUT_FILE), ("STATUS", STATUS_FILE), ("TIMES", TIMES_FILE)):
        init = init.replace(word, value)
    archive.file("init", init, 0o755)
    archive.file("etc/setup", setup)
    order = archive.modules(packages, [*PORT_MODULES, *modules])
    archive.file("etc/modules", "".join(f"{path}\n" for path in order))
    return archive


def session_path(source: Path) -> str:
    """Where a task's script finds a file of the host that it names in `files` by this; one file has one place."""
    where = str(source.absolute())
    return f"session/files/{hashlib.sha256(where.encode()).hexdigest()[:8]}-{re.sub(r'[^A-Za-z0-9._-]', '_', source.name)}"


def archive_fill(level: Level, tasks: Sequence[Task]) -> Archive:
    """The level's archive and the tasks."""
    archive = Archive()
    archive.entries = dict(level.archive.entries)
    if len({task.name for task in tasks}) != len(tasks):
        raise TernError("two tasks of a session have one name")
    for number, task in enumerate(tasks):
        archive.file(f"session/tasks/{number:04d}", task.script)
        for path, source in task.files.items():
            archive.file(path, source)
    return archive


def command(level: Level, initramfs: Path) -> list[str]:
    """QEMU's command line for a level."""
    clock = ["-rtc", "clock=vm,base=2026-01-01"]
    if level.exact:
        run = ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off", "-smp", "1", *clock]
    else:
        run = ["-accel", "tcg,thread=multi,tb-size=512", "-smp", str(level.cpus), *clock]
    line = [qemu.program(), "-M", level.machine, *run, "-cpu", level.cpu, "-m", str(level.memory_mb)]
    line += ["-no-user-config", "-nodefaults", "-display", "none", "-no-reboot"]
    line += ["-monitor", f"unix:{MONITOR_FILE},server=on,wait=off"]
    line += ["-serial", f"file:{CONSOLE_FILE}", "-device", "virtio-serial-pci"]
    line += ["-chardev", f"file,id=result,path={RESULT_FILE}", "-device", f"virtserialport,chardev=result,name={PORT}"]
    line += [*level.options, "-kernel", str(level.kernel), "-initrd", level.initrd.replace("{initramfs}", str(initramfs))]
    return [*line, "-append", level.append]


class Watch:
    """Reads the first level's console as it grows and says when a stage lasts too long."""

    def __init__(self, level: Level, tasks: Sequence[Task], folder: Path) -> None:
        self.level = level
        self.tasks = tasks
        self.folder, self.console = folder, folder / CONSOLE_FILE
        self.at = 0
        self.pending = ""
        self.stage, self.detail, self.rank = "", "", (-1, 0)
        self.since = time.monotonic()

    def look(self) -> None:
        """Takes in what was said since the last look."""
        with contextlib.suppress(FileNotFoundError), open(self.console, "rb") as file:
            file.seek(self.at)
            more = file.read()
            self.at += len(more)
            text = self.pending + more.decode("utf-8", "replace").replace("\r", "")
            whole, _, self.pending = text.rpartition("\n")
            for word, detail in STAGE.findall(whole + "\n"):
                self.enter(word, detail.strip())

    def enter(self, word: str, detail: str) -> None:
        """A stage begins. One that was passed before is noise: nothing that repeats may put off the end."""
        number = int(detail) if word == "task" and detail.isdigit() else 0
        rank = ("linux", "ready", "task", "stop", "done").index(word), number
        if rank > self.rank and self.stage != "stop" and number < max(len(self.tasks), 1):
            self.stage, self.detail, self.rank, self.since = word, detail, rank, time.monotonic()

    def task(self) -> int | None:
        """The number of the task that runs or ran last."""
        return int(self.detail) if self.stage == "task" and self.detail.isdigit() else None

    def limit_s(self) -> float:
        """How long the present stage may last."""
        number = self.task()
        if number is not None and number < len(self.tasks):
            return self.tasks[number].limit_s
        if self.stage in ("stop", "done"):
            return POWER_OFF_SECONDS
        return self.level.boot_timeout_s

    def late(self) -> bool:
        """Whether the present stage lasts too long."""
        return time.monotonic() - self.since > self.limit_s()

    def describe(self) -> str:
        """The stage in words."""
        number = self.task()
        if number is not None:
            return f"at task {number + 1} of {len(self.tasks)} ({self.tasks[number].name})"
        where = {"": "before its Linux was up", "linux": "while it made itself ready", "ready": "before the first task"}
        return where.get(self.stage, "while it powered off")


def console_tail(folder: Path, lines: int = SHOWN_LINES) -> list[str]:
    """The last lines of the first level's console, printable."""
    text = qemu.read_text(folder / CONSOLE_FILE)[-TAIL_BYTES:]
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|[^\x20-\x7e\n\t]", "", text)
    return [line for line in text.splitlines() if line.strip()][-lines:]


def results_unpack(folder: Path) -> set[str]:
    """Unpacks what came through the port below folder/tasks; the names of the tasks that came whole."""
    whole: set[str] = set()
    data = qemu.read_bytes(folder / RESULT_FILE)
    target = folder / "tasks"
    with contextlib.suppress(tarfile.ReadError, EOFError):
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:", ignore_zeros=True) as tar:
            for member in tar:
                parts = Path(member.name).parts
                if member.name.startswith("/") or ".." in parts or not (member.isfile() or member.isdir()):
                    raise TernError(f"the first level hands back {member.name!r}, which is no plain file")
                member.mode = 0o755 if member.isdir() else 0o644
                tar.extract(member, target, set_attrs=False)
                whole.add(parts[0])
    return {name for name in whole if (target / name / TIMES_FILE).is_file()}


def task_end(folder: Path, whole: bool, reason: str) -> TaskEnd:
    """What came back of one task."""
    if not whole:
        return TaskEnd(None, 0.0, folder, reason)
    status = qemu.read_text(folder / STATUS_FILE).strip()
    times = qemu.read_text(folder / TIMES_FILE).split()
    if not status.isdigit() or len(times) != 2:
        return TaskEnd(None, 0.0, folder, "the first level handed back no status; was its memory full?")
    return TaskEnd(int(status), float(times[1]) - float(times[0]), folder)


class Waker:
    """Presses a key, for a level that was not told of an interrupt (pulse.py): every KNOCK_S, since one whose guest is
    busy then shows no sign of it, the guest alone runs; an exact level only when it seems to sleep for ever. Writes down
    where a level seemed to sleep."""

    def __init__(self, process: subprocess.Popen, watch: Watch) -> None:
        self.process, self.watch = process, watch
        self.begin()

    def begin(self) -> None:
        """A key was pressed."""
        self.pulse, self.since = Pulse(self.process.pid, FAINT_S), time.monotonic()

    def look(self) -> None:
        """To be called several times a second."""
        asleep = self.pulse.stopped()
        knocks = not self.watch.level.exact and time.monotonic() - self.since > KNOCK_S
        if (asleep or knocks) and key_press(self.watch.folder / MONITOR_FILE) and asleep:
            with open(self.watch.folder / WOKEN_FILE, "a", encoding="utf-8") as file:
                print(self.watch.describe(), file=file)
        if asleep or knocks:
            self.begin()


def woken(folder: Path) -> int:
    """How often the level that ran in this folder was woken."""
    return len(qemu.read_text(folder / WOKEN_FILE).splitlines())


def follow(process: subprocess.Popen, watch: Watch, label: str) -> str:
    """Waits for the first level's end; why it was not good, or nothing."""
    start, pulse, waker, asleep = time.monotonic(), Pulse(process.pid, STOPPED_S), Waker(process, watch), False
    while process.poll() is None and not watch.late() and not (asleep := pulse.stopped()):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.1)
        watch.look()
        waker.look()
        number = watch.task()
        where = f" {number + 1}/{len(watch.tasks)}" if number is not None else f" {watch.stage or 'boots'}"
        progress(f"{label}:{where}, {time.monotonic() - start:.0f} s")
    watch.look()
    if process.poll() is None and watch.stage not in ("stop", "done"):
        machine = machine_ask(watch.folder / MONITOR_FILE)
        (watch.folder / MACHINE_FILE).write_text(machine, encoding="utf-8")
        what = "sleeps for ever" if asleep else f"did not get on within {watch.limit_s():g} s"
        return f"{watch.level.name} {what} {watch.describe()}"
    return ended(process, watch)


def ended(process: subprocess.Popen, watch: Watch) -> str:
    """What was not good about a first level that has ended or is about to, or nothing."""
    if watch.stage == "stop":
        return f"{watch.level.name}: {watch.detail}"
    if process.returncode:
        return f"QEMU of {watch.level.name} ended with status {process.returncode} {watch.describe()}"
    return "" if watch.stage == "done" else f"{watch.level.name} ended {watch.describe()}"


def session_run(level: Level, tasks: Sequence[Task], folder: Path, label: str = "first level") -> list[TaskEnd]:
    """Boots the level in `folder` (emptied first) and runs the tasks; an end for each, in order.

    Raises TernError, with the end of the console, if the level did not come to its first task.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    archive_fill(level, tasks).write(folder / INITRAMFS_FILE)
    watch = Watch(level, tasks, folder)
    with open(folder / QEMU_FILE, "wb") as says, qemu.started(command(level, folder / INITRAMFS_FILE), folder, says) as process:
        reason = follow(process, watch, label)
    os.unlink(folder / INITRAMFS_FILE)
    said = qemu.read_text(folder / QEMU_FILE).strip().splitlines()
    if reason and said:
        reason += f"; QEMU says: {said[-1][:200]}"
    whole = results_unpack(folder)
    if reason and watch.stage == "stop":
        raise TernError(reason)
    if reason and not whole and watch.stage != "task":
        raise TernError("\n".join([reason, *(f"    {line}" for line in console_tail(folder))]))
    names = [f"{number:04d}" for number in range(len(tasks))]
    return [task_end(folder / "tasks" / name, name in whole, reason or "it did not come back") for name in names]


def boots_try(
    level: Level,
    boots: Sequence[tuple[qemu.Boot, Path]],
    task_make: Callable[[qemu.Boot, str], Task],
    outcome_make: Callable[[qemu.Boot, TaskEnd], qemu.Outcome],
    work: Path,
    label: str,
) -> list[qemu.Outcome | TernError]:
    """Runs guest boots as the tasks of one session in `work`, each with the folder that gets its files; an outcome
    for each, or why there is none: the first such is the one that stopped the session.

    Raises TernError if the level did not come to its first task.
    """
    tasks = [task_make(boot, f"{number}-{folder.name}") for number, (boot, folder) in enumerate(boots)]
    results: list[qemu.Outcome | TernError] = []
    for (boot, folder), end in zip(boots, session_run(level, tasks, work, label)):
        if end.status is None:
            tail = [f"    {line}" for line in console_tail(work)]
            results.append(TernError("\n".join([f"{folder.name}: {end.reason}", *tail])))
            continue
        results.append(outcome_make(boot, end))
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(end.folder, folder)
    shutil.rmtree(work / "tasks", ignore_errors=True)
    (work / RESULT_FILE).unlink(missing_ok=True)
    return results


def outcomes_all(results: Sequence[qemu.Outcome | TernError]) -> list[qemu.Outcome]:
    """The outcomes, if each boot has one; else raises the first reason why not."""
    for result in results:
        if isinstance(result, TernError):
            raise result
    return [result for result in results if isinstance(result, qemu.Outcome)]
