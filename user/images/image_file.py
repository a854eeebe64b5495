# SPDX-License-Identifier: MIT
"""The image file (sys/abi/image.h), out of a system and its linked programs.

The same input always gives the same bytes. The kernel checks all of it again (sys/image.c).
"""

import struct
import zlib
from dataclasses import dataclass
from itertools import accumulate

import elf
from abi import Abi
from elf import Elf
from system import Object, Process, Problems, Refused, Subscription, System

HEADER = struct.Struct("<IIQI7I7II32s")
PROCESS = struct.Struct("<32sQII8I")
THREAD = struct.Struct("<32sIIQ")
OBJECT = struct.Struct("<32s6I")
REGION = struct.Struct("<QQQQII")
INTERRUPT = struct.Struct("<II")
DEVICE = struct.Struct("<QQQII")
SUBSCRIPTION = struct.Struct("<6I256s")
TABLES = (PROCESS, THREAD, OBJECT, REGION, INTERRUPT, DEVICE, SUBSCRIPTION)  # as the header counts them
CHECKSUM_OFFSET = 16
DEVICE_KINDS = {"device": "IMAGE_DEVICE_MEMORY", "ports": "IMAGE_DEVICE_PORTS"}  # of the types of mappings


@dataclass
class Region:
    """One row of the region table: first `data`, then zeros up to `size`. `flags` as in image.h."""

    address: int
    size: int
    data: bytes
    flags: int


def image_pack(system: System, programs: list[Elf], name: str, abi: Abi) -> bytes:
    """The image named `name`; programs[i] is the linked program of process i. Raises Refused."""
    _check_sizes(system, programs)
    tables = _Tables(system, abi)
    for number, program in enumerate(programs):
        tables.add_process(number, program)
    count = len(tables.regions)
    if count > abi["IMAGE_REGIONS_MAX"]:
        raise Refused([f"the image has {count} regions; at most {abi['IMAGE_REGIONS_MAX']} fit"])
    return tables.assemble(name)


