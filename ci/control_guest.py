# SPDX-License-Identifier: MIT
"""A guest and its control port: what `tern ctl` gets from a real kernel, and what a host with bad intentions does to it.

The guest is the driver of the serial port with its client, which wait for what is typed. So they can be seen to go on
behind all this, and to end in order: the line typed last comes back, and the census finds everything in its place."""
import contextlib
import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import build
import control
import qemu
from common import ROOT, TernError
from jobs import Failed, Job

KERNEL = ROOT / "build/release/tern.elf"
LOGS = ROOT / "build/check"
MACHINES = ("q35", "microvm")
CPUS = 2
TIMEOUT_S = 60.0
PROMPT = "type a line"
TYPED = b"hello tern\nquit\n"
MODULES = ["scheduler", "memory", "clock", "channels", "bus", "syscalls", "perf", "cpu", "power"]


def expect(what: str, found: Any, wanted: Any) -> None:
    """Raises Failed unless they are equal."""
    if found != wanted:
        raise Failed(f"{what}: {found!r}, expected {wanted!r}")


class Guest:
    """One boot; its control port is `path`."""

    def __init__(self, machine: str, folder: Path, path: Path) -> None:
        self.folder = folder
        self.path = path
        self.start = time.monotonic()
        self.boot = qemu.Boot(
            kernel=KERNEL,
            initrd=build.image_find("uart", KERNEL),
            machine=machine,
            accelerator="mttcg",
            smp=CPUS,
            typed=TYPED.decode(),
            prompt=PROMPT,
            control=path,
        )
        with open(folder / qemu.QEMU_FILE, "wb") as says, qemu.serial_open(self.boot, folder) as serial:
            self.process = subprocess.Popen(
                qemu.command(self.boot),
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=serial,
                stderr=says,
                start_new_session=True,
            )
        qemu.running.add(self.process)

    def wait_for_prompt(self) -> None:
        """The guest asks for a line."""
        while PROMPT not in qemu.read_text(self.folder / qemu.SERIAL_FILE):
            if self.process.poll() is not None or time.monotonic() > self.start + TIMEOUT_S:
                raise Failed("\n".join(["the guest does not ask for a line", *self.end().last_lines()]))
            time.sleep(0.05)

    def end(self) -> qemu.Outcome:
        """Waits, bounded, and ends QEMU if need be."""
        status = qemu.wait(self.process, self.start + TIMEOUT_S, "")
        qemu.stop(self.process)
        return qemu.Outcome(
            status,
            time.monotonic() - self.start,
            qemu.read_log(self.folder),
            b"",
            qemu.read_text(self.folder / qemu.QEMU_FILE),
            TIMEOUT_S,
        )

    def ask(self, *words: str) -> dict[str, Any]:
        """As `tern ctl` asks; a busy host may need longer."""
        return control.ask(self.path, list(words), 20.0)

    def ask_ok(self, *words: str) -> Any:
        """The answer of a request that must succeed."""
        answer = self.ask(*words)
        expect(" ".join(words), answer["status"], "OK")
        return answer.get("answer", answer.get("answers"))

    @contextlib.contextmanager
    def connection(self) -> Iterator[socket.socket]:
        """A client without manners."""
        with control.connect(self.path, 20.0) as line:
            yield line


def lines_read(line: socket.socket, count: int) -> list[dict[str, Any]]:
    """The next answers, each of which must be JSON."""
    with line.makefile("rb") as file:
        try:
            return [json.loads(file.readline()) for _ in range(count)]
        except (ValueError, TimeoutError) as error:
            raise Failed(f"{count} answers were expected: {error}") from error


def modules_answer(guest: Guest) -> None:
    """All modules, one by one and together, and some of what must be so in this guest."""
    expect("modules that help", [one["module"] for one in guest.ask_ok("help")], MODULES)
    expect("who answers to all", {one["status"] for one in guest.ask_ok("*", "get_stats")}, {"OK"})
    stats = {name: guest.ask_ok(name, "get_stats") for name in MODULES}
    expect("CPUs", [(row["cpu"], row["online"]) for row in stats["cpu"]["cpus"]], [(0, True), (1, True)])
    expect("threads", sum(stats["scheduler"]["threads"].values()), 2)
    expect("ends", (stats["channels"]["initiators"], stats["channels"]["handlers"]), (1, 1))
    expect("cut", {name for name in MODULES if stats[name].get("cut")}, set())
    if not 0 < stats["memory"]["free_bytes"] < stats["memory"]["total_bytes"] <= 256 << 20:
        raise Failed(f"memory: {stats['memory']}")
    if stats["clock"]["now_ns"] >= guest.ask_ok("clock", "get_stats")["now_ns"]:
        raise Failed("the clock stands")
    waits = guest.ask_ok("syscalls", "get_stats")["calls"]
    expect("waits for a request", [row["calls"] for row in waits if row["name"] == "object_wait"], [1])


