# SPDX-License-Identifier: MIT
"""One boot under QEMU: its command line, the run with a time limit, and what the end of it means.

A guest ends by isa-debug-exit. Status 33 alone is no success: the guest must also have said `VERDICT:
SUCCESS`. Every file of a boot has a fixed name inside the boot's folder, which is QEMU's working directory.
"""
import contextlib
import enum
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

import frames
from common import TernError, progress

MACHINES = ("q35", "pc", "microvm", "microvm,acpi=off")
# Devices that a machine can be without, as other monitors are: the property of -M that removes each; empty: nothing adds it.
REMOVALS = {
    "acpi": {"q35": "acpi=off", "pc": "acpi=off", "microvm": "acpi=off"},
    "hpet": {"q35": "hpet=off", "pc": "hpet=off"},
    "pic": {"q35": "pic=off", "pc": "pic=off", "microvm": "pic=off"},
    "pit": {"q35": "pit=off", "pc": "pit=off", "microvm": "pit=off"},
    "rtc": {"microvm": "rtc=off"},
    "serial": {"q35": "", "pc": "", "microvm": "isa-serial=off"},
}
VIRTIO = ("modern", "legacy", "single", "none")
ACCELERATORS = ("icount", "mttcg", "kvm")
CPUS_MAX = 64
EXIT_SUCCESS, EXIT_FAILURE, EXIT_PANIC, EXIT_REFUSED = 33, 35, 37, 39

