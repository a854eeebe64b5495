#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""No source file over 600 lines, no C function over 70: past that, split by meaning. Exit status 1 with one line each."""

import json
import pathlib
import subprocess
import sys

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
ROOTS = ("arch", "mm", "ipc", "sched", "sys", "drivers", "perf", "user", "tests", "ci")


def sources(suffixes: set[str]) -> list[pathlib.Path]:
    """All files below the roots with one of the suffixes."""
    return [p for root in ROOTS for p in sorted(pathlib.Path(root).rglob("*")) if p.suffix in suffixes and p.is_file()]


def long_functions(paths: list[pathlib.Path]) -> list[str]:
    """One line per C function over the limit."""
    command = ["ctags", "--output-format=json", "--fields=+ne", "--kinds-C=f", "-f", "-", *map(str, paths)]
    found = []
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        tag = json.loads(line)
        lines = tag.get("end", tag["line"]) - tag["line"] + 1
        if lines > FUNCTION_LINES_MAX:
            found.append(f"{tag['path']}:{tag['line']}: {tag['name']} has {lines} lines, more than {FUNCTION_LINES_MAX}")
    return found


def main() -> int:
    """Checks the tree below the current folder."""
    found = []
    for path in sources({".c", ".h", ".S", ".py", ".mk", ".sh"}):
        lines = len(path.read_text().splitlines())
        if lines > FILE_LINES_MAX:
            found.append(f"{path}: {lines} lines, more than {FILE_LINES_MAX}")
    found += long_functions(sources({".c"}))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


sys.exit(main())