def requests_act(guest: Guest) -> None:
    """What changes something, and refusals."""
    expect("off line", guest.ask_ok("cpu", "offline", "1"), {})
    expect("CPU 1", guest.ask_ok("cpu", "get_stats")["cpus"][1]["online"], False)
    expect("off line again", guest.ask("cpu", "offline", "1")["status"], "ALREADY_EXISTS")
    expect("on line", guest.ask_ok("cpu", "online", "1"), {})
    expect("off line", guest.ask("cpu", "offline", "0")["status"], "PERMISSION_DENIED")
    guest.ask_ok("bus", "publish", "hello", "world")
    guest.ask_ok("bus", "pause")
    guest.ask_ok("bus", "resume")
    served = {row["name"]: row["served"] for row in guest.ask_ok("bus", "modules")["modules"]}
    if not set(MODULES) <= set(served) or served["bus"] < 3:
        raise Failed(f"served by modules: {served}")
    custom = [row for row in guest.ask_ok("bus", "get_stats")["kinds"] if row["kind"] == "custom"]
    expect("custom events", custom, [{"kind": "custom", "published": 1, "dropped": 0}])
    free = guest.ask_ok("memory", "get_stats")["free_bytes"]
    expect("level", guest.ask_ok("memory", "reserve", str(free))["level"], "oom")
    expect("level", guest.ask_ok("memory", "release")["level"], "normal")
    expect("too much", guest.ask("memory", "reserve", str(free + 1))["status"], "OUT_OF_RANGE")
    expect("nobody", guest.ask("nobody", "get_stats")["status"], "NOT_FOUND")
    expect("nothing", guest.ask("clock", "nothing")["status"], "UNIMPLEMENTED")
    long = guest.ask("clock", "get_stats", "x" * 2000)
    expect("a long line", (long["status"], long["module"]), ("INVALID_ARGUMENT", "clock"))


def hook_switches(guest: Guest) -> None:
    """On, which takes a moment, and off."""
    for word in ("on", "off"):
        guest.ask_ok("syscalls", "hook", "latency", word)
        end = time.monotonic() + 20
        while guest.ask_ok("syscalls", "get_stats")["hooks"]["latency"] != word:
            if time.monotonic() > end:
                raise Failed(f"the hook is not {word}")


def line_without_end(guest: Guest) -> None:
    """A megabyte of any bytes but a newline: one refusal, and whoever comes next is answered."""
    with guest.connection() as line:
        line.sendall(bytes(value for value in range(256) if value != 10) * 4112 + b"\nclock get_stats\n")
        first, second = lines_read(line, 2)
    expect("a megabyte", first["status"], "INVALID_ARGUMENT")
    expect("the line behind it", (second["module"], second["status"]), ("clock", "OK"))


def control_characters(guest: Guest) -> None:
    """NULs, quotes, what is no UTF-8: comes back as it was, in JSON."""
    with guest.connection() as line:
        line.sendall(b'\0\0 \0\n\x1b[2J x\n"\\ \xff\xfe\n\r\n\nclock get_stats \0\xff\r\n')
        answers = lines_read(line, 4)
    expect("modules", [one["module"] for one in answers], ["\0\0", "\x1b[2J", '"\\', "clock"])
    status = ["INVALID_ARGUMENT", "NOT_FOUND", "INVALID_ARGUMENT", "OK"]
    expect("outcomes", [one["status"] for one in answers], status)


