# SPDX-License-Identifier: MIT
"""Several streams over one byte console, as a guest of Xen sends them (sys/frame.h), taken apart and made.

    =S:QQQQ:CCCCCCCC:PAYLOAD\\n

S: the stream's letter. QQQQ: the frame's number in its stream and direction. CCCCCCCC: CRC-32 over "S:QQQQ:" and the
escaped payload, which has at most 96 characters. Carriage returns before the newline are ignored. Any other line is
somebody else's text. A wrong sum, a gap in the numbers, a frame that cannot be: damage, told with its line.
"""
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from common import TernError

STREAMS = {"l": "log", "h": "hist", "c": "control", "p": "prof"}
LETTERS = {name: letter for letter, name in STREAMS.items()}
FOREIGN = "foreign"
TEXT_MAX, HEAD_BYTES = 96, 17
LINE_MAX = HEAD_BYTES + TEXT_MAX + 2
NUMBERS = 1 << 16
DAMAGES_KEPT = 20
READ_BYTES = 1 << 16
LOOKS_LIKE = re.compile(rb"=[a-z]:[0-9a-f]{4}:")
FRAME = re.compile(rb"=([a-z]:([0-9a-f]{4}):)([0-9a-f]{8}):([ -~]*)", re.DOTALL)
ESCAPE = re.compile(rb"\\([0-9a-f]{2})?")


class Unframer:
    """Takes a console's bytes in any pieces. `streams` has what came for each (by name), `foreign` everybody else's
    lines, `damages` what is wrong, one clause each with its line, at most DAMAGES_KEPT of the `damage_count`. `frames`: good ones.
    `restarts`: how often a stream began anew with number 0000: the guest was booted again."""

    def __init__(self) -> None:
        self.streams: dict[str, bytearray] = {name: bytearray() for name in STREAMS.values()}
        self.foreign = bytearray()
        self.damages: list[str] = []
        self.damage_count = 0
        self.restarts = 0
        self.frames = 0
        self.expected = dict.fromkeys(STREAMS, 0)
        self.line_number = 1
        self.pending = b""
        self.long = False

    def feed(self, data: bytes) -> None:
        """More of the console."""
        *lines, self.pending = (self.pending + data).split(b"\n")
        for line in lines:
            self.line(line)
            self.line_number += 1
        if len(self.pending) > LINE_MAX:
            self.overlong()

    def overlong(self) -> None:
        """A line that is too long for a frame, before its end has come: nothing of it is kept waiting."""
        if not self.long and LOOKS_LIKE.match(self.pending):
            self.damage("a frame is longer than a frame may be")
        self.long = True
        self.foreign += self.pending
        self.pending = b""

    def finish(self) -> None:
        """The console has ended: a frame without its end is damage."""
        if self.pending and not self.long and LOOKS_LIKE.match(self.pending):
            self.damage("the text ends within a frame")
        else:
            self.foreign += self.pending
        self.pending, self.long = b"", False

    def damage(self, clause: str) -> None:
        """Notes what is wrong with the present line."""
        self.damage_count += 1
        if len(self.damages) < DAMAGES_KEPT:
            self.damages.append(f"line {self.line_number}: {clause}")

    def line(self, line: bytes) -> None:
        """One line without its newline."""
        bare = line.rstrip(b"\r")
        if self.long or not LOOKS_LIKE.match(bare) or chr(bare[1]) not in STREAMS:
            self.long = False
            self.foreign += line + b"\n"
            return
        found = FRAME.fullmatch(bare)
        if found is None:
            self.damage(f"a frame of {self.name(bare)} is cut or torn: {bare[:40]!r}")
            return
        covered, number, crc, text = found.groups()
        told, real = int(crc, 16), zlib.crc32(covered + text)
        if told != real:
            self.damage(f"frame {number.decode()} of {self.name(bare)} says CRC {told:08x} and has {real:08x}")
            return
        payload = payload_decode(text)
        if payload is None:
            self.damage(f"frame {number.decode()} of {self.name(bare)} has an impossible payload")
            return
        self.number(chr(bare[1]), int(number, 16))
        self.streams[self.name(bare)] += payload

    @staticmethod
    def name(bare: bytes) -> str:
        """The stream's name."""
        return STREAMS[chr(bare[1])]

    def number(self, letter: str, number: int) -> None:
        """Holds a good frame's number against the one that should come."""
        expected = self.expected[letter]
        self.expected[letter] = (number + 1) % NUMBERS
        self.frames += 1
        if number == expected:
            return
        if number == 0:
            self.restarts += 1
            return
        missing = (number - expected) % NUMBERS
        self.damage(f"{STREAMS[letter]} goes on with frame {number:04x} instead of {expected:04x}: {missing} missing")

    def error(self) -> str:
        """What is damaged, in one clause; nothing if all is well."""
        if not self.damage_count:
            return ""
        more = f" (and {self.damage_count - 1} more)" if self.damage_count > 1 else ""
        return f"the console's frames are damaged: {self.damages[0]}{more}"


