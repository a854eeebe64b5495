# SPDX-License-Identifier: MIT
"""A profile of exact instructions: a boot under -icount on one CPU with a QEMU plugin that counts every one from the end of the
boot on, or from the kernel's first one. Two runs give the same numbers."""
import struct
from collections import Counter
from pathlib import Path

import build
import qemu
from common import ROOT
from profiling import Found, Machine

PLUGIN = ROOT / "build/host/count_plugin.so"
OUT_FILE = "counts.bin"
COUNT = struct.Struct("<QQ")  # struct count in count_plugin.c
ITERATIONS = 100000
BEGIN = "enter_user"  # the kernel's last step of the boot


def run(machine: Machine, work: Path, folder: Path) -> Found:
    """One boot. Raises TernError."""
    del folder
    build.make(str(PLUGIN.relative_to(ROOT)))
    path = str(PLUGIN).replace(",", ",,")
    iterations = "" if machine.options.image or "iterations=" in machine.append else f" iterations={ITERATIONS}"
    whole = machine.options.whole
    begin = machine.symbols.kernel.entry if whole else machine.symbols.kernel.address(BEGIN)
    boot = qemu.Boot(
        kernel=machine.kernel,
        initrd=machine.initrd,
        machine=machine.options.vmm,
        append=f"unit=instructions {machine.append}{iterations}",
        plugin=f"{path},out={OUT_FILE},from={begin:#x}",
        timeout_s=machine.options.timeout_s,
    )
    machine.outcome_check(qemu.run(boot, work, "counting"), work)
    addresses = Counter(dict(COUNT.iter_unpack(qemu.read_bytes(work / OUT_FILE))))
    found = Found("instructions", f"every instruction {'with' if whole else 'after'} the boot, {boot.machine}, icount, one CPU")
    found.addresses = addresses
    for address, count in addresses.items():
        found.functions[machine.symbols.place(address)] += count
    return found
