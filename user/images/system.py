# SPDX-License-Identifier: MIT
"""What a checked system.json5 says, and how its errors are told."""

import re
from dataclasses import dataclass, field
from typing import Optional

from json5_position import Document, Path, Position

ERRORS_SHOWN = 20


class Refused(Exception):
    """The input cannot become an image. `lines` is what the user gets to read."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class Problems:
    """Collects errors as `FILE:LINE:COLUMN: message`, sorted by place, each once."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: set[tuple[Position, str]] = set()

    def add(self, position: Position, message: str) -> None:
        self._found.add((position, message))

    def raise_if_any(self) -> None:
        """Raises Refused with the first ERRORS_SHOWN of them."""
        lines = [f"{self.file}:{at.line}:{at.column}: {message}" for at, message in sorted(self._found)]
        if len(lines) > ERRORS_SHOWN:
            lines[ERRORS_SHOWN:] = [f"{self.file}: and {len(lines) - ERRORS_SHOWN} more errors"]
        if lines:
            raise Refused(lines)


@dataclass
class App:
    """Sizes are in bytes; None where the file gives none."""

    name: str
    path: Path
    flash_bytes: Optional[int]
    ram_bytes: Optional[int]


@dataclass
class Thread:
    name: str
    priority: int
    stack_bytes: int


@dataclass
class Object:
    """`peer` is the other end of a channel: (index of its process, its handle)."""

    name: str
    type: str
    path: Path
    peer: Optional[tuple[int, int]] = None


@dataclass
class Process:
    """`objects[handle]`. `folder` is its name as a file name: unique in the system, without blanks."""

    name: str
    folder: str
    program: str
    path: Path
    app: App
    cpu: int
    ram_bytes: Optional[int]
    thread: Thread
    objects: list[Object] = field(default_factory=list)


@dataclass
class System:
    """A system that passed every check. `notes` are told to the user but refuse nothing."""

    file: str
    document: Document
    apps: list[App]
    processes: list[Process]
    notes: list[str]


def identifier(name: str) -> str:
    """The name as the tail of a C macro: upper case, anything odd as '_'."""
    return re.sub(r"[^A-Z0-9_]", "_", name.upper())


def folder_name(name: str) -> str:
    """The name as a file name that is never hidden and never leads elsewhere."""
    return re.sub(r"^\.", "_", re.sub(r"[^A-Za-z0-9_.-]", "_", name))
