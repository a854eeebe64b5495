# SPDX-License-Identifier: MIT
"""Where everything of a process lies in its slot (sys/abi/layout.h), but for its program, which the linker places.

    base       the program, up to 8 MiB
    +8 MiB     histograms, then private data (mappings of type read_write_data)
    +12 MiB    stacks, the main thread's first
    +14 MiB    device memory

Addresses are in handles.h, hence fixed before anything is compiled. An unmapped page is below each stack and above
each of the others. Only private data that asks for an address may lie elsewhere.
"""

from dataclasses import dataclass
from typing import Optional

from abi import Abi
from json5_position import Path
from system import Mapping, Process, Text


@dataclass
class _Range:
    """A part of the slot that is taken, and by what. At least `guard` bytes below it stay unmapped."""

    start: int
    end: int
    what: str
    guard: int = 0

    def meets(self, start: int, end: int, apart: int) -> bool:
        """It and [start, end) overlap, or are nearer than `apart`."""
        return start < self.end + apart and self.start - max(self.guard, apart) < end


def slot_place(process: Process, number: int, text: Text, abi: Abi) -> None:
    """Gives histograms, threads and mappings of process `number` their addresses; tells what does not fit."""
    slot = _Slot(process, number, text, abi)
    slot.place_histograms()
    slot.place_stacks()
    slot.place_devices()
    slot.place_data()
    slot.check_ports()


