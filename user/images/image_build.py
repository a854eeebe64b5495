# SPDX-License-Identifier: MIT
"""From a checked system to linked programs: handle headers, compiler, linker, and the list of what was read.

A process gets its own build of its program, since its handles and its addresses are its own. Everything goes
to WORK/<process>/: handles.h, an object per source, <process>.elf.
"""

import os
import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import jinja2

from abi import HEADERS, Abi
from system import Process, Refused, System, identifier

HERE = Path(__file__).resolve().parent
RUNTIME_FILES = ("crt0.o", "link.lds", "vdso.ld")  # and rt.a if there is one
CFLAGS_DEFAULT = (
    "-std=gnu2x -ffreestanding -O2 -fno-pic -fno-pie -mcmodel=small -mgeneral-regs-only -fno-stack-protector "
    "-fcf-protection=none -fno-asynchronous-unwind-tables -fno-omit-frame-pointer -Wall -Wextra -Werror"
)
# Instructions that enter or leave the kernel; INT3 and UD2 merely end the process.
ENTRY = re.compile(r"\s+([0-9a-f]+):\s+(?:\w+ )*?(syscall|sysenter|sysret[lq]?|sysexit[lq]?|int1|icebp|into|int|iret[lqw]?)\b")
LINK_FLAGS = "-static -nostdlib -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack"


@dataclass
class Tools:
    """How to build: folders of sources, of the runtime and for what is made; the compiler and its flags."""

    programs: list[Path]
    runtime: Path
    work: Path
    cc: list[str]
    cflags: list[str]


