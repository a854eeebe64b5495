#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Turns a system.json5 and its programs into a Tern system image.

A system.json5 says which processes there are, which threads, channels, interrupts, memory and other objects
they have, and on which CPU they live. Errors are told as FILE:LINE:COLUMN: message, on stderr. Exit status: 0 done, 1 the input is refused,
2 wrong usage.
"""

import argparse
import os
import shlex
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # the source tree stays as it is

from abi import Abi  # noqa: E402
from elf import elf_read  # noqa: E402
from graph import system_graph  # noqa: E402
from image_build import CFLAGS_DEFAULT, Tools, depfile_text, headers_write, programs_build  # noqa: E402
from image_file import image_pack  # noqa: E402
from image_show import image_show  # noqa: E402
from system import Refused, System  # noqa: E402
from system_check import system_load  # noqa: E402

EXAMPLES = """examples:
  mkimage.py check system.json5
  mkimage.py build system.json5 --programs . --rt RT --work build/work --out build/system.img
  mkimage.py show build/system.img
  mkimage.py graph system.json5 | dot -Tsvg -o system.svg
"""


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(_joined(arguments))
    try:
        options.run(options, Abi(options.abi))
    except Refused as refused:
        print("\n".join(refused.lines), file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"mkimage: {error.filename or 'output'}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def _joined(arguments: list[str]) -> list[str]:
    """`--cflags -O2` as `--cflags=-O2`: argparse would take a value that starts with '-' for an option."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] == "--cflags":
            joined[-1] += "=" + argument
        else:
            joined.append(argument)
    return joined


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="mkimage.py", description=__doc__, epilog=EXAMPLES, formatter_class=raw)
    abi = Path(__file__).resolve().parents[2] / "sys/abi"
    parser.add_argument("--abi", type=Path, default=abi, metavar="DIR",
                        help="the kernel's image.h, layout.h, histogram.h, signals.h (default: the tree's own)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run, text: str, operand: str = "SYSTEM.json5") -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        sub.set_defaults(run=run)
        sub.add_argument("file", metavar=operand)
        return sub

    command("check", _check, "check a system description and say nothing if it is good")
    command("graph", _graph, "print processes, channels, supervision and interrupts as a graph for dot")
    sub = command("headers", _headers, "write the handle header of each process, DIR/<process>/handles.h")
    sub.add_argument("--out", type=Path, required=True, metavar="DIR")

    sub = command("build", _build, "compile and link each process's program, and make the image")
    sub.add_argument("--programs", type=Path, action="append", required=True, metavar="DIR",
                     help="has PROGRAM.c or a folder PROGRAM with sources; may be given several times")
    sub.add_argument("--rt", type=Path, required=True, metavar="DIR",
                     help="the runtime: crt0.o, link.lds, vdso.ld and, if there is one, rt.a")
    sub.add_argument("--work", type=Path, required=True, metavar="DIR",
                     help="where headers, objects and <process>/<process>.elf are put")
    sub.add_argument("--cc", default="gcc", help="the compiler, also used to link (default: %(default)s)")
    sub.add_argument("--cflags", default=CFLAGS_DEFAULT, help="instead of the default: %(default)s")
    sub.add_argument("--graph", type=Path, metavar="FILE", help="also write what `graph` prints")
    sub.add_argument("--depfile", type=Path, metavar="FILE", help="write what the image depends on, for make")
    _output(sub)

    sub = command("pack", _pack, "make the image from programs that are linked already")
    sub.add_argument("--elf", nargs="+", action="extend", required=True, metavar="PROCESS=FILE")
    _output(sub)

    command("show", _show, "print the tables of an image", "IMAGE")
    return parser


def _output(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--out", type=Path, required=True, metavar="IMAGE")
    sub.add_argument("--name", help="the name inside the image (default: that of SYSTEM.json5)")


def _load(options: argparse.Namespace, abi: Abi) -> System:
    system = system_load(options.file, abi)
    for note in system.notes:
        print(note, file=sys.stderr)
    return system


def _check(options: argparse.Namespace, abi: Abi) -> None:
    _load(options, abi)


def _graph(options: argparse.Namespace, abi: Abi) -> None:
    print(system_graph(_load(options, abi), Path(options.file).stem), end="")


def _headers(options: argparse.Namespace, abi: Abi) -> None:
    headers_write(_load(options, abi), options.out, abi)


def _build(options: argparse.Namespace, abi: Abi) -> None:
    system = _load(options, abi)
    cc, cflags = shlex.split(options.cc), shlex.split(options.cflags)
    tools = Tools(options.programs, options.rt, options.work, cc, cflags)
    files, read = programs_build(system, tools, abi)
    _write_image(options, system, files, abi)
    if options.graph:
        options.graph.write_text(system_graph(system, Path(options.file).stem), encoding="utf-8")
    if options.depfile:
        options.depfile.write_text(depfile_text(str(options.out), read), encoding="utf-8")


def _pack(options: argparse.Namespace, abi: Abi) -> None:
    system = _load(options, abi)
    files: dict[str, Path] = {}
    for pair in options.elf:
        names = [process.name for process in system.processes if pair.startswith(process.name + "=")]
        if not names:
            valid = ", ".join(process.name for process in system.processes)
            raise Refused([f"--elf {pair}: no such process; valid are PROCESS=FILE with one of: {valid}"])
        name = max(names, key=len)
        files[name] = Path(pair[len(name) + 1 :])
    missing = [process.name for process in system.processes if process.name not in files]
    if missing:
        raise Refused([f"--elf: no program is given for: {', '.join(missing)}"])
    _write_image(options, system, [files[process.name] for process in system.processes], abi)


def _write_image(options: argparse.Namespace, system: System, files: list[Path], abi: Abi) -> None:
    """Through a file beside it, so that a full disk never leaves half an image."""
    name = options.name or Path(options.file).stem
    if not name.isprintable() or not name.isascii() or len(name) >= abi["IMAGE_NAME_BYTES"]:
        rule = f"at most {abi['IMAGE_NAME_BYTES'] - 1} printable ASCII characters"
        raise Refused([f"'{name}' cannot be the image's name: {rule}; use --name"])
    image = image_pack(system, [elf_read(file) for file in files], name, abi)
    part = options.out.with_name(options.out.name + ".part")
    try:
        part.write_bytes(image)
        part.replace(options.out)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _show(options: argparse.Namespace, abi: Abi) -> None:
    print(image_show(Path(options.file), abi), end="")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
