# SPDX-License-Identifier: MIT
"""Whole runs of `tern profile`: the figures of `tern bench`, equal bytes in every run, the committed listing."""
import re
import shutil
import subprocess
from pathlib import Path

import qemu
import results
import stream
from common import ROOT
from jobs import Failed, Job, run_quiet

WORK = ROOT / "build/check/profile"
COMMITTED = "channel.call.same_cpu.0"
BENCHES = (COMMITTED, "hist.record", "channel.call.same_cpu.1024")  # many operations in a sample; a folded copy
FOLDER = "perf/listing"
TOTAL = re.compile(r"^ +total +(\d+) +100\.0$", re.MULTILINE)
LINE = re.compile(r"^ *(\d+) +(?:\+|the last )", re.MULTILINE)
REFUSED = {
    ("channel.nonsense",): "no bench is named channel.nonsense; there are: boot.to_user, ",
    ("channel.call",): "channel.call is not one bench; there are: channel.call.same_cpu.0, ",
    ("channel.call.cross_cpu.0",): "channel.call.cross_cpu.0 needs two CPUs",
    ("--kernel", "/nonexistent/tern.elf"): "there is no kernel /nonexistent/tern.elf",
    ("--kernel", "tern"): "the programs' ELF files are not below",
    ("--out", "/proc/no/file"): "cannot write /proc/no/file",
}


def listing_make(name: str, file: str) -> tuple[str, str]:
    """(screen, listing) of one run."""
    out = WORK / file
    out.unlink(missing_ok=True)
    screen = run_quiet(ROOT / "tern", "profile", "--listing", name, "--out", out, cwd=ROOT, seconds=180)
    return screen, out.read_text(encoding="utf-8")


def bench_figures() -> dict[str, float]:
    """What `./tern bench` says without /dev/kvm: of a boot that nobody traces, with all benches."""
    boot = qemu.Boot(kernel=ROOT / "build/release/tern.elf", append="unit=instructions", timeout_s=60.0)
    folder = WORK / "untraced"
    shutil.rmtree(folder, ignore_errors=True)
    end, reason = (outcome := qemu.run(boot, folder)).judge()
    if end is not qemu.End.SUCCESS:
        raise Failed(reason)
    records = stream.read(outcome.histograms).records
    rows = [results.row_make(r.name, r.unit, 0, r.fields, r.value_at, r.payload) for r in records]
    return {row["name"]: row["p50"] for row in rows}


def figures() -> str:
    """Each total, in the table and at the end of the listing, is the figure of an untraced boot."""
    shutil.rmtree(WORK, ignore_errors=True)
    figure = bench_figures()
    for name in BENCHES:
        screen, listing = listing_make(name, f"{name}.txt")
        total = int(TOTAL.search(screen)[1])
        ops = int((re.search(r"for each of the (\d+) operations", screen) or ["", "1"])[1])
        last = int(LINE.findall(listing)[-1])
        if results.per_op(total, ops) != figure[name] or last != total:
            raise Failed(f"{name}: {total} on the screen, {last} listed, {ops} x {figure[name]} in a bench run")
    return f"{len(BENCHES)} benches"


def lines_compared(listing: str) -> list[str]:
    """A listing's lines without line numbers of sources: an edit elsewhere in a file moves them."""
    return re.sub(r"(\.[chS]):\d+", r"\1", listing).splitlines()


def committed() -> str:
    """A second run gives the same bytes, and those are the ones in perf/listing/."""
    first = (WORK / f"{COMMITTED}.txt").read_text(encoding="utf-8")
    if listing_make(COMMITTED, "again.txt")[1] != first:
        raise Failed(f"two runs differ; compare {COMMITTED}.txt and again.txt in {WORK.relative_to(ROOT)}/")
    file = f"{FOLDER}/{COMMITTED}.txt"
    kept = lines_compared((ROOT / file).read_text(encoding="utf-8")) if (ROOT / file).is_file() else []
    now = lines_compared(first)
    if kept != now:
        number = next((i for i, pair in enumerate(zip(kept, now)) if pair[0] != pair[1]), min(len(kept), len(now)))
        was, is_now = ((lines[number] if number < len(lines) else "(its end)") for lines in (kept, now))
        raise Failed(
            f"{file} is not what runs now; refresh it: ./tern profile --listing {COMMITTED} --out {file}\n"
            f"line {number + 1} was {was}\nand is now {is_now}"
        )
    return f"{len(now)} lines"


def refusals() -> str:
    """Whatever cannot be listed ends with one clear line."""
    for words, says in REFUSED.items():
        run = subprocess.run(
            [ROOT / "tern", "profile", "--listing", *words],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        if run.returncode != 1 or run.stdout or not run.stderr.startswith(f"tern: {says}") or run.stderr.count("\n") != 1:
            raise Failed(f"profile {' '.join(words)}: status {run.returncode}\n{run.stdout}{run.stderr}")
    return f"{len(REFUSED)} cases"


def profile_jobs() -> list[Job]:
    """The runs, then what is said about them."""
    return [
        Job("profile.figures", figures, ("build.gcc.release",)),
        Job("profile.committed", committed, ("profile.figures",)),
        Job("profile.refusals", refusals, ("build.gcc.release",)),
    ]
