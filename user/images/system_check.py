# SPDX-License-Identifier: MIT
"""Reads system.json5 and checks all that can be known before a program is compiled.

Three steps, each of which ends the work if it finds errors: syntax; shape (system_schema.json: keys, types,
ranges); meaning (system_read.py), after which nothing has to look at the text again.
"""

import json
from pathlib import Path as FilePath
from typing import Any, Iterator

import jsonschema

from abi import Abi
from json5_position import Document, Path, Position, SyntaxProblem
from system import Problems, System, Text, described, hint, members
from system_read import system_read

SCHEMA_FILE = FilePath(__file__).resolve().parent / "system_schema.json"
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
    system = system_read(Text(file, document, problems), abi)
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


def _check_shape(document: Document, schema: dict[str, Any], problems: Problems) -> None:
    for error in jsonschema.Draft7Validator(schema).iter_errors(document.value):
        _shape_problem(document, (), error, problems)
    for path, item in _objects(document.value):
        kind = item["type"]
        if kind in schema["definitions"]:
            for error in jsonschema.Draft7Validator(schema["definitions"][kind]).iter_errors(item):
                _shape_problem(document, path, error, problems)
        else:
            message = f"unknown object type '{kind}'{hint(kind, schema['definitions'], 'types')}"
            problems.add(document.at(path + ("type",)), message)


def _objects(value: Any) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Path and value of each object of a process that has a type, in a text of any shape."""
    for path, app in members((), value, "apps"):
        for process_path, process in members(path, app, "processes"):
            for object_path, item in members(process_path, process, "objects"):
                if isinstance(item, dict) and isinstance(item.get("type"), str):
                    yield object_path, item


def _shape_problem(document: Document, prefix: Path, error: Any, problems: Problems) -> None:
    """Tells one error of jsonschema in our own words."""
    path: Path = prefix + tuple(error.absolute_path)
    title = error.schema.get("title", "the value")
    if error.validator == "additionalProperties":
        valid = error.schema["properties"]
        for key in error.instance:
            if key not in valid:
                message = f"unknown key '{key}' in {title}{hint(key, valid, 'keys')}"
                problems.add(document.at(path + (key,), key=True), message)
    elif error.validator == "required":
        for key in error.validator_value:
            if key not in error.instance:
                problems.add(document.at(path), f"{title} needs the key '{key}'")
    elif error.validator == "maxItems":  # told at the first member that is too many
        message = f"'{path[-1]}' has {len(error.instance)} members; at most {error.validator_value} fit"
        problems.add(document.at(path + (error.validator_value,)), message)
    else:
        name = f"'{path[-1]}'" if path and isinstance(path[-1], str) else title
        problems.add(document.at(path), _value_problem(error, name, title))


def _value_problem(error: Any, name: str, title: str) -> str:
    limit, value = error.validator_value, error.instance
    if error.validator == "type":
        wanted = " or ".join(_TYPES[kind] for kind in ([limit] if isinstance(limit, str) else limit))
        return f"{name} must be {wanted}, not {described(value)}"
    if error.validator == "minimum":
        return f"{name} is {value}; it must be at least {limit}"
    if error.validator == "maximum":
        return f"{name} is {value}; it must be at most {limit}"
    if error.validator == "enum":
        return f"unknown {title} '{value}'{hint(str(value), limit, 'types')}"
    assert error.validator == "minItems"
    return f"{name} is empty; it must have at least {limit}"