def payload_decode(text: bytes) -> bytes | None:
    """The bytes of an escaped payload; None if it is none."""
    if len(text) > TEXT_MAX or any(found[1] is None for found in ESCAPE.finditer(text)):
        return None
    return ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), text)


def payload_encode(data: bytes) -> Iterator[bytes]:
    """Escaped payloads, each as long as may be."""
    text = b""
    for byte in data:
        piece = bytes([byte]) if 0x20 <= byte <= 0x7E and byte != 0x5C else b"\\%02x" % byte
        if len(text) + len(piece) > TEXT_MAX:
            yield text
            text = b""
        text += piece
    if text:
        yield text


class Framer:
    """Makes the frames of one stream, by its name, from number 0000 on."""

    def __init__(self, stream: str) -> None:
        self.letter = LETTERS[stream].encode()
        self.next = 0

    def encode(self, data: bytes) -> bytes:
        """The lines for these bytes."""
        lines = b""
        for text in payload_encode(data):
            covered = b"%b:%04x:" % (self.letter, self.next)
            lines += b"=%b%08x:%b\n" % (covered, zlib.crc32(covered + text), text)
            self.next = (self.next + 1) % NUMBERS
        return lines


def unframe(data: bytes) -> Unframer:
    """A whole console text taken apart."""
    unframer = Unframer()
    unframer.feed(data)
    unframer.finish()
    return unframer


def file_open(path: str) -> BinaryIO:
    """The file, or standard input for `-`."""
    if path == "-":
        return sys.stdin.buffer
    try:
        return open(path, "rb")
    except OSError as error:
        raise TernError(f"cannot read {path}: {error.strerror}; give the log of a console, or - for standard input") from error


def command(path: str, stream: str) -> int:
    """`tern unframe`: writes one stream as it comes. 1 if there was damage, told on stderr at the end."""
    unframer = Unframer()
    wanted = unframer.foreign if stream == FOREIGN else unframer.streams[stream]
    with file_open(path) as file:
        while data := file.read1(READ_BYTES):
            unframer.feed(data)
            part_write(wanted, unframer)
    unframer.finish()
    part_write(wanted, unframer)
    for damage in unframer.damages:
        print(f"tern: {Path(path).name}: {damage}", file=sys.stderr)
    if unframer.damage_count > len(unframer.damages):
        print(f"tern: and {unframer.damage_count - len(unframer.damages)} more damages", file=sys.stderr)
    if unframer.restarts:
        print(f"tern: the guest began anew: {unframer.restarts} times a stream starts again", file=sys.stderr)
    if not unframer.frames and not unframer.damage_count:
        raise TernError(f"there is no frame in {path}; is it the console of a guest that frames its streams?")
    return 1 if unframer.damage_count else 0


def part_write(wanted: bytearray, unframer: Unframer) -> None:
    """Writes what came of the wanted stream and forgets everything else that came."""
    sys.stdout.buffer.write(wanted)
    sys.stdout.buffer.flush()
    for stream in [unframer.foreign, *unframer.streams.values()]:
        stream.clear()
