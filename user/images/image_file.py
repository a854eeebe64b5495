# SPDX-License-Identifier: MIT
"""The image file (sys/abi/image.h), out of a system and its linked programs, and back to text.

The same input always gives the same bytes. The kernel checks all of it again (sys/image.c).
"""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import elf
from abi import Abi
from elf import Elf
from system import Process, Problems, Refused, System

HEADER = struct.Struct("<IIQI6I6II32s")
PROCESS = struct.Struct("<32sQII8I")
REGION = struct.Struct("<QQQQII")
THREAD = struct.Struct("<32sIIQ")
OBJECT = struct.Struct("<32s6I")
INTERRUPT = struct.Struct("<II")
DEVICE = struct.Struct("<QQQII")
IMAGE_OBJECTS = ("channel_handler", "channel_initiator", "histogram", "wait_group", "interrupt", "process", "thread")
CHECKSUM_OFFSET = 16


@dataclass
class Region:
    """One row of the region table: first `data`, then zeros up to `size`. `flags` as in image.h."""

    address: int
    size: int
    data: bytes
    flags: int


def histogram_address(abi: Abi, index: int, number: int) -> int:
    """Where the `number`-th histogram (by handle) of process `index` lies."""
    return abi.process_base(index) + abi["USER_HISTOGRAM_OFFSET"] + number * abi.histogram_stride


def image_pack(system: System, programs: list[Elf], name: str, abi: Abi) -> bytes:
    """The image named `name`; programs[i] is the linked program of process i. Raises Refused."""
    _check_sizes(system, programs)
    regions = [_regions(number, process, programs[number], abi)
               for number, process in enumerate(system.processes)]
    first_object = _first([len(process.objects) for process in system.processes])
    first_region = _first([len(part) for part in regions])
    threads, processes, objects = b"", b"", b""
    for number, process in enumerate(system.processes):
        stack_top = regions[number][-1].address + regions[number][-1].size
        threads += THREAD.pack(process.thread.name.encode(), number, process.thread.priority, stack_top)
        runs = (first_region[number], len(regions[number]), first_object[number], len(process.objects))
        entry = programs[number].entry
        processes += PROCESS.pack(process.name.encode(), entry, process.cpu, 0, *runs, number, 1, 0, 0)
        histogram_region = first_region[number] + len(_program_regions(programs[number], abi))
        for item in process.objects:
            peer = first_object[item.peer[0]] + item.peer[1] if item.peer else abi["IMAGE_NONE"]
            region = abi["IMAGE_NONE"]
            if item.type == "histogram":
                region, histogram_region = histogram_region, histogram_region + 1
            if item.type == "process":
                peer = number
            kind = abi[f"IMAGE_OBJECT_{item.type.upper()}"]
            objects += OBJECT.pack(item.name.encode(), kind, number, peer, region, 0, 0)
    return _assemble(name, [processes, threads, objects], regions, abi)


def _first(counts: list[int]) -> list[int]:
    """The index of each process's first row, when the rows of all follow each other."""
    return [sum(counts[:number]) for number in range(len(counts))]