def flood(guest: Guest) -> None:
    """A thousand requests at once: each is answered, in order."""
    with guest.connection() as line:
        line.sendall(b"".join(b"#%d %s get_stats\n" % (i, (b"clock", b"cpu")[i % 2]) for i in range(1000)))
        answers = lines_read(line, 1000)
    expect("tags", [one["tag"] for one in answers], [str(i) for i in range(1000)])
    expect("modules", {(int(one["tag"]) % 2, one["module"]) for one in answers}, {(0, "clock"), (1, "cpu")})
    expect("outcomes", {one["status"] for one in answers}, {"OK"})


def host_that_does_not_read(guest: Guest) -> None:
    """Sends until the guest takes no more, and goes: the next client gets its answer and nobody else's."""
    with guest.connection() as line:
        line.settimeout(3.0)
        with contextlib.suppress(TimeoutError):
            for _ in range(400):
                line.sendall(b"* get_stats\n" * 100)
            raise Failed("the guest takes requests without end from a host that reads no answer")
    answer = guest.ask("clock", "get_stats")
    expect("the answer behind it", (answer["module"], answer["status"]), ("clock", "OK"))


def clients_that_leave(guest: Guest) -> None:
    """In the middle of a line, and before the answer."""
    for text in (b"clock get_sta", b"* get_stats\n", b"#", b"\n", b""):
        with guest.connection() as line:
            line.sendall(text)
        expect("who comes next", guest.ask("cpu", "get_stats")["module"], "cpu")


def command_line(guest: Guest) -> None:
    """The command itself, as in a terminal."""
    for words, status, says in (
        (["clock", "get_stats"], 0, "tsc_khz"),
        (["clock", "nothing"], 1, "tern: clock nothing: UNIMPLEMENTED: "),
    ):
        line = [ROOT / "tern", "ctl", "--guest", guest.path, "--timeout", "20", *words]
        run = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
        if run.returncode != status or says not in (run.stderr if status else run.stdout):
            raise Failed(f"ctl {' '.join(words)}: status {run.returncode}\n{run.stdout}{run.stderr}")


STEPS = (
    modules_answer,
    requests_act,
    hook_switches,
    line_without_end,
    control_characters,
    flood,
    host_that_does_not_read,
    clients_that_leave,
    command_line,
)


def end_by_request(guest: Guest) -> None:
    """The machine is asked to end: it says so, and everything is in its place."""
    guest.wait_for_prompt()
    expect("no time", guest.ask("power", "off", "0")["status"], "INVALID_ARGUMENT")
    expect("ending", guest.ask_ok("power", "get_stats")["ending"], False)
    guest.ask_ok("power", "off", "300")
    expect("ending", guest.ask_ok("power", "get_stats")["ending"], True)
    outcome = guest.end()
    expect("the guest's end", outcome.status, qemu.EXIT_SUCCESS)
    if "power: off in 300 ms" not in outcome.log or "census: BROKEN" in outcome.log:
        raise Failed("\n".join(outcome.last_lines()))


def steps_run(guest: Guest) -> None:
    """Every step; then the guest's own work, and its end."""
    guest.wait_for_prompt()
    for step in STEPS:
        try:
            step(guest)
        except (Failed, TernError, OSError) as reason:
            tail = qemu.read_log(guest.folder).splitlines()[-15:]
            raise Failed("\n".join([f"{step.__name__}: {reason}", *tail])) from None
    guest.process.stdin.write(TYPED)
    guest.process.stdin.close()
    outcome = guest.end()
    end, reason = outcome.judge()
    if end is not qemu.End.SUCCESS or "HELLO TERN" not in outcome.log:
        raise Failed("\n".join([f"the guest's end: {reason}", *outcome.last_lines()]))


def control_run(name: str, machine: str, story: Callable[[Guest], None]) -> str:
    """One boot, of which the files stay in build/check/."""
    folder = LOGS / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="tern-", dir="/tmp") as place:
        guest = Guest(machine, folder, Path(place) / "control.sock")
        try:
            story(guest)
        finally:
            qemu.stop(guest.process)
    return f"{len(STEPS)} steps" if story is steps_run else "1 step"


def control_jobs() -> list[Job]:
    """A job per machine."""
    return [
        Job(name, lambda name=name, machine=machine, story=story: control_run(name, machine, story), ("build.gcc.release",))
        for machine in MACHINES
        for name, story in (
            (f"guest.control.{machine}.{CPUS}cpu", steps_run),
            (f"guest.control_off.{machine}.{CPUS}cpu", end_by_request),
        )
    ]
