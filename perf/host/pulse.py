# SPDX-License-Identifier: MIT
"""Whether an emulator still does something.

QEMU 7.2 now and then lets an emulated hypervisor sleep for ever: its timer's interrupt is pending in the local APIC, the CPU
halts with interrupts on, and was not told. By its source helper_vmrun changes the word of the CPU's interrupt requests
without the lock under which the thread of the timers does, so one change can be lost. A machine that lives uses CPU time.
"""
import contextlib
import time
from pathlib import Path

WINDOW_S = 20.0
LIVING_S = 0.020  # CPU time in a window; a Linux that does nothing uses 0.08 s, above Xen 0.22 s


def cpu_seconds(pid: int) -> float:
    """What all threads of a process have used; 0 if it is gone."""
    used = 0
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                used += int((task / "schedstat").read_text(encoding="ascii").split()[0])
    return used / 1e9


class Pulse:
    """Of a process, since the object was made."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.looks = [(time.monotonic(), cpu_seconds(pid))]

    def stopped(self) -> bool:
        """Whether it has done nothing for the last WINDOW_S. To be asked several times a second."""
        now = time.monotonic()
        if now - self.looks[-1][0] < WINDOW_S / 10:
            return False
        used = cpu_seconds(self.pid)
        self.looks.append((now, used))
        while now - self.looks[1][0] >= WINDOW_S:
            self.looks.pop(0)
        return now - self.looks[0][0] >= WINDOW_S and used - self.looks[0][1] < LIVING_S
