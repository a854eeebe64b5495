# SPDX-License-Identifier: MIT
"""Whether an emulator still does something, and what its machine looks like when it does not.

QEMU 7.2 now and then lets an emulated hypervisor sleep for ever: its timer's interrupt is pending in the local APIC, the CPU
halts with interrupts on, and was not told. VMRUN's emulation changes the word of the CPU's interrupt requests without the
lock under which the thread of the timers does, so that one change is lost. A machine that lives uses some CPU time.
"""
import contextlib
import re
import socket
import time
from pathlib import Path

WINDOW_S = 20.0
LIVING_S = 0.020  # CPU time in a window; Linux without work, and its QEMU, use ten times as much
ANSWER_S = 3.0
PROMPT = b"(qemu) "
ECHO = re.compile(r"\S*\x1b\[.*\n")  # the question, as a terminal would show it being typed
QUESTIONS = (*["info registers -a"] * 3, "info lapic 0", "info lapic 1")  # the same thrice: does it move


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


def machine_ask(path: Path) -> str:
    """What QEMU's monitor at a Unix socket says of the CPUs; as much as it says in time."""
    answers: list[str] = []
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as link:
        link.settimeout(ANSWER_S)
        link.connect(str(path))
        answer_read(link)
        for question in QUESTIONS:
            link.sendall(f"{question}\n".encode("ascii"))
            answers.append(answer_read(link))
    return "\n".join(answers)


def answer_read(link: socket.socket) -> str:
    """What comes before the next prompt, without the question's echo."""
    said = b""
    while not said.endswith(PROMPT) and (more := link.recv(65536)):
        said += more
    return ECHO.sub("", said.removesuffix(PROMPT).decode("utf-8", "replace").replace("\r", ""))
