# SPDX-License-Identifier: MIT
"""Where each key and value of a JSON5 text stands, so that an error can point at it.

python3-json5 gives values without positions. This module lets it parse, then walks the same text once more
with a small tokenizer that is tolerant, because what it sees has been accepted already. A path is a tuple of
keys and list indices from the root: ("apps", 0, "name"). Lines and columns count from 1; a column is one
character.
"""

import bisect
import re
from typing import Any, Iterator, NamedTuple, Union

import json5

Path = tuple[Union[str, int], ...]
Token = re.Match[str]

_TOKEN = re.compile(
    r"""(?P<blank>(?:\s|\ufeff|//[^\n\r\u2028\u2029]*|/\*.*?\*/)+)
      | (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
      | (?P<mark>[{}\[\]:,])
      | (?P<word>[^\s\ufeff{}\[\]:,"'/]+)""",
    re.DOTALL | re.VERBOSE,
)
_LINE_END = re.compile(r"\r\n|\n|\r")
_SYNTAX_ERROR = re.compile(r"<string>:(\d+) (Unexpected .*) at column (\d+)", re.DOTALL)


class Position(NamedTuple):
    """A place in the text, as editors count it."""

    line: int
    column: int


class SyntaxProblem(Exception):
    """The text is not JSON5. `position` is where, `message` one sentence without a full stop."""

    def __init__(self, position: Position, message: str) -> None:
        super().__init__(message)
        self.position = position
        self.message = message


class Document:
    """A parsed text: `value` as json5 gives it; `values` and `keys` from path to Position; repeated keys."""

    def __init__(self, text: str) -> None:
        """Parses `text` (without byte order mark). Raises SyntaxProblem."""
        self._starts = [0] + [match.end() for match in _LINE_END.finditer(text)]
        self.values: dict[Path, Position] = {}
        self.keys: dict[Path, Position] = {}
        self.repeated: list[tuple[Path, Position]] = []  # path, position of the later key
        try:
            self.value: Any = json5.loads(text, parse_int=_integer)
        except RecursionError:
            raise SyntaxProblem(Position(1, 1), "the text is nested too deeply") from None
        except ValueError as error:
            raise self._problem(text, str(error)) from None
        tokens = _tokens(text)
        self._index_from(next(tokens), (), tokens)

    def at(self, path: Path, key: bool = False) -> Position:
        """Where the value at `path` (or its key) stands; if there is none, the nearest value around it."""
        if key and path in self.keys:
            return self.keys[path]
        while path not in self.values:
            path = path[:-1]
        return self.values[path]

    def _position(self, offset: int) -> Position:
        line = bisect.bisect_right(self._starts, offset)
        return Position(line, offset - self._starts[line - 1] + 1)

    def _problem(self, text: str, message: str) -> SyntaxProblem:
        """json5 counts lines by line feed alone; its place is taken back to an offset and counted anew."""
        match = _SYNTAX_ERROR.fullmatch(message)
        if not match:
            return SyntaxProblem(Position(1, 1), "the file is empty" if not text else message)
        offset = sum(len(line) + 1 for line in text.split("\n")[: int(match[1]) - 1]) + int(match[3]) - 1
        what = re.sub(r'"[\r\n\u2028\u2029]"', "end of line", match[2])
        return SyntaxProblem(self._position(offset), what[0].lower() + what[1:])

    def _index_from(self, token: Token, path: Path, tokens: Iterator[Token]) -> None:
        """Notes the value at `path`, which begins with `token`, and all that is in it."""
        self.values[path] = self._position(token.start())
        if token[0] == "{":
            for member in _members(tokens, "}"):
                inner = path + (_key(member),)
                if inner in self.keys:
                    self.repeated.append((inner, self._position(member.start())))
                else:
                    self.keys[inner] = self._position(member.start())
                next(tokens)  # the colon
                self._index_from(next(tokens), inner, tokens)
        elif token[0] == "[":
            for number, element in enumerate(_members(tokens, "]")):
                self._index_from(element, path + (number,), tokens)


def _integer(text: str, base: int = 10) -> int:
    """json5 takes a number with a sign before its `0x` for a decimal one."""
    return int(text, 16 if "x" in text.lower() else base)


def _tokens(text: str) -> Iterator[Token]:
    return (match for match in _TOKEN.finditer(text) if match.lastgroup != "blank")


def _members(tokens: Iterator[Token], end: str) -> Iterator[Token]:
    """The first token of each member of a list or object, up to the closing mark; commas are stepped over."""
    for token in tokens:
        if token[0] == end:
            return
        if token[0] != ",":
            yield token


def _key(token: Token) -> str:
    if token.lastgroup == "string":
        return json5.loads(token[0])
    return re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), token[0])
