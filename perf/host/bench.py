# SPDX-License-Identifier: MIT
"""`tern bench`, the main job: boot, collect the histograms, print the table, write the folder of results.

With several hypervisors in one run (--vmm xen: the first domain and a guest of xl's) every row says which it is of.

Kinds of number, never mixed: with KVM time (ns); without, guest instructions under -icount on one vCPU, equal in
every run. The cross-CPU image needs real parallel vCPUs: without KVM its rows are emulated time and labelled so.
With a first level between (BATCHES), the one CPU's instructions are those of guest and hypervisor together, which
have a unit of their own and no budgets: nested-instructions.
"""
import concurrent.futures
import fnmatch
import importlib
import os
import platform
import re
import shlex
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import build
import control
import export
import firstlevel
import qemu
import results
import stream
from common import ROOT, TernError, sha256_file
from folder import ResultFolder
from table import table

CROSS_IMAGE = "bench_cross"
KNOWN = re.compile(r"^bench: ([a-z0-9_.]+)$", re.MULTILINE)  # a guest lists its benches when asked for another
OBJECTS_IMAGE = "bench_objects"
OBJECTS_BENCHES = ("channel.call.group.", "process.death.", "timer.")  # how the names of its benches begin
SYSENTER_BENCHES = "syscall.null.sysenter"
SYSENTER_CPU = "max,vendor=GenuineIntel"
QUICK = ["iterations=200", "warmup=20"]
# Hypervisors under emulation: the module with boots_try, commands_shown, environment; and those of one --vmm.
BATCHES = {"kvm-nested": "nested", "xen-dom0": "xen_dom0", "xen-domu": "xen_domu"}
FAMILIES = {"kvm-nested": ("kvm-nested",), "xen": ("xen-dom0", "xen-domu")}
BATCH_MACHINE = "q35"
BATCH_SLOWER = 4.0  # by which a boot's limit is stretched on parallel CPUs there
UNIT_BANNERS = {
    "nested-instructions": "nested-instructions: what guest, hypervisor and its Linux execute between two readings "
    "of the clock, all of it emulated: not time",
    "emulated-ns": "emulated-ns: the clock of multi-threaded emulation, not a speed; never held against a budget",
}


@dataclass(frozen=True)
class Options:
    """What the command line asks for; `out` is the folder in which a folder per run is made."""

    names: tuple[str, ...]
    machine: str
    boots: int
    smp: int
    quick: bool
    out: Path
    timeout_s: float
    dry_run: bool
    kernel: str | None
    append: str = ""
    control: bool = False

    def vmms(self) -> tuple[str, ...]:
        """The hypervisors under emulation that --vmm names; none for a machine of QEMU's."""
        return FAMILIES.get(self.machine, ())


def batch_module(vmm: str) -> ModuleType:
    """The module that boots guests of a hypervisor under emulation."""
    return importlib.import_module(BATCHES[vmm])


@dataclass
class Part:
    """All boots of one image: what was booted, what came back."""

    label: str
    boot: qemu.Boot
    unit: str
    streams: list[stream.Stream]
    outcomes: list[qemu.Outcome]
    vmm: str = ""

    def exact(self) -> bool:
        """Whether one tick is one instruction."""
        return self.boot.accelerator == "icount"

    def hypervisor(self) -> str:
        """The hypervisor as the guest names it, with its version where it says that."""
        version = re.search(r"\bXen (\d+\.\d+), ", self.outcomes[0].log)
        return " ".join(filter(None, [self.streams[0].environment.get("hypervisor", "unknown"), version and version[1]]))

    def rows(self) -> list[results.Row]:
        """One row per bench and boot."""
        vmm = {"vmm": self.vmm} if self.vmm else {}
        return [
            results.row_make(record.name, self.unit, index, record.fields, record.value_at, record.payload) | vmm
            for index, read in enumerate(self.streams)
            for record in read.records
        ]

    def environment(self) -> dict[str, Any]:
        """The `environment` object of results.json, from the first boot."""
        said = dict(self.streams[0].environment)
        boot = self.boot
        return {
            "kernel_sha256": sha256_file(boot.kernel),
            "command_line": said.pop("command_line", boot.append),
            "cpu_model": said.pop("cpu_model", boot.cpu or ("host" if boot.accelerator == "kvm" else "max")),
            "machine": boot.machine,
            "accelerator": self.vmm or ("kvm" if boot.accelerator == "kvm" else "tcg"),
            "qemu_version": qemu.version(),
            "clock_source": said.pop("clock_source", "unknown"),
            "tsc_khz": int(said.pop("tsc_khz", 0)),
            "cpus_started": int(said.pop("cpus_started", boot.smp)),
            "host_cpu": results.host_cpu(),
            "host_kernel": f"{platform.system()} {platform.release()}",
            "icount": boot.accelerator == "icount",
            "boots": len(self.streams),
            "guest": said,
        } | ({"first_level": batch_module(self.vmm).environment(self.exact())} if self.vmm else {})


