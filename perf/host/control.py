# SPDX-License-Identifier: MIT
"""`tern ctl`: one request to a running guest, by its port org.tern.control, and the answer.

QEMU listens for it on a unix socket, in a folder that belongs to the user. A request is a line `#TAG MODULE TYPE
PAYLOAD`, its answer a line of JSON that has the tag again. Whatever else comes is of somebody who asked before and did
not wait, and is skipped. A socket has one client at a time; another one waits until the first has gone.

A guest whose streams are frames of one console, as every guest of Xen's, is asked through that console (console.py).
"""
import contextlib
import json
import os
import re
import secrets
import socket
import stat
import sys
import time
from pathlib import Path
from typing import Any

from common import TernError
from console import Console

SUFFIX = ".sock"
LISTENS = 0x10000  # a flag in /proc/net/unix
ANSWER_MAX = 1 << 20
PATH_MAX = 107  # of a unix socket


def folder_path() -> Path:
    """Where the sockets of this user's guests are."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    return Path(base) / "tern" if base else Path(f"/tmp/tern-{os.getuid()}")


def folder() -> Path:
    """The same, made, and nobody else's. Raises TernError."""
    path = folder_path()
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise TernError(f"cannot make {path}: {error.strerror}") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise TernError(f"{path} is not a folder of yours alone; remove it")
    return path


def socket_path(label: str) -> Path:
    """The socket of a guest that this process starts."""
    name = re.sub(r"[^\w.]", "_", Path(label).name.removesuffix(".img"))[:24]
    return folder_path() / f"{name}-{os.getpid()}{SUFFIX}"


def socket_prepare(path: Path) -> None:
    """Before a guest starts: makes the folder and removes what killed ones left there. Raises TernError."""
    if len(os.fsencode(path)) > PATH_MAX:
        raise TernError(f"the path of the control socket, {path}, is too long; set XDG_RUNTIME_DIR to a short one")
    for other in folder().glob(f"*{SUFFIX}"):
        owner = other.stem.rpartition("-")[2]
        if not Path(f"/proc/{owner}").exists() and not is_listening(other):
            other.unlink(missing_ok=True)


def is_listening(path: Path) -> bool:
    """Whether somebody listens there. Trying it would show in the guest as a client that comes and goes."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/net/unix").read_text(encoding="utf-8", errors="replace").splitlines()[1:]:
            words = line.split(maxsplit=7)
            if len(words) == 8 and words[7] == str(path) and int(words[3], 16) & LISTENS:
                return True
    return False


def guests() -> list[Path]:
    """The sockets of all guests of this user that run."""
    return sorted(path for path in folder().glob(f"*{SUFFIX}") if is_listening(path))


def guest_find(wanted: str | None) -> Path:
    """The socket of the guest with that name or path, or of the only one. Raises TernError."""
    if wanted is not None and "/" in wanted:
        return Path(wanted)
    running = guests()
    names = ", ".join(path.stem for path in running)
    if wanted is not None:
        for path in running:
            if path.stem == wanted:
                return path
        raise TernError(f"no guest {wanted} runs; " + (f"there are: {names}" if names else "start one: ./tern run"))
    if not running:
        raise TernError("no guest with a control port runs; start one: ./tern run")
    if len(running) > 1:
        raise TernError(f"several guests run; choose with --guest: {names}")
    return running[0]


def connect(path: Path, seconds: float) -> socket.socket:
    """A connection to the guest's socket. Raises TernError."""
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(seconds)
    try:
        line.connect(str(path))
    except FileNotFoundError:
        reason = f"there is no socket {path}"
    except ConnectionRefusedError:
        reason = f"nobody listens on {path}: its guest has ended"
    except TimeoutError:
        reason = f"{path} takes no more clients; others wait there"
    except OSError as error:
        reason = f"cannot use {path}: {error.strerror or error}"
    else:
        return line
    line.close()
    raise TernError(reason)


def answer_parse(text: bytes, tag: str) -> dict[str, Any] | None:
    """The answer, if it is one and has the tag."""
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return None
    ours = isinstance(answer, dict) and answer.get("tag") == tag and isinstance(answer.get("status"), str)
    return answer if ours else None


