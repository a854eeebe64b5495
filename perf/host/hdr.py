#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""HdrHistogram on the host: the V2 payload in both directions, HdrHistogram's arithmetic, the .hgrm table.

Counts are kept sparse, {slot index: count}, and exact: Python integers, whatever their size. Percentiles,
mean and deviation are computed as the Java library does, its rounding included, so that all digits agree.
Values have the unit of the recorder (ns or instructions); nothing here converts.
"""

import base64
import binascii
import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import TextIO

COOKIE_FRAME = 0x1C849313
COOKIE_COMPRESSED = 0x1C849314
FRAME = struct.Struct(">IIIIqqd")
WRAPPER = struct.Struct(">II")
FRAME_BYTES_MAX = 16 << 20


class DecodeError(ValueError):
    """The payload is not a V2 histogram; the message says what is wrong with it."""


@dataclass(frozen=True)
class Layout:
    """Which slot counts a value: `lowest` discernible, `highest` trackable value, significant `digits`.

    Raises ValueError for numbers that HdrHistogram would refuse.
    """

    lowest: int = 1
    highest: int = (1 << 40) - 1
    digits: int = 3

    def __post_init__(self) -> None:
        if not (1 <= self.lowest and 2 * self.lowest <= self.highest < 1 << 63 and 0 <= self.digits <= 5):
            raise ValueError(f"no such layout: {self.lowest}..{self.highest}, {self.digits} digits")
        if self.unit + self.sub_bits > 62:
            raise ValueError(f"{self.digits} digits from {self.lowest} on do not fit 63 bits")

    @property
    def unit(self) -> int:
        """The number of low bits that no slot tells apart."""
        return self.lowest.bit_length() - 1

    @property
    def sub_bits(self) -> int:
        """log2 of the sub-buckets per bucket."""
        return (2 * 10**self.digits - 1).bit_length()

    @property
    def buckets(self) -> int:
        """How many buckets it takes to reach `highest`."""
        return max(1, self.highest.bit_length() - self.unit - self.sub_bits + 1)

    @property
    def slots(self) -> int:
        """The length of the counts array."""
        return (self.buckets + 1) << (self.sub_bits - 1)

    def index(self, value: int) -> int:
        """The slot of `value`, 0 <= value <= highest."""
        bucket = (value | ((1 << self.sub_bits) - 1) << self.unit).bit_length() - self.unit - self.sub_bits
        return (bucket << (self.sub_bits - 1)) + (value >> (bucket + self.unit))

    def shift(self, index: int) -> int:
        """log2 of the number of values that share the slot."""
        return max(0, (index >> (self.sub_bits - 1)) - 1) + self.unit

    def lowest_of(self, index: int) -> int:
        """The lowest value of a slot."""
        shift = self.shift(index)
        return (index - ((shift - self.unit) << (self.sub_bits - 1))) << shift

    def highest_of(self, index: int) -> int:
        """The highest value of a slot."""
        return self.lowest_of(index) + (1 << self.shift(index)) - 1

    def median_of(self, index: int) -> int:
        """The value that stands for a slot in means."""
        return self.lowest_of(index) + ((1 << self.shift(index)) >> 1)


@dataclass
class Histogram:
    """Counts per slot; a slot that is not in the dictionary is empty, and none in it is zero."""

    layout: Layout = field(default_factory=Layout)
    counts: dict[int, int] = field(default_factory=dict)

    def record(self, value: int, times: int = 1) -> None:
        """Counts `value`. ValueError outside 0..highest."""
        if not 0 <= value <= self.layout.highest:
            raise ValueError(f"{value} is outside 0..{self.layout.highest}")
        index = self.layout.index(value)
        self.counts[index] = self.counts.get(index, 0) + times

    def add(self, other: "Histogram") -> None:
        """Adds the counts of `other`. ValueError if the layouts differ."""
        if other.layout != self.layout:
            raise ValueError("histograms of different layouts cannot be added")
        for index, count in other.counts.items():
            self.counts[index] = self.counts.get(index, 0) + count

    @property
    def total(self) -> int:
        """The number of values."""
        return sum(self.counts.values())

    @property
    def max(self) -> int:
        """The highest value equivalent to the largest recorded one; 0 if empty."""
        return self.layout.highest_of(max(self.counts)) if self.counts else 0

    @property
    def min(self) -> int:
        """The lowest value equivalent to the smallest recorded one; 0 if empty."""
        return self.layout.lowest_of(min(self.counts)) if self.counts else 0

    def value_at_percentile(self, percentile: float) -> int:
        """getValueAtPercentile: the highest value of the slot with the rank, for 0..100; 0 if empty.

        Like the original it goes one ulp down before it rounds the rank up, and gives the lowest value for 0.
        """
        wanted = min(max(math.nextafter(percentile, -math.inf), 0.0), 100.0)
        rank = max(1, math.ceil(wanted * self.total / 100.0))
        seen = 0
        for index, count in sorted(self.counts.items()):
            seen += count
            if seen >= rank:
                return self.layout.lowest_of(index) if percentile == 0.0 else self.layout.highest_of(index)
        return 0

    def mean(self) -> float:
        """The mean of the slots' middle values; 0.0 if empty. The exact one is the comment's sum / count."""
        total = self.total
        if not total:
            return 0.0
        value = 0.0
        for index, count in sorted(self.counts.items()):
            value += self.layout.median_of(index) * float(count)
        return value / total

    def deviation(self) -> float:
        """The standard deviation of the slots' middle values; 0.0 if empty."""
        total = self.total
        if not total:
            return 0.0
        mean, squares = self.mean(), 0.0
        for index, count in sorted(self.counts.items()):
            squares += (self.layout.median_of(index) - mean) ** 2 * count
        return math.sqrt(squares / total)

    def percentiles(self, ticks: int = 5) -> Iterator[tuple[int, float, int]]:
        """Rows (value, fraction 0..1, values so far), `ticks` of them for each halving of what is left."""
        total, seen, level = self.total, 0, 0.0
        for index, count in sorted(self.counts.items()):
            seen += count
            while 100.0 * seen / total >= level:
                yield self.layout.highest_of(index), level / 100.0, seen
                if seen == total:
                    yield self.layout.highest_of(index), 1.0, total
                    return
                halvings = int(math.log(100.0 / (100.0 - level)) / math.log(2)) + 1
                level += 100.0 / (ticks * 2**halvings)

    def write_hgrm(self, out: TextIO, unit: str = "", ratio: float = 1.0) -> None:
        """Writes the table in the Java dialect; `unit` becomes a comment, values are divided by `ratio`."""
        if unit:
            out.write(f"# unit: {unit}\n")
        out.write("%12s %14s %10s %14s\n\n" % ("Value", "Percentile", "TotalCount", "1/(1-Percentile)"))
        for value, fraction, seen in self.percentiles():
            out.write("%12s %14s %10d" % (_fixed(value / ratio, 3), _fixed(fraction, 12), seen))
            out.write("\n" if fraction == 1.0 else " %14s\n" % _fixed(1.0 / (1.0 - fraction), 2))
        mean, deviation = _fixed(self.mean() / ratio, 3), _fixed(self.deviation() / ratio, 3)
        out.write("#[Mean    = %12s, StdDeviation   = %12s]\n" % (mean, deviation))
        out.write("#[Max     = %12s, Total count    = %12d]\n" % (_fixed(self.max / ratio, 3), self.total))
        buckets, sub_buckets = self.layout.buckets, 1 << self.layout.sub_bits
        out.write("#[Buckets = %12d, SubBuckets     = %12d]\n" % (buckets, sub_buckets))

    def encode(self, level: int = 9) -> str:
        """The V2 payload in base64; `level` is zlib's, 0 for stored."""
        numbers = bytearray()
        covered = 0
        for index, count in sorted(self.counts.items()):
            _put_zeros(numbers, index - covered)
            _put_number(numbers, count)
            covered = index + 1
        if not covered:
            _put_zeros(numbers, 1)
        layout = self.layout
        frame = FRAME.pack(COOKIE_FRAME, len(numbers), 0, layout.digits, layout.lowest, layout.highest, 1.0)
        packed = zlib.compress(frame + bytes(numbers), level)
        return base64.b64encode(WRAPPER.pack(COOKIE_COMPRESSED, len(packed)) + packed).decode()


