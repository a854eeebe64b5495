# SPDX-License-Identifier: MIT
"""The tables of an image as text, a line per entry, process after process."""

import struct
import zlib
from pathlib import Path
from typing import Any, Iterator

from abi import Abi
from image_file import CHECKSUM_OFFSET, HEADER, TABLES
from system import Refused

KINDS = ("channel_handler", "channel_initiator", "histogram", "wait_group", "interrupt", "process", "thread",
         "event_subscription", "router")
_Row = tuple[Any, ...]


def image_show(file: Path, abi: Abi) -> str:
    """The tables of the image in `file`. Raises Refused if it is none."""
    data = file.read_bytes()
    try:
        return "\n".join(_Shown(data, abi).lines()) + "\n"
    except (struct.error, ValueError, IndexError) as error:
        raise Refused([f"{file}: not a system image: {error}"]) from None


class _Shown:
    """The rows of each table, as tuples of their fields."""

    def __init__(self, data: bytes, abi: Abi) -> None:
        self.abi = abi
        self.header = HEADER.unpack_from(data)
        magic, version, size, checksum = self.header[:4]
        if (magic, version) != (abi["IMAGE_MAGIC"], abi["IMAGE_VERSION"]):
            raise ValueError("wrong magic or version")
        if size != len(data):
            raise ValueError(f"it has {len(data)} bytes, its header says {size}")
        zeroed = data[:CHECKSUM_OFFSET] + bytes(4) + data[CHECKSUM_OFFSET + 4 :]
        if zlib.crc32(zeroed) != checksum:
            raise ValueError("wrong checksum")
        end = 4 + len(TABLES)
        (self.processes, self.threads, self.objects, self.regions, self.interrupts, self.devices,
         self.subscriptions) = (
            [row.unpack_from(data, offset + number * row.size) for number in range(count)]
            for row, count, offset in zip(TABLES, self.header[4:end], self.header[end:]))
        self.kinds = {abi[f"IMAGE_OBJECT_{kind.upper()}"]: kind for kind in KINDS}

    def lines(self) -> Iterator[str]:
        _, version, size, checksum = self.header[:4]
        yield f"image '{_text(self.header[-1])}' version {version} bytes {size} checksum {checksum:#010x}"
        for name, entry, cpu, _, *runs in self.processes:
            regions, objects, threads, devices = (
                slice(first, first + count) for first, count in zip(runs[::2], runs[1::2]))
            yield f"process '{_text(name)}' cpu {cpu} entry {entry:#x}"
            for thread in self.threads[threads]:
                yield f"  thread '{_text(thread[0])}' priority {thread[2]} stack_top {thread[3]:#x}"
            for handle, row in enumerate(self.objects[objects]):
                yield f"  handle {handle} '{_text(row[0])}' {self._object(row)}"
            for address, length, offset, in_file, flags, _ in self.regions[regions]:
                bits = "".join(letter if flags & 1 << bit else "-" for bit, letter in enumerate("rwx"))
                yield f"  region {address:#x} {bits} bytes {length}, {in_file} of them at offset {offset}"
            for row in self.devices[devices]:
                yield f"  {self._device(row)}"

    def _object(self, row: _Row) -> str:
        """Its type, and what that says of the peer, the region or the interrupts."""
        _, number, _, peer, region, first_line, lines = row
        kind = self.kinds.get(number, str(number))
        if kind == "process":
            return f"process '{_text(self.processes[peer][0])}'"
        if kind == "thread":
            return f"thread '{_text(self.threads[peer][0])}'"
        if kind == "interrupt":
            numbers = (str(number) for _, number in self.interrupts[first_line : first_line + lines])
            return f"interrupt {' '.join(numbers)}"
        if kind == "histogram":
            return f"histogram at {self.regions[region][0]:#x}"
        if kind == "event_subscription":
            return self._subscription(self.subscriptions[peer])
        if peer != self.abi["IMAGE_NONE"]:
            other, _, owner, *_ = self.objects[peer]
            return f"{kind} peer '{_text(self.processes[owner][0])}'.'{_text(other)}'"
        return f"{kind}, a module" if kind == "channel_handler" else kind

    def _subscription(self, row: _Row) -> str:
        """The kinds of events, and which custom ones."""
        _, topics, depth, priority, count, _, names = row
        words = ["all"] if topics == self.abi.topics["all"] else [
            kind for number, kind in enumerate(self.abi.event_kinds) if topics & 1 << number]
        size = self.abi["IMAGE_NAME_BYTES"]
        words += (f"'{_text(names[n * size : n * size + size])}'" for n in range(count))
        return f"event_subscription priority {priority} depth {depth} {' '.join(words)}"

    def _device(self, row: _Row) -> str:
        address, physical, size, _, kind = row
        if kind == self.abi["IMAGE_DEVICE_PORTS"]:
            return f"ports {physical:#x} to {physical + size - 1:#x}"
        return f"device {address:#x} rw- bytes {size} at physical {physical:#x}"


def _text(name: bytes) -> str:
    return name.rstrip(b"\0").decode("ascii", "replace")
