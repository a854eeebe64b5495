# SPDX-License-Identifier: MIT
"""Folded stacks: one line `process;outermost;...;innermost COUNT` for each chain of calls, as flame graphs want them.

Kernel functions end in `_[k]`. The first frame is the process, or `(idle)` for a CPU without work: what a CPU was
doing before it had none is no part of that, so such a chain begins where idling does.
"""
from collections import Counter

from profstream import Profile, Sample
from symbols import Symbols

KERNEL_MARK = "_[k]"
IDLE = "(idle)"
IDLE_FUNCTION = "sched_idle"


def chain(addresses: tuple[int, ...], symbols: Symbols) -> list[str]:
    """Names, innermost first. All but the first are return addresses, which may belong to the next function already."""
    return [symbols.name(address - (place > 0)) for place, address in enumerate(addresses)]


def stack(sample: Sample, profile: Profile, symbols: Symbols) -> list[str]:
    """A sample's frames, outermost first."""
    kernel = chain(sample.kernel, symbols)
    user = chain(sample.user, symbols)
    if sample.process is None:
        if IDLE_FUNCTION in kernel:
            kernel = kernel[: kernel.index(IDLE_FUNCTION) + 1]
        return [IDLE, *(name + KERNEL_MARK for name in reversed(kernel))]
    return [profile.processes[sample.process], *reversed(user), *(name + KERNEL_MARK for name in reversed(kernel))]


def fold(profile: Profile, symbols: Symbols, idle: bool = True) -> str:
    """All samples, lines in order of their text; without those of idle CPUs if not `idle`."""
    counts = Counter(
        ";".join(stack(sample, profile, symbols))
        for sample in profile.samples
        if idle or sample.process is not None
    )
    return "".join(f"{frames} {count}\n" for frames, count in sorted(counts.items()))


def read(text: str) -> list[tuple[list[str], int]]:
    """Folded lines as (frames, count); blank lines are left out. Raises ValueError for a line that is none."""
    rows = []
    for line in text.splitlines():
        if not line.strip():
            continue
        frames, _, count = line.rpartition(" ")
        if not frames or not count.isdigit():
            raise ValueError(f"no folded stack: {line[:80]!r}")
        rows.append((frames.split(";"), int(count)))
    return rows
