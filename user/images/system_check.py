# SPDX-License-Identifier: MIT
"""Reads system.json5 and checks all that can be known before a program is compiled.

Three steps, each of which ends the work if it finds errors: syntax; shape (system_schema.json: keys, types,
ranges); meaning (names, channels, cycles, limits), after which nothing has to look at the text again.
"""

import difflib
import json
import re
from pathlib import Path as FilePath
from typing import Any, Iterable, Iterator, Optional

import jsonschema

from abi import Abi
from json5_position import Document, Path, Position, SyntaxProblem
from system import App, Object, Problems, Process, System, Thread, folder_name, identifier

SCHEMA_FILE = FilePath(__file__).resolve().parent / "system_schema.json"
NOT_YET = ("event_subscription", "interrupt", "process", "wait_group")  # object types known upstream
STACK_BYTES_DEFAULT = 4096
_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "an integer",
    "object": "an object",
    "string": "a string",
}


def system_load(file: str, abi: Abi) -> System:
    """The system that `file` describes. Raises Refused with every error found, and OSError."""
    problems = Problems(file)
    document = _document(file, problems)
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    for path, at in document.repeated:
        first = document.keys[path]
        problems.add(at, f"key '{path[-1]}' is given twice, first in line {first.line}")
    _check_shape(document, schema, problems)
    problems.raise_if_any()
    system = _Reader(file, document, abi, problems).read()
    problems.raise_if_any()
    return system


