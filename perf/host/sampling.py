# SPDX-License-Identifier: MIT
"""`tern profile --sampler`: where the guest's time goes, by its own sampler (sys/sampler.h), with chains of calls.

A boot with prof=HZ and one CPU more, which sends the NMIs; its org.tern.prof as perf.data for `perf report`, as folded
stacks, and as a flame graph. Without KVM the CPUs are threads of QEMU's: shares of emulated time, which are no speeds.
By default not under -icount: there QEMU 7.2 lets a CPU run on to its own next event, and takes turns only then, so that
samples come at the boot CPU's ticks, whatever HZ is; and with two CPUs in their midst. With a third CPU, idle, they fall
behind them.
"""
import os
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import build
import flamegraph
import folded
import perfdata
import profstream
import qemu
import symbols
from bench import guest_failed, shown
from common import ROOT, TernError

HZ = 4000
TOP = 12
TICK_US = 500


@dataclass(frozen=True)
class Options:
    """What the command line asks for. `benches`: patterns of names, none: all of the image's; `iterations`: rounds of
    each, 0: the guest's own choice. `exact`: by -icount, equal in every run, a sample at each tick of TICK_US."""

    benches: tuple[str, ...] = ()
    vmm: str = "q35"
    image: str = "bench"
    hz: int = HZ
    iterations: int = 0
    timeout_s: float = 60.0
    kernel: str | None = None
    exact: bool = False


@dataclass(frozen=True)
class Files:
    """What a profile leaves."""

    data: Path
    folded: Path
    picture: Path


def boot_make(options: Options, kernel: Path) -> qemu.Boot:
    """The processes on CPU 0, the sampler on the last one."""
    words = [f"prof={options.hz}", f"bench={','.join(options.benches)}" if options.benches else ""]
    words.append(f"iterations={options.iterations}" if options.iterations else "")
    words.append(f"tick_us={TICK_US}" if options.exact else "")
    accelerator = "icount" if options.exact else "kvm" if qemu.kvm_usable() else "mttcg"
    return qemu.Boot(
        kernel=kernel,
        initrd=build.image_find(options.image, kernel),
        append=" ".join(filter(None, words)),
        machine=options.vmm,
        accelerator=accelerator,
        smp=3 if options.exact else 2,
        profile=True,
        timeout_s=options.timeout_s,
    )


def sample(options: Options, kernel: Path) -> profstream.Profile:
    """Boots once. Raises TernError if the guest fails, or its samples are not whole."""
    folder = ROOT / f"build/boots/sampler-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        outcome = qemu.run(boot_make(options, kernel), folder, "sampling")
        end, reason = outcome.judge()
        if end is not qemu.End.SUCCESS:
            raise guest_failed(reason, outcome, folder, ROOT / "build/profile/failed")
        return profstream.read(qemu.read_bytes(folder / qemu.PROFILE_FILE))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write(profile: profstream.Profile, kernel: Path, out: Path, title: str) -> Files:
    """Writes perf.data, folded.txt and flame.svg into `out`. Raises TernError if it cannot."""
    files = Files(out / "perf.data", out / "folded.txt", out / "flame.svg")
    names = symbols.of_build(profile, kernel)
    text = folded.fold(profile, names, idle=False)
    try:
        out.mkdir(parents=True, exist_ok=True)
        perfdata.write(profile, files.data, names)
        files.folded.write_text(text, encoding="utf-8")
        files.picture.write_text(flamegraph.svg(text, title), encoding="utf-8")
    except OSError as error:
        raise TernError(f"cannot write {out}: {error.strerror}; make room or remove it") from error
    return files


def rows(text: str, top: int = TOP) -> list[str]:
    """The table: functions by the samples that hit them, of folded stacks; self, and with what they called."""
    own: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for frames, count in folded.read(text):
        own[frames[-1]] += count
        for name in set(frames[1:]):
            whole[name] += count
    total = sum(own.values())
    lines = [f"{'self %':>8}{'all %':>8}  function"]
    for name, count in own.most_common(top):
        lines.append(f"{100 * count / total:8.1f}{100 * whole[name] / total:8.1f}  {name}")
    return lines


def sampled_note(profile: profstream.Profile) -> str:
    """How many samples there are, and how many are not."""
    late = sum(counts.late for counts in profile.counts.values())
    idle = sum(one.process is None for one in profile.samples)
    busy = len(profile.samples) - idle
    return f"{busy} samples of work, {idle} of idle CPUs; {profile.dropped()} dropped, {late} late"


def command(options: Options) -> int:
    """Runs the command; returns the exit status. Raises TernError without a single sample."""
    kernel = build.kernel_get(options.kernel)
    profile = sample(options, kernel)
    if not any(one.process is not None for one in profile.samples):
        raise TernError("no sample hit any work: it was over too soon; ask for more with --iterations")
    name = "+".join(options.benches).replace("*", "_").replace("/", "_") or options.image
    files = write(profile, kernel, ROOT / f"build/profile/{name}", f"{name} on {options.vmm}")
    print("\n".join(rows(files.folded.read_text(encoding="utf-8"))))
    print(sampled_note(profile))
    if not qemu.kvm_usable():
        print("emulated: shares of what QEMU executes, no speeds")
    print(f"perf report -g caller --stdio -i {shown(files.data)} --vmlinux {shown(perfdata.elf_folder(files.data))}/tern.elf")
    print(f"flame graph: {shown(files.picture)}, its stacks: {shown(files.folded)}")
    return 0