def headers_write(system: System, folder: Path, abi: Abi) -> None:
    """Writes FOLDER/<process>/handles.h for each process; files that would not change keep their time."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        trim_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    template = environment.get_template("handles.h.j2")
    for process in system.processes:
        text = template.render(
            folder=process.folder,
            literal='"' + process.name.replace("\\", "\\\\").replace('"', '\\"') + '"',
            process=process,
            identifier=identifier,
            lines=[(line, index) for item in process.objects for index, line in enumerate(item.interrupts)],
            event_names=[(name, index) for item in process.of_type("event_subscription")
                         for index, name in enumerate(item.subscription.names)],
            stack_tops=[(item, abi.stack_top(process.threads[item.thread])) for item in process.of_type("thread")],
        )
        file = folder / process.folder / "handles.h"
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_text(encoding="ascii") != text:
            file.write_text(text, encoding="ascii")


def programs_build(system: System, tools: Tools, abi: Abi) -> tuple[list[Path], list[str]]:
    """Builds each process's program. Returns the ELF files in the order of processes, and all files read.

    Raises Refused if sources are missing or a compiler is not content (what it said goes to stderr as it is).
    """
    missing = [f"{tools.runtime / name}: missing; --rt must hold {', '.join(RUNTIME_FILES)}"
               for name in RUNTIME_FILES if not (tools.runtime / name).is_file()]
    sources: list[list[Path]] = []
    for process in system.processes:
        sources.append(_sources(process, tools.programs))
        if not sources[-1]:
            missing.append(_not_found(system, process, tools.programs))
    if missing:
        raise Refused(missing)
    headers_write(system, tools.work, abi)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(_program_build, process, abi.process_base(number), sources[number], tools, abi)
                for number, process in enumerate(system.processes)]
    results = [job.result() for job in jobs]
    runtime = [tools.runtime / name for name in (*RUNTIME_FILES, "rt.a") if (tools.runtime / name).exists()]
    own = [*HERE.glob("*.py"), HERE / "handles.h.j2", HERE / "system_schema.json"]
    own += [abi.folder / name for name in HEADERS]
    read = {system.file, *map(str, runtime), *map(_relative, own)}
    return [result[0] for result in results], sorted(read.union(*(result[1] for result in results)))


def _sources(process: Process, folders: list[Path]) -> list[Path]:
    """PROGRAM.c, or all sources of the folder PROGRAM, from the first folder that has either."""
    for folder in folders:
        file = folder / f"{process.program}.c"
        if file.is_file():
            return [file]
        found = sorted(path for path in (folder / process.program).glob("*.[cS]") if path.is_file())
        if found:
            return found
    return []


def _not_found(system: System, process: Process, folders: list[Path]) -> str:
    key = "program" if process.program != process.name else "name"
    at = system.document.at(process.path + (key,))
    return (
        f"{system.file}:{at.line}:{at.column}: process '{process.name}' has no program: "
        f"neither {process.program}.c nor a folder {process.program} with sources is in: "
        + ", ".join(map(str, folders))
    )


def _program_build(
    process: Process, base: int, sources: list[Path], tools: Tools, abi: Abi
) -> tuple[Path, set[str]]:
    """The ELF file of one process, linked at `base`, and the files that its compilation read."""
    folder = tools.work / process.folder
    compile_command = [*tools.cc, *tools.cflags, "-I", str(folder), "-iquote", str(abi.include_root), "-MMD"]
    objects: list[str] = []
    read: set[str] = set()
    for source in sources:
        target = folder / f"{source.name}.o"
        depfile = folder / f"{source.name}.deps"  # not .d, which the tree's makefile would read
        _run(process, [*compile_command, "-MF", str(depfile), "-c", "-o", str(target), str(source)])
        objects.append(str(target))
        read |= {file for file in _dependencies(depfile) if not Path(file).is_relative_to(tools.work)}
    program = folder / f"{process.folder}.elf"
    library = tools.runtime / "rt.a"
    link_command = [*tools.cc, *LINK_FLAGS.split(), f"-Wl,--defsym=PROCESS_BASE={base:#x}"]
    link_command += ["-T", str(tools.runtime / "link.lds"), str(tools.runtime / "crt0.o"), *objects]
    link_command += [str(tools.runtime / "vdso.ld")]  # names and addresses
    link_command += [str(library)] if library.exists() else []
    _run(process, [*link_command, "-o", str(program)])
    own_entries_refuse(process, program)
    return program, read


def own_entries_refuse(process: Process, program: Path) -> None:
    """Raises Refused, one line each, if the program has an instruction that enters the kernel: that is the vDSO's."""
    listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn", str(program)],
                             capture_output=True, text=True, check=False)
    if listing.returncode:
        raise Refused([f"process '{process.name}': objdump failed: {listing.stderr.strip()}"])
    found, function = [], "?"
    for line in listing.stdout.splitlines():
        if label := re.match(r"[0-9a-f]+ <(.+)>:", line):
            function = label[1]
        elif entry := ENTRY.match(line):
            found.append(f"process '{process.name}': {program}: {function} at 0x{entry[1]} has its own {entry[2]}; "
                         "calls go through the vDSO (user/rt/tern.h)")
    if found:
        raise Refused(found)


def _run(process: Process, command: list[str]) -> None:
    result = subprocess.run(command, check=False)
    if result.returncode:
        raise Refused([f"process '{process.name}': this command failed: {shlex.join(command)}"])


def _dependencies(depfile: Path) -> list[str]:
    """The prerequisites in a file that the compiler wrote in make's syntax."""
    text = depfile.read_text(encoding="utf-8").replace("\\\n", " ").split(":", 1)[1]
    words = re.findall(r"(?:\\.|[^\s\\])+", text)
    return [re.sub(r"\\([ #])", r"\1", word).replace("$$", "$") for word in words]


def _relative(path: Path) -> str:
    """As make would say it: relative to the working folder if it is below that, else absolute."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def depfile_text(target: str, read: list[str]) -> str:
    """Make's rule `target: read...`, and an empty rule for each file so that a deleted one is no error."""
    names = [name.replace("$", "$$").replace(" ", "\\ ").replace("#", "\\#") for name in [target, *read]]
    return f"{names[0]}: " + " \\\n  ".join(names[1:]) + "\n\n" + "".join(f"{name}:\n" for name in names[1:])
