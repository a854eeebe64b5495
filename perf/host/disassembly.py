# SPDX-License-Identifier: MIT
"""What is at an address of kernel, vDSO or program: the instruction, its function, its source line.

The text is objdump's with names in place of addresses, so that it stays what it is when other code moves. A place in
a symbol is NAME+0xOFFSET; data without a symbol is its section's name.
"""
import bisect
import re
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import json5

from common import ROOT, TernError

IMAGES = ROOT / "user/images"
NUMBER_MASK = (1 << 64) - 1
VVAR = range(0x00200000, 0x00201000)  # sys/abi/layout.h; no ELF file has this page
START_OF_64_BITS = "boot_target"  # in arch/x86_64/boot.S; before it, .boot is 32-bit code
AT_RUN_TIME = "(written at run time)"

SECTION = re.compile(r"^ *\d+ (\S+) +([0-9a-f]+)  ([0-9a-f]+) .*\bALLOC\b")
SYMBOL = re.compile(r"^([0-9a-f]+) (?:([0-9a-f]+) )?([^aAuU]) (\S+)$")
FUNCTION = re.compile(r"^([\w.]+)\(\):$")
SOURCE = re.compile(r"^(?:\./)*(\S+:\d+)(?: \(discriminator \d+\))?$")
CODE = re.compile(r"^ *([0-9a-f]+):\t([0-9a-f ]+?) *\t(.+)$")
DIRECT = re.compile(r"^(\S+) ([0-9a-f]+)(?: <.*>)?$")
NUMBER = re.compile(r"(\$?)(-?0x[0-9a-f]+)")
RELATIVE = re.compile(r"-?0x[0-9a-f]+\(%rip\)")


@dataclass(frozen=True)
class Instruction:
    """`where`: kernel, vdso or the program's name. `source`: FILE:LINE; `inlined`: the C function of that line."""

    where: str
    function: str
    offset: int
    text: str
    source: str
    inlined: str


@dataclass(frozen=True)
class Line:
    """objdump's words about an instruction."""

    code: bytes
    text: str
    source: str
    inlined: str


def said_by(*line: str | Path) -> list[str]:
    """A tool's lines. Raises TernError with its own complaint."""
    try:
        run = subprocess.run([str(word) for word in line], capture_output=True, text=True, check=False)
    except OSError as error:
        raise TernError(f"{line[0]} cannot be started ({error.strerror}); install binutils") from error
    if run.returncode != 0:
        said = run.stderr.strip().splitlines() or ["it does not say why"]
        raise TernError(f"{line[0]} cannot read {line[-1]}: {said[-1][:200]}")
    return run.stdout.splitlines()


def lines_read(said: list[str]) -> dict[int, Line]:
    """objdump -dl's output by address; it says function and source line only where they change."""
    read: dict[int, Line] = {}
    source = function = ""
    for line in said:
        if found := CODE.match(line):
            of_c = re.search(r"\.[ch]:\d+$", source)  # of assembly it is any symbol nearby
            read[int(found[1], 16)] = Line(bytes.fromhex(found[2]), found[3], source, function if of_c else "")
        elif found := FUNCTION.match(line):
            function = found[1]
        elif found := SOURCE.match(line):
            source = found[1]
    return read


def decode(address: int, code: bytes) -> str:
    """objdump's text of one instruction that is in no ELF file."""
    with tempfile.NamedTemporaryFile(prefix="tern-code-") as file:
        file.write(code)
        file.flush()
        options = ("-D", "-w", "-b", "binary", "-m", "i386:x86-64", f"--adjust-vma={address:#x}")
        return lines_read(said_by("objdump", *options, file.name))[address].text