class Asked:
    """What came back so far for one request."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.bytes = b""
        self.skipped: bytes | None = None

    def take(self, more: bytes) -> dict[str, Any] | None:
        """The answer, as soon as its line is complete."""
        *lines, self.bytes = (self.bytes + more).split(b"\n")
        for line in lines:
            if (answer := answer_parse(line, self.tag)) is not None:
                return answer
            self.skipped = line if line.strip() else self.skipped
        if len(self.bytes) > ANSWER_MAX:
            raise TernError(f"the answer has no end: {len(self.bytes)} bytes without a newline")
        return None

    def nothing(self, how: str) -> TernError:
        """The error of an end without an answer."""
        came = self.skipped if self.skipped is not None else self.bytes
        if came:
            return TernError(f"{how}; what came is no JSON answer to this request: {came[:60]!r}")
        return TernError(how)


def ask(path: Path, words: list[str], seconds: float, framed: bool = False) -> dict[str, Any]:
    """Sends one request and waits for its answer. `framed`: the path is a console's. Raises TernError."""
    request = " ".join(words)
    if "\n" in request or "\r" in request:
        raise TernError("a request is one line", 2)
    end = time.monotonic() + seconds
    asked = Asked(secrets.token_hex(4))
    name = str(path) if framed else path.stem
    silent = f"{name} does not answer within {seconds:g} s; it may be busy, have no such port, or another client"
    with Console(path, seconds) if framed else connect(path, seconds) as line:
        try:
            # The newline ends what somebody else may have left unfinished.
            line.sendall(f"\n#{asked.tag} {request}\n".encode("utf-8", "surrogateescape"))
            while (left := end - time.monotonic()) > 0:
                line.settimeout(left)
                if not (more := line.recv(65536)):
                    raise asked.nothing(f"{name} closed the connection before it answered")
                if (answer := asked.take(more)) is not None:
                    return answer
        except TimeoutError:
            pass
        except OSError as error:
            raise asked.nothing(f"{name} went away: {error.strerror}") from error
    raise asked.nothing(silent)


def shown(value: Any) -> str:
    """A single value; text without what would move a terminal's cursor."""
    if isinstance(value, str):
        return "".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in value)
    return json.dumps(value)


def is_table(value: Any) -> bool:
    """A list of objects with the same keys, none of which holds more than a value."""
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(isinstance(row, dict) and list(row) == list(value[0]) for row in value)
        and not any(isinstance(cell, (dict, list)) for row in value for cell in row.values())
    )


def table_lines(rows: list[dict[str, Any]]) -> list[str]:
    """Columns under their names; numbers to the right."""
    cells = [list(rows[0])] + [[shown(cell) for cell in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells)]
    right = [not isinstance(cell, str) for cell in rows[0].values()]
    return [
        "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right)).rstrip() for row in cells
    ]


def lines_of(value: Any) -> list[str]:
    """A value of JSON as lines for people."""
    if is_table(value):
        return table_lines(value)
    if isinstance(value, dict):
        width = max((len(key) for key, inner in value.items() if not isinstance(inner, (dict, list))), default=0)
        lines = []
        for key, inner in value.items():
            if isinstance(inner, (dict, list)) and inner:
                lines += [f"{shown(key)}:", *(f"  {line}" for line in lines_of(inner))]
            else:
                lines.append(f"{shown(key).ljust(width)}  {shown(inner)}")
        return lines
    if isinstance(value, list):
        return [line for inner in value for line in lines_of(inner)] or ["none"]
    return shown(value).splitlines() or [""]


def refusal(answer: dict[str, Any]) -> str:
    """Status and sentence of an answer that is no success."""
    return ": ".join(shown(answer[key]) for key in ("status", "error") if answer.get(key))


def answers_lines(answers: list[dict[str, Any]]) -> list[str]:
    """The answers of several modules, each below its name."""
    lines = []
    for one in answers:
        inner = lines_of(one["answer"]) if "answer" in one else [refusal(one)]
        lines += [f"{shown(one.get('module', '?'))}:", *(f"  {line}" for line in inner)]
    return lines


def answer_lines(answer: dict[str, Any]) -> list[str]:
    """The lines for people."""
    answers = answer.get("answers")
    if isinstance(answers, list) and all(isinstance(one, dict) for one in answers):
        return answers_lines(answers) + ([f"and more: {refusal(answer)}"] if answer["status"] != "OK" else [])
    return lines_of(answer["answer"]) if answer.get("answer") is not None else []


def ctl(words: list[str], guest: str | None, console: str | None, seconds: float, raw: bool) -> int:
    """Runs the command; 0 only if the guest says OK."""
    answer = ask(Path(console), words, seconds, True) if console else ask(guest_find(guest), words, seconds)
    if raw:
        print(json.dumps(answer))
    elif lines := answer_lines(answer):
        print("\n".join(lines))
    if answer["status"] != "OK" and not raw:
        print(f"tern: {' '.join(words[:2])}: {refusal(answer)}", file=sys.stderr)
    return 0 if answer["status"] == "OK" else 1
