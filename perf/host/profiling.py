# SPDX-License-Identifier: MIT
"""`tern profile`: which functions a guest spends itself in, kernel and processes alike.

Three sources, one table: a QEMU plugin that counts every instruction (counting.py), the guest's own sampler with chains of
calls (sampling.py), and perf on the host of a guest of KVM, this host (perfhost.py) or one in a first level (perfkvm.py).
Each run leaves a folder with profile.json, folded.txt and flame.svg, and whatever else its source has.
"""
import json
import os
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import bench
import build
import flamegraph
import qemu
import stream
from common import ROOT, TernError
from disassembly import Elf
from folded import IDLE
from symbols import Symbols

DEFAULT_BENCH = "channel.call.same_cpu.32"
FOLDER = ROOT / "build/profile"
FOLDED_FILE, FLAME_FILE, JSON_FILE = "folded.txt", "flame.svg", "profile.json"


@dataclass(frozen=True)
class Options:
    """What the command line asks for. `image`: empty for that of the benches. `out`: the run's folder."""

    benches: tuple[str, ...] = ()
    image: str = ""
    append: str = ""
    vmm: str = "q35"
    sampler: bool = False
    hz: int = 0
    top: int = 20
    annotate: str = ""
    whole: bool = False
    out: Path | None = None
    timeout_s: float = 120.0
    kernel: str | None = None
    exact: bool = False

    def source(self) -> str:
        """The module's part of the work: sampler, perf, count."""
        if self.sampler:
            return "sampler"
        counts = self.exact or self.whole or not qemu.kvm_usable()
        return "perf" if self.vmm == "kvm-nested" or not counts else "count"

    def folder(self) -> Path:
        """Where the run's files go."""
        source = self.source()
        name = self.image or (self.benches or (DEFAULT_BENCH,))[0]
        return self.out or FOLDER / f"{Path(name).stem if '/' in name else name}.{self.vmm}.{source}"


@dataclass
class Found:
    """What a source found. `unit`: of the counts, such as instructions. `functions`: (where, function) to count; where is
    kernel, vdso, a process, or (idle). `addresses`: address to count. `stacks`: folded lines; `notes`: lines for the end."""

    unit: str
    how: str
    functions: Counter = field(default_factory=Counter)
    addresses: Counter = field(default_factory=Counter)
    stacks: str = ""
    notes: list[str] = field(default_factory=list)

    def total(self) -> int:
        """Without what was idle."""
        return sum(count for (where, _), count in self.functions.items() if where != IDLE)


class Machine:
    """The guest to be profiled: its files and names. Raises TernError for what is not there."""

    def __init__(self, options: Options):
        self.options = options
        self.kernel = build.kernel_get(options.kernel)
        names = options.benches or (() if options.image else (DEFAULT_BENCH,))
        for name in names:
            if not stream.NAME.fullmatch(name):
                raise TernError(f"no bench is named {name!r}; `./tern bench` shows their names")
            if ".cross_cpu" in name:
                raise TernError(f"{name} needs two CPUs, which nothing counts exactly; take a bench of one CPU")
        self.image = options.image or bench.image_of((names or (DEFAULT_BENCH,))[0])
        self.initrd = None if self.image == "bench" else build.image_find(self.image, self.kernel)
        words = [f"bench={','.join(names)}"] if names else []
        self.append = " ".join([*words, *options.append.split()])
        self.symbols = Symbols(self.kernel, Path(self.image).stem)

    def outcome_check(self, outcome: qemu.Outcome, folder: Path) -> None:
        """Raises TernError unless the guest ended well."""
        end, reason = outcome.judge()
        known = bench.KNOWN.findall(outcome.log)
        if end is qemu.End.FAILURE and known:
            raise TernError(f"no bench is named {' or '.join(self.options.benches)}; there are: {', '.join(known)}")
        if end is not qemu.End.SUCCESS:
            raise bench.guest_failed(reason, outcome, folder, FOLDER / "failed")


def rows(found: Found, top: int) -> list[str]:
    """The table: share, count, function, where."""
    total = found.total() or 1
    ranked = [item for item in found.functions.most_common() if item[0][0] != IDLE]
    width = max([len(function) for (_, function), _ in ranked[:top]] + [8])
    lines = [f"{'share':>7} {found.unit:>14}  {'function':<{width}}  where"]
    for (where, function), count in ranked[:top]:
        lines.append(f"{100 * count / total:6.2f}% {count:>14}  {function:<{width}}  {where}")
    rest = sum(count for _, count in ranked[top:])
    if rest:
        lines.append(f"{100 * rest / total:6.2f}% {rest:>14}  {len(ranked) - top} more functions (--top N)")
    return lines


