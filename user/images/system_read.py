# SPDX-License-Identifier: MIT
"""What a text of the right shape means: apps, processes, threads, objects and mappings, in both of upstream's forms.

The newest form has threads as objects, the older one a list of them, the main thread first. What objects say
about each other is in system_links.py, where memory lies in slot.py, constants in constants.py.
"""

import re
from typing import Any

from abi import Abi
from constants import constants_read
from json5_position import Path
from slot import slot_place
from system import (
    App, Interrupt, Mapping, Object, Process, System, Text, Thread, a_or_an, folder_name, identifier, members,
)
from system_events import modules_check, subscription_read
from system_links import links_connect

STACK_BYTES_DEFAULT = 4096


def system_read(text: Text, abi: Abi) -> System:
    """The system that `text` means; what is wrong with it is told to `text`."""
    return _Reader(text, abi).read()


class _Reader:
    """Reads all processes first, since a channel may name a handler that comes later."""

    def __init__(self, text: Text, abi: Abi) -> None:
        self.text = text
        self.abi = abi
        self.own_process = abi.texts["IMAGE_OWN_PROCESS"]
        self.system = System(text.file, text.document, [], [], text.notes)

    def read(self) -> System:
        root = self.text.value(())
        for key in ("arch", "kernel"):
            if key in root:
                self.text.note((key,), f"'{key}' is ignored: this kernel's memory is not described here")
        for app_path, app in members((), root, "apps"):
            size = (int(app[key]) if key in app else None for key in ("flash_size_bytes", "ram_size_bytes"))
            self.system.apps.append(App(app["name"], app_path, *size))
            constants_read(self.text, self.system.apps[-1], self._name)
            for path, process in members(app_path, app, "processes"):
                self._process(path, process)
        self._unique([app.path for app in self.system.apps], "app")
        self._check_processes()
        self._check_counts()
        modules_check(self.system, self.text, self.abi)
        links_connect(self.system, self.text)
        for number, process in enumerate(self.system.processes):
            slot_place(process, number, self.text, self.abi)
        return self.system

    # Names

    def _name(self, path: Path) -> str:
        """The name of what is at `path`, which must be able to stand in the image and in a log."""
        path += ("name",)
        name = self.text.value(path)
        if not name:
            self.text.error(path, "'name' is empty")
        elif not re.fullmatch(r"[ -~]+", name):
            self.text.error(path, "'name' may only hold printable ASCII characters")
        elif len(name) >= self.abi["IMAGE_NAME_BYTES"]:
            most = self.abi["IMAGE_NAME_BYTES"] - 1
            self.text.error(path, f"'name' has {len(name)} bytes; at most {most} fit")
        return name

    def _unique(self, paths: list[Path], what: str, where: str = "") -> None:
        """Each name at most once. Names of apps are themselves checked here; nothing else reads them."""
        first: dict[str, Path] = {}
        for path in paths:
            name = self._name(path) if what == "app" else self.text.value(path + ("name",))
            if name in first:
                line = self.text.line(first[name] + ("name",))
                message = f"{what} name '{name}' is used twice{where}, first in line {line}"
                self.text.error(path + ("name",), message)
            first.setdefault(name, path)

    def _distinct(self, items: list[Any], what: str, where: str, macro: str) -> None:
        """Different names that C could not tell apart, and those that `macro` would take from the ABI."""
        first: dict[str, Any] = {}
        for item in items:
            full = macro.format(identifier(item.name))
            other = first.setdefault(full, item)
            if other.name != item.name:
                both = f"{what}s '{other.name}' and '{item.name}'{where}"
                self.text.error(item.path + ("name",), f"{both} would both be {full}")
            if full in self.abi.names:
                message = f"{a_or_an(what)} cannot be named '{item.name}': {full} is taken by the ABI"
                self.text.error(item.path + ("name",), message)

    # One process

    def _process(self, path: Path, value: dict[str, Any]) -> None:
        name = self._name(path)
        program = value.get("program", name)
        at = path + ("program" if "program" in value else "name",)
        if "/" in program or program in ("", ".", ".."):
            message = f"'{program}' cannot name a program's source: it is empty, has a '/' or only dots"
            self.text.error(at, message)
        if name.lower() == self.own_process:
            message = f"a process cannot be named '{name}': so each process calls its own object"
            self.text.error(path + ("name",), message)
        process = Process(
            name=name,
            folder=folder_name(name),
            program=program,
            path=path,
            app=self.system.apps[-1],
            cpu=int(value.get("cpu", 0)),
            ram_bytes=int(value["ram_size_bytes"]) if "ram_size_bytes" in value else None,
        )
        self.system.processes.append(process)
        for object_path, item in members(path, value, "objects"):
            process.objects.append(self._object(object_path, item))
        self._threads(process, value)
        process.mappings = [self._mapping(at, item) for at, item in members(path, value, "memory_mappings")]
        self._check_objects(process)
        process.objects.append(Object(self.own_process, "process", path, linked=len(self.system.processes) - 1))

    def _object(self, path: Path, value: dict[str, Any]) -> Object:
        item = Object(self._name(path), value["type"], path)
        if identifier(item.name) == identifier(self.own_process):
            message = f"an object cannot be named '{item.name}': that is the process's own, added to each"
            self.text.error(path + ("name",), message)
        item.module = value.get("module", False)
        if item.type == "event_subscription":
            item.subscription = subscription_read(self.text, item, value, self.abi)
        for at, line in members(path, value, "irqs"):
            item.interrupts.append(Interrupt(self._name(at), at, int(line["number"])))
        return item

    def _mapping(self, path: Path, value: dict[str, Any]) -> Mapping:
        if value["type"] == "read_only_executable":
            message = "a process executes nothing but its own program: 'read_only_executable' is not mapped"
            self.text.error(path + ("type",), message)
        start, size = int(value["start_address"]), int(value["size_bytes"])
        return Mapping(self._name(path), value["type"], path, start, size)

    def _check_objects(self, process: Process) -> None:
        where = f" in process '{process.name}'"
        declared = [item for item in process.objects if "objects" in item.path]
        histograms = process.of_type("histogram")
        lines = [line for item in process.objects for line in item.interrupts]
        names = [name for item in process.objects if item.subscription for name in item.subscription.names]
        self._unique([item.path for item in declared], "object", where)
        self._unique([mapping.path for mapping in process.mappings], "mapping", where)
        self._unique([line.path for line in lines], "interrupt", where)
        self._distinct(process.objects, "object", where, "HANDLE_{}")
        self._distinct(histograms, "histogram", where, "HISTOGRAM_{}")
        self._distinct(process.mappings, "mapping", where, "MAPPING_{}_START_ADDRESS")
        self._distinct(lines, "interrupt", where, "SIGNAL_{}")
        self._distinct(names, "event name", where, "EVENT_NAME_{}")

    # Threads

    def _threads(self, process: Process, value: dict[str, Any]) -> None:
        """Fills process.threads from the list, which appends their objects, or from the objects."""
        listed = [self._thread(at, item) for at, item in members(process.path, value, "threads")]
        objects = process.of_type("thread")
        if listed and objects:
            message = f"process '{process.name}' has a list of threads and thread objects; use one form"
            self.text.error(objects[0].path + ("type",), message)
        elif objects:
            self._threads_of_objects(process, objects)
        elif listed:
            self._unique([thread.path for thread in listed], "thread", f" in process '{process.name}'")
            process.threads = listed
            for number, thread in enumerate(listed[1:], start=1):
                self._append_thread_object(process, number, thread)
        else:
            message = f"process '{process.name}' has no thread; give it threads: [{{ name: \"main\" }}]"
            self.text.error(process.path, message)

    def _append_thread_object(self, process: Process, number: int, thread: Thread) -> None:
        name = identifier(thread.name)
        taken = [f"object '{item.name}'" for item in process.objects if identifier(item.name) == name]
        if name == identifier(self.own_process):
            taken.append("the process itself")
        if taken:
            message = f"thread '{thread.name}' in process '{process.name}' would be HANDLE_{name}, as is {taken[0]}"
            self.text.error(thread.path + ("name",), message)
        else:
            process.objects.append(Object(name, "thread", thread.path, thread=number))

    def _threads_of_objects(self, process: Process, objects: list[Object]) -> None:
        """The main thread goes first, the others keep their order."""
        main = self._main_thread(process, objects)
        for item in [main] + [item for item in objects if item is not main]:
            item.thread = len(process.threads)
            process.threads.append(self._thread(item.path, self.text.value(item.path)))

    def _main_thread(self, process: Process, objects: list[Object]) -> Object:
        chosen = [item for item in objects if self.text.value(item.path).get("main_thread")]
        for item in chosen[1:]:
            line = self.text.line(chosen[0].path)
            message = f"process '{process.name}' has its main thread already, '{chosen[0].name}' in line {line}"
            self.text.error(item.path + ("main_thread",), message)
        if len(objects) > 1 and not chosen:
            message = f"process '{process.name}' has {len(objects)} threads; give one of them main_thread: true"
            self.text.error(objects[0].path, message)
        return chosen[0] if chosen else objects[0]

    def _thread(self, path: Path, value: dict[str, Any]) -> Thread:
        key = "kernel_stack_size_bytes"
        if key in value:
            self.text.note(path + (key,), f"'{key}' is ignored: each CPU has one kernel stack")
        priority = value.get("priority", self.abi["IMAGE_PRIORITY_DEFAULT"])
        level = re.fullmatch(r"Level(0|[1-9]\d?)", priority) if isinstance(priority, str) else None
        number = int(level[1]) if level else priority
        highest = self.abi["IMAGE_PRIORITIES"] - 1
        if isinstance(number, str) or not 0 <= number <= highest:
            message = f"'priority' is {priority!r}; valid are 0 to {highest} and 'Level0' to 'Level{highest}'"
            self.text.error(path + ("priority",), message)
            number = 0
        stack_bytes = int(value.get("stack_size_bytes", STACK_BYTES_DEFAULT))
        return Thread(self._name(path), path, int(number), stack_bytes)

    # All processes

    def _check_processes(self) -> None:
        processes = self.system.processes
        if not processes:
            self.text.error((), "the system has no process")
        self._unique([process.path for process in processes], "process")
        first: dict[str, Process] = {}
        for process in processes:
            other = first.setdefault(process.folder, process)
            if other.name != process.name:
                both = f"processes '{other.name}' and '{process.name}'"
                message = f"{both} would both have the folder '{process.folder}'"
                self.text.error(process.path + ("name",), message)

    def _check_counts(self) -> None:
        """Told at the first that is too many."""
        processes = self.system.processes
        threads = [item for process in processes for item in process.threads]
        objects = [item for process in processes for item in process.objects]
        devices = [item for process in processes for item in process.mapped("device", "ports")]
        for limit, what, items in (
            ("USER_PROCESS_MAX", "processes", processes),
            ("IMAGE_THREADS_MAX", "threads", threads),
            ("IMAGE_OBJECTS_MAX", "objects", objects),
            ("IMAGE_DEVICES_MAX", "devices", devices),
        ):
            most = self.abi[limit]
            if len(items) > most:
                self.text.error(items[most].path, f"the system has {len(items)} {what}; at most {most} fit")
