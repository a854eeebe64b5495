# SPDX-License-Identifier: MIT
"""The few fields of a linked x86_64 ELF that an image needs: its entry and its loadable segments."""

import struct
from dataclasses import dataclass
from pathlib import Path

from system import Refused

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_STATIC_EXECUTABLE, _X86_64 = 2, 62
_LOAD, _DYNAMIC, _INTERPRETER, _THREAD_LOCAL = 1, 2, 3, 7
_REFUSED_SEGMENTS = {_DYNAMIC: "dynamically linked", _INTERPRETER: "dynamically linked",
                     _THREAD_LOCAL: "using thread-local variables, which this kernel does not have"}
READ, WRITE, EXECUTE = 4, 2, 1


@dataclass
class Segment:
    """`size` bytes of memory at `address`, first `data`, then zeros. `flags`: READ and so on."""

    address: int
    size: int
    data: bytes
    flags: int


@dataclass
class Elf:
    """A linked program. The segments that take memory, by address; they may touch but not overlap."""

    entry: int
    segments: list[Segment]

    def size(self, writable: bool) -> int:
        """Bytes of memory (not rounded) in all segments that are writable, or in all that are not."""
        return sum(part.size for part in self.segments if bool(part.flags & WRITE) == writable)


def elf_read(file: Path) -> Elf:
    """The program in `file`. Raises Refused if it is not a static x86_64 executable, and OSError."""
    data = file.read_bytes()

    def refuse(why: str) -> Refused:
        return Refused([f"{file}: {why}"])

    if len(data) < _HEADER.size or data[:6] != b"\x7fELF\x02\x01":
        raise refuse("not a little-endian 64-bit ELF")
    _, kind, machine, _, entry, table, _, _, _, entry_size, count, _, _, _ = _HEADER.unpack_from(data)
    if kind != _STATIC_EXECUTABLE or machine != _X86_64:
        raise refuse("not a static x86_64 executable")
    if entry_size != _SEGMENT.size or table + count * entry_size > len(data):
        raise refuse("its program headers leave the file")

    segments = []
    for number in range(count):
        place = table + number * entry_size
        kind, flags, offset, address, _, in_file, size, _ = _SEGMENT.unpack_from(data, place)
        if kind in _REFUSED_SEGMENTS:
            raise refuse(f"it is {_REFUSED_SEGMENTS[kind]}")
        if kind != _LOAD or size == 0:
            continue
        if in_file > size or offset + in_file > len(data):
            raise refuse(f"the segment at {address:#x} leaves the file")
        if flags & WRITE and flags & EXECUTE:
            raise refuse(f"the segment at {address:#x} is writable and executable")
        segments.append(Segment(address, size, data[offset : offset + in_file], flags))
    segments.sort(key=lambda part: part.address)
    return Elf(entry, segments)
