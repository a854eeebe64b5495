# SPDX-License-Identifier: MIT
"""What one boot sent through org.tern.hist, as benches: hlog.py checks the bytes, this file what the words in
it mean.

    #[Tern environment key=value key="a value with spaces" ...]     any number of lines, keys unique
    #[Tern histogram=NAME count= min= max= sum= overflow= unit= [ops=] [overhead=] [cold=] [stolen= stolen_ns=] ...]
"""
import io
import re
from dataclasses import dataclass

import hlog

ENVIRONMENT = re.compile(rb"^#\[Tern environment ([ -~]*)\]$", re.MULTILINE)
WORD = re.compile(r'([a-z][a-z0-9_]*)=("[^"]*"|[^" ]+) *')
NAME = re.compile(r"[a-z0-9_.]+")
UNITS = ("instructions", "ns")


class StreamError(Exception):
    """The stream is cut short, damaged, or says something that cannot be; one clause."""


@dataclass(frozen=True)
class Record:
    """One bench: exact numbers per sample (count min max sum overflow ops overhead [cold stolen stolen_ns]), histogram."""

    name: str
    unit: str
    fields: dict[str, int]
    log: hlog.Record
    payload: str

    def value_at(self, percentile: float) -> int:
        """The histogram's value at 0..100."""
        return self.log.histogram.value_at_percentile(percentile)

    def slots(self) -> list[tuple[int, int]]:
        """(lowest value, count) of each used slot, rising."""
        histogram = self.log.histogram
        return [
            (histogram.layout.lowest_of(index), count) for index, count in sorted(histogram.counts.items())
        ]

    def hgrm(self) -> str:
        """The percentile table of the samples divided by ops, for HdrHistogram's plotter."""
        text = io.StringIO()
        self.log.histogram.write_hgrm(
            text, unit=f"{self.unit} per operation", ratio=float(self.fields["ops"])
        )
        return text.getvalue()


@dataclass(frozen=True)
class Stream:
    """A complete stream."""

    records: list[Record]
    environment: dict[str, str]
    dropped: int


def environment_read(stream: bytes) -> dict[str, str]:
    """The guest's words about itself. Raises StreamError for a malformed line or a key said twice."""
    said: dict[str, str] = {}
    for line in ENVIRONMENT.findall(stream):
        text, at = line.decode("ascii"), 0
        while at < len(text):
            word = WORD.match(text, at)
            if word is None or word[1] in said:
                raise StreamError(f"the environment line is malformed at {text[at:at + 40]!r}")
            said[word[1]], at = word[2].strip('"'), word.end()
    return said


def record_read(read: hlog.Record) -> Record:
    """Checks what a bench must say beyond its counts."""
    metadata = read.metadata
    if not NAME.fullmatch(read.tag):
        raise StreamError(f"{read.tag!r} is no bench name")
    if metadata["count"] == 0:
        raise StreamError(f"the histogram of {read.tag} is empty")
    if metadata.get("unit") not in UNITS:
        raise StreamError(f"the histogram of {read.tag} has no unit")
    fields = {key: metadata[key] for key in ("count", "min", "max", "sum", "overflow")}
    fields |= {"ops": metadata.get("ops", 1), "overhead": metadata.get("overhead", 0)}
    fields |= {key: metadata[key] for key in ("cold", "stolen", "stolen_ns") if key in metadata}
    for key, least in (("ops", 1), ("overhead", 0), ("cold", 0), ("stolen", 0), ("stolen_ns", 0)):
        value = fields.get(key, least)
        if not isinstance(value, int) or value < least:
            raise StreamError(f"the histogram of {read.tag} says {key}={value}")
    return Record(read.tag, metadata["unit"], fields, read, read.histogram.encode())


def read(stream: bytes) -> Stream:
    """Reads a whole stream. Raises StreamError if it is cut short, malformed, or holds no bench."""
    if not stream:
        raise StreamError("no histogram arrived: org.tern.hist is empty")
    environment = environment_read(stream)
    try:
        log = hlog.parse(ENVIRONMENT.sub(b"#", stream))
    except hlog.Truncated as error:
        raise StreamError(
            f"the histogram stream is cut short after {len(error.log.records)} histograms"
        ) from error
    except hlog.HlogError as error:
        raise StreamError(f"the histogram stream is damaged: {error}") from error
    records = [record_read(record) for record in log.records]
    if not records:
        raise StreamError("the histogram stream holds no histogram")
    if len({record.name for record in records}) != len(records):
        raise StreamError("a bench reported twice")
    return Stream(records, environment, log.dropped)


def unit_check(stream: Stream, unit: str) -> None:
    """Raises StreamError if a bench used another unit than the boot was asked for."""
    for record in stream.records:
        if record.unit != unit:
            raise StreamError(f"{record.name} came in {record.unit}, not in {unit}")