class _Tables:
    """The rows of all tables, a process after the other; of the regions what their rows will be made of."""

    def __init__(self, system: System, abi: Abi) -> None:
        self.system = system
        self.abi = abi
        self.processes: list[bytes] = []
        self.threads: list[bytes] = []
        self.objects: list[bytes] = []
        self.regions: list[tuple[int, Region]] = []  # process and region
        self.interrupts: list[bytes] = []
        self.devices: list[bytes] = []
        self.subscriptions: list[bytes] = []
        # an object may name a thread or object of which the row is not there yet
        self._first_object = [0, *accumulate(len(process.objects) for process in system.processes)]
        self._first_thread = [0, *accumulate(len(process.threads) for process in system.processes)]

    def add_process(self, number: int, program: Elf) -> None:
        process = self.system.processes[number]
        regions = _regions(self.system, number, program, self.abi)
        devices = process.mapped(*DEVICE_KINDS)
        runs = (len(self.regions), len(regions), self._first_object[number], len(process.objects),
                self._first_thread[number], len(process.threads), len(self.devices), len(devices))
        self.processes.append(PROCESS.pack(process.name.encode(), program.entry, process.cpu, 0, *runs))
        region_at = {region.address: len(self.regions) + index for index, region in enumerate(regions)}
        self.regions += [(number, region) for region in regions]
        for thread in process.threads:
            top = self.abi.stack_top(thread)
            self.threads.append(THREAD.pack(thread.name.encode(), number, thread.priority, top))
        for item in process.objects:
            self._add_object(number, item, region_at)
        for mapping in devices:
            address = mapping.address if mapping.type == "device" else 0
            kind = self.abi[DEVICE_KINDS[mapping.type]]
            self.devices.append(DEVICE.pack(address, mapping.start, mapping.size, number, kind))

    def _add_object(self, number: int, item: Object, region_at: dict[int, int]) -> None:
        peer = region = self.abi["IMAGE_NONE"]
        if item.peer:
            peer = self._first_object[item.peer[0]] + item.peer[1]
        elif item.linked is not None:
            peer = item.linked
        elif item.thread is not None:
            peer = self._first_thread[number] + item.thread
        elif item.subscription:
            peer = len(self.subscriptions)
            self.subscriptions.append(self._subscription(len(self.objects), item.subscription))
        if item.type == "histogram":
            region = region_at[item.address]
        lines = (len(self.interrupts), len(item.interrupts)) if item.interrupts else (0, 0)
        self.interrupts += [INTERRUPT.pack(len(self.objects), line.number) for line in item.interrupts]
        kind = self.abi[f"IMAGE_OBJECT_{item.type.upper()}"]
        self.objects.append(OBJECT.pack(item.name.encode(), kind, number, peer, region, *lines))

    def _subscription(self, index: int, item: Subscription) -> bytes:
        texts = (name.text.encode() for name in item.names)
        names = b"".join(text.ljust(self.abi["IMAGE_NAME_BYTES"], b"\0") for text in texts)
        return SUBSCRIPTION.pack(index, item.topics, item.depth, item.priority, len(item.names), 0, names)

    def assemble(self, name: str) -> bytes:
        """Header, tables, and the regions' bytes; each part 8-aligned."""
        counts = [len(rows) for rows in (self.processes, self.threads, self.objects, self.regions,
                                         self.interrupts, self.devices, self.subscriptions)]
        sizes = [count * row.size for row, count in zip(TABLES, counts)]
        *offsets, end = accumulate(sizes, initial=HEADER.size)
        regions, data = b"", b""
        for number, region in self.regions:
            place = end + len(data) if region.data else 0
            regions += REGION.pack(region.address, region.size, place, len(region.data), region.flags, number)
            data += region.data + bytes(-len(region.data) % 8)

        def header(checksum: int) -> bytes:
            return HEADER.pack(self.abi["IMAGE_MAGIC"], self.abi["IMAGE_VERSION"], end + len(data), checksum,
                               *counts, *offsets, 0, name.encode())

        rest = b"".join([*self.processes, *self.threads, *self.objects, regions, *self.interrupts,
                         *self.devices, *self.subscriptions, data])
        return header(zlib.crc32(header(0) + rest)) + rest


def _regions(system: System, number: int, program: Elf, abi: Abi) -> list[Region]:
    """All memory of a process by address: its program, its histograms, its private data, its stacks."""
    process = system.processes[number]
    regions = _program_regions(program, abi)
    _check_placement(system, process, program, regions, abi.process_base(number), abi)
    own = [(item.address, abi.histogram_bytes) for item in process.of_type("histogram")]
    own += [(mapping.address, mapping.size) for mapping in process.mapped("read_write_data")]
    own += [(thread.stack, thread.stack_bytes) for thread in process.threads]
    read_write = abi["IMAGE_REGION_READ"] | abi["IMAGE_REGION_WRITE"]
    regions += [Region(address, abi.pages(size), b"", read_write) for address, size in own]
    return sorted(regions, key=lambda region: region.address)


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


def _check_placement(system: System, process: Process, program: Elf, regions: list[Region], base: int,
                     abi: Abi) -> None:
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
    problems = Problems(system.file)
    for mapping in process.mapped("read_write_data"):
        if mapping.address < end:
            at = system.document.at(mapping.path + ("start_address",))
            problems.add(at, f"mapping '{mapping.name}' overlaps {what}, which ends at {end:#x}")
    problems.raise_if_any()


def _check_sizes(system: System, programs: list[Elf]) -> None:
    """Exact bytes, not pages: code and read-only data against flash; data, bss and stacks against RAM.

    Histograms are kernel objects and count for neither, as do mappings, which have sizes of their own.
    """
    problems = Problems(system.file)
    pairs = list(zip(system.processes, programs))
    flash = [(process, program.size(writable=False)) for process, program in pairs]
    ram = [(process, program.size(writable=True) + sum(thread.stack_bytes for thread in process.threads))
           for process, program in pairs]

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
