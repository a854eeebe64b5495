#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Each quoted #include of kernel code points down the layers, and *_internal.h stays in its folder.

A folder may include the folders that MAY names for it and itself. `arch` and `sys/lib` are the floor; `ipc/channel`
and `ipc/oneshot` are leaves that anything may use; perf and drivers do not know each other. Exit status 1 with one
line per offence.
"""

import pathlib
import re
import sys

FLOOR = {"sys/abi", "sys/lib", "arch"}
LEAF = FLOOR | {"ipc/channel", "ipc/oneshot", "perf/hist"}
MAY: dict[str, set[str]] = {
    "sys/abi": set(),
    "sys/lib": FLOOR,
    "arch": FLOOR | {"mm", "ipc/oneshot"},  # page tables need frames, and a started CPU says so once
    "ipc/channel": FLOOR,
    "ipc/oneshot": FLOOR,
    "perf/hist": FLOOR,
    "mm": LEAF,
    "sched": LEAF | {"mm"},
    "ipc": LEAF | {"mm", "sched"},
    "perf": LEAF | {"mm"},
    "perf/bench/kernel": LEAF | {"mm", "sched", "ipc"},  # benches of what is below
    "drivers/virtio": LEAF | {"mm"},
    "drivers/xen": LEAF | {"mm"},
    "sys": LEAF | {"mm", "sched", "ipc", "perf", "perf/bench/kernel", "drivers/virtio", "drivers/xen"},
}
# Single files that know more than their folder: numbers and offsets for assembly, what a trap is given, how a fault ends.
EXTRA = {
    "arch/x86_64/asm_offsets.c": {"sched", "sys"},
    "arch/x86_64/trap.h": {"sched"},
    "arch/x86_64/fault.c": {"sys"},
}
FOLDERS = ("arch", "mm", "ipc", "sched", "sys", "drivers", "perf")
INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')


def layer(path: str) -> str | None:
    """The longest entry of MAY that the path lies under, or None."""
    names = (name for name in MAY if path.startswith((name + "/", name + ".")))
    return max(names, key=len, default=None)


def offences(path: pathlib.Path) -> list[str]:
    """One line per include that points up, sideways, or into another folder's internals."""
    source, found = layer(str(path)), []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if not match or not source:
            continue
        target = match[1]
        to = layer(target)
        internal = target.endswith("_internal.h") and pathlib.PurePath(target).parent != path.parent
        allowed = MAY[source] | {source} | EXTRA.get(str(path), set())
        if internal or (to and to not in allowed):
            found.append(f"{path}:{number}: {source} must not include {target}")
    return found


def main() -> int:
    """Checks the tree below the current folder."""
    files = (p for folder in FOLDERS for p in sorted(pathlib.Path(folder).rglob("*")) if p.suffix in {".c", ".h", ".S"})
    found = [line for path in files for line in offences(path)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


sys.exit(main())
