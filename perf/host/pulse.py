# SPDX-License-Identifier: MIT
"""Whether an emulator still does something.

QEMU 7.2 now and then lets an emulated hypervisor sleep for ever: its timer's interrupt is pending in the local APIC, the CPU
halts with interrupts on, and was not told. By its source helper_vmrun changes the word of the CPU's interrupt requests
without the lock under which the thread of the timers does, so one change can be lost. Any other interrupt makes the APIC
tell the CPU again. A machine that lives uses CPU time (one whose guest computes does so too, and may wait for ever all the
same).
"""
import contextlib
import time
from pathlib import Path

STOPPED_S, FAINT_S = 20.0, 2.0  # after so long without a pulse it is given up, it is worth a try to wake it
LIVING = 0.001  # CPU time by real time; a Linux that does nothing uses 0.004, above Xen 0.011


def cpu_seconds(pid: int) -> float:
    """What all threads of a process have used; 0 if it is gone."""
    used = 0
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                used += int((task / "schedstat").read_text(encoding="ascii").split()[0])
    return used / 1e9


class Pulse:
    """Of a process, since the object was made. `window_s`: how long it has to be silent."""

    def __init__(self, pid: int, window_s: float) -> None:
        self.pid, self.window_s = pid, window_s
        self.looks = [(time.monotonic(), cpu_seconds(pid))]

    def stopped(self) -> bool:
        """Whether it has done nothing for the last window_s. To be asked several times a second."""
        now = time.monotonic()
        if now - self.looks[-1][0] < self.window_s / 10:
            return False
        used = cpu_seconds(self.pid)
        self.looks.append((now, used))
        while now - self.looks[1][0] >= self.window_s:
            self.looks.pop(0)
        return now - self.looks[0][0] >= self.window_s and used - self.looks[0][1] < LIVING * self.window_s
