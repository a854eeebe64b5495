#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The walks of ARCHITECTURE.md are true: each row `| n | file | function, ... |` names functions that are in that file, and
each folder's README.md names every source file of the folder. Exit status 1 with one line per untruth."""

import pathlib
import re
import subprocess
import sys

ROW = re.compile(r"\|\s*\d+\s*\|\s*(\S+\.[chS])\s*\|\s*([\w, ]+?)\s*\|")
READ = ("mm", "ipc", "sched", "sys", "sys/module", "sys/syscall", "sys/vdso", "perf", "drivers/virtio", "drivers/xen", "arch/x86_64")


def names_in(path: str) -> str:
    """Functions, macros and labels of a C or assembly file, one a line; a system call by its name."""
    command = ["ctags", "-x", "--kinds-C=fdp", "--kinds-Asm=ldm", "-I", "syscall_entry", path]
    calls = re.findall(r"^IMPLEMENT_\w*SYSCALL\((\w+)\)", pathlib.Path(path).read_text(), re.M)
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout + " \n".join(calls) + " \n"


def walk_errors() -> list[str]:
    """Rows that name a missing file or function."""
    found, rows = [], 0
    for line in pathlib.Path("ARCHITECTURE.md").read_text().splitlines():
        row = ROW.match(line)
        if not row:
            continue
        rows += 1
        if not pathlib.Path(row[1]).is_file():
            found.append(f"ARCHITECTURE.md: there is no {row[1]}")
            continue
        tags = names_in(row[1])
        found += [f"ARCHITECTURE.md: {name} is not in {row[1]}" for name in re.split(r",\s*", row[2])
                  if not re.search(rf"^{re.escape(name)}\s", tags, re.M)]
    return found if rows >= 12 else found + [f"ARCHITECTURE.md: {rows} walk rows, expected two walks"]


def reading_order_errors() -> list[str]:
    """Source files that their folder's README.md does not name."""
    found = []
    for folder in map(pathlib.Path, READ):
        readme = folder / "README.md"
        text = readme.read_text() if readme.is_file() else ""
        found += [f"{readme}: does not name {p.name}" for p in sorted(folder.iterdir())
                  if p.suffix in {".c", ".S"} and not re.search(rf"\b{re.escape(p.name)}", text)]
    return found


def main() -> int:
    """Checks the tree below the current folder."""
    found = walk_errors() + reading_order_errors()
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


sys.exit(main())