def _document(file: str, problems: Problems) -> Document:
    data = FilePath(file).read_bytes()
    try:
        return Document(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        at = Position(before.count(b"\n") + 1, len(before.rpartition(b"\n")[2].decode()) + 1)
        problems.add(at, f"byte 0x{error.object[error.start]:02x} is not UTF-8")
    except SyntaxProblem as problem:
        problems.add(problem.position, problem.message)
    problems.raise_if_any()
    raise AssertionError("a problem was added")


# Shape


def _check_shape(document: Document, schema: dict[str, Any], problems: Problems) -> None:
    for error in jsonschema.Draft7Validator(schema).iter_errors(document.value):
        _shape_problem(document, (), error, problems)
    for path, item in _objects(document.value):
        kind = item["type"]
        if kind in schema["definitions"]:
            for error in jsonschema.Draft7Validator(schema["definitions"][kind]).iter_errors(item):
                _shape_problem(document, path, error, problems)
        elif kind in NOT_YET:
            supported = ", ".join(sorted(schema["definitions"]))
            message = f"object type '{kind}' is not supported by this kernel yet; supported: {supported}"
            problems.add(document.at(path + ("type",)), message)
        else:
            message = f"unknown object type '{kind}'{_hint(kind, schema['definitions'], 'types')}"
            problems.add(document.at(path + ("type",)), message)


def _objects(value: Any) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Path and value of each object of a process that has a type, in a text of any shape."""
    for path, app in _members((), value, "apps"):
        for process_path, process in _members(path, app, "processes"):
            for object_path, item in _members(process_path, process, "objects"):
                if isinstance(item, dict) and isinstance(item.get("type"), str):
                    yield object_path, item


def _members(path: Path, value: Any, key: str) -> Iterator[tuple[Path, Any]]:
    members = value.get(key) if isinstance(value, dict) else None
    for number, member in enumerate(members if isinstance(members, list) else []):
        yield path + (key, number), member


def _shape_problem(document: Document, prefix: Path, error: Any, problems: Problems) -> None:
    """Tells one error of jsonschema in our own words."""
    path: Path = prefix + tuple(error.absolute_path)
    title = error.schema.get("title", "the value")
    if error.validator == "additionalProperties":
        valid = error.schema["properties"]
        for key in error.instance:
            if key not in valid:
                message = f"unknown key '{key}' in {title}{_hint(key, valid, 'keys')}"
                problems.add(document.at(path + (key,), key=True), message)
        return
    name = f"'{path[-1]}'" if path and isinstance(path[-1], str) else title
    limit, value = error.validator_value, error.instance
    if error.validator == "required":
        for key in limit:
            if key not in value:
                problems.add(document.at(path), f"{title} needs the key '{key}'")
        return
    if error.validator == "type":
        wanted = " or ".join(_TYPES[kind] for kind in ([limit] if isinstance(limit, str) else limit))
        message = f"{name} must be {wanted}, not {_described(value)}"
    elif error.validator == "minimum":
        message = f"{name} is {value}; it must be at least {limit}"
    elif error.validator == "maximum":
        message = f"{name} is {value}; it must be at most {limit}"
    elif error.validator == "minItems":
        message = f"{name} is empty; it must have at least {limit}"
    else:  # maxItems
        message = f"{name} is not supported by this kernel yet; leave it out or empty"
    problems.add(document.at(path), message)


def _hint(word: str, valid: Iterable[str], what: str) -> str:
    close = difflib.get_close_matches(word, valid, 1)
    guess = f"; did you mean '{close[0]}'?" if close else ";"
    return f"{guess} valid {what}: {', '.join(sorted(valid))}"


def _described(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return _TYPES["object" if isinstance(value, dict) else "array"]
    return f"the string '{value}'" if isinstance(value, str) else json.dumps(value)


# Meaning


class _Reader:
    """Turns a document of the right shape into a System; what is wrong with it goes to `problems`."""

    def __init__(self, file: str, document: Document, abi: Abi, problems: Problems) -> None:
        self.document = document
        self.abi = abi
        self.problems = problems
        self.system = System(file, document, [], [], [])
        self._objects_seen = 0

    def read(self) -> System:
        """Reads all processes first, since a channel may name a handler that comes later."""
        for key in ("arch", "kernel"):
            if key in self.document.value:
                self._note((key,), f"'{key}' is ignored: this kernel's memory is not described here")
        for app_path, app in _members((), self.document.value, "apps"):
            size = (int(app[key]) if key in app else None for key in ("flash_size_bytes", "ram_size_bytes"))
            self.system.apps.append(App(app["name"], app_path, *size))
            for path, process in _members(app_path, app, "processes"):
                self._process(path, process)
        self._unique([app.path for app in self.system.apps], "app")
        self._check_processes()
        _Channels(self.system, self.problems).connect()
        return self.system

    def _add(self, path: Path, message: str) -> None:
        self.problems.add(self.document.at(path), message)

    def _note(self, path: Path, message: str) -> None:
        at = self.document.at(path, key=True)
        self.system.notes.append(f"{self.system.file}:{at.line}:{at.column}: note: {message}")

    def _name(self, path: Path) -> str:
        """The name of what is at `path`, which must be able to stand in the image and in a log."""
        path += ("name",)
        name = self._value(path)
        if not name:
            self._add(path, "'name' is empty")
        elif not re.fullmatch(r"[ -~]+", name):
            self._add(path, "'name' may only hold printable ASCII characters")
        elif len(name) >= self.abi["IMAGE_NAME_BYTES"]:
            self._add(path, f"'name' has {len(name)} bytes; at most {self.abi['IMAGE_NAME_BYTES'] - 1} fit")
        return name

    def _value(self, path: Path) -> Any:
        value = self.document.value
        for step in path:
            value = value[step]
        return value

    def _unique(self, paths: list[Path], what: str, where: str = "") -> None:
        """Each name at most once. Names of apps are themselves checked here; nothing else reads them."""
        first: dict[str, Path] = {}
        for path in paths:
            name = self._name(path) if what == "app" else self._value(path + ("name",))
            if name in first:
                line = self.document.at(first[name] + ("name",)).line
                message = f"{what} name '{name}' is used twice{where}, first in line {line}"
                self._add(path + ("name",), message)
            first.setdefault(name, path)

    def _process(self, path: Path, value: dict[str, Any]) -> None:
        name = self._name(path)
        program = value.get("program", name)
        at = path + ("program" if "program" in value else "name",)
        if "/" in program or program in ("", ".", ".."):
            self._add(at, f"'{program}' cannot name a program's source: it is empty, has a '/' or only dots")
        process = Process(
            name=name,
            folder=folder_name(name),
            program=program,
            path=path,
            app=self.system.apps[-1],
            cpu=int(value.get("cpu", 0)),
            ram_bytes=int(value["ram_size_bytes"]) if "ram_size_bytes" in value else None,
            thread=self._thread(path, value),
        )
        for object_path, item in _members(path, value, "objects"):
            if item["type"] != "thread":
                process.objects.append(Object(self._name(object_path), item["type"], object_path))
        process.objects.append(Object(self.abi.texts["IMAGE_OWN_PROCESS"], "process", path))
        self.system.processes.append(process)
        self._check_objects(process, [object_path for object_path, _ in _members(path, value, "objects")])

    def _thread(self, path: Path, value: dict[str, Any]) -> Thread:
        """The one thread of a process: from its `threads`, or an object of type thread."""
        found = list(_members(path, value, "threads"))
        found += [(at, item) for at, item in _members(path, value, "objects") if item["type"] == "thread"]
        threads = [self._one_thread(at, item) for at, item in found]
        if len(found) > 1:
            owner = f"process '{value['name']}' has {len(found)} threads"
            self._add(found[1][0], f"{owner}; this kernel supports exactly one per process yet")
        if not found:
            message = f"process '{value['name']}' has no thread; give it threads: [{{ name: \"main\" }}]"
            self._add(path, message)
        return threads[0] if threads else Thread("", 0, 0)

    def _one_thread(self, path: Path, value: dict[str, Any]) -> Thread:
        key = "kernel_stack_size_bytes"
        if key in value:
            self._note(path + (key,), f"'{key}' is ignored: each CPU has one kernel stack")
        priority = value.get("priority", self.abi["IMAGE_PRIORITY_DEFAULT"])
        level = re.fullmatch(r"Level(0|[1-9]\d?)", priority) if isinstance(priority, str) else None
        number = int(level[1]) if level else priority
        highest = self.abi["IMAGE_PRIORITIES"] - 1
        if isinstance(number, str) or not 0 <= number <= highest:
            message = f"'priority' is {priority!r}; valid are 0 to {highest} and 'Level0' to 'Level{highest}'"
            self._add(path + ("priority",), message)
            number = 0
        return Thread(self._name(path), int(number), int(value.get("stack_size_bytes", STACK_BYTES_DEFAULT)))

    def _check_objects(self, process: Process, paths: list[Path]) -> None:
        where = f" in process '{process.name}'"
        self._unique(paths, "object", where)
        first: dict[str, Object] = {}
        for item in process.objects:
            other = first.setdefault(identifier(item.name), item)
            if other.name != item.name:
                both = f"objects '{other.name}' and '{item.name}'{where}"
                self._add(item.path + ("name",), f"{both} would both be HANDLE_{identifier(item.name)}")
        histograms = [item for item in process.objects if item.type == "histogram"]
        for item in histograms:
            macro = f"HISTOGRAM_{identifier(item.name)}"
            if macro in self.abi.names:
                message = f"a histogram cannot be named '{item.name}': {macro} is taken by the ABI"
                self._add(item.path + ("name",), message)
        if len(histograms) > self.abi.histograms_max:
            at = histograms[self.abi.histograms_max].path
            self._add(at, f"{len(histograms)} histograms{where}; at most {self.abi.histograms_max} fit")

    def _check_processes(self) -> None:
        processes = self.system.processes
        if not processes:
            self._add((), "the system has no process")
        self._unique([process.path for process in processes], "process")
        first: dict[str, Process] = {}
        for process in processes:
            other = first.setdefault(process.folder, process)
            if other.name != process.name:
                both = f"processes '{other.name}' and '{process.name}'"
                self._add(process.path + ("name",), f"{both} would both have the folder '{process.folder}'")
        limit = self.abi["USER_PROCESS_MAX"]
        if len(processes) > limit:
            message = f"the system has {len(processes)} processes; at most {limit} fit"
            self._add(processes[limit].path, message)
        objects = [item for process in processes for item in process.objects]
        limit = self.abi["IMAGE_OBJECTS_MAX"]
        if len(objects) > limit:
            self._add(objects[limit].path, f"the system has {len(objects)} objects; at most {limit} fit")


class _Channels:
    """Joins initiators to handlers and refuses what could only hang."""

    def __init__(self, system: System, problems: Problems) -> None:
        self.system = system
        self.problems = problems
        self._by_name: dict[str, int] = {}
        for number, process in enumerate(system.processes):
            self._by_name.setdefault(process.name, number)
        # whom each process calls, and where the text says so
        self._calls: list[list[tuple[int, Path]]] = [[] for _ in system.processes]

    def connect(self) -> None:
        """Sets `peer` at both ends of each channel, then looks for handlers without one and for cycles."""
        ends = [(number, handle, item) for number, process in enumerate(self.system.processes)
                for handle, item in enumerate(process.objects)]
        for number, handle, item in ends:
            if item.type == "channel_initiator":
                self._connect_one(number, handle, item)
        for _, _, item in ends:
            if item.type == "channel_handler" and not item.peer:
                self._add(item.path + ("name",), f"handler '{item.name}' is used by no initiator")
        self._refuse_cycles()

    def _add(self, path: Path, message: str) -> None:
        self.problems.add(self.system.document.at(path), message)

    def _connect_one(self, number: int, handle: int, item: Object) -> None:
        value = self.system.document.value
        for step in item.path:
            value = value[step]
        process_name, handler_name = value["handler_process"], value["handler_object_name"]
        if process_name not in self._by_name:
            valid = _hint(process_name, self._by_name, "processes")
            self._add(item.path + ("handler_process",), f"there is no process '{process_name}'{valid}")
            return
        target = self._by_name[process_name]
        found = self._handler(target, handler_name, item)
        if found is None:
            return
        handler = self.system.processes[target].objects[found]
        if target == number:
            message = f"process '{process_name}' would call itself and wait for ever"
            self._add(item.path + ("handler_process",), message)
        elif handler.peer:
            other_process = self.system.processes[handler.peer[0]]
            other = other_process.objects[handler.peer[1]]
            message = (f"handler '{handler_name}' of process '{process_name}' already has the initiator "
                       f"'{other.name}' of process '{other_process.name}'; a channel has exactly one")
            self._add(item.path + ("handler_object_name",), message)
        else:
            self._calls[number].append((target, item.path + ("handler_process",)))
        item.peer = (target, found)
        handler.peer = handler.peer or (number, handle)

    def _handler(self, target: int, name: str, item: Object) -> Optional[int]:
        """The handle of handler `name` in process `target`, or None after a problem was noted."""
        process = self.system.processes[target]
        for handle, candidate in enumerate(process.objects):
            if candidate.name == name and candidate.type == "channel_handler":
                return handle
        handlers = [candidate.name for candidate in process.objects if candidate.type == "channel_handler"]
        kinds = [candidate.type for candidate in process.objects if candidate.name == name]
        fault = f"is a {kinds[0]}, not a channel_handler" if kinds else "does not exist"
        choice = _hint(name, handlers, "handlers") if handlers else "; that process has no handler"
        message = f"object '{name}' of process '{process.name}' {fault}{choice}"
        self._add(item.path + ("handler_object_name",), message)
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
                    self._add(path, f"processes call each other in a cycle, which can wait for ever: {names}")
                elif target not in done:
                    visit(target)
            done.add(open_path.pop())

        for number in range(len(self.system.processes)):
            if number not in done:
                visit(number)
