# SPDX-License-Identifier: MIT
"""Whole runs of `tern profile`: the listing, whose figures are those of `tern bench`; tables, chains, and a known split of work."""
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

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
SPLIT = {"work_six": 60.0, "work_three": 30.0, "work_one": 10.0}  # tests/guest/profile/split.c
MISTAKES = {
    ("--annotate", "no_such_function"): "no function is named no_such_function",
    ("--image", "no_such_image"): "there is no image no_such_image",
    ("channel.call.cross_cpu.0",): "channel.call.cross_cpu.0 needs two CPUs",
    ("--whole", "--sampler"): "--whole and --exact are for the count of all instructions",
    ("--vmm", "xen"): "no host's perf sees into a guest of Xen; add --sampler",
    ("channel.nonsense",): "no bench is named channel.nonsense; there are: boot.to_user, ",
}
ANNOTATED = {  # where each is: assembly, the boot, C, one of several of this name, the vDSO
    "syscall_entry": "kernel",
    "boot_target": "kernel",
    "kernel_main": "kernel",
    "call_server:main": "call_server",
    "channel_transact": "vdso",
}
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


def table_make(name: str, *words: str, seconds: int = 180) -> dict[str, Any]:
    """profile.json of one run into a folder of this name."""
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    screen = run_quiet(ROOT / "tern", "profile", *words, "--out", folder, cwd=ROOT, seconds=seconds)
    if "share" not in screen:
        raise Failed(f"no table:\n{screen}")
    return json.loads((folder / "profile.json").read_text(encoding="utf-8"))


def split_check(document: dict[str, Any], points: float) -> str:
    """Six, three and one parts of the work are found as 60, 30 and 10 per cent of it."""
    counts = {row["function"]: row["count"] for row in document["functions"] if row["function"] in SPLIT}
    whole = sum(counts.values())
    shares = {name: 100 * counts.get(name, 0) / max(whole, 1) for name in SPLIT}
    text = ", ".join(f"{name} {share:.2f}" for name, share in shares.items())
    if whole < 300 or any(abs(shares[name] - wanted) > points for name, wanted in SPLIT.items()):
        raise Failed(f"not 60, 30, 10 within {points} points: {text} of {whole}")
    return f"{text} of {whole} {document['unit']}"


def counted_split() -> str:
    """Exact, hence the same in two runs."""
    words = ("--exact", "--image", "profile_split", "--append", "iterations=300")
    first, second = table_make("split", *words), table_make("split-again", *words)
    if first != second:
        raise Failed("two runs count differently; compare split/ and split-again/ in build/check/profile/")
    return split_check(first, 0.1)


def sampled_split() -> str:
    """The guest's own samples say the same; a busy host takes from all three alike."""
    return split_check(table_make("split-sampled", "--sampler", "--image", "profile_split", "--hz", "5000"), 2.0)


def nested_split() -> str:
    """perf on the host of a guest of KVM says so too."""
    words = ("--vmm", "kvm-nested", "--image", "profile_split", "--append", "iterations=30000", "--timeout", "300")
    return split_check(table_make("split-nested", *words, seconds=600), 5.0)


def named() -> str:
    """Both sides of a call have their names: the kernel's channel code, the bench, the vDSO."""
    rows = {(row["where"], row["function"]) for row in table_make("named")["functions"]}
    wanted = {("kernel", "sys_channel_transact"), ("bench", "channel_call_run"), ("vdso", "channel_transact")}
    if not wanted <= rows:
        raise Failed(f"not in the table: {sorted(wanted - rows)}")
    folder = WORK / "annotated"
    line = (ROOT / "tern", "profile", "--exact", "--annotate", "sys_channel_transact", "--out", folder)
    shown = run_quiet(*line, cwd=ROOT, seconds=180)
    executed = re.findall(r"^ +([1-9]\d*)  \+0x[0-9a-f]+  \S", shown, re.MULTILINE)
    if len(executed) < 30 or "sys/fastpath.c:" not in shown:
        raise Failed(f"sys_channel_transact has {len(executed)} executed instructions:\n{shown[:2000]}")
    return f"{len(rows)} functions"


def annotatable() -> str:
    """Whatever the table names can be annotated, assembly and vDSO too, and the counts are the table's, the boot's included."""
    folder = WORK / "whole"
    document = table_make("whole", "--whole", "hist.record")
    counts = {(row["where"], row["function"]): row["count"] for row in document["functions"]}
    for name, where in ANNOTATED.items():
        line = (ROOT / "tern", "profile", "--whole", "--annotate", name, "--out", folder, "hist.record")
        shown = run_quiet(*line, cwd=ROOT, seconds=180)
        total = sum(int(count) for count in re.findall(r"^ +(\d+)  \+0x", shown, re.MULTILINE))
        function = name.rpartition(":")[2]
        if not shown.startswith(f"{function} ({where})") or total == 0 or total != counts.get((where, function)):
            raise Failed(f"{name}: the table has {counts.get((where, function))}, its instructions {total}:\n{shown[:2000]}")
    return f"{len(ANNOTATED)} functions"


def chains() -> str:
    """perf itself shows who called: a program's function, the vDSO, the kernel."""
    table_make("chains", "--sampler")
    data = WORK / "chains/perf.data"
    options = ("--no-children", "-i", data, "--vmlinux", f"{data}.elf/tern.elf")
    said = run_quiet("perf", "report", "-g", "caller", "--stdio", *options, cwd=ROOT, seconds=120)
    chain = re.search(r"channel_call_run\s.*?channel_transact\s.*?sys_channel_\w+", said, re.DOTALL)
    if not chain:
        raise Failed(f"no chain from channel_call_run by channel_transact into the kernel:\n{said[:3000]}")
    return "channel_call_run, channel_transact, sys_channel_*"


def mistakes() -> str:
    """Whatever cannot be profiled ends with one clear line."""
    for words, says in MISTAKES.items():
        run = subprocess.run([ROOT / "tern", "profile", *words], cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
        if run.returncode != 1 or run.stdout or not run.stderr.startswith(f"tern: {says}") or run.stderr.count("\n") != 1:
            raise Failed(f"profile {' '.join(words)}: status {run.returncode}\n{run.stdout}{run.stderr}")
    return f"{len(MISTAKES)} cases"


def kallsyms() -> str:
    """perf makes no map of a guest's kernel without these, as functions."""
    text = (ROOT / "build/tern.kallsyms").read_text(encoding="utf-8")
    missing = [name for name in ("_text", "_stext", "_etext") if not re.search(rf"^[0-9a-f]+ T {name}$", text, re.MULTILINE)]
    if missing:
        raise Failed(f"build/tern.kallsyms has no function {', '.join(missing)}")
    return f"{text.count(chr(10))} symbols"


def profile_jobs() -> list[Job]:
    """The runs, then what is said about them."""
    return [
        Job("profile.figures", figures, ("build.gcc.release",)),
        Job("profile.committed", committed, ("profile.figures",)),
        Job("profile.refusals", refusals, ("build.gcc.release",)),
        Job("profile.mistakes", mistakes, ("build.gcc.release",)),
        Job("profile.kallsyms", kallsyms, ("build.gcc.release",)),
        Job("profile.named", named, ("profile.figures",)),
        Job("profile.split.counted", counted_split, ("profile.figures",)),
        Job("profile.split.sampled", sampled_split, ("profile.figures",)),
        Job("profile.split.kvm-nested", nested_split, ("profile.figures",)),
        Job("profile.annotatable", annotatable, ("profile.figures",)),
        Job("profile.chains", chains, ("profile.figures",)),
    ]