class _Slot:
    def __init__(self, process: Process, number: int, text: Text, abi: Abi) -> None:
        self.process = process
        self.text = text
        self.abi = abi
        self.page = abi["USER_PAGE_SIZE"]
        self.base = abi.process_base(number)
        self.end = abi.process_base(number + 1)
        self.taken: list[_Range] = []

    def _at(self, offset: str) -> int:
        return self.base + self.abi[offset]

    def _take(self, start: int, size: int, what: str, guard: int = 0) -> int:
        self.taken.append(_Range(start, start + self.abi.pages(size), what, guard))
        return start

    def place_histograms(self) -> None:
        histograms, most = self.process.of_type("histogram"), self.abi.histograms_max
        for index, item in enumerate(histograms):
            start = self._at("USER_HISTOGRAM_OFFSET") + index * self.abi.histogram_stride
            item.address = self._take(start, self.abi.histogram_bytes, f"histogram '{item.name}'")
        if len(histograms) > most:
            message = f"{len(histograms)} histograms in process '{self.process.name}'; at most {most} fit"
            self.text.error(histograms[most].path, message)

    def place_stacks(self) -> None:
        place, limit = self._at("USER_STACK_OFFSET"), self._at("USER_DEVICE_OFFSET")
        for thread in self.process.threads:
            thread.stack = self._take(place, thread.stack_bytes, f"the stack of thread '{thread.name}'", self.page)
            place = self.taken[-1].end + self.page
            if place - self.page > limit:
                self._full(thread.path, "stacks", "USER_STACK_OFFSET", limit)
                return

    def _full(self, path: Path, what: str, offset: str, limit: int) -> None:
        """Told at the first that is too much."""
        room = limit - self._at(offset)
        owner = f"process '{self.process.name}'"
        self.text.error(path, f"the {what} of {owner} do not fit into {room} bytes, an unmapped page after each")

    def place_devices(self) -> None:
        place = self._at("USER_DEVICE_OFFSET")
        devices: list[Mapping] = []
        for mapping in self.process.mappings:
            if mapping.type != "device" or not self._check_device(mapping):
                continue
            self._refuse_overlap(mapping, devices)
            devices.append(mapping)
            mapping.address = self._take(place, mapping.size, f"mapping '{mapping.name}'")
            place = self.taken[-1].end + self.page
            if place > self.end:
                self._full(mapping.path, "device mappings", "USER_DEVICE_OFFSET", self.end)
                return

    def _check_device(self, mapping: Mapping) -> bool:
        for key, number in (("start_address", mapping.start), ("size_bytes", mapping.size)):
            if number % self.page:
                message = f"'{key}' of device memory is {number:#x}; it must be a multiple of {self.page:#x}"
                self.text.error(mapping.path + (key,), message)
                return False
        limit = self.abi["IMAGE_PHYSICAL_END"]
        if mapping.start + mapping.size > limit:
            ends = f"device memory ends at {mapping.start + mapping.size:#x}"
            self.text.error(mapping.path + ("start_address",), f"{ends}; physical addresses end at {limit:#x}")
            return False
        return True

    def _refuse_overlap(self, mapping: Mapping, before: list[Mapping]) -> None:
        for other in before:
            if mapping.start < other.start + other.size and other.start < mapping.start + mapping.size:
                line = self.text.line(other.path)
                both = f"mapping '{mapping.name}' overlaps mapping '{other.name}'"
                self.text.error(mapping.path + ("start_address",), f"{both} of the same process, in line {line}")

    def check_ports(self) -> None:
        ports: list[Mapping] = []
        for mapping in self.process.mappings:
            if mapping.type != "ports":
                continue
            last = mapping.start + mapping.size - 1
            if last >= self.abi["IMAGE_PORTS_END"]:
                message = f"the ports {mapping.start:#x} to {last:#x} do not exist; the last one is 0xffff"
                self.text.error(mapping.path + ("start_address",), message)
            self._refuse_overlap(mapping, ports)
            ports.append(mapping)
            mapping.address = mapping.start

    def place_data(self) -> None:
        """First those that ask for an address, so that the others go where there is room."""
        data = [mapping for mapping in self.process.mappings if mapping.type == "read_write_data"]
        asking = [mapping for mapping in data if self.base <= mapping.start < self.end]
        for mapping in asking:
            self._place_asking(mapping)
        for mapping in data:
            if mapping not in asking:
                if mapping.start:
                    message = f"'start_address' is ignored: it is not in the slot of process '{self.process.name}'"
                    self.text.note(mapping.path + ("start_address",), message)
                self._place_anywhere(mapping)

    def _place_asking(self, mapping: Mapping) -> None:
        start, size = mapping.start, self.abi.pages(mapping.size)
        if start % self.page:
            message = f"'start_address' of private data is {start:#x}; it must be a multiple of {self.page:#x}"
            self.text.error(mapping.path + ("start_address",), message)
            return
        other = self._in_the_way(start, start + size, 0)
        if start + size > self.end:
            ends = f"mapping '{mapping.name}' ends at {start + size:#x}"
            self.text.error(mapping.path + ("size_bytes",), f"{ends}; the slot of its process ends at {self.end:#x}")
        elif other:
            guard = ", or the unmapped page below it," if other.guard else ""
            message = f"mapping '{mapping.name}' overlaps {other.what}{guard} at {other.start:#x} to {other.end:#x}"
            self.text.error(mapping.path + ("start_address",), message)
        mapping.address = self._take(start, size, f"mapping '{mapping.name}'")

    def _place_anywhere(self, mapping: Mapping) -> None:
        """In the first gap between the program and the stacks."""
        lowest, limit = self._at("USER_HISTOGRAM_OFFSET"), self._at("USER_STACK_OFFSET") - self.page
        start, size = lowest, self.abi.pages(mapping.size)
        while other := self._in_the_way(start, start + size, self.page):
            start = other.end + self.page
        if start + size > limit:
            message = (f"mapping '{mapping.name}' does not fit: histograms and private data of process "
                       f"'{self.process.name}' have {limit - lowest} bytes, an unmapped page after each")
            self.text.error(mapping.path + ("size_bytes",), message)
            return
        mapping.address = self._take(start, size, f"mapping '{mapping.name}'")

    def _in_the_way(self, start: int, end: int, apart: int) -> Optional[_Range]:
        return next((other for other in self.taken if other.meets(start, end, apart)), None)