def extents(elf: Elf, name: str) -> list[range]:
    """Where functions of this name lie; one without a size, as assembly has them, reaches to the next symbol or the section's
    end."""
    edges = sorted({start for start, _, _ in elf.symbols} | {area.stop for area, _ in elf.sections})
    sizes = {start: size for start, size, known in elf.symbols if known == name}
    ends = {start: next((edge for edge in edges if edge > start), start) for start in sizes}
    return [range(start, start + size if size else ends[start]) for start, size in sizes.items()]


def function_find(found: Found, machine: Machine, name: str) -> tuple[Elf, range]:
    """Of the functions of this name the one with the largest count; PROGRAM:NAME is that of one program. Raises TernError."""
    program, _, function = name.rpartition(":")
    files = [machine.symbols.kernel, machine.symbols.vdso, *machine.symbols.programs]
    elves = [elf for elf in files if program in ("", elf.where)]
    places = [(elf, area) for elf in elves for area in extents(elf, function) if any(at in elf.lines for at in area)]
    if places:
        return max(places, key=lambda place: sum(found.addresses.get(at, 0) for at in place[1]))
    near = sorted({known for _, known in found.functions if function in known})[:8]
    hint = f"; there are: {', '.join(near)}" if near else ""
    raise TernError(f"no function is named {name} in the kernel or the programs of {machine.image}{hint}")


def annotated(found: Found, machine: Machine, name: str) -> list[str]:
    """A function's instructions, each with its count, source line where it changes. Raises TernError if it is none."""
    elf, area = function_find(found, machine, name)
    total = sum(found.addresses.get(address, 0) for address in area)
    lines, source = [f"{name.rpartition(':')[2]} ({elf.where}), {found.unit}: {total} of {found.total()}"], ""
    for address in sorted(at for at in elf.lines if at in area):
        line = elf.lines[address]
        if line.source != source:
            lines.append(f"{'':>14}  {line.source}")
            source = line.source
        lines.append(f"{found.addresses.get(address, 0):>14}  +{address - area.start:#06x}  {elf.text(line.text)}")
    return lines


def folder_write(found: Found, machine: Machine, folder: Path) -> None:
    """The files that every source has."""
    total = found.total() or 1
    title = f"{machine.append or machine.image}: {found.how}"
    document = {
        "version": 1,
        "unit": found.unit,
        "how": found.how,
        "image": machine.image,
        "append": machine.append,
        "total": found.total(),
        "functions": [
            {"function": function, "where": where, "count": count, "share": round(count / total, 6)}
            for (where, function), count in found.functions.most_common()
        ],
    }
    stacks = found.stacks or "".join(
        f"{where};{function} {count}\n" for (where, function), count in sorted(found.functions.items())
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / JSON_FILE).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        (folder / FOLDED_FILE).write_text(stacks, encoding="utf-8")
        (folder / FLAME_FILE).write_text(flamegraph.svg(stacks, title, found.unit), encoding="utf-8")
    except OSError as error:
        raise TernError(f"cannot write to {folder}: {error.strerror}; choose another --out") from error


def source_of(options: Options):
    """The function that runs the guest and finds things out. Raises TernError for what does not go together."""
    if (options.whole or options.exact) and (options.sampler or options.vmm in ("kvm-nested", "xen")):
        raise TernError("--whole and --exact are for the count of all instructions; leave out --sampler and --vmm")
    if options.sampler:
        import sampling

        return sampling.run
    if options.vmm == "kvm-nested":
        import perfkvm

        return perfkvm.run
    if options.vmm == "xen":
        raise TernError("no host's perf sees into a guest of Xen; add --sampler, which the guest takes itself")
    if options.source() == "perf":
        import perfhost

        return perfhost.run
    import counting

    return counting.run


def profile(options: Options) -> int:
    """Runs the command; returns the exit status. Raises TernError for every end without a result."""
    source = source_of(options)
    machine = Machine(options)
    work = ROOT / f"build/boots/profile-{os.getpid()}"
    folder = options.folder()
    try:
        found = source(machine, work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if not found.functions:
        raise TernError(f"nothing was found: no {found.unit}; let the guest run longer (--append iterations=N)")
    folder_write(found, machine, folder)
    lines = annotated(found, machine, options.annotate) if options.annotate else rows(found, options.top)
    print("\n".join([*lines, *found.notes, f"{found.how}; files: {bench.shown(folder)}/"]))
    return 0
