# SPDX-License-Identifier: MIT
"""The constants of an app: what fits into which type, and how C writes it."""

from typing import Any, Callable, Optional

from json5_position import Path
from system import App, Constant, Text, described, identifier, members

# bits, signed, suffix of the C literal
_INTEGERS = {
    "u8": (8, False, "u"),
    "u16": (16, False, "u"),
    "u32": (32, False, "u"),
    "u64": (64, False, "ul"),
    "u128": (128, False, ""),
    "usize": (64, False, "ul"),
    "i8": (8, True, ""),
    "i16": (16, True, ""),
    "i32": (32, True, ""),
    "i64": (64, True, "l"),
    "i128": (128, True, ""),
    "isize": (64, True, "l"),
}


def constants_read(text: Text, app: App, name_of: Callable[[Path], str]) -> None:
    """Fills app.constants. `name_of` gives the name at a path and checks it."""
    first: dict[str, Constant] = {}
    for path, value in members(app.path, text.value(app.path), "constants"):
        literal = _literal(text, path, value)
        constant = Constant(name_of(path), path, literal or "0")
        app.constants.append(constant)
        macro = f"CONSTANT_{identifier(constant.name)}"
        other = first.setdefault(macro, constant)
        if other is not constant and other.name == constant.name:
            line = text.line(other.path + ("name",))
            message = f"constant name '{constant.name}' is used twice in app '{app.name}', first in line {line}"
            text.error(path + ("name",), message)
        elif other is not constant:
            both = f"constants '{other.name}' and '{constant.name}' in app '{app.name}'"
            text.error(path + ("name",), f"{both} would both be {macro}")


def _literal(text: Text, path: Path, constant: dict[str, Any]) -> Optional[str]:
    """The value as C writes it, or None after an error was told."""
    kind, value = constant["type"], constant["value"]
    at = path + ("value",)
    if kind in _INTEGERS:
        return _integer(text, at, kind, value)
    if kind == "bool" and isinstance(value, bool):
        return str(int(value))
    if kind == "string" and isinstance(value, str):
        return _string(text, at, value)
    if kind == "char" and isinstance(value, str) and len(value) == 1:
        return _string(text, at, value) and f"{ord(value):#x}u"
    wanted = {"bool": "true or false", "string": "a string", "char": "a string of one character"}[kind]
    text.error(at, f"'value' must be {wanted}, not {described(value)}")
    return None


def _integer(text: Text, at: Path, kind: str, value: Any) -> Optional[str]:
    bits, signed, suffix = _INTEGERS[kind]
    lowest, end = (-1 << bits - 1, 1 << bits - 1) if signed else (0, 1 << bits)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
        text.error(at, f"'value' must be an integer, not {described(value)}")
        return None
    number = int(value)
    if isinstance(value, float) and abs(value) > 1 << 53:
        text.error(at, "'value' is written with an exponent and too large to be exact that way")
        return None
    if not lowest <= number < end:
        text.error(at, f"'value' is {number}; type {kind} holds {lowest} to {end - 1}")
        return None
    if bits == 128:
        high, low = number >> 64 & (1 << 64) - 1, number & (1 << 64) - 1
        whole = f"(unsigned __int128){high:#x}ul << 64 | {low:#x}ul"
        return f"(__extension__(__int128)({whole}))" if signed else f"(__extension__({whole}))"
    if number == lowest and bits >= 32 and signed:  # its positive part has no literal
        return f"({number + 1}{suffix} - 1)"
    return f"{number}{suffix}" if number >= 0 else f"({number}{suffix})"


def _string(text: Text, at: Path, value: str) -> Optional[str]:
    """A C literal of the UTF-8 bytes."""
    try:
        data = value.encode()
    except UnicodeEncodeError:
        text.error(at, "'value' has half of a surrogate pair, which is no character")
        return None
    plain = set(range(0x20, 0x7F)) - set(b'"\\?')
    return '"' + "".join(chr(byte) if byte in plain else f"\\{byte:03o}" for byte in data) + '"'
