# SPDX-License-Identifier: MIT
"""Names of code addresses of a whole machine: the kernel, the vDSO, and each process of an image.

Processes are linked at distinct addresses (sys/abi/layout.h), so an address alone says whose it is.
"""
from pathlib import Path

from common import TernError
from disassembly import VVAR, Elf, said_by, user_files
from profstream import KERNEL_BASE, Profile

VDSO = range(0x00201000, 0x00203000)  # sys/abi/layout.h, as all numbers here
CALLS = range(0x00203000, 0x00205000)
CALL_BYTES = 16
PROCESS_BASE = PROCESS_STRIDE = 0x01000000
BOOT_CODE = VVAR  # .boot is linked there; no process executes that page
ELSEWHERE = "(elsewhere)"


class Symbols:
    """Names for the addresses of one machine. `programs`: the ELF file of each process, in the image's order, by the
    process's name. Raises TernError if they are not where make left them."""

    def __init__(self, kernel: Path, image: str):
        vdso, files = user_files(kernel, image)
        self.kernel = Elf("kernel", kernel)
        self.vdso = Elf("vdso", vdso)
        ordered = {(elf.entry - PROCESS_BASE) // PROCESS_STRIDE: elf for elf in (Elf(file.stem, file) for file in files)}
        if sorted(ordered) != list(range(len(files))):
            raise TernError(f"the programs of {image} are not those of one build; run `make clean` and try again")
        self.programs = [elf for _, elf in sorted(ordered.items())]
        self.known: dict[int, tuple[str, str]] = {}

    def elf(self, address: int) -> Elf | None:
        """Whose code is at the address; None: nobody's file has it."""
        if address >= KERNEL_BASE or address in BOOT_CODE:
            return self.kernel
        if address in VDSO:
            return self.vdso
        index = (address - PROCESS_BASE) // PROCESS_STRIDE
        return self.programs[index] if 0 <= index < len(self.programs) else None

    def place(self, address: int) -> tuple[str, str]:
        """(where, function): kernel, vdso, a process or ELSEWHERE; the address itself if no function is known there."""
        if address not in self.known:
            elf = self.elf(address)
            if elf:
                self.known[address] = elf.where, elf.function(address)
            elif address in CALLS:
                self.known[address] = "vdso", f"extension {(address - CALLS.start) // CALL_BYTES}"
            else:
                self.known[address] = ELSEWHERE, f"{address:#x}"
        return self.known[address]

    def name(self, address: int) -> str:
        """The function at an address."""
        return self.place(address)[1]

    def check(self, profile: Profile) -> None:
        """Raises TernError unless the profile is of this kernel and these processes."""
        notes = said_by("readelf", "-n", self.kernel.path)
        found = next((line.split()[-1] for line in notes if "Build ID:" in line), "")
        if found != profile.build_id:
            raise TernError(
                f"{self.kernel.path} has the build id {found[:12]}, the profile is of {profile.build_id[:12]}; profile again"
            )
        names = tuple(elf.where for elf in self.programs)[: len(profile.processes)]  # of an older image some may be left
        if names != profile.processes:
            raise TernError(f"the profile is of {', '.join(profile.processes)}, not of {', '.join(names)}; profile again")
