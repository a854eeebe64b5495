# SPDX-License-Identifier: MIT
"""Names of code addresses of a whole machine: the kernel, the vDSO, and each process of an image.

Processes are linked at distinct addresses (sys/abi/layout.h), so an address alone says whose it is. The names are
nm's; a name without a size, as assembly has them, reaches to the next one.
"""
import bisect
import re
from dataclasses import dataclass
from pathlib import Path

from common import TernError
from disassembly import said_by
from profstream import KERNEL_BASE, Profile

VDSO = range(0x00201000, 0x00203000)  # sys/abi/layout.h, as all numbers here
CALLS = range(0x00203000, 0x00205000)
CALL_BYTES = 16
PROCESS_BASE = PROCESS_STRIDE = 0x01000000
SYMBOL = re.compile(r"^([0-9a-f]+) [tTwW] (\S+)$")
SEGMENT = re.compile(r"^ *LOAD +0x([0-9a-f]+) 0x([0-9a-f]+) 0x[0-9a-f]+ 0x[0-9a-f]+ 0x([0-9a-f]+) R.E ")


@dataclass(frozen=True)
class Text:
    """Where the code of an ELF file is mapped, and which part of the file that is; bytes."""

    start: int
    size: int
    offset: int


class Program:
    """The code of one ELF file: names and the place where it lies. Raises TernError if nm cannot read it."""

    def __init__(self, path: Path, symbols: str = "-n"):
        self.path = path
        found = [SYMBOL.match(line) for line in said_by("nm", *symbols.split(), path)]
        rows = {int(row[1], 16): row[2] for row in found if row}  # of equals the last
        self.starts, self.names = list(rows), list(rows.values())

    def name(self, address: int) -> str:
        """The function that holds the address, or the bare address."""
        at = bisect.bisect_right(self.starts, address) - 1
        return self.names[at] if at >= 0 else f"{address:#x}"

    def text(self) -> Text:
        """The executable segment at or above 16 MiB, or the only one. Raises TernError without any."""
        found = [SEGMENT.match(line) for line in said_by("readelf", "-l", "-W", self.path)]
        parts = [Text(int(row[2], 16), int(row[3], 16), int(row[1], 16)) for row in found if row]
        if not parts:
            raise TernError(f"{self.path} has no executable segment; build it anew")
        return max(parts, key=lambda text: text.start)


class Symbols:
    """Names for the addresses of one machine. `programs`: the ELF file of each process, in the image's order."""

    def __init__(self, kernel: Path, vdso: Path, programs: list[Path]):
        self.kernel = Program(kernel)
        self.vdso = Program(vdso, "-D -n")
        self.programs = [Program(path) for path in programs]
        self.known: dict[int, str] = {}

    def program(self, address: int) -> Program | None:
        """Whose code is at the address; None: nobody's."""
        if address >= KERNEL_BASE:
            return self.kernel
        if address in VDSO:
            return self.vdso
        index = (address - PROCESS_BASE) // PROCESS_STRIDE
        return self.programs[index] if 0 <= index < len(self.programs) else None

    def name(self, address: int) -> str:
        """The function at an address; the address itself if nothing is known there."""
        if address not in self.known:
            program = self.program(address)
            slot = f"extension {(address - CALLS.start) // CALL_BYTES}" if address in CALLS else f"{address:#x}"
            self.known[address] = program.name(address) if program else slot
        return self.known[address]


def of_build(profile: Profile, kernel: Path) -> Symbols:
    """The files that make left beside the kernel's ELF file, for the image that the profile is of. Raises TernError
    if they are not there, or the kernel is another one than the profile's."""
    user = kernel.parent / "user"
    programs = [user / "images" / profile.image / name / f"{name}.elf" for name in profile.processes]
    missing = next((path for path in [kernel, user / "rt/vdso.so", *programs] if not path.is_file()), None)
    if missing:
        raise TernError(f"{missing} is not there; give the kernel where make built it, with its image {profile.image}")
    notes = said_by("readelf", "-n", kernel)
    found = next((line.split()[-1] for line in notes if "Build ID:" in line), "")
    if found != profile.build_id:
        raise TernError(f"{kernel} has the build id {found[:12]}, the profile is of {profile.build_id[:12]}; profile again")
    return Symbols(kernel, user / "rt/vdso.so", programs)
