#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The kernel's PT_NOTE holds the Xen entry note first and nothing but Xen notes and a build id, all 4-aligned.

Loaders (QEMU, Xen, Cloud Hypervisor, Firecracker) miss the entry point when a note of another alignment shares the segment,
some of them silently. Usage: notes.py [ELF ...]; without an argument every built kernel is checked. Exit status 1 if not so.
"""

import pathlib
import struct
import sys

PT_NOTE = 4
PHYS32_ENTRY = 18


def notes(elf: bytes) -> tuple[int, list[tuple[str, int, bytes]]]:
    """(alignment, [(name, type, descriptor)]) of the only PT_NOTE of an ELF64; ValueError if there is not exactly one."""
    offset, = struct.unpack_from("<Q", elf, 32)
    entry_bytes, count = struct.unpack_from("<HH", elf, 54)
    headers = [struct.unpack_from("<IIQQQQQQ", elf, offset + i * entry_bytes) for i in range(count)]
    segments = [h for h in headers if h[0] == PT_NOTE]
    if len(segments) != 1:
        raise ValueError(f"{len(segments)} PT_NOTE segments, expected 1")
    at, end, found = segments[0][2], segments[0][2] + segments[0][5], []
    while at < end:
        name_bytes, body_bytes, kind = struct.unpack_from("<III", elf, at)
        name = elf[at + 12:at + 12 + name_bytes].rstrip(b"\0").decode()
        body = at + 12 + (name_bytes + 3) // 4 * 4
        found.append((name, kind, elf[body:body + body_bytes]))
        at = body + (body_bytes + 3) // 4 * 4
    return segments[0][7], found


def check(path: str) -> None:
    """ValueError with one clause if the file's notes are not as loaders need them."""
    elf = pathlib.Path(path).read_bytes()
    align, found = notes(elf)
    if align != 4:
        raise ValueError(f"PT_NOTE is aligned to {align}, expected 4")
    if not found or found[0][:2] != ("Xen", PHYS32_ENTRY) or len(found[0][2]) != 4:
        raise ValueError("the first note is not Xen PHYS32_ENTRY with 4 bytes")
    if found[0][2] != elf[24:28]:
        raise ValueError("PHYS32_ENTRY is not the ELF's entry point")
    alien = [f"{name}/{kind}" for name, kind, _ in found if name != "Xen" and (name, kind) != ("GNU", 3)]
    if alien:
        raise ValueError(f"foreign notes: {' '.join(alien)}")


def main() -> int:
    """Checks each file; prints what is wrong."""
    bad = 0
    for path in sys.argv[1:] or sorted(map(str, pathlib.Path("build").glob("*/tern.elf"))):
        try:
            check(path)
        except (ValueError, struct.error, OSError) as error:
            print(f"{path}: {error}")
            bad = 1
    return bad


sys.exit(main())
