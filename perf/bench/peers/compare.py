#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`make bench-peers`: runs the programs in build/peers in turn, prints and writes the tables.

    compare.py            measure; write build/peers/results.json and peers.md, print the tables
    compare.py --readme   measure nothing: put the last run's tables between the markers of README.md and of the README.md here
"""
import argparse
import json
import os
import re
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import series
import tables

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
OUT = ROOT / "build/peers"
QUEUES = {
    "channel": ("Tern, `ipc/channel.h`", "own"),
    "channel_kernel": ("the same without vector registers, as in the kernel", "own"),
    "vyukov_mpsc": ("Vyukov bounded, MP/SC", "many"),
    "vyukov_mpmc": ("Vyukov bounded, MP/MC", "many"),
    "ck_mpsc": ("ck_ring, MP/SC", "many"),
    "rte_mpsc": ("rte_ring, MP/SC", "many"),
    "boost": ("boost::lockfree::queue, MP/MC", "many"),
    "moodycamel": ("moodycamel::ConcurrentQueue, MP/MC", "many"),
    "ck_spsc": ("ck_ring, SP/SC: another class", "one"),
    "rte_spsc": ("rte_ring, SP/SC: another class", "one"),
}
SIZES, CAPACITIES = (8, 64), (32, 1024)
PACKAGES = ("gcc-12", "libck-dev", "libdpdk-dev", "libboost-dev", "libconcurrentqueue-dev")
RUN_SECONDS_MAX = 30


class CompareError(Exception):
    """Something that one line explains."""


def cores() -> list[int]:
    """The CPUs that this process may use, one per core, in order."""
    found: dict[str, int] = {}
    for cpu in sorted(os.sched_getaffinity(0)):
        siblings = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        found.setdefault(siblings.read_text() if siblings.exists() else str(cpu), cpu)
    return list(found.values())


def busy_seconds() -> float:
    """CPU seconds that anybody has used since boot, the host that stole them included."""
    words = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()
    ticks = [int(word) for word in words[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def own_seconds() -> float:
    """CPU seconds of this process and of its children that have ended."""
    times = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in times)


def run(name: str, *words: int) -> dict[str, float]:
    """The figures that one program prints."""
    line = [str(OUT / name), *map(str, words)]
    try:
        done = subprocess.run(line, capture_output=True, text=True, timeout=RUN_SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired as error:
        raise CompareError(f"{name} {words} did not end within {RUN_SECONDS_MAX} s") from error
    except OSError as error:
        raise CompareError(f"{name} cannot be started ({error.strerror}); run `make bench-peers`") from error
    if done.returncode != 0:
        raise CompareError(f"{name} {words}: {done.stderr.strip() or f'status {done.returncode}'}")
    return {key: float(value) for key, value in (each.split() for each in done.stdout.splitlines())}


def repetition(name: str, capacity: int, cpus: list[int]) -> series.Repetition:
    """One repetition, and what others used of the CPUs meanwhile."""
    start, busy, own = time.monotonic(), busy_seconds(), own_seconds()
    figures = run(name, capacity, *cpus)
    others = busy_seconds() - busy - (own_seconds() - own)
    return {**figures, "foreign": max(0.0, others) / (time.monotonic() - start)}


def rows_make() -> list[dict[str, Any]]:
    """A row per queue and configuration, with its exact instruction count: what the loop has without a queue is not in it."""
    rows = []
    for size in SIZES:
        for capacity in CAPACITIES:
            empty = run(f"nothing-{size}", capacity)["instructions"]
            for queue, (title, kind) in QUEUES.items():
                count = run(f"{queue}-{size}", capacity)["instructions"] - empty
                rows.append({"queue": queue, "title": title, "kind": kind, "bytes": size, "capacity": capacity,
                             "instructions": round(count, 2), "repetitions": []})  # fmt: skip
    return rows


def lacking(rows: list[dict[str, Any]], wanted: int) -> list[dict[str, Any]]:
    """The rows with fewer than `wanted` repetitions that count."""
    every = [each for row in rows for each in row["repetitions"]]
    return [row for row in rows if not every or not series.choose(row["repetitions"], series.usual_raw(every), wanted)[1]]


def measure(rows: list[dict[str, Any]], cpus: list[int], wanted: int, seconds: float) -> None:
    """In each round all rows that lack repetitions once, so that what changes with time meets all of them. No round begins
    after `seconds`. In the end each row keeps the repetitions that count."""
    start = time.monotonic()
    while (todo := lacking(rows, wanted)) and time.monotonic() - start < seconds:
        print(f"{len(todo)} of {len(rows)} rows to measure", file=sys.stderr)
        for row in todo:
            row["repetitions"].append(repetition(f"{row['queue']}-{row['bytes']}", row["capacity"], cpus))
    usual = series.usual_raw([each for row in rows for each in row["repetitions"]])
    for row in rows:
        row["measured"] = len(row["repetitions"])
        row["repetitions"], row["trusted"] = series.choose(row["repetitions"], usual, wanted)


def versions() -> str:
    """The packages that were compared with."""
    line = ["dpkg-query", "-W", "-f", "${Package} ${Version}, ", *PACKAGES]
    try:
        return subprocess.run(line, capture_output=True, text=True, check=False).stdout.rstrip(", ")
    except OSError:
        return "packages unknown"


def how(rows: list[dict[str, Any]], cpus: list[int], wanted: int) -> str:
    """A paragraph: when, where, of what the figures are."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    shared = "shares the consumer's CPU, for there is no third" if cpus[2] == cpus[0] else f"is on CPU {cpus[2]}"
    disturbed = sum(not row["trusted"] for row in rows)
    rejected = sum(max(0, row["measured"] - wanted) for row in rows)
    return (
        f"{time.strftime('%Y-%m-%d', time.gmtime())}, {model[1] if model else 'unknown CPU'}, Linux {os.uname().release}; "
        f"{versions()}; all with `-O2 -march=native`. Consumer on CPU {cpus[0]}, producer on CPU {cpus[1]}; a second producer "
        f"{shared}. Medians of at most {wanted} repetitions [least..greatest]; {rejected} further ones were left out because others used "
        f"more than {series.FOREIGN_MAX:.0%} of a CPU or the raw round trip of a cache line was not the run's usual one, "
        f"{figure_raw(rows)} ns. {disturbed} of {len(rows)} rows are marked (!): they have too few undisturbed repetitions."
    )


