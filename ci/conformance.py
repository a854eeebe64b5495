# SPDX-License-Identifier: MIT
"""Whole runs of `tern bench`: equal numbers in every run, equal percentiles by HdrHistogram's reader."""
import csv
import json
import re
import shutil
from pathlib import Path

import hlog
import results
import stream
from common import ROOT
from jobs import Failed, Job, run_quiet

WORK = ROOT / "build/check/bench"
RUNS = 3
JAR = "/usr/share/java/hdrhistogram.jar"
READER = ("java", "-cp", JAR, "org.HdrHistogram.HistogramLogProcessor")


def result_folder(number: int) -> Path:
    """Where a run's results are."""
    return WORK / f"run{number}" / "latest"


def bench_run(number: int) -> str:
    """One quick run of ./tern bench into its own folder; notes the number of benches."""
    out = WORK / f"run{number}"
    shutil.rmtree(out, ignore_errors=True)
    said = run_quiet(ROOT / "tern", "bench", "--quick", "--out", out, cwd=ROOT, seconds=180)
    out.joinpath("screen").write_text(said, encoding="utf-8")
    document = json.loads((result_folder(number) / "results.json").read_text(encoding="utf-8"))
    return f"{len(document['benches'])} benches"


def deterministic() -> str:
    """The figures, and the raw log, of every run are those of the first."""
    documents = [
        json.loads((result_folder(number) / "results.json").read_text(encoding="utf-8"))
        for number in range(1, RUNS + 1)
    ]
    if not documents[0]["environment"]["icount"]:
        return "with KVM numbers are times, which differ; nothing compared"
    logs = [(result_folder(number) / "latency.hlog").read_bytes() for number in range(1, RUNS + 1)]
    for number in range(1, RUNS):
        if documents[number]["benches"] != documents[0]["benches"]:
            names = [
                one["name"]
                for one, other in zip(documents[0]["benches"], documents[number]["benches"])
                if one != other
            ]
            raise Failed(
                f"run {number + 1} differs from run 1 in {', '.join(names) or 'its list of benches'}"
            )
        if logs[number] != logs[0]:
            raise Failed(f"latency.hlog of run {number + 1} differs from that of run 1")
    return f"{RUNS} runs, {len(documents[0]['benches'])} benches equal"


def reader_rows(log: Path, tag: str) -> list[tuple[float, float, int]]:
    """(value, fraction, count so far) of each row that the Java reader prints for a tag."""
    text = run_quiet(
        *READER, "-i", log, "-tag", tag, "-outputValueUnitRatio", "1", "-csv", cwd=ROOT, seconds=60
    )
    rows = []
    for row in csv.reader(line for line in text.splitlines() if line and not line.startswith("#")):
        if len(row) >= 3 and re.fullmatch(r"[0-9.]+", row[0]):
            rows.append((float(row[0]), float(row[1]), int(row[2])))
    if not rows:
        raise Failed(f"the Java reader prints no percentiles for {tag}")
    return rows


def java_reads() -> str:
    """Row by row the reader's percentile table is ours, and its percentiles are those of results.json."""
    log = result_folder(1) / "latency.hlog"
    document = json.loads((result_folder(1) / "results.json").read_text(encoding="utf-8"))
    benches = {row["name"]: row for row in document["benches"]}
    compared = 0
    for record in stream_records(log):
        theirs = reader_rows(log, record.tag)
        ours = [
            (float(value), round(fraction, 12), count)
            for value, fraction, count in record.histogram.percentiles()
        ]
        if theirs != ours:
            row = next((pair for pair in zip(theirs, ours) if pair[0] != pair[1]), (len(theirs), len(ours)))
            raise Failed(f"{record.tag}: the Java reader says {row[0]}, we say {row[1]}")
        result_check(benches[record.tag], theirs, record.metadata)
        compared += len(theirs)
    return f"{compared} percentiles equal"


def result_check(bench: dict, rows: list[tuple[float, float, int]], metadata: dict) -> None:
    """The count, p50 and p90 of results.json against the reader's rows, the last of which covers all."""
    if rows[-1][2] != bench["count"]:
        raise Failed(f"{bench['name']}: the Java reader counts {rows[-1][2]}, results.json {bench['count']}")
    for key, fraction in (("p50", 0.5), ("p90", 0.9)):
        value = next(int(row[0]) for row in rows if row[1] >= fraction)
        exact = min(max(value, metadata["min"]), metadata["max"])
        if results.per_op(exact, bench["ops"]) != bench[key]:
            raise Failed(
                f"{bench['name']}: {key} is {exact} by the Java reader,"
                f" {bench[key]} x {bench['ops']} in results.json"
            )


def stream_records(log: Path) -> list[hlog.Record]:
    """The records of a log as the host tool reads it."""

    return [record.log for record in stream.read(log.read_bytes()).records]


def bench_jobs() -> list[Job]:
    """The runs one after the other, then what is said about them."""
    runs = [
        Job(f"bench.run{number}", lambda number=number: bench_run(number), ("build.gcc.release",))
        for number in range(1, RUNS + 1)
    ]
    return [
        *runs,
        Job("bench.deterministic", deterministic, tuple(job.name for job in runs)),
        Job("bench.java_reads_hlog", java_reads, ("bench.run1",)),
    ]
