# SPDX-License-Identifier: MIT
"""The configurations of perf/vmm, carried out as far as a machine without KVM and Xen can.

QEMU's script and libvirt's domain boot for real, with TCG in place of KVM, libvirt by its own QEMU driver inside
virt-qemu-run; Xen's own domain builder says whether the kernel is one for a PVH guest. What the files say is checked in
tests/host/test_vmm_configs.py. A tool that is missing is a failure."""
import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import hlog
import qemu
from common import ROOT
from jobs import Failed, Job, run_quiet

LOGS = ROOT / "build/check"
KERNEL = ROOT / "build/release/tern.elf"
IMAGES = ROOT / "build/release/images"
SCRIPT = ROOT / "perf/vmm/qemu/tern.sh"
PIN = ROOT / "perf/vmm/kvm/pin.sh"
DOMAIN = ROOT / "perf/vmm/libvirt/tern.xml"
XEN_PROGRAM = ROOT / "tests/host/xen_program.c"
XEN_LIBRARIES = ("-lxlutil", "-lxenlight", "-lxenguest", "-lxenctrl", "-lxentoollog")
NOBODY = 65534  # libvirt's QEMU driver wants a user libvirt-qemu when it runs as root
BENCH = "bench=syscall.null"
TIMEOUT_S = 180.0  # of a host that does much else


def tool(name: str, package: str) -> str:
    """A tool's path."""
    found = shutil.which(name)
    if found is None:
        raise Failed(f"{name} is missing; install {package}")
    return found


def folder_make(name: str) -> Path:
    """build/check/NAME, empty."""
    folder = LOGS / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@contextlib.contextmanager
def started(words: list[str], says: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen]:
    """A process in a session of its own, which ends with the block whatever happens."""
    with open(says, "wb") as out:
        process = subprocess.Popen(
            words,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={**os.environ, **environment},
            start_new_session=True,
        )
    try:
        yield process
    finally:
        qemu.stop(process)


def wait_for(what: str, is_there: Callable[[], bool], process: subprocess.Popen | None = None) -> None:
    """Looks until it is there. Raises Failed after the time limit, and at once if the process has ended without it."""
    end = time.monotonic() + TIMEOUT_S
    while not is_there():
        over = process is not None and process.poll() is not None
        if (over and not is_there()) or time.monotonic() > end:
            raise Failed(f"{what}: not within {TIMEOUT_S:g} s" if not over else f"{what}: ended with status {process.poll()}")
        time.sleep(0.05)


def streams_check(folder: Path) -> None:
    """What the guest wrote into the files of its ports."""
    log = qemu.read_text(folder / "log.txt")
    if not re.search(r"^VERDICT: SUCCESS$", log, re.MULTILINE):
        raise Failed("\n".join(["log.txt has no verdict", *log.splitlines()[-15:]]))
    records = hlog.parse(qemu.read_bytes(folder / "hist.hlog")).records
    if [record.tag for record in records] != ["syscall.null"]:
        raise Failed(f"hist.hlog has {[record.tag for record in records]}, expected syscall.null")


def qemu_run() -> str:
    """The script, as a user starts it."""
    folder = folder_make("vmm.qemu")
    environment = {"TERN_ACCEL": "tcg", "TERN_OUT": str(folder)}
    with started([str(SCRIPT), BENCH, "idle=poll"], folder / "says.txt", environment) as process:
        wait_for("QEMU", lambda: process.poll() is not None)
        if process.returncode != qemu.EXIT_SUCCESS:
            raise Failed(f"status {process.returncode}\n{qemu.read_text(folder / 'says.txt')[-2000:]}")
    streams_check(folder)
    return "all ports, TCG for KVM"


def threads_of(pid: int) -> dict[str, set[int]]:
    """The CPUs of each thread by its name; several threads of one name are one."""
    found: dict[str, set[int]] = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            name = (task / "comm").read_text(encoding="utf-8").strip()
            found.setdefault(name, set()).update(os.sched_getaffinity(int(task.name)))
    return found


def pin_run() -> str:
    """Pins the vCPUs of a guest that waits for somebody to type."""
    folder = folder_make("vmm.pin")
    environment = {"TERN_ACCEL": "tcg", "TERN_OUT": str(folder), "TERN_IMAGE": str(IMAGES / "uart.img")}
    cpus = sorted(os.sched_getaffinity(0))
    first, second = cpus[0], cpus[-1]
    with started([str(SCRIPT)], folder / "says.txt", environment) as process:
        wait_for("the guest", lambda: "type a line" in qemu.read_text(folder / "says.txt"), process)
        said = run_quiet(PIN, process.pid, second, first, first, cwd=ROOT, seconds=20)
        threads = threads_of(process.pid)
    vcpus = {name: where for name, where in threads.items() if name.startswith("CPU ")}
    if "2 vCPUs pinned" not in said or vcpus != {"CPU 0/TCG": {second}, "CPU 1/TCG": {first}}:
        raise Failed(f"pin.sh: {said.strip()}; threads {threads}")
    others = {name: where for name, where in threads.items() if name not in vcpus and where != {first}}
    if others:
        raise Failed(f"threads that are not on CPU {first}: {others}")
    return f"{len(threads)} kinds of threads"