def figure_raw(rows: list[dict[str, Any]]) -> str:
    """The run's usual raw round trip."""
    return f"{series.usual_raw([each for row in rows for each in row['repetitions']]):.0f}"


def compare(wanted: int, seconds: float) -> None:
    """Measures and writes."""
    found = cores()
    if len(found) < 2:
        raise CompareError("two cores are needed, and this process may use one")
    cpus = [found[1], found[0], found[2] if len(found) > 2 else found[1]]
    rows = rows_make()
    measure(rows, cpus, wanted, seconds)
    results = {"how": how(rows, cpus, wanted), "rows": rows}
    (OUT / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    text = tables.document(results, short=False)
    (OUT / "peers.md").write_text(text, encoding="utf-8")
    print(text, end="")
    print("written: build/peers/peers.md, build/peers/results.json; `make bench-peers-readme` puts them into the READMEs")


def readme() -> None:
    """The last run's tables into the two files."""
    try:
        results = json.loads((OUT / "results.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CompareError("there is no run in build/peers/results.json; run `make bench-peers`") from error
    tables.file_replace(ROOT / "README.md", tables.document(results, short=True))
    tables.file_replace(HERE / "README.md", tables.document(results, short=False))


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(prog="compare.py", description="Compares the kernel's channel with other queues.")
    parser.add_argument("--readme", action="store_true", help="measure nothing; the last run's tables into the READMEs")
    parser.add_argument("--repetitions", type=int, default=5, metavar="N", help="of each row (default 5)")
    parser.add_argument("--seconds", type=float, default=120, metavar="S", help="repeat no longer than that (default 120)")
    chosen = parser.parse_args()
    try:
        if chosen.readme:
            readme()
        else:
            compare(max(1, chosen.repetitions), max(1.0, chosen.seconds))
    except (CompareError, tables.MarkerError) as error:
        print(f"bench-peers: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