def image_of(name: str) -> str:
    """The image that has a bench of one CPU."""
    return OBJECTS_IMAGE if name.startswith(OBJECTS_BENCHES) else "bench"


def parts_plan(options: Options, kernel: Path) -> list[Part]:
    """What to boot, on each hypervisor under emulation or without any."""
    return [part for vmm in options.vmms() or ("",) for part in parts_of(options, kernel, vmm)]


def parts_of(options: Options, kernel: Path, vmm: str) -> list[Part]:
    """What to boot there: on one CPU the built-in image, and the one with many objects; without KVM, whose host CPU may have no SYSENTER, once more
    with that; and, with --smp N, the cross-CPU image on N."""
    kvm = not vmm and qemu.kvm_usable()
    unit = "ns" if kvm else "nested-instructions" if vmm else "instructions"
    words = [] if kvm else ["unit=instructions"]
    quick = QUICK if options.quick else []
    main = qemu.Boot(
        kernel=kernel,
        machine=BATCH_MACHINE if vmm else options.machine,
        accelerator="kvm" if kvm else "icount",
        append=" ".join(words + quick + options.append.split()),
        control=control.socket_path("bench") if options.control else None,
        timeout_s=options.timeout_s,
    )
    images = kernel.parent / "images"
    objects = replace(main, initrd=images / f"{OBJECTS_IMAGE}.img")
    parts = [Part(label, boot, unit, [], [], vmm) for label, boot in (("bench", main), ("objects", objects))]
    if unit == "instructions" and "entry=" not in options.append:
        sysenter = replace(
            main, cpu=SYSENTER_CPU, append=f"{main.append} entry=sysenter bench={SYSENTER_BENCHES}"
        )
        parts.append(Part("sysenter", sysenter, "instructions", [], []))
    if options.smp > 1:
        cross = replace(
            main,
            initrd=images / f"{CROSS_IMAGE}.img",
            smp=options.smp,
            accelerator="kvm" if kvm else "mttcg",
            append=" ".join(quick + options.append.split()),
        )
        parts.append(Part("cross", cross, "ns" if kvm else "emulated-ns", [], [], vmm))
    return parts


def shown(path: Path) -> str:
    """A path below the tree's root relative to it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def guest_failed(reason: str, outcome: qemu.Outcome, boot_folder: Path, failed: Path) -> TernError:
    """Prints the end of the guest's log, keeps the boot's files in `failed`, and returns the error line."""
    for line in outcome.last_lines():
        print(f"    {line}", file=sys.stderr)
    kept = ""
    try:
        shutil.rmtree(failed, ignore_errors=True)
        shutil.copytree(boot_folder, failed)
        kept = f"; its log is in {shown(failed)}/"
    except OSError:
        shutil.rmtree(failed, ignore_errors=True)
    return TernError(f"no result: {reason}{kept}")


def boot_once(part: Part, boot_folder: Path, index: int, options: Options) -> None:
    """One boot of one part, which gets its stream and outcome. Raises TernError for anything else."""
    outcome = qemu.run(part.boot, boot_folder, f"{part.label}: boot {index + 1} of {options.boots}")
    outcome_take(part, outcome, boot_folder, options)


def outcome_take(part: Part, outcome: qemu.Outcome, boot_folder: Path, options: Options) -> None:
    """Gives a part the stream of a good boot. Raises TernError for anything else."""
    failed = options.out / "failed"
    end, reason = outcome.judge()
    if end is not qemu.End.SUCCESS:
        raise guest_failed(reason, outcome, boot_folder, failed)
    try:
        read = stream.read(outcome.histograms)
        stream.unit_check(read, "instructions" if part.exact() else "ns")
    except stream.StreamError as error:
        full = shutil.disk_usage(boot_folder).free < 1 << 16
        reason = (
            f"{error}; the disk of {shown(boot_folder.parent)} is full: free space" if full else str(error)
        )
        raise guest_failed(reason, outcome, boot_folder, failed) from error
    part.streams.append(read)
    part.outcomes.append(outcome)


def boot_all(parts: list[Part], options: Options) -> None:
    """Every boot of every part, in turn; the working folder is removed afterwards."""
    work = ROOT / f"build/boots/bench-{os.getpid()}"
    try:
        if options.vmms():
            boot_families(parts, work, options)
            return
        for index in range(options.boots):
            for part in parts:
                boot_once(part, work / f"{part.label}-{index}", index, options)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def batches(parts: list[Part]) -> list[list[Part]]:
    """Parts that share a first level: the exact ones, and those on parallel CPUs."""
    groups = [[part for part in parts if part.exact() is exact] for exact in (True, False)]
    return [group for group in groups if group]


def boot_families(parts: list[Part], work: Path, options: Options) -> None:
    """As boot_all, the hypervisors side by side: an exact one keeps one CPU of the host busy."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = [
            pool.submit(boot_batches, batch_module(vmm), [part for part in parts if part.vmm == vmm], work / vmm, options)
            for vmm in options.vmms()
        ]
        try:
            for future in concurrent.futures.as_completed(waiting):
                future.result()
        except BaseException:
            for future in waiting:
                future.cancel()
            qemu.stop_all()
            raise