class Elf:
    """One ELF file: its symbols and instructions by address. `calls`: the one whose names its calls may need."""

    def __init__(self, where: str, path: Path, calls: "Elf | None" = None):
        self.where, self.path, self.calls = where, path, calls
        head = said_by("objdump", "-f", "-h", "-w", path)
        self.entry = next(int(line.split()[-1], 16) for line in head if line.startswith("start address"))
        found = [SECTION.match(line) for line in head]
        self.sections = [(range(int(m[3], 16), int(m[3], 16) + int(m[2], 16)), m[1]) for m in found if m]
        found = [SYMBOL.match(line) for line in said_by("nm", "-n", "-S", path)]
        ordered = sorted((int(m[1], 16), int(m[2] or "0", 16), m[3].isupper(), m[4]) for m in found if m)
        self.symbols = [(start, size, name) for start, size, _, name in ordered]  # of equals, global ones last

    @cached_property
    def lines(self) -> dict[int, Line]:
        """Every instruction."""
        read = lines_read(said_by("objdump", "-d", "-l", "-w", self.path))
        for address, _, name in self.symbols:
            if name == START_OF_64_BITS:
                part = ("-M", "i386", "-j", ".boot", f"--stop-address={address:#x}")
                read |= lines_read(said_by("objdump", "-d", "-l", "-w", *part, self.path))
        return read

    @cached_property
    def data_from(self) -> int:
        """Numbers in instructions are addresses from here on; below it, in .boot, too many only look like one."""
        return next((area.start for area, name in self.sections if name == ".text"), NUMBER_MASK)

    def symbol(self, address: int) -> tuple[str, int] | None:
        """(name, offset in it) of an address; (section, 0) for data that no symbol covers; None outside."""
        section = next((name for area, name in self.sections if address in area), None)
        if section is None:
            return self.calls.symbol(address) if self.calls else None
        at = bisect.bisect_right(self.symbols, address, key=lambda symbol: symbol[0])
        before = self.symbols[max(at - 8, 0) : at][::-1]
        for start, size, name in before:
            if start <= address < start + size:
                return name, address - start
        if before and before[0][1] == 0 and section.startswith((".text", ".boot", ".bss")):
            return before[0][2], address - before[0][0]
        return section, 0

    def function(self, address: int) -> str:
        """The symbol at an address; the address itself if it is none of this file's."""
        found = self.symbol(address)
        return found[0] if found else f"{address:#x}"

    def address(self, name: str) -> int:
        """Where a symbol is. Raises TernError if there is none of this name."""
        found = next((start for start, _, known in self.symbols if known == name), None)
        if found is None:
            raise TernError(f"{self.path} has no symbol {name}; build it anew")
        return found

    def name(self, address: int) -> str:
        """A place as text; the number itself if it is none of this file."""
        found = self.symbol(address)
        if found is None:
            return f"vvar+{address - VVAR.start:#x}" if address in VVAR else f"{address:#x}"
        return found[0] + (f"+{found[1]:#x}" if found[1] else "")

    def text(self, raw: str) -> str:
        """objdump's text of an instruction with names for addresses: of jumps, of data, of immediate values."""
        text, _, target = raw.partition("#")
        text = " ".join(text.split())
        if direct := DIRECT.match(text):
            return f"{direct[1]} {self.name(int(direct[2], 16))}"
        text = NUMBER.sub(self.number, text)
        return RELATIVE.sub(f"{self.name(int(target.split()[0], 16))}(%rip)", text) if target else text

    def number(self, match: re.Match[str]) -> str:
        """A number of an instruction; its name if it is an address of this file, or of user code's vvar page."""
        value = int(match[2], 16) & NUMBER_MASK
        known = value >= self.data_from and self.symbol(value)
        in_vvar = value in VVAR and not match[1] and self.data_from <= 1 << 32
        return match[1] + (self.name(value) if known or in_vvar else match[2])


def user_files(kernel: Path, image: str) -> tuple[Path, list[Path]]:
    """(the vDSO's ELF file, those of an image's processes), where a build leaves them. Raises TernError if it has not."""
    user = kernel.parent / "user"
    files = sorted((user / "images" / image).glob("*/*.elf"))
    if not files or not (user / "rt/vdso.so").is_file():
        raise TernError(f"the programs' ELF files are not below {user}; give --kernel one where make built it")
    return user / "rt/vdso.so", files


class Disassembly:
    """Everything that runs when an image of benches does."""

    def __init__(self, kernel: Path, image: str):
        """Raises TernError if the ELF files of the programs are not where a build leaves them."""
        vdso, files = user_files(kernel, image)
        self.kernel = Elf("kernel", kernel)
        self.vdso = Elf("vdso", vdso)
        names = program_names(image)
        programs = [Elf(names.get(file.stem, file.stem), file, self.vdso) for file in files]
        self.client = min(programs, key=lambda program: program.entry)
        self.files = [self.kernel, self.vdso, *programs]
        self.executed: dict[int, bytes] = {}
        self.known: dict[int, Instruction] = {}

    def at(self, address: int) -> Instruction:
        """The instruction at an address, of which `executed` knows the bytes. They are those of the ELF file, but for
        the vDSO, which the kernel completes. Raises TernError if they are not."""
        if address not in self.known:
            elf = next((elf for elf in self.files if elf.symbol(address)), None)
            if elf is None:
                raise TernError(f"{address:#x} was executed, which is in no ELF file below {self.kernel.path.parent}")
            line = elf.lines.get(address, Line(b"", "", "", ""))
            code = self.executed.get(address, line.code)
            if code != line.code and elf is not self.vdso:
                raise TernError(f"what was executed at {address:#x} is not in {elf.path}; build kernel and programs anew")
            if code != line.code:
                line = Line(code, decode(address, code), AT_RUN_TIME, "")
            function, offset = elf.symbol(address) or ("", 0)
            self.known[address] = Instruction(
                elf.where, function, offset, elf.text(line.text), line.source, line.inlined
            )
        return self.known[address]


def program_names(image: str) -> dict[str, str]:
    """The program of each process of an image."""
    with open(IMAGES / f"{image}.json5", encoding="utf-8") as file:
        apps = json5.load(file)["apps"]
    processes = [process for app in apps for process in app["processes"]]
    return {process["name"]: process.get("program", process["name"]) for process in processes}
