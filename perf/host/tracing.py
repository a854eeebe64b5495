# SPDX-License-Identifier: MIT
"""`tern profile --listing`: where the instructions of one operation of a bench go. Under plain TCG, with or without /dev/kvm: the
exact instructions, counted and listed (trace.py, disassembly.py, listing.py)."""
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import build
import trace
from bench import image_of, shown
from common import ROOT, TernError
from disassembly import Disassembly
from listing import HARNESS, Listing


@dataclass(frozen=True)
class Options:
    """What the command line asks for; `out` is the listing's file, by default below build/profile/."""

    bench: str
    out: Path | None
    timeout_s: float
    kernel: str | None


def operation_trace(name: str, kernel: Path, code: Disassembly, timeout_s: float) -> trace.Operation:
    """One traced boot and the operation cut out of it; the working folder is removed."""
    boot = trace.boot_make(name, kernel, code, timeout_s)
    trace.plugin_make()
    folder = ROOT / f"build/boots/profile-{os.getpid()}"
    try:
        record, addresses = trace.run(name, boot, folder, code)
        return trace.operation_cut(addresses, code, record)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def listing(options: Options) -> int:
    """Runs the command; returns the exit status. Raises TernError unless every instruction is accounted for."""
    kernel = build.kernel_get(options.kernel)
    code = Disassembly(kernel, image_of(options.bench))
    operation = operation_trace(options.bench, kernel, code, options.timeout_s)
    found = Listing(options.bench, operation, code)
    text = found.text()
    if (found.total, found.listed) != (operation.value, operation.value):
        raise TernError(
            f"{found.listed} instructions would be listed, the bench counts {operation.value}: an empty body has"
            f" {operation.overhead}, this sample {len(operation.addresses) - found.total} of {HARNESS} (user/rt/tern.h)"
        )
    out = options.out or ROOT / f"build/profile/{options.bench}.txt"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise TernError(f"cannot write {out}: {error.strerror}; choose another --out") from error
    print("\n".join([*found.rows(), *found.how(), f"listing: {shown(out)}"]))
    return 0
