#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The sampler's stream: what is whole is read, what is cut or contradicts itself is refused; flame graphs of it."""
import struct
import sys
import unittest
import xml.etree.ElementTree as tree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "perf/host"))

import flamegraph
import profstream
from profstream import BEGIN, CPU, END, PROCESS, SAMPLE


def record(kind: int, *words: int, cpu: int = 0, flags: int = 0) -> bytes:
    """One record."""
    return struct.pack(f"<{len(words) + 1}I", kind | len(words) + 1 << 8 | cpu << 16 | flags << 24, *words)


def name(text: str) -> tuple[int, ...]:
    """Eight words."""
    return struct.unpack("<8I", text.encode().ljust(32, b"\0"))


def sample(number: int, *frames: int, process: int = 0) -> bytes:
    """One in the kernel, of one frame there."""
    return record(SAMPLE, number, 1000 + number, 0, process, 1 | len(frames) << 8, 0x80201000, *frames)


def stream(*samples: bytes, taken: int, dropped: int = 0) -> bytes:
    """A whole stream of one CPU and one process."""
    body = profstream.MAGIC + record(BEGIN, 1, 1000, 1, profstream.NONE, 1, *range(5), *name("image"))
    body += record(PROCESS, 0, *name("split")) + b"".join(samples) + record(CPU, taken, 0, dropped, 0, 3)
    return body + record(END, len(body) // 4, 0)


class Streams(unittest.TestCase):
    """profstream.read."""

    def test_a_whole_one(self) -> None:
        """Addresses are extended, the gap of a dropped sample is no fault."""
        read = profstream.read(stream(sample(0, 0x201FB7, 0x1000010), sample(2, 0x1000010), taken=3, dropped=1))
        self.assertEqual((read.image, read.processes, read.dropped()), ("image", ("split",), 1))
        self.assertEqual(read.samples[0].kernel, (0xFFFFFFFF80201000,))
        self.assertEqual(read.samples[0].user, (0x201FB7, 0x1000010))

    def test_each_cut(self) -> None:
        """However much is missing at the end."""
        whole = stream(sample(0, 0x1000010), taken=1)
        for size in range(len(whole)):
            with self.assertRaises(profstream.ProfileError):
                profstream.read(whole[:size])

    def test_contradictions(self) -> None:
        """Each of them is refused."""
        bad = [
            stream(sample(0), taken=2),
            stream(sample(1), sample(0), taken=2),
            stream(sample(0, 0x80201000), taken=1),
            stream(sample(0, process=1), taken=1),
            stream(sample(0, 0x1000010, process=profstream.NOBODY), taken=1),
            stream(record(9), taken=0),
            stream(sample(0), taken=1) + b"\0\0\0\0",
        ]
        for text in bad:
            with self.assertRaises(profstream.ProfileError):
                profstream.read(text)


class Flames(unittest.TestCase):
    """flamegraph.svg."""

    def test_widths_and_titles(self) -> None:
        """The same text each time, well-formed, shares in the tooltips."""
        text = flamegraph.svg("p;main;a 3\np;main;b_[k] 1\n")
        self.assertEqual(text, flamegraph.svg("p;main;a 3\np;main;b_[k] 1\n"))
        titles = [node.text for node in tree.fromstring(text).iter("{http://www.w3.org/2000/svg}title")]
        self.assertIn("a (user code): 3 samples, 75.00 %", titles)
        self.assertIn("b (kernel): 1 samples, 25.00 %", titles)

    def test_no_stack(self) -> None:
        """A line without a count is refused."""
        with self.assertRaises(ValueError):
            flamegraph.svg("p;main\n")


class Table(unittest.TestCase):
    """The table of `tern profile --sampler`."""



if __name__ == "__main__":
    unittest.main()