def _fixed(number: float, places: int) -> str:
    """Java's %.Nf: the shortest decimal of the double, ties away from zero; Python's rounds them to even."""
    return f"{Decimal(repr(number)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):f}"


def decode(payload: str) -> Histogram:
    """Decodes a V2 payload in base64, stored or compressed. DecodeError if anything about it is wrong."""
    try:
        blob = base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DecodeError(f"not base64: {error}") from None
    if len(blob) < WRAPPER.size:
        raise DecodeError("shorter than its wrapper")
    cookie, length = WRAPPER.unpack_from(blob)
    if cookie != COOKIE_COMPRESSED:
        raise DecodeError(f"wrapper cookie {cookie:#x} is not {COOKIE_COMPRESSED:#x}")
    if length != len(blob) - WRAPPER.size:
        raise DecodeError(f"wrapper promises {length} bytes, {len(blob) - WRAPPER.size} follow")
    frame = _inflate(blob[WRAPPER.size :])
    if len(frame) < FRAME.size:
        raise DecodeError("shorter than its frame header")
    cookie, length, offset, digits, lowest, highest, ratio = FRAME.unpack_from(frame)
    if cookie != COOKIE_FRAME:
        raise DecodeError(f"frame cookie {cookie:#x} is not {COOKIE_FRAME:#x}")
    if length != len(frame) - FRAME.size:
        raise DecodeError(f"frame promises {length} bytes, {len(frame) - FRAME.size} follow")
    if offset != 0 or ratio != 1.0:
        raise DecodeError("shifted histograms and ratios other than 1.0 are not supported")
    try:
        layout = Layout(lowest, highest, digits)
    except ValueError as error:
        raise DecodeError(str(error)) from None
    return Histogram(layout, _counts(frame[FRAME.size :], layout.slots))