def boot_batches(batch: ModuleType, parts: list[Part], work: Path, options: Options) -> None:
    """Boots the parts of one hypervisor in as few first levels as may be."""
    for group in batches(parts):
        runs = [(part, work / f"{part.label}-{index}") for index in range(options.boots) for part in group]
        exact = group[0].exact()
        limit_s = options.timeout_s * (1.0 if exact else BATCH_SLOWER)
        boots = [(replace(part.boot, timeout_s=limit_s), folder) for part, folder in runs]
        label = f"{parts[0].vmm}, {'exact' if exact else 'SMP'}"
        outcomes = firstlevel.outcomes_all(batch.boots_try(boots, work / "level", exact, label=label))
        for (part, folder), outcome in zip(runs, outcomes):
            outcome_take(part, outcome, folder, options)


def cross_select(parts: list[Part]) -> None:
    """Leaves in the cross-CPU part only what the main part does not tell: the rest is no cross-CPU figure."""
    main: dict[str, set[str]] = {}
    for part in parts:
        if part.vmm not in main:
            main[part.vmm] = {record.name for record in part.streams[0].records}
            continue
        told = main[part.vmm]
        part.streams = [
            replace(read, records=[record for record in read.records if record.name not in told])
            for read in part.streams
        ]


def rows_select(rows: list[results.Row], names: tuple[str, ...]) -> list[results.Row]:
    """Rows whose name begins with or matches (as a shell pattern) one of `names`; without names, all."""

    def wanted(row: results.Row) -> bool:
        return not names or any(
            row["name"].startswith(name) or fnmatch.fnmatchcase(row["name"], name) for name in names
        )

    chosen = [row for row in rows if wanted(row)]
    if not chosen:
        known = ", ".join(dict.fromkeys(row["name"] for row in rows))
        raise TernError(f"no bench matches {' '.join(names)}; there are: {known}")
    return chosen


def repeat_check(parts: list[Part], rows: list[results.Row]) -> None:
    """Under icount every boot must give the same figures; anything else is an error."""
    if parts[0].unit == "instructions":
        different = results.differences([row for row in rows if row["unit"] == "instructions"])
        if different:
            raise TernError("not deterministic: " + "; ".join(different[:4]))


def folder_write(folder: ResultFolder, document: dict[str, Any], parts: list[Part]) -> Path:
    """Every file of a run; returns the published folder."""
    for part in parts:
        for index, (read, outcome) in enumerate(zip(part.streams, part.outcomes)):
            mark = ("" if part.label == "bench" else f"-{part.label}") + (f"-{index}" if index else "")
            mark += f"-{part.vmm}" if part.vmm else ""
            kind = ".".join(filter(None, [part.unit, part.vmm, f"boot{index}" if index else ""]))
            folder.write(f"latency{mark}.hlog", outcome.histograms)
            folder.write(f"console{mark}.log", outcome.log)
            for record in read.records:
                folder.write(f"hgrm/{record.name}.{kind}.hgrm", record.hgrm())
    records = {(record.name, part.unit, part.vmm): record for part in parts for record in part.streams[0].records}
    first = [row for row in document["benches"] if row["boot"] == 0]
    folder.write("results.json", export.json_text(document))
    folder.write("gbench.json", export.json_text(export.gbench(document)))
    folder.write("metrics.prom", export.prometheus(first, records))
    return folder.commit()


