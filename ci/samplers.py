# SPDX-License-Identifier: MIT
"""The guest's own sampler in whole runs: a known split of work, and a channel call's chain, as Debian's perf shows them.

The first boot is exact, equal in every run; the second has a thread for each CPU, as `tern profile --sampler` has.
"""
import re
import shutil
from pathlib import Path

import build
import folded
import sampling
from common import ROOT
from jobs import Failed, Job, run_quiet

WORK = ROOT / "build/check/sampler"
KERNEL = ROOT / "build/release/tern.elf"
SPLIT = {"work_six": 60.0, "work_three": 30.0, "work_one": 10.0}
OFF_BY = 2.0  # points
SPLIT_LEAST, CHAINS_LEAST = 2000, 300  # samples; a busy host lets the sampler take fewer
# What perf must show, outermost first: the user function, the vDSO's stub, the way in, the channel's code.
CHAIN = ("channel_call_run", "channel_transact", "syscall_entry", "sys_channel_transact")


def sampled(name: str, options: sampling.Options, least: int) -> sampling.Files:
    """The files of one boot; fails with too few samples to say anything."""
    profile = sampling.sample(options, KERNEL)
    busy = sum(one.process is not None for one in profile.samples)
    if busy < least:
        raise Failed(f"{busy} samples of work arrived, {least} are wanted")
    return sampling.write(profile, KERNEL, WORK / name, name)


def split() -> str:
    """Three functions with six, three and one parts of the work: the sampler finds those shares of it."""
    build.make("BUILD=release", "build/release/images/profile_split.img")
    files = sampled("split", sampling.Options(image="profile_split", hz=20000, iterations=5000, exact=True), SPLIT_LEAST)
    counts = dict.fromkeys(SPLIT, 0)
    for frames, count in folded.read(files.folded.read_text(encoding="utf-8")):
        for name in counts.keys() & {frames[-1]}:
            counts[name] += count
    total = sum(counts.values())
    shares = {name: 100 * count / total for name, count in counts.items()} if total else dict.fromkeys(SPLIT, 0.0)
    said = ", ".join(f"{name} {share:.1f} %" for name, share in shares.items())
    if total < SPLIT_LEAST or any(abs(shares[name] - SPLIT[name]) > OFF_BY for name in SPLIT):
        raise Failed(f"of {total} samples {said}; {SPLIT} within {OFF_BY:g} points are wanted")
    return f"{total} samples: {said}"


def perf_script(files: sampling.Files) -> list[list[str]]:
    """perf's own chains, innermost first."""
    perf = shutil.which("perf")
    if perf is None:
        raise Failed("perf is missing; install linux-perf")
    kernel = Path(f"{files.data}.elf") / "tern.elf"
    # --force: the file's owner may be another one than who runs the checks in a container.
    text = run_quiet(perf, "script", "--force", "-i", files.data, "--vmlinux", kernel, "-F", "comm,ip,sym", cwd=WORK, seconds=60)
    return [re.findall(r"^\s+[0-9a-f]+ (\S+)", block, re.MULTILINE) for block in text.split("\n\n")]


def chains() -> str:
    """perf shows a channel call from the bench's function down to the channel's code, and names everything."""
    files = sampled("chains", sampling.Options(benches=("channel.call",), iterations=20000), CHAINS_LEAST)
    wanted, found = list(reversed(CHAIN)), 0
    blocks = perf_script(files)
    for chain in blocks:
        found += any(chain[at : at + len(wanted)] == wanted for at in range(len(chain)))
    unknown = sum("[unknown]" in chain for chain in blocks)
    if found < CHAINS_LEAST / 10 or unknown:
        raise Failed(f"perf shows {found} of {len(blocks)} chains with {' > '.join(CHAIN)}, {unknown} with unknown names")
    perf = shutil.which("perf") or ""
    kernel = Path(f"{files.data}.elf") / "tern.elf"
    report = ("report", "--force", "-g", "caller", "--stdio", "-i", files.data, "--vmlinux", kernel)
    text = run_quiet(perf, *report, cwd=WORK, seconds=60)
    missing = [name for name in CHAIN if name not in text]
    if missing:
        raise Failed(f"perf report does not show {' '.join(missing)}")
    return f"{found} of {len(blocks)} chains"


def sampler_jobs() -> list[Job]:
    """Both, one after the other: each takes two cores."""
    return [
        Job("sampler.split", split, ("build.gcc.release",), slots=2),
        Job("sampler.chains", chains, ("build.gcc.release",), slots=2),
    ]