def _inflate(packed: bytes) -> bytes:
    stream = zlib.decompressobj()
    try:
        frame = stream.decompress(packed, FRAME_BYTES_MAX)
    except zlib.error as error:
        raise DecodeError(f"zlib: {error}") from None
    if not stream.eof or stream.unused_data:
        raise DecodeError("the zlib stream is cut short, too long or followed by other bytes")
    return frame


def _counts(numbers: bytes, slots: int) -> dict[int, int]:
    counts: dict[int, int] = {}
    at = index = 0
    while at < len(numbers):
        number, at = _get_number(numbers, at)
        if number > 0:
            counts[index] = number
        index += max(1, -number)
        if index > slots:
            raise DecodeError(f"more than {slots} slots")
    return counts


def _get_number(numbers: bytes, at: int) -> tuple[int, int]:
    """One ZigZag LEB128-64b9B number and where the next one starts; the ninth byte holds eight bits."""
    raw = 0
    for i in range(9):
        if at + i >= len(numbers):
            raise DecodeError("a number is cut short")
        byte = numbers[at + i]
        if i == 8 or byte < 128:
            raw |= byte << (7 * i)
            break
        raw |= (byte & 127) << (7 * i)
    return (raw >> 1) ^ -(raw & 1), at + i + 1


def _put_number(numbers: bytearray, value: int) -> None:
    raw = ((value << 1) ^ (value >> 63)) & (2**64 - 1)
    for _ in range(8):
        if raw < 128:
            numbers.append(raw)
            return
        numbers.append((raw & 127) | 128)
        raw >>= 7
    numbers.append(raw)


def _put_zeros(numbers: bytearray, run: int) -> None:
    if run:
        _put_number(numbers, -run if run > 1 else 0)