SERIAL_FILE, LOG_FILE, HIST_FILE, QEMU_FILE = "serial.txt", "log.txt", "hist.txt", "qemu.txt"
FRAMED = re.compile(r"^=l:[0-9a-f]{4}:[0-9a-f]{8}:", re.MULTILINE)
PROFILE_FILE = "prof.bin"
running: set[subprocess.Popen] = set()
stopping = threading.Event()  # set for good by stop_all
VERDICT_LINE = re.compile(r"(?:^|\s)VERDICT: (?:(SUCCESS)|(FAILURE|SKIP|ERROR)\b *(.*?))\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Boot:
    """What to boot and how. Exactly one of `kernel` and `cdrom` is set; `virtio`: modern, legacy, none, or
    single: a console with one port and no names, as Cloud Hypervisor's. `without`: devices of REMOVALS to leave out.

    `cpu`: QEMU's CPU model with its properties; empty is `host` with KVM and `max` without. `plugin`: a file for
    QEMU to load, and its arguments, with commas between. `devices`: more devices of QEMU, as for -device. `typed`:
    what is typed on the serial line once the pattern `prompt` is found in what the guest has said there. `control`:
    the unix socket on which QEMU listens for those who talk to the port org.tern.control; None: no such port. `xl`: of
    a guest that xl made, what is asked of it, a word each, once it says that it hears such things; nothing elsewhere.
    `profile`: the port org.tern.prof leads to PROFILE_FILE.
    """

    kernel: Path | None = None
    cdrom: Path | None = None
    initrd: Path | None = None
    append: str = ""
    machine: str = "q35"
    accelerator: str = "icount"
    smp: int = 1
    cpu: str = ""
    virtio: str = "modern"
    without: tuple[str, ...] = ()
    plugin: str = ""
    devices: tuple[str, ...] = ()
    typed: str = ""
    prompt: str = ""
    control: Path | None = None
    xl: tuple[str, ...] = ()
    profile: bool = False
    timeout_s: float = 60.0


class End(enum.Enum):
    """How a boot ended."""

    SUCCESS = "success"
    SKIP = "skipped"
    FAILURE = "failure"
    PANIC = "panic"
    REFUSED = "refused"
    HANG = "hang"
    SILENT = "silent"
    CRASH = "crash"


@dataclass(frozen=True)
class Outcome:
    """A finished boot: QEMU's status (negative: the signal that killed it), or None after the time limit.

    With a hypervisor between: `flaw` is what went wrong there or with the streams' way, which no status outweighs;
    `console` the end of the hypervisor's own console; `ended` how its tools say that the guest ended. `com1`: what the
    guest wrote there.
    """

    status: int | None
    seconds: float
    log: str
    histograms: bytes
    qemu_says: str
    timeout_s: float
    flaw: str = ""
    console: str = ""
    ended: str = ""
    com1: str = ""

    def judge(self) -> tuple[End, str]:
        """The end and one clause that says why, e.g. (End.PANIC, "the guest panicked: ...")."""
        if self.flaw:
            return End.CRASH, self.flaw
        if self.status is None and not self.log.strip():
            return End.SILENT, f"the guest said nothing in {self.timeout_s:g} s"
        if self.status is None:
            return End.HANG, f"the guest hangs: it did not end within {self.timeout_s:g} s"
        if self.status < 0:
            return End.CRASH, f"QEMU was killed by {signal_name(-self.status)}"
        if self.status == EXIT_PANIC:
            return End.PANIC, "the guest panicked" + clause(self.log, "panic|kernel fault")
        if self.status == EXIT_REFUSED:
            return End.REFUSED, "the guest refused its command line or image" + clause(
                self.log, "refused|unknown|bad"
            )
        if self.status == EXIT_FAILURE:
            return End.FAILURE, "the guest reports a failure" + clause(
                self.log, "VERDICT: FAILURE|fail|error"
            )
        if self.status != EXIT_SUCCESS:
            return End.CRASH, self.crash_reason()
        return judge_verdicts(VERDICT_LINE.findall(self.log))

    def crash_reason(self) -> str:
        """For a status that no guest of ours gives."""
        last = self.qemu_says.strip().splitlines()
        if self.status == 1 and last:
            return f"QEMU failed: {last[-1]}"
        if not self.log.strip():
            return f"the guest said nothing and QEMU ended with status {self.status}"
        return f"the guest reset or powered off without a verdict (QEMU status {self.status})"

    def last_lines(self, count: int = 15) -> list[str]:
        """The end of the log, without control characters; of a hypervisor's console if that has to tell more."""
        text = re.sub(r"[^\x20-\x7e\n\t]", "", self.console if self.flaw or not self.log.strip() else self.log)
        return [line for line in text.splitlines() if line.strip()][-count:]


def clause(log: str, pattern: str) -> str:
    """`: LINE` with the first log line that matches, or nothing."""
    found = re.search(rf"^.*\b(?:{pattern}).*$", log, re.MULTILINE | re.IGNORECASE)
    return f": {found[0].strip()[:160]}" if found else ""


def judge_verdicts(verdicts: list[tuple[str, str, str]]) -> tuple[End, str]:
    """Meaning of the verdict lines (SUCCESS, or another word, its reason) of a guest that ended with the
    success status: the worst one counts."""
    for word, end in (("FAILURE", End.FAILURE), ("ERROR", End.FAILURE), ("SKIP", End.SKIP)):
        reasons = [reason for _, other, reason in verdicts if other == word]
        if reasons:
            return end, f"the guest's own verdict is {word}" + (f": {reasons[0]}" if reasons[0] else "")
    if verdicts:
        return End.SUCCESS, "success"
    return End.CRASH, "the guest ended with the success status but never said VERDICT: SUCCESS"


def signal_name(number: int) -> str:
    """E.g. `signal 9 (SIGKILL)`."""
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"


def kvm_lack(device: str = "/dev/kvm", cpuinfo: str = "/proc/cpuinfo") -> str:
    """Why KVM cannot be used here; empty if it can.

    A KVM without the CPU's help (neither vmx nor svm) exists: it runs changed Linux kernels only, and SYSCALL of
    a guest's user mode does not get it into its kernel mode.
    """
    if not os.path.exists(device):
        return f"no {device}"
    if not os.access(device, os.R_OK | os.W_OK):
        return f"{device} may not be opened by this user"
    if not re.search(r"^flags\s*:.*\b(vmx|svm)\b", read_text(Path(cpuinfo)), re.MULTILINE):
        return f"{device} is there, but the CPU has neither vmx nor svm"
    return ""


def kvm_usable() -> bool:
    """Whether guests run under KVM."""
    return not kvm_lack()


def program() -> str:
    """Path of QEMU; the environment's TERN_QEMU wins. Raises TernError if there is none."""
    wanted = os.environ.get("TERN_QEMU") or "qemu-system-x86_64"
    found = shutil.which(wanted)
    if found is None:
        raise TernError(f"{wanted} is missing; install qemu-system-x86 or set TERN_QEMU to a QEMU")
    return os.path.abspath(found)


def version() -> str:
    """First line of `qemu --version`, or "unknown"."""
    try:
        run = subprocess.run(
            [program(), "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return run.stdout.splitlines()[0] if run.returncode == 0 and run.stdout else "unknown"


def accelerator_options(accelerator: str, smp: int, cpu: str) -> list[str]:
    """How instructions run. icount: one thread, one tick per instruction, no wall clock."""
    cpus = ["-smp", str(smp)]
    clock = ["-rtc", "clock=vm,base=2026-01-01"]
    if accelerator == "kvm":
        return ["-accel", "kvm", "-cpu", cpu or "host", *cpus]
    if accelerator == "icount":
        return ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off", "-cpu", cpu or "max", *cpus, *clock]
    return ["-accel", "tcg,thread=multi", "-cpu", cpu or "max", *cpus, *clock]


def ports_of(boot: Boot, interactive: bool) -> list[tuple[str, str]]:
    """Names of the ports and where each leads: files, but for the control port."""
    ports = [] if interactive else [("log", f"file,path={LOG_FILE}"), ("hist", f"file,path={HIST_FILE}")]
    if boot.profile:
        ports.append(("prof", f"file,path={PROFILE_FILE}"))
    if boot.control is not None:
        path = str(boot.control).replace(",", ",,")
        ports.append(("control", f"socket,path={path},server=on,wait=off"))
    return ports


def machine_option(boot: Boot) -> str:
    """The value of -M. Raises TernError for a device that this machine cannot be without."""
    kind = boot.machine.partition(",")[0]
    for device in boot.without:
        if kind not in REMOVALS[device]:
            raise TernError(f"QEMU's {kind} cannot be without {device}; choose another machine")
    return ",".join(filter(None, [boot.machine, *(REMOVALS[device][kind] for device in boot.without)]))


def serial_option(boot: Boot, interactive: bool) -> str:
    """Where the serial line leads."""
    if "serial" in boot.without:
        return "none"
    return "stdio" if interactive or boot.typed else f"file:{SERIAL_FILE}"


def virtio_options(boot: Boot, ports: list[tuple[str, str]]) -> list[str]:
    """The console device with its ports. Under icount a kick is served at once, in the vCPU's thread; QEMU's main
    loop would do it after some real time, which shows."""
    if boot.virtio == "none" or not ports:
        return []
    eventfd = "off" if boot.accelerator == "icount" else "on"
    limit = ",max_ports=1" if boot.virtio == "single" else ""
    if not boot.machine.startswith("microvm"):
        legacy = ",disable-legacy=off,disable-modern=on" if boot.virtio == "legacy" else ""
        options = ["-device", f"virtio-serial-pci,ioeventfd={eventfd}{legacy}{limit}"]
    else:
        legacy = "true" if boot.virtio == "legacy" else "false"
        options = ["-global", f"virtio-mmio.force-legacy={legacy}"]
        options += ["-global", f"virtio-mmio.ioeventfd={eventfd}", "-device", f"virtio-serial-device{limit}"]
    for name, leads_to in ports[:1] if limit else ports:
        kind, _, rest = leads_to.partition(",")
        options += ["-chardev", f"{kind},id={name},{rest}"]
        named = f"virtserialport,chardev={name},name=org.tern.{name}"
        options += ["-device", f"virtconsole,chardev={name}" if limit else named]
    return options


def command(boot: Boot, interactive: bool = False) -> list[str]:
    """The whole command line of a boot. `interactive`: serial on stdio, and no virtio ports for log and histograms."""
    line = [
        program(),
        "-M",
        machine_option(boot),
        *accelerator_options(boot.accelerator, boot.smp, boot.cpu),
        "-no-user-config",
        "-nodefaults",
        "-display",
        "none",
        "-monitor",
        "none",
        "-no-reboot",
        "-m",
        "256",
        "-serial",
        serial_option(boot, interactive),
        "-device",
        "isa-debug-exit,iobase=0xf4,iosize=0x4",
    ]
    line += virtio_options(boot, ports_of(boot, interactive))
    for device in boot.devices:
        line += ["-device", device]
    if boot.plugin:
        line += ["-plugin", boot.plugin]
    if boot.cdrom is not None:
        return [*line, "-cdrom", str(boot.cdrom)]
    line += ["-kernel", str(boot.kernel)]
    if boot.initrd is not None:
        line += ["-initrd", str(boot.initrd)]
    return [*line, "-append", boot.append] if boot.append else line


def run(boot: Boot, folder: Path, label: str = "") -> Outcome:
    """Boots in `folder` (made if absent) and waits for the end or the time limit; QEMU never outlives this
    call.

    `label` is shown with the seconds on a terminal. Raises TernError when QEMU cannot be started or Ctrl-C is
    pressed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    stdin = subprocess.PIPE if boot.typed else subprocess.DEVNULL
    with open(folder / QEMU_FILE, "wb") as says, serial_open(boot, folder) as serial:
        with started(command(boot), folder, says, serial or says, stdin) as process:
            status = wait(process, start + boot.timeout_s, label, Typist(boot, folder, process))
    return outcome_read(folder, status, time.monotonic() - start, boot.timeout_s)


@contextlib.contextmanager
def started(
    line: list[str], folder: Path, says: IO[bytes], stdout: IO[bytes] | None = None, stdin: int = subprocess.DEVNULL
) -> Iterator[subprocess.Popen]:
    """A QEMU in `folder` that ends when the block does. `says`: the file for its errors, and for its output unless
    `stdout` is given. Raises TernError when it cannot be started or Ctrl-C is pressed."""
    if stopping.is_set():
        raise TernError("interrupted; no virtual machine is started any more", 130)
    try:
        process = subprocess.Popen(
            line, cwd=folder, stdin=stdin, stdout=stdout or says, stderr=says, start_new_session=True
        )
    except OSError as error:
        raise TernError(f"{line[0]} cannot be started ({error.strerror}); install qemu-system-x86") from error
    running.add(process)
    try:
        yield process
    except KeyboardInterrupt:
        raise TernError("interrupted; the virtual machine was stopped", 130) from None
    finally:
        stop(process)
        progress("")


def outcome_read(folder: Path, status: int | None, seconds: float, timeout_s: float) -> Outcome:
    """What a boot that has ended left in its folder."""
    frames_take(folder)
    return Outcome(
        status,
        seconds,
        read_log(folder),
        read_bytes(folder / HIST_FILE),
        read_text(folder / QEMU_FILE),
        timeout_s,
        com1=read_text(folder / SERIAL_FILE),
    )


def serial_open(boot: Boot, folder: Path) -> contextlib.AbstractContextManager:
    """The file for a serial line that is typed on, which is QEMU's standard output then."""
    return open(folder / SERIAL_FILE, "wb") if boot.typed else contextlib.nullcontext()


class Typist:
    """Types what a boot wants typed, all at once: QEMU holds back what the guest does not take."""

    def __init__(self, boot: Boot, folder: Path, process: subprocess.Popen) -> None:
        self.boot = boot
        self.folder = folder
        self.process = process

    def look(self) -> None:
        """Types if the guest has asked for it by now; once."""
        keys = self.process.stdin
        if keys is None or keys.closed or not re.search(self.boot.prompt, read_text(self.folder / SERIAL_FILE)):
            return
        with contextlib.suppress(BrokenPipeError), keys:
            keys.write(self.boot.typed.encode())


class Looker(Protocol):
    """What wants to be called several times a second while a machine runs."""

    def look(self) -> None:
        """Does what is due."""


def wait(process: subprocess.Popen, end: float, label: str, looker: Looker | None = None) -> int | None:
    """QEMU's status, or None at monotonic time `end`."""
    start = time.monotonic()
    while time.monotonic() < end:
        try:
            return process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            if looker:
                looker.look()
            if label:
                progress(f"{label}: {time.monotonic() - start:.1f} s")
    return None


def stop(process: subprocess.Popen) -> None:
    """Ends QEMU and its session if it still runs."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    running.discard(process)


def stop_all() -> None:
    """Ends every virtual machine that this program started, from whichever thread; there will be no others."""
    stopping.set()
    for process in list(running):
        stop(process)


def read_bytes(path: Path) -> bytes:
    """A file's bytes, empty if it was never made."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def read_text(path: Path) -> str:
    """A file's text with LF line ends."""
    return read_bytes(path).decode("utf-8", "replace").replace("\r", "")


def read_log(folder: Path) -> str:
    """The guest's log: what came through org.tern.log, or the serial line if that says more and is no frames."""
    port, serial = read_text(folder / LOG_FILE), read_text(folder / SERIAL_FILE)
    return port if len(port) >= len(serial) or FRAMED.search(serial) else serial


def frames_take(folder: Path) -> None:
    """Takes a serial line apart that carried frames (the kernel's streams=serial) into the files of the streams. Damage
    becomes a verdict in the log."""
    serial = read_bytes(folder / SERIAL_FILE)
    if not FRAMED.search(serial.decode("utf-8", "replace")):
        return
    unframer = frames.unframe(serial)
    log, error = bytes(unframer.streams["log"]), unframer.error()
    (folder / LOG_FILE).write_bytes(log + (f"\nVERDICT: ERROR {error}\n".encode() if error else b""))
    (folder / HIST_FILE).write_bytes(unframer.streams["hist"])
    (folder / PROFILE_FILE).write_bytes(unframer.streams["prof"])
