# SPDX-License-Identifier: MIT
"""What a checked system.json5 says, and how its errors are told."""

import difflib
import json
import re
from dataclasses import dataclass, field
from typing import Any, Iterable, Iterator, Optional

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
class Text:
    """A parsed text, what is wrong with it so far, and what is said beside that. `notes` refuse nothing."""

    file: str
    document: Document
    problems: Problems
    notes: list[str] = field(default_factory=list)

    def error(self, path: Path, message: str) -> None:
        self.problems.add(self.document.at(path), message)

    def note(self, path: Path, message: str) -> None:
        at = self.document.at(path, key=True)
        self.notes.append(f"{self.file}:{at.line}:{at.column}: note: {message}")

    def value(self, path: Path) -> Any:
        value = self.document.value
        for step in path:
            value = value[step]
        return value

    def line(self, path: Path) -> int:
        return self.document.at(path).line


@dataclass
class Constant:
    """`literal` is its value as a C expression."""

    name: str
    path: Path
    literal: str


@dataclass
class App:
    """Sizes are in bytes; None where the file gives none."""

    name: str
    path: Path
    flash_bytes: Optional[int]
    ram_bytes: Optional[int]
    constants: list[Constant] = field(default_factory=list)


@dataclass
class Thread:
    """`stack` is the lowest address of its stack, which ends `stack_bytes`, in whole pages, above."""

    name: str
    path: Path
    priority: int
    stack_bytes: int
    stack: int = 0


@dataclass
class Interrupt:
    """A line of an interrupt object."""

    name: str
    path: Path
    number: int


@dataclass
class EventName:
    """`text` is the name of a custom event; `name` has its subscription's name before it."""

    name: str
    path: Path
    text: str


@dataclass
class Subscription:
    """`topics` are the bits of TOPIC_* in sys/abi/event.h."""

    topics: int
    priority: int
    depth: int
    names: list[EventName]


@dataclass
class Mapping:
    """`start` and `size` as in the file. `address` is where the process finds it, of ports the first."""

    name: str
    type: str
    path: Path
    start: int
    size: int
    address: int = 0


@dataclass
class Object:
    """What else there is goes by the type: `peer` is the other end of a channel, as (index of its process, its
    handle); `linked` the index of a process object's process; `thread` the index of a thread in its process;
    `interrupts` the lines; `address` a histogram's; `module` is true of a handler that the router serves."""

    name: str
    type: str
    path: Path
    peer: Optional[tuple[int, int]] = None
    linked: Optional[int] = None
    thread: Optional[int] = None
    interrupts: list[Interrupt] = field(default_factory=list)
    address: int = 0
    module: bool = False
    subscription: Optional[Subscription] = None


@dataclass
class Process:
    """`objects[handle]`; the last is its own process object. `threads[0]` is the main thread. `folder` is its
    name as a file name: unique in the system, without blanks."""

    name: str
    folder: str
    program: str
    path: Path
    app: App
    cpu: int
    ram_bytes: Optional[int]
    threads: list[Thread] = field(default_factory=list)
    objects: list[Object] = field(default_factory=list)
    mappings: list[Mapping] = field(default_factory=list)

    def of_type(self, *types: str) -> list[Object]:
        """Its objects of these types, by handle."""
        return [item for item in self.objects if item.type in types]

    def mapped(self, *types: str) -> list[Mapping]:
        """Its mappings of these types, by address."""
        found = (mapping for mapping in self.mappings if mapping.type in types)
        return sorted(found, key=lambda mapping: mapping.address)


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


def members(path: Path, value: Any, key: str) -> Iterator[tuple[Path, Any]]:
    """Path and value of each member of the list at `key` of the object `value`, in a text of any shape."""
    found = value.get(key) if isinstance(value, dict) else None
    for number, member in enumerate(found if isinstance(found, list) else []):
        yield path + (key, number), member


def hint(word: str, valid: Iterable[str], what: str) -> str:
    """The tail of a message about a wrong word: the nearest valid one, and all of them."""
    close = difflib.get_close_matches(word, valid, 1)
    guess = f"; did you mean '{close[0]}'?" if close else ";"
    return f"{guess} valid {what}: {', '.join(sorted(valid))}"


def a_or_an(word: str) -> str:
    """The word with its article."""
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def described(value: Any) -> str:
    """A value of the text, in a message."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return f"the string '{value}'" if isinstance(value, str) else json.dumps(value)
