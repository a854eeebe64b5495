# SPDX-License-Identifier: MIT
"""What the objects of different processes say about each other: channels, supervision, interrupt numbers."""

from typing import Any, Optional

from json5_position import Path
from system import Interrupt, Object, Process, System, Text, a_or_an, hint


def links_connect(system: System, text: Text) -> None:
    """Sets `peer` at both ends of each channel and `linked` of process objects; refuses what could only hang."""
    _Channels(system, text).connect()
    _supervise(system, text)
    _check_interrupts(system, text)


def _by_name(system: System) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for number, process in enumerate(system.processes):
        numbers.setdefault(process.name, number)
    return numbers


def _process_named(numbers: dict[str, int], text: Text, path: Path) -> Optional[int]:
    """The index of the process named at `path`, or None after an error was told."""
    name = text.value(path)
    if name not in numbers:
        text.error(path, f"there is no process '{name}'{hint(name, numbers, 'processes')}")
    return numbers.get(name)


class _Channels:
    """Joins initiators to handlers."""

    def __init__(self, system: System, text: Text) -> None:
        self.system = system
        self.text = text
        self._numbers = _by_name(system)
        # whom each process calls, and where the text says so
        self._calls: list[list[tuple[int, Path]]] = [[] for _ in system.processes]

    def connect(self) -> None:
        """Then looks for handlers without an initiator and for cycles."""
        ends = [(number, handle, item) for number, process in enumerate(self.system.processes)
                for handle, item in enumerate(process.objects)]
        for number, handle, item in ends:
            if item.type == "channel_initiator":
                self._connect_one(number, handle, item)
        for _, _, item in ends:
            if item.type == "channel_handler" and not item.peer and not item.module:
                self.text.error(item.path + ("name",), f"handler '{item.name}' is used by no initiator")
        self._refuse_cycles()

    def _connect_one(self, number: int, handle: int, item: Object) -> None:
        target = _process_named(self._numbers, self.text, item.path + ("handler_process",))
        found = self._handler(target, item) if target is not None else None
        if target is None or found is None:
            return
        process = self.system.processes[target]
        handler = process.objects[found]
        if target == number:
            message = f"process '{process.name}' would call itself and wait for ever"
            self.text.error(item.path + ("handler_process",), message)
        elif handler.module:
            message = f"handler '{handler.name}' of process '{process.name}' is a module: the kernel is its initiator"
            self.text.error(item.path + ("handler_object_name",), message)
        elif handler.peer:
            other_process = self.system.processes[handler.peer[0]]
            other = other_process.objects[handler.peer[1]]
            message = (f"handler '{handler.name}' of process '{process.name}' already has the initiator "
                       f"'{other.name}' of process '{other_process.name}'; a channel has exactly one")
            self.text.error(item.path + ("handler_object_name",), message)
        else:
            self._calls[number].append((target, item.path + ("handler_process",)))
        item.peer = (target, found)
        handler.peer = handler.peer or (number, handle)

    def _handler(self, target: int, item: Object) -> Optional[int]:
        """The handle of the handler that `item` names in process `target`, or None after an error was told."""
        path = item.path + ("handler_object_name",)
        name = self.text.value(path)
        process = self.system.processes[target]
        for handle, candidate in enumerate(process.objects):
            if candidate.name == name and candidate.type == "channel_handler":
                return handle
        handlers = [candidate.name for candidate in process.of_type("channel_handler")]
        kinds = [candidate.type for candidate in process.objects if candidate.name == name]
        fault = f"is {a_or_an(kinds[0])}, not a channel_handler" if kinds else "does not exist"
        choice = hint(name, handlers, "handlers") if handlers else "; that process has no handler"
        self.text.error(path, f"object '{name}' of process '{process.name}' {fault}{choice}")
        return None

    def _refuse_cycles(self) -> None:
        """Depth first; a call back to a process that is still open closes a cycle."""
        open_path: list[int] = []
        done: set[int] = set()

        def visit(number: int) -> None:
            open_path.append(number)
            for target, path in self._calls[number]:
                if target in open_path:
                    cycle = open_path[open_path.index(target):] + [target]
                    names = " -> ".join(self.system.processes[step].name for step in cycle)
                    message = f"processes call each other in a cycle, which can wait for ever: {names}"
                    self.text.error(path, message)
                elif target not in done:
                    visit(target)
            done.add(open_path.pop())

        for number in range(len(self.system.processes)):
            if number not in done:
                visit(number)


def _supervise(system: System, text: Text) -> None:
    """One that is linked twice would be started and joined by two; its own object a process has anyway."""
    numbers = _by_name(system)
    supervisors: dict[int, tuple[Process, Object]] = {}
    for process in system.processes:
        for item in process.of_type("process"):
            if item.linked is not None:  # its own
                continue
            path = item.path + ("linked_process",)
            item.linked = _process_named(numbers, text, path)
            if item.linked is None:
                continue
            name = system.processes[item.linked].name
            if name == process.name:
                message = f"process '{name}' cannot be linked to itself; its own object is HANDLE_PROCESS"
                text.error(path, message)
                continue
            owner, first = supervisors.setdefault(item.linked, (process, item))
            if first is not item:
                message = (f"process '{name}' is linked to object '{first.name}' of process '{owner.name}' "
                           "already; a process has at most one supervisor")
                text.error(path, message)


def _check_interrupts(system: System, text: Text) -> None:
    """Each number at most once, and none that the description gives to the kernel."""
    kernel = _kernel_interrupts(text.value(()))
    first: dict[int, tuple[Process, Object, Interrupt]] = {}
    for process in system.processes:
        for item in process.objects:
            for line in item.interrupts:
                path = line.path + ("number",)
                owner, other, taken = first.setdefault(line.number, (process, item, line))
                if line.number in kernel:
                    at = text.document.at(kernel[line.number], key=True)
                    message = f"interrupt {line.number} is the kernel's, by its 'interrupt_table' in line {at.line}"
                    text.error(path, message)
                elif taken is not line:
                    message = (f"interrupt {line.number} is given already: to '{taken.name}' of object "
                               f"'{other.name}' of process '{owner.name}', in line {text.line(taken.path)}")
                    text.error(path, message)


def _kernel_interrupts(root: dict[str, Any]) -> dict[int, Path]:
    """Number and place of each entry of the kernel's table, in a text whose 'kernel' may have any shape."""
    path: Path = ("kernel", "interrupt_table", "table")
    table: Any = root
    for key in path:
        table = table.get(key) if isinstance(table, dict) else None
    keys = table if isinstance(table, dict) else {}
    return {int(key): path + (key,) for key in keys if key.isascii() and key.isdigit()}