def domain_text(folder: Path) -> str:
    """The sample domain for this machine: TCG, files in `folder`, a CPU that is there, one bench."""
    text = DOMAIN.read_text(encoding="utf-8")
    for pattern, other in (
        ("type='kvm'", "type='qemu'"),
        ("<cpu mode='host-passthrough' migratable='off'>", "<cpu mode='maximum'>"),
        (r"\s*<feature policy='require' name='invtsc'/>", ""),
        (r"cpuset='\d+'", f"cpuset='{min(os.sched_getaffinity(0))}'"),
        ("<cmdline>", f"<cmdline>{BENCH} "),
        ("/var/lib/tern", str(folder)),
    ):
        text, count = re.subn(pattern, other, text)
        if not count:
            raise Failed(f"{DOMAIN.name} has no {pattern}: this test must follow it")
    return text


def libvirt_run() -> str:
    """Boots the domain by libvirt's QEMU driver. virt-qemu-run stays after its guest's end and is ended then."""
    runner = tool("virt-qemu-run", "libvirt-daemon-driver-qemu and libvirt-daemon")
    kept = folder_make("vmm.libvirt")
    with tempfile.TemporaryDirectory(prefix="tern-", dir="/tmp") as place:
        folder = Path(place)
        folder.chmod(0o777)  # libvirt runs as nobody
        for path in (KERNEL, IMAGES / "bench.img"):
            shutil.copy(path, folder)
            (folder / path.name).chmod(0o644)
        (folder / "tern.xml").write_text(domain_text(folder), encoding="utf-8")
        (folder / "tern.xml").chmod(0o644)
        drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []
        home = {name: place for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")}
        words = [*drop, runner, "--root", str(folder / "root"), str(folder / "tern.xml")]
        diary = folder / "root/log/qemu/tern.log"
        try:
            with started(words, kept / "says.txt", home) as process:
                wait_for("libvirt's guest", lambda: "shutting down, reason=" in qemu.read_text(diary), process)
        except Failed as reason:
            raise Failed(f"{reason}\n{qemu.read_text(kept / 'says.txt')[-2000:]}\n{qemu.read_text(diary)[-2000:]}") from None
        finally:
            for path in (diary, *folder.glob("*.txt"), *folder.glob("*.hlog")):
                with contextlib.suppress(OSError):
                    shutil.copy(path, kept)
        streams_check(kept)
        if "reason=shutdown" not in qemu.read_text(diary):
            raise Failed(f"the guest did not power off\n{qemu.read_text(diary)[-500:]}")
    return "libvirt's own QEMU command, TCG for KVM"


def xen_run() -> str:
    """Xen's domain builder takes the kernel, and does not take one whose note is of another type."""
    folder = folder_make("vmm.xen_builder")
    program = folder / "xen_program"
    run_quiet("gcc", "-std=gnu2x", "-Wall", "-Wextra", "-o", program, XEN_PROGRAM, *XEN_LIBRARIES, cwd=ROOT, seconds=60)
    said = run_quiet(program, "kernel", KERNEL, cwd=ROOT, seconds=20)
    if "guest type hvm-3.0-x86_32" not in said:
        raise Failed(f"Xen's domain builder: {said.strip()}")
    note = b"\x04\0\0\0\x04\0\0\0\x12\0\0\0Xen\0"  # name and descriptor of four bytes, PHYS32_ENTRY
    whole = KERNEL.read_bytes()
    if whole.count(note) != 1:
        raise Failed(f"the kernel has {whole.count(note)} PVH notes")
    damaged = folder / "damaged.elf"
    damaged.write_bytes(whole.replace(note, note.replace(b"\x12", b"\x13")))
    refused = subprocess.run([program, "kernel", damaged], capture_output=True, text=True, timeout=20, check=False)
    damaged.unlink()
    if refused.returncode != 1 or "refuses" not in refused.stderr:
        raise Failed(f"Xen's domain builder takes a kernel without a PVH note: status {refused.returncode}")
    return "taken as PVH; without its note refused"


def vmm_jobs() -> list[Job]:
    """A job for each that can be carried out."""
    works = {"qemu": qemu_run, "pin": pin_run, "libvirt": libvirt_run, "xen_builder": xen_run}
    return [Job(f"vmm.{name}", work, ("build.gcc.release",)) for name, work in works.items()]
