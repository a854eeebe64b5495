#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The guest's log writer, our reader and HdrHistogram's own Java reader have to agree, to the last digit.

Builds tests/host/hlog_program.c (the kernel's recorder and writer as a host program) into build/unit/perf and
gives it histograms of several shapes. Without java or its HdrHistogram these tests fail: nothing is skipped.
"""

import io
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib
from base64 import b64decode, b64encode
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "perf" / "host"))

import hdr  # noqa: E402
import hlog  # noqa: E402

JAR = "/usr/share/java/hdrhistogram.jar"
PROGRAM = ROOT / "build/unit/perf/hlog_program"
GOLDEN = ROOT / "tests/golden/histogram.hlog"
SOURCES = ["tests/host/hlog_program.c", "tests/unit/host.c", "perf/hist.c", "perf/hlog.c", "sys/lib/printf.c"]
FLAGS = ["-std=gnu2x", "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined",
         "-fno-sanitize-recover=all", "-iquote", ".", "-Itests/unit/include", "-Isys/lib/debug"]
PERCENTILES = (0.0, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0)
HIGHEST = (1 << 40) - 1


def shapes() -> dict[str, list[tuple[int, int]]]:
    """Tag -> list of (value, times), the same on every run."""
    rng = random.Random(20240607)
    return {
        "empty": [],
        "zero": [(0, 1)],
        "single": [(123457, 1)],
        "linear": [(rng.randint(1, 2047), 1) for _ in range(3000)],
        "edges": [((1 << bit) + by, 1) for bit in range(10, 40) for by in (-1, 0, 1)],
        "huge": [(rng.randint(1 << 39, HIGHEST), 3) for _ in range(500)] + [(HIGHEST, 1)],
        "all-sizes": [(rng.getrandbits(rng.randint(1, 40)), rng.randint(1, 9)) for _ in range(20000)],
        "million": [(int(rng.lognormvariate(7, 1)), 10) for _ in range(100000)],
        "many-per-slot": [(300, 500000), (301, 1), (90000, 200)],
        "too-large": [(1000, 7), (HIGHEST + 1, 3), ((1 << 64) - 1, 2)],
    }


def expected(values: list[tuple[int, int]]) -> hdr.Histogram:
    """The same values through hdr.py's recorder; those above HIGHEST are left out."""
    histogram = hdr.Histogram()
    for value, times in values:
        if value <= HIGHEST:
            histogram.record(value, times)
    return histogram


def java(*arguments: str) -> str:
    """Standard output of HdrHistogram's log processor; AssertionError if there is no java or it fails."""
    if not shutil.which("java") or not Path(JAR).exists():
        raise AssertionError("no oracle: apt-get install default-jre-headless libhdrhistogram-java")
    command = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", JAR]
    command += ["org.HdrHistogram.HistogramLogProcessor", "-outputValueUnitRatio", "1", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if done.returncode or done.stderr:
        raise AssertionError(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


def run_program(commands: list[str], numbers: Path) -> bytes:
    """Runs the writer; the log."""
    lines = "".join(command + "\n" for command in commands).encode()
    done = subprocess.run([PROGRAM, numbers], input=lines, capture_output=True, timeout=120)
    if done.returncode:
        raise AssertionError(f"hlog_program: exit {done.returncode}\n{done.stderr.decode()}")
    return done.stdout


def frame_of(payload: str) -> bytes:
    """The frame inside the wrapper and the zlib stream."""
    return zlib.decompress(b64decode(payload)[8:])


def record_commands(values: list[tuple[int, int]]) -> list[str]:
    return [f"record {value} {times}" for value, times in values]


def setUpModule() -> None:
    """Builds the program and writes all shapes into one log, once for all tests here."""
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["gcc", *FLAGS, "-o", str(PROGRAM), *SOURCES], cwd=ROOT, check=True)
    folder = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(folder.cleanup)
    LogCase.folder = Path(folder.name)
    LogCase.shapes = shapes()
    commands: list[str] = []
    for tag, values in LogCase.shapes.items():
        commands += record_commands(values) + [f"write {tag} unit=ns cpus=2 build=release"]
    LogCase.path = LogCase.folder / "x.hlog"
    LogCase.bytes = run_program(commands, LogCase.folder / "numbers")
    LogCase.path.write_bytes(LogCase.bytes)
    for line in (LogCase.folder / "numbers").read_text().splitlines():
        tag, *rest = line.split()
        LogCase.numbers[tag] = [int(number) for number in rest]


class LogCase(unittest.TestCase):
    """What setUpModule made: the log as a file and as bytes, and per tag what the program itself computed:
    status, validity, count, then the values at PERCENTILES."""

    folder: Path
    path: Path
    bytes: bytes
    shapes: dict[str, list[tuple[int, int]]]
    numbers: dict[str, list[int]] = {}


class TestAgreement(LogCase):
    def test_our_reader_gets_what_was_recorded(self) -> None:
        log = hlog.read(self.path)
        self.assertEqual([record.tag for record in log.records], list(self.shapes))
        self.assertEqual(log.dropped, 0)
        for record in log.records:
            values = [(value, times) for value, times in self.shapes[record.tag] if value <= HIGHEST]
            lost = sum(times for value, times in self.shapes[record.tag] if value > HIGHEST)
            with self.subTest(record.tag):
                self.assertEqual(record.histogram.counts, expected(values).counts)
                self.assertEqual(record.metadata, {
                    "count": sum(times for _, times in values), "min": min((v for v, _ in values), default=0),
                    "max": max((v for v, _ in values), default=0), "sum": sum(v * n for v, n in values),
                    "overflow": lost, "unit": "ns", "cpus": 2, "build": "release"})
                self.assertEqual(record.length_s, 0.25)

    def test_guest_and_host_percentiles_agree(self) -> None:
        for record in hlog.read(self.path).records:
            status, valid, count, *values = self.numbers[record.tag]
            with self.subTest(record.tag):
                self.assertEqual((status, valid, count), (0, 1, record.histogram.total))
                self.assertEqual(values, [record.histogram.value_at_percentile(p) for p in PERCENTILES])

    def test_java_reads_the_same_table(self) -> None:
        """Every row, the mean, the deviation and the maximum of the .hgrm text, byte for byte."""
        tags = java("-i", str(self.path), "-listtags").split()[-len(self.shapes):]
        self.assertEqual(tags, sorted(self.shapes))
        for record in hlog.read(self.path).records:
            ours = io.StringIO()
            record.histogram.write_hgrm(ours)
            with self.subTest(record.tag):
                self.assertEqual(java("-i", str(self.path), "-tag", record.tag), ours.getvalue())

    def test_java_csv_rows_are_our_percentiles(self) -> None:
        for record in hlog.read(self.path).records[::3]:
            table = java("-i", str(self.path), "-csv", "-tag", record.tag)
            rows = [row.split(",") for row in table.splitlines()[1:]]
            with self.subTest(record.tag):
                self.assertEqual(bool(rows), record.histogram.total > 0)
                for value, fraction, _, *_ in rows:
                    at = record.histogram.value_at_percentile(float(fraction) * 100.0)
                    if float(fraction) > 0.0:
                        self.assertEqual(float(value), at, fraction)

    def test_java_percentiles_are_the_guests(self) -> None:
        """getValueAtPercentile itself shows in the log processor's interval file."""
        for tag in self.shapes:
            out = self.folder / "intervals"
            java("-i", str(self.path), "-tag", tag, "-o", str(out))
            lines = [line for line in out.read_text().splitlines() if re.match(r"\d", line)]
            with self.subTest(tag):
                self.assertEqual(len(lines), 1)
                count, values = re.fullmatch(r".* T:(\d+) \( (.*) \)", lines[0]).groups()
                self.assertEqual(int(count), self.numbers[tag][2])
                self.assertEqual([float(value) for value in values.split()], self.numbers[tag][4:])

    def test_recompressed_payload_is_the_same_histogram(self) -> None:
        log, lines = hlog.read(self.path), self.bytes.decode().splitlines()
        for i, line in enumerate(lines):
            match = hlog.INTERVAL.fullmatch(line)
            if match:
                record = next(record for record in log.records if record.tag == match[1])
                packed = record.histogram.encode()
                self.assertEqual(hdr.decode(packed), record.histogram)
                self.assertLessEqual(len(packed), len(match[5]) + 8)
                self.assertEqual(frame_of(packed), frame_of(match[5]), record.tag)
                lines[i] = line.replace(match[5], packed)
        path = self.folder / "packed.hlog"
        path.write_text("\n".join(lines + [""]))
        self.assertEqual(hlog.read(path).records, log.records)
        tables = [java("-i", str(log), "-tag", "all-sizes") for log in (path, self.path)]
        self.assertEqual(*tables)

    def test_stored_blocks_of_a_long_payload(self) -> None:
        """A histogram with every slot in use needs more than one stored block."""
        layout = hdr.Layout()
        values = [(layout.lowest_of(index), 100) for index in range(layout.slots)]
        path = self.folder / "long.hlog"
        path.write_bytes(run_program(record_commands(values) + ["write long"], self.folder / "long"))
        record = hlog.read(path).records[0]
        self.assertEqual(record.histogram.counts, expected(values).counts)
        ours = io.StringIO()
        record.histogram.write_hgrm(ours)
        self.assertEqual(java("-i", str(path), "-tag", "long"), ours.getvalue())

    def test_golden_log(self) -> None:
        """The bytes of a small log do not change unnoticed."""
        commands = record_commands([(1, 2), (2047, 1), (2048, 3), (1000000, 1), (HIGHEST + 1, 1)])
        log = run_program(commands + ["write golden unit=ns", "write golden.empty"], self.folder / "golden")
        self.assertEqual(log, GOLDEN.read_bytes())


class TestScribbling(LogCase):
    def test_torn_histograms_stay_readable_and_are_noticed(self) -> None:
        """Slots change between the steps: all lengths hold, Java can read it, our reader refuses it."""
        torn = 0
        for seed in range(1, 21):
            commands = record_commands(self.shapes["all-sizes"])
            commands += [f"scribble {seed}", "write torn", "write after"]
            path = self.folder / "torn.hlog"
            path.write_bytes(run_program(commands, self.folder / "torn"))
            status = int((self.folder / "torn").read_text().split()[1])
            payload = hlog.INTERVAL.fullmatch(path.read_text().splitlines()[4])[5]
            frame = frame_of(payload)
            self.assertEqual(struct.unpack(">I", b64decode(payload)[4:8])[0], len(b64decode(payload)) - 8)
            self.assertEqual(struct.unpack(">I", frame[4:8])[0], len(frame) - 40)
            hdr.decode(payload)
            if status == 15:
                torn += 1
                with self.assertRaisesRegex(hlog.HlogError, "the comment counts|was cut|sum"):
                    hlog.read(path)
            if seed <= 4:
                java("-i", str(path), "-tag", "torn")
        self.assertGreater(torn, 10)


class TestStrictness(LogCase):
    def refused(self, old: str, new: str, line: int, message: str) -> None:
        text = self.bytes.decode()
        self.assertIn(old, text)
        with self.assertRaisesRegex(hlog.HlogError, message) as caught:
            hlog.parse(text.replace(old, new, 1).encode())
        self.assertEqual(caught.exception.line, line)

    def line_of(self, start: str) -> int:
        return self.bytes[: self.bytes.index(b"\n" + start.encode())].count(b"\n") + 2

    def test_every_cut_is_noticed(self) -> None:
        commands = record_commands([(5, 1), (70000, 2)]) + ["write a", "write b x=1"]
        small = run_program(commands, self.folder / "cut")
        self.assertEqual(len(hlog.parse(small).records), 2)
        for length in range(len(small)):
            with self.assertRaises(hlog.Truncated):
                hlog.parse(small[:length])

    def test_missing_end_line_keeps_what_was_whole(self) -> None:
        log = run_program(record_commands([(5, 1)]) + ["write a", "cut"], self.folder / "cut")
        with self.assertRaisesRegex(hlog.Truncated, "line 6: truncated: .* after 1 histograms") as caught:
            hlog.parse(log)
        self.assertEqual(caught.exception.log.records[0].tag, "a")

    def test_numbers_that_contradict_the_slots(self) -> None:
        line = self.line_of("Tag=single")
        self.refused("=single count=1 ", "=single count=2 ", line, "counts 2 values, the slots hold 1")
        self.refused("min=123457", "min=130000", line, "no range")
        self.refused("min=123457 max=123457", "min=1 max=3", line, "slots outside")
        self.refused("sum=123457", "sum=400000", line, "cannot be that")

    def test_overflow_is_not_part_of_the_count(self) -> None:
        line = self.line_of("Tag=too-large")
        self.refused("=too-large count=7", "=too-large count=12", line, "counts 12 values")

    def test_malformed_lines(self) -> None:
        line = self.line_of("#[Tern histogram=single")
        self.refused("version 1.3]", "version 1.2]", 3, "expected #.Histogram")
        self.refused("=single count=1 min", "=single min", line, "neither a histogram's comment")
        self.refused("=single count=1 ", "=single count=one ", line, "count is not a number")
        self.refused("=single count=1 ", "=single count=1  ", line, "not key=value")
        self.refused("=single count=1 ", "=single count=1 count=1 ", line, "given twice")
        self.refused("Tag=single,", "Tag=double,", line + 1, "the interval is tagged double")
        self.refused("Tag=single,", "", line + 1, "expected an interval line")
        self.refused("#[Tern histogram=single", "#[Turn histogram=single", line + 1, "neither")
        self.refused("Tag=single,", "Tag=single\t,", line + 1, "not printable")
        end = self.line_of("#[Tern end")
        self.refused(f"histograms={len(self.shapes)}", "histograms=3", end, "the guest wrote 3")
        self.refused("dropped=0]\n", "dropped=0]\nx", end + 1, "after the end line")

    def test_other_comments_may_stand_between_histograms(self) -> None:
        text = self.bytes.decode()
        for comment in ("#", "# by hand", "#[BaseTime: 0.000]", '#[Tern environment clock=tsc note="a b"]'):
            more = text.replace("#[Tern histogram=single", comment + "\n#[Tern histogram=single")
            self.assertEqual(hlog.parse(more.encode()).records, hlog.parse(self.bytes).records)
        self.refused("Tag=single", "#\nTag=single", self.line_of("Tag=single"), "expected an interval line")
        self.refused("#[Tern end", "#[Tern env\n#[Tern end", self.line_of("#[Tern end"), "neither")

    def test_damaged_payloads(self) -> None:
        good = hdr.Histogram()
        good.record(5000, 3)
        blob = b64decode(good.encode(0))
        self.assertEqual(hdr.decode(good.encode(0)), good)
        for at in range(len(blob)):
            for bit in range(8):
                damaged = bytearray(blob)
                damaged[at] ^= 1 << bit
                text = b64encode(bytes(damaged)).decode()
                try:
                    self.assertEqual(hdr.decode(text), good, f"byte {at} bit {bit}")
                except hdr.DecodeError:
                    pass
        for text in ("", "HIST", "HISTFAAA", good.encode()[:-4], good.encode() + "AAAA", "HISTF AAA"):
            with self.assertRaises(hdr.DecodeError):
                hdr.decode(text)


if __name__ == "__main__":
    unittest.main()
