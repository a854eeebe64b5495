#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Reads the interval log that a guest wrote to org.tern.hist, and believes none of it unseen.

A log is a header of three lines, then for each histogram a comment with its exact numbers and an interval
line, then the end line. Other comments may stand between histograms. Whatever does not fit is an HlogError
with the number of its line; a log without its end line is Truncated, an error too, with what was whole.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import hdr

VERSION = "#[Histogram log format version 1.3]"
START_TIME = re.compile(r"#\[StartTime: (\d+\.\d+) \(seconds since epoch\), [0-9TZ:.-]+\]")
LEGEND = '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"'
COMMENT = re.compile(r"#\[Tern histogram=([!-~]+) (count=.*)\]")
OTHER_COMMENT = re.compile(r"#(?!\[Tern )[ -~]*|#\[Tern environment [ -~]*\]")
END = re.compile(r"#\[Tern end histograms=(\d+) dropped=(\d+)\]")
INTERVAL = re.compile(r"Tag=([!-+\--~]+),(\d+\.\d{3,}),(\d+\.\d{3,}),(\d+\.\d{3,}),([A-Za-z0-9+/=]+)")
NUMBERS = ("count", "min", "max", "sum", "overflow")


class HlogError(ValueError):
    """The log is malformed or contradicts itself; `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line


@dataclass
class Record:
    """One histogram. Times in seconds since StartTime; metadata: count min max sum overflow and the note."""

    tag: str
    start_s: float
    length_s: float
    metadata: dict[str, int | str]
    histogram: hdr.Histogram


@dataclass
class Log:
    """A whole log. `dropped` histograms were lost or torn in the guest, by its own account."""

    records: list[Record] = field(default_factory=list)
    start_time_s: float = 0.0
    dropped: int = 0


class Truncated(HlogError):
    """The log stops before its end line; `log` holds the records before that."""

    def __init__(self, line: int, log: Log) -> None:
        super().__init__(line, f"truncated: no end line after {len(log.records)} histograms")
        self.log = log


def read(path: str | Path) -> Log:
    """Reads and checks a log file. OSError, HlogError, Truncated."""
    return parse(Path(path).read_bytes())


def parse(stream: bytes) -> Log:
    """Checks the bytes of a whole log. HlogError, Truncated."""
    return _Parser(stream).log()


class _Parser:
    def __init__(self, stream: bytes) -> None:
        *self.lines, self.rest = stream.split(b"\n")
        self.at = 0
        self.result = Log()

    def next_line(self) -> str:
        """The next line. Truncated if there is none; HlogError if it is not printable ASCII."""
        if self.at == len(self.lines):
            raise Truncated(self.at + 1, self.result)
        self.at += 1
        line = self.lines[self.at - 1]
        if any(not 32 <= byte < 127 for byte in line):
            raise self.error("not printable ASCII")
        return line.decode("ascii")

    def error(self, message: str) -> HlogError:
        return HlogError(self.at, message)

    def log(self) -> Log:
        self.header()
        while True:
            line = self.next_line()
            if end := END.fullmatch(line):
                return self.end(int(end[1]), int(end[2]))
            if comment := COMMENT.fullmatch(line):
                self.result.records.append(self.record(comment[1], self.metadata(comment[2])))
            elif not OTHER_COMMENT.fullmatch(line):
                raise self.error(f"neither a histogram's comment nor the end line: {line[:60]!r}")

    def header(self) -> None:
        while (line := self.next_line()) != VERSION:
            if not line.startswith("#"):
                raise self.error(f"expected {VERSION}")
        start = START_TIME.fullmatch(self.next_line())
        if not start:
            raise self.error("expected the start time")
        self.result.start_time_s = float(start[1])
        while (line := self.next_line()) != LEGEND:
            if not line.startswith("#"):
                raise self.error("expected the legend")

    def metadata(self, text: str) -> dict[str, int | str]:
        """The key=value words behind the tag; the five numbers come first and are whole numbers."""
        metadata: dict[str, int | str] = {}
        for word in text.split(" "):
            key, equals, value = word.partition("=")
            if not key or not equals or not value:
                raise self.error(f"not key=value: {word!r}")
            if key in metadata or key == "histogram":
                raise self.error(f"{key} is given twice")
            metadata[key] = int(value) if re.fullmatch(r"-?\d+", value) else value
        if tuple(metadata)[: len(NUMBERS)] != NUMBERS:
            raise self.error(f"expected {' '.join(NUMBERS)} first")
        for key in NUMBERS:
            if not isinstance(metadata[key], int) or not 0 <= metadata[key] < 1 << 64:
                raise self.error(f"{key} is not a number of 64 bits")
        return metadata

    def record(self, tag: str, metadata: dict[str, int | str]) -> Record:
        interval = INTERVAL.fullmatch(self.next_line())
        if not interval:
            raise self.error("expected an interval line after the comment")
        if interval[1] != tag:
            raise self.error(f"the interval is tagged {interval[1]}, its comment says {tag}")
        try:
            histogram = hdr.decode(interval[5])
        except hdr.DecodeError as error:
            raise self.error(str(error)) from None
        self.check_numbers(metadata, histogram)
        return Record(tag, float(interval[2]), float(interval[3]), metadata, histogram)

    def check_numbers(self, metadata: dict[str, int | str], histogram: hdr.Histogram) -> None:
        """The comment's numbers against the slots. A record under way may be in the sum and not in a slot."""
        count, least, most, total_value = (int(metadata[key]) for key in NUMBERS[:4])
        layout, counts = histogram.layout, histogram.counts
        if count != histogram.total:
            raise self.error(f"the comment counts {count} values, the slots hold {histogram.total}")
        if not count:
            return
        if not least <= most <= layout.highest:
            raise self.error(f"min {least} and max {most} are no range")
        if min(counts) < layout.index(least) or max(counts) > layout.index(most):
            raise self.error(f"slots outside min {least} .. max {most} hold values")
        low = sum(layout.lowest_of(index) * n for index, n in counts.items()) - most
        high = sum(layout.highest_of(index) * n for index, n in counts.items()) + most
        if high < 1 << 64 and not low <= total_value <= high:
            raise self.error(f"the sum {total_value} cannot be that of these slots")

    def end(self, histograms: int, dropped: int) -> Log:
        if histograms != len(self.result.records):
            raise self.error(f"the guest wrote {histograms} histograms, {len(self.result.records)} arrived")
        self.result.dropped = dropped
        if self.at != len(self.lines) or self.rest:
            self.at += 1
            raise self.error("there is something after the end line")
        return self.result
