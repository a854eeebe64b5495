# SPDX-License-Identifier: MIT
"""QEMU's monitor at a Unix socket: what it says of a machine that does not get on, and a key pressed there."""
import contextlib
import re
import socket
from collections.abc import Sequence
from pathlib import Path

ANSWER_S = 3.0
PROMPT = b"(qemu) "
ECHO = re.compile(r"\S*\x1b\[.*\n")  # the question, as a terminal would show it being typed
QUESTIONS = (*["info registers -a"] * 3, "info lapic 0", "info lapic 1")  # the same thrice: does it move
KEY = "sendkey shift"


def machine_ask(path: Path) -> str:
    """What the monitor says of the CPUs; as much as it says in time."""
    return "\n".join(answers_get(path, QUESTIONS))


def key_press(path: Path) -> bool:
    """Presses a key that means nothing: an interrupt for whoever has a keyboard. Whether the monitor took it."""
    return len(answers_get(path, [KEY])) == 1


def answers_get(path: Path, questions: Sequence[str]) -> list[str]:
    """The answers that came in time."""
    answers: list[str] = []
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as link:
        link.settimeout(ANSWER_S)
        link.connect(str(path))
        answer_read(link)
        for question in questions:
            link.sendall(f"{question}\n".encode("ascii"))
            answers.append(answer_read(link))
    return answers


def answer_read(link: socket.socket) -> str:
    """What comes before the next prompt, without the question's echo."""
    said = b""
    while not said.endswith(PROMPT) and (more := link.recv(65536)):
        said += more
    return ECHO.sub("", said.removesuffix(PROMPT).decode("utf-8", "replace").replace("\r", ""))
