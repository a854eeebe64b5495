# SPDX-License-Identifier: MIT
"""`tern bench` and `tern profile` on a host that has KVM: the tool itself runs there, in a first level (nested.py) that gets a
Python, what the tool imports, and the build. So the ways that need a real /dev/kvm are taken, and their numbers, of a KVM that
is emulated, are only looked at for what they are of."""
import json
import re
import sysconfig
from pathlib import Path

import debcache
import firstlevel
import nested
import perfkvm
from common import ROOT, TernError
from initramfs import Archive
from jobs import Failed, Job, Skipped

WORK = ROOT / "build/check/kvm.host"
LIBRARY = Path(sysconfig.get_path("stdlib"))
PACKAGES = Path("/usr/lib/python3/dist-packages")
IMPORTED = ("jsonschema", "json5", "attr", "attrs", "pyrsistent", "_pyrsistent_version.py")
NOT_IMPORTED = re.compile(
    r"test|idlelib|ensurepip|tkinter|lib2to3|pydoc_data|asyncio|sqlite|config-|_dbm|nis\.|ossaudio|curses|_ssl|_hashlib"
)
BUILT = ("tern.elf", "tern.kallsyms", "images/bench_cross.img", "images/bench_objects.img", "user/rt/vdso.so")
BENCHES = ("syscall.null", "channel.call.same_cpu.32")
LIMIT_S = 300.0
TOOL = "python3 -B /tern/perf/host/cli.py"
KERNEL = "--kernel /tern/build/release/tern.elf"
SETUP = """export TERN_INSTALL=no
mkdir -p /sys/kernel/tracing
mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
"""


def python_add(archive: Archive) -> None:
    """The interpreter and its library, without what is never imported."""
    archive.program("usr/bin/python3", Path("/usr/bin/python3").resolve())
    for path in sorted(LIBRARY.rglob("*")):
        where = path.relative_to(LIBRARY)
        if NOT_IMPORTED.search(str(where)) or not path.is_file():
            continue
        if path.suffix == ".so":
            archive.program(f"{str(LIBRARY)[1:]}/{where}", path)
        elif path.suffix == ".py":
            archive.file(f"{str(LIBRARY)[1:]}/{where}", path)
    for name in IMPORTED:
        top = PACKAGES / name
        for path in [top] if top.is_file() else sorted(top.rglob("*.*")):
            if path.is_file() and path.suffix != ".pyc" and "tests" not in path.parts:
                archive.file(f"{str(PACKAGES)[1:]}/{path.relative_to(PACKAGES)}", path)


def tool_add(archive: Archive) -> None:
    """The tool, what it runs, and what make has built."""
    release = ROOT / "build/release"
    files = [path for path in (ROOT / "perf/host").iterdir() if path.is_file()]
    files += [ROOT / "user/images/bench.json5", *(release / name for name in BUILT)]
    for path in [*files, *release.glob("user/images/bench/*/*.elf")]:
        archive.file(f"tern/{path.relative_to(ROOT)}", path)
    for name in ("objdump", "nm"):
        archive.program(f"usr/bin/{name}", Path("/usr/bin", name))
    archive.program("usr/bin/perf", perfkvm.perf_find())


def programs(archive: Archive) -> None:
    """What such a host has besides KVM and QEMU."""
    python_add(archive)
    tool_add(archive)


def said(end: firstlevel.TaskEnd, what: str) -> str:
    """The tool's output. Raises Failed unless it succeeded."""
    if end.status is None:
        raise Failed(f"{what}: {end.reason}")
    text = (end.folder / firstlevel.OUTPUT_FILE).read_text(encoding="utf-8")
    if end.status != 0:
        raise Failed(f"{what}: status {end.status}\n{text[-2000:]}")
    return text


def bench_check(end: firstlevel.TaskEnd) -> None:
    """Time, of KVM, of each bench that was asked for."""
    text = said(end, "tern bench")
    document = json.loads((end.folder / "results.json").read_text(encoding="utf-8"))
    rows = [(row["name"], row["unit"]) for row in document["benches"]]
    environment = document["environment"]
    if rows != [(name, "ns") for name in BENCHES] or environment["accelerator"] != "kvm" or "q35, kvm, 1 boot" not in text:
        raise Failed(f"tern bench: {rows}, {environment['accelerator']}\n{text}")
    positive = all(0 < row["min"] <= row["p50"] for row in document["benches"])
    if environment["guest"].get("hypervisor") != "KVMKVMKVM" or not positive:
        raise Failed(f"tern bench: {environment}\n{text}")


def profile_check(end: firstlevel.TaskEnd) -> None:
    """Functions of kernel and processes by name, exits by reason, perf's own file."""
    text = said(end, "tern profile")
    document = json.loads((end.folder / "profile/profile.json").read_text(encoding="utf-8"))
    names = {(row["where"], row["function"]) for row in document["functions"]}
    wanted = {("kernel", "sys_channel_transact"), ("kernel", "syscall_entry"), ("bench", "channel_call_run")}
    if not wanted <= names or document["unit"] != "samples" or "perf kvm on this host" not in document["how"]:
        raise Failed(f"tern profile: no {wanted - names}; {document['how']}\n{text}")
    if not re.search(r"^exits: .*\bport \d+", text, re.MULTILINE) or not (end.folder / "profile" / perfkvm.DATA_FILE).is_file():
        raise Failed(f"tern profile: no exits, or no {perfkvm.DATA_FILE}\n{text}")


def kvm_host() -> str:
    """Both in one level."""
    lines = {
        "bench": f"{TOOL} bench {KERNEL} --out results --append iterations=2000 {' '.join(BENCHES)} && "
        "cp results/latest/results.json . && rm -r results",
        "profile": f"{TOOL} profile {KERNEL} --out profile --append iterations=20000",
    }
    tasks = [firstlevel.Task(name, f"{SETUP}{line}\n", LIMIT_S) for name, line in lines.items()]
    try:
        level = nested.level_make(False, extra=nested.Extra(programs))
        ends = firstlevel.session_run(level, tasks, WORK, "KVM's host")
    except TernError as error:
        if debcache.install_forbidden():
            raise Skipped(str(error)) from error
        raise Failed(str(error)) from error
    for end, check in zip(ends, (bench_check, profile_check)):
        check(end)
    return ", ".join(lines)


def kvm_host_jobs() -> list[Job]:
    """The job."""
    return [Job("kvm.host", kvm_host, ("build.gcc.release",), long=True)]