def unmeasured(rows: list[results.Row]) -> list[str]:
    """A line per hypervisor about rows in which every sample was shorter than the reading of the clock: no result."""
    names: dict[str, list[str]] = {}
    for row in rows:
        if row["max"] == 0:
            names.setdefault(row.get("vmm", ""), []).append(row["name"])
    return [
        f"not measurable{f' on {vmm}' if vmm else ''}, shorter than two readings of the clock differ (0): {', '.join(found)}"
        for vmm, found in names.items()
    ]


def report_print(parts: list[Part], rows: list[results.Row], folder: Path) -> None:
    """Banner, table, and below it how the numbers came about and where they are."""
    first = parts[0].boot
    if parts[0].unit == "instructions":
        print(f"{qemu.kvm_lack()}: counts are guest instructions, not time")
    for unit in dict.fromkeys(part.unit for part in parts if part.unit in UNIT_BANNERS):
        print(UNIT_BANNERS[unit])
    if len({part.vmm for part in parts}) > 1:
        for vmm, clock in {part.vmm: part.streams[0].environment.get("clock_source", "unknown") for part in parts}.items():
            print(f"{vmm}: clock {clock}")
    print(table(results.middle_rows(rows)), end="")
    for line in unmeasured(results.middle_rows(rows)):
        print(line)
    for part in parts:
        dropped = sum(read.dropped for read in part.streams)
        if dropped:
            print(f"warning: {dropped} histogram lines or samples were dropped on the way ({part.label})")
    for row in rows:
        if row.get("stolen"):
            print(f"warning: {results.stolen_text(row)}")
    boots = len(parts[0].streams)
    how = "icount shift=0" if first.accelerator == "icount" else first.accelerator
    if parts[0].vmm:
        said = {part.vmm: part.hypervisor() for part in parts}
        how = ", ".join(f"{vmm}, hypervisor {name}" for vmm, name in said.items()) + f", {how} around all of it"
    median = f"{boots} boots, median by p50" if boots > 1 else "1 boot"
    if parts[0].vmm and boots > 1:
        exact = [row for row in rows if row["unit"] == "nested-instructions"]
        median += f", p50 equal in all boots for {results.steady(exact)} of {len(results.middle_rows(exact))} benches"
    print(
        f"{first.machine}, {how}, {median}; release build; loop overhead subtracted;"
        f" results: {shown(folder)}/"
    )


def commands_print(parts: list[Part], options: Options) -> None:
    """What --dry-run shows: the command line of each QEMU; of a first level, then of each guest in it."""
    lines = [qemu.command(part.boot) for part in parts if not part.vmm]
    for vmm in options.vmms():
        for group in batches([part for part in parts if part.vmm == vmm]):
            lines += batch_module(vmm).commands_shown([part.boot for part in group], group[0].exact())
    for line in lines:
        print(shlex.join(line))


def bench(options: Options) -> int:
    """Runs the command; returns the exit status. Raises TernError for every end without a result."""
    if options.control and options.machine in BATCHES:
        raise TernError(f"no control port reaches a guest in a first level; leave out --control or --vmm {options.machine}")
    kernel = (
        build.DEFAULT_KERNEL if options.dry_run and not options.kernel else build.kernel_get(options.kernel)
    )
    parts = parts_plan(options, kernel)
    if options.dry_run:
        commands_print(parts, options)
        return 0
    for part in parts:
        if part.boot.initrd is not None:
            build.image_find(str(part.boot.initrd), kernel)
    qemu.program()
    if parts[0].boot.control is not None:
        control.socket_prepare(parts[0].boot.control)
    with ResultFolder(options.out) as folder:
        boot_all(parts, options)
        cross_select(parts)
        rows = rows_select([row for part in parts for row in part.rows()], options.names)
        repeat_check(parts, rows)
        tern = {
            "revision": results.revision(),
            "kernel_sha256": sha256_file(kernel),
            "image_sha256": "built-in",
        }
        cross = next((part.environment() for part in parts if part.label == "cross"), None)
        several = len(options.vmms()) > 1
        every = {f"{part.vmm}.{part.label}": part.environment() for part in parts} if several else {}
        document = results.document_make(rows, tern, parts[0].environment(), cross, every)
        final = folder_write(folder, document, parts)
    report_print(parts, rows, final)
    return 0
