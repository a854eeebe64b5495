# SPDX-License-Identifier: MIT
"""The kernel's numbers, read out of sys/abi: addresses and limits have one home, the C headers.

Only `#define NAME NUMBER`, `#define NAME "TEXT"` and `NAME = NUMBER` of an enum are understood, and of event.h the
kinds of events and the topics made of them, which is all that is needed here.
"""

import re
from pathlib import Path

from system import Thread

HEADERS = ("image.h", "layout.h", "histogram.h", "signals.h", "event.h")
_DEFINE = re.compile(r"^#define +(\w+) +(0x[0-9a-fA-F]+|\d+)[uUlL]*(?: *(?:/\*.*)?)$", re.MULTILINE)
_TEXT = re.compile(r'^#define +(\w+) +"([^"\\]*)"', re.MULTILINE)
_KINDS = re.compile(r"^enum event_kind \{(.*?)^\}", re.MULTILINE | re.DOTALL)
_TOPIC = re.compile(r"^#define TOPIC_(\w+) (\(?EVENT_BIT\([^/\n]*)", re.MULTILINE)
_ENUM = re.compile(r"^ +(\w+) = (\d+),", re.MULTILINE)


class Abi:
    """`abi["USER_PAGE_SIZE"]` is the number of that name in the headers of `folder`, the one with image.h."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError if a header cannot be read."""
        self.folder = folder
        self.names: set[str] = set()  # of every macro, with a number or without
        self.texts: dict[str, str] = {}  # of the macros that are a string
        self._numbers: dict[str, int] = {}
        for header in HEADERS:
            text = (folder / header).read_text(encoding="utf-8")
            self.names |= set(re.findall(r"^#define +(\w+)", text, re.MULTILINE))
            self.texts |= dict(_TEXT.findall(text))
            for name, number in _DEFINE.findall(text) + _ENUM.findall(text):
                self._numbers[name] = int(number, 0)
        event_h = (folder / "event.h").read_text(encoding="utf-8")
        self.event_kinds = _event_kinds(event_h)
        self.topics = _topics(event_h, self.event_kinds)

    def __getitem__(self, name: str) -> int:
        return self._numbers[name]

    @property
    def include_root(self) -> Path:
        """The folder from which `#include "sys/abi/image.h"` is found."""
        return self.folder.parent.parent

    def process_base(self, index: int) -> int:
        """The first address of the slot of process `index`."""
        return self["USER_PROCESS_BASE"] + index * self["USER_PROCESS_STRIDE"]

    def pages(self, size: int) -> int:
        """`size` bytes, rounded up to whole pages (in bytes)."""
        page = self["USER_PAGE_SIZE"]
        return (size + page - 1) // page * page

    def stack_top(self, thread: Thread) -> int:
        """The address just above the stack of a thread that has its place."""
        return thread.stack + self.pages(thread.stack_bytes)

    @property
    def histogram_bytes(self) -> int:
        """sizeof(struct histogram): a head of 64 bytes, 2048 counts of bucket 0, 1024 of each other."""
        return 64 + 8 * 1024 * (self["HISTOGRAM_VALUE_BITS"] - self["HISTOGRAM_SUB_BITS"] + 2)

    @property
    def histogram_stride(self) -> int:
        """From one histogram of a process to its next: the pages it takes and an unmapped one."""
        return self.pages(self.histogram_bytes) + self["USER_PAGE_SIZE"]

    @property
    def histograms_max(self) -> int:
        """How many fit into a process, with an unmapped page after each, before its stack."""
        return (self["USER_STACK_OFFSET"] - self["USER_HISTOGRAM_OFFSET"]) // self.histogram_stride


def _event_kinds(text: str) -> list[str]:
    """The kinds of events in their order, in lower case."""
    names = re.findall(r"\bEVENT_(\w+)", re.sub(r"/\*.*?\*/", "", _KINDS.search(text)[1], flags=re.DOTALL))
    return [name.lower() for name in names if name != "KINDS"]


def _topics(text: str, kinds: list[str]) -> dict[str, int]:
    """The words for topics, each with its bits: every kind by itself, sets of kinds, and all."""
    bits = {kind: 1 << number for number, kind in enumerate(kinds)}
    sets = {name.lower(): sum(bits[kind.lower()] for kind in re.findall(r"EVENT_BIT\(EVENT_(\w+)\)", value))
            for name, value in _TOPIC.findall(text) if name != "ALL"}
    return {**bits, **sets, "all": (1 << len(kinds)) - 1}