def _assemble(name: str, tables: list[bytes], regions: list[list[Region]], abi: Abi) -> bytes:
    """Header, the tables, the region table, and the regions' bytes; each part 8-aligned."""
    processes, threads, objects = tables
    offset = HEADER.size
    offsets = []
    for table in tables:
        offsets.append(offset)
        offset += len(table)
    offsets.append(offset)
    count = sum(len(part) for part in regions)
    offset += count * REGION.size
    offsets += [offset, offset]
    rows, data = b"", b""
    for number, part in enumerate(regions):
        for region in part:
            place = offset + len(data) if region.data else 0
            rows += REGION.pack(region.address, region.size, place, len(region.data), region.flags, number)
            data += region.data + bytes(-len(region.data) % 8)
    counts = (len(processes) // PROCESS.size, len(threads) // THREAD.size, len(objects) // OBJECT.size, count, 0, 0)
    if count > abi["IMAGE_REGIONS_MAX"]:
        raise Refused([f"the image has {count} regions; at most {abi['IMAGE_REGIONS_MAX']} fit"])

    def header(checksum: int) -> bytes:
        return HEADER.pack(abi["IMAGE_MAGIC"], abi["IMAGE_VERSION"], offset + len(data), checksum,
                           *counts, *offsets, 0, name.encode())

    rest = b"".join(tables) + rows + data
    return header(zlib.crc32(header(0) + rest)) + rest


def _regions(number: int, process: Process, program: Elf, abi: Abi) -> list[Region]:
    """All memory of a process by address: its program, its histograms, its stack last."""
    base = abi.process_base(number)
    regions = _program_regions(program, abi)
    read_write = abi["IMAGE_REGION_READ"] | abi["IMAGE_REGION_WRITE"]
    _check_placement(process, program, regions, base, abi)
    for index in range(sum(item.type == "histogram" for item in process.objects)):
        address = histogram_address(abi, number, index)
        regions.append(Region(address, abi.pages(abi.histogram_bytes), b"", read_write))
    stack = Region(base + abi["USER_STACK_OFFSET"], abi.pages(process.thread.stack_bytes), b"", read_write)
    return regions + [stack]


def _program_regions(program: Elf, abi: Abi) -> list[Region]:
    """Each segment as whole pages, with zeros in front of a segment that does not start a page."""
    flags = {elf.READ: "READ", elf.WRITE: "WRITE", elf.EXECUTE: "EXECUTE"}
    regions = []
    for part in program.segments:
        front = part.address % abi["USER_PAGE_SIZE"]
        bits = sum(abi[f"IMAGE_REGION_{name}"] for flag, name in flags.items() if part.flags & flag)
        bits |= abi["IMAGE_REGION_READ"]
        data = bytes(front) + part.data if part.data else b""
        regions.append(Region(part.address - front, abi.pages(front + part.size), data, bits))
    return regions


def _check_placement(process: Process, program: Elf, regions: list[Region], base: int, abi: Abi) -> None:
    """Refuses a program that is not where the kernel would load it."""
    what = f"the program of process '{process.name}'"
    end, limit = base, base + abi["USER_HISTOGRAM_OFFSET"]
    for region in regions:
        if region.address < base or region.address >= base + abi["USER_PROCESS_STRIDE"]:
            raise Refused([f"{what} has a segment at {region.address:#x}; it must be linked at {base:#x}"])
        if region.address < end:
            raise Refused([f"{what} has two segments in the page at {region.address:#x}"])
        end = region.address + region.size
    if end > limit:
        mebibytes = abi["USER_HISTOGRAM_OFFSET"] >> 20
        raise Refused([f"{what} ends at {end:#x}; it has {mebibytes} MiB, up to {limit:#x}"])
    parts = [part for part in program.segments if part.flags & elf.EXECUTE]
    if not any(part.address <= program.entry < part.address + part.size for part in parts):
        raise Refused([f"{what} starts at {program.entry:#x}, which is not in its executable code"])


def _check_sizes(system: System, programs: list[Elf]) -> None:
    """Exact bytes, not pages: code and read-only data against flash; data, bss and stacks against RAM.

    Histograms are kernel objects and count for neither.
    """
    problems = Problems(system.file)
    pairs = list(zip(system.processes, programs))
    flash = [(process, program.size(writable=False)) for process, program in pairs]
    ram = [(process, program.size(writable=True) + process.thread.stack_bytes) for process, program in pairs]

    def check(what: str, shares: list[tuple[Process, int]], key: str, limit: int | None, path: tuple) -> None:
        total = sum(size for _, size in shares)
        if limit is not None and total > limit:
            parts = ", ".join(f"{process.name} {size}" for process, size in shares)
            message = f"'{key}' is {limit}, but {what} take {total} bytes ({parts})"
            problems.add(system.document.at(path + (key,)), message)

    for app in system.apps:
        of_app = [share for share in flash if share[0].app is app]
        check("code and read-only data", of_app, "flash_size_bytes", app.flash_bytes, app.path)
        of_app = [share for share in ram if share[0].app is app]
        check("data, bss and stacks", of_app, "ram_size_bytes", app.ram_bytes, app.path)
    for share in ram:
        check("data, bss and stack", [share], "ram_size_bytes", share[0].ram_bytes, share[0].path)
    problems.raise_if_any()


def image_show(file: Path, abi: Abi) -> str:
    """The tables of the image in `file` as text, a line per entry. Raises Refused if it is none."""
    data = file.read_bytes()
    try:
        return "\n".join(_shown(data, abi)) + "\n"
    except (struct.error, ValueError, IndexError) as error:
        raise Refused([f"{file}: not a system image: {error}"]) from None


def _shown(data: bytes, abi: Abi) -> list[str]:
    fields = HEADER.unpack_from(data)
    magic, version, size, checksum = fields[:4]
    if (magic, version) != (abi["IMAGE_MAGIC"], abi["IMAGE_VERSION"]):
        raise ValueError("wrong magic or version")
    if size != len(data):
        raise ValueError(f"it has {len(data)} bytes, its header says {size}")
    zeroed = data[:CHECKSUM_OFFSET] + bytes(4) + data[CHECKSUM_OFFSET + 4 :]
    if zlib.crc32(zeroed) != checksum:
        raise ValueError("wrong checksum")
    formats = (PROCESS, THREAD, OBJECT, REGION)
    processes, threads, objects, regions = (
        [row.unpack_from(data, offset + number * row.size) for number in range(count)]
        for row, count, offset in zip(formats, fields[4:8], fields[10:14]))
    kinds = {abi[f"IMAGE_OBJECT_{kind.upper()}"]: kind for kind in IMAGE_OBJECTS}

    lines = [f"image '{_text(fields[-1])}' version {version} bytes {size} checksum {checksum:#010x}"]
    for process in processes:
        regions_run, objects_run, threads_run = (slice(first, first + count) for first, count in
                                                 (process[4:6], process[6:8], process[8:10]))
        lines.append(f"process '{_text(process[0])}' cpu {process[2]} entry {process[1]:#x}")
        for thread in threads[threads_run]:
            lines.append(f"  thread '{_text(thread[0])}' priority {thread[2]} stack_top {thread[3]:#x}")
        for handle, (name, kind, _, peer, region, _, _) in enumerate(objects[objects_run]):
            line = f"  handle {handle} '{_text(name)}' {kinds.get(kind, kind)}"
            if kinds.get(kind) == "process":
                line += f" of '{_text(processes[peer][0])}'"
            elif peer != abi["IMAGE_NONE"]:
                line += f" peer '{_text(processes[objects[peer][2]][0])}'.'{_text(objects[peer][0])}'"
            if region != abi["IMAGE_NONE"]:
                line += f" at {regions[region][0]:#x}"
            lines.append(line)
        for address, length, offset, in_file, flags, _ in regions[regions_run]:
            bits = "".join(letter if flags & 1 << bit else "-" for bit, letter in enumerate("rwx"))
            lines.append(f"  region {address:#x} {bits} bytes {length}, {in_file} of them at offset {offset}")
    return lines


def _text(name: bytes) -> str:
    return name.rstrip(b"\0").decode("ascii", "replace")
