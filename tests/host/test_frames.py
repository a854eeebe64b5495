#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Streams framed over one console: taken apart whole and in pieces, between foreign lines, damaged in every way."""
import contextlib
import io
import random
import subprocess
import sys
import tempfile
import unittest
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "perf" / "host"))

import frames  # noqa: E402


def frame(letter: str, number: int, text: bytes) -> bytes:
    """One line, by the words of the format."""
    covered = f"{letter}:{number:04x}:".encode() + text
    return b"=%b:%08x:%b\n" % (covered[:6], zlib.crc32(covered), text)


class Whole(unittest.TestCase):
    """What is sent is what comes."""

    def test_known_line(self) -> None:
        self.assertEqual(frames.Framer("log").encode(b"hi\\\n"), frame("l", 0, b"hi\\5c\\0a"))

    def test_every_byte_of_every_stream(self) -> None:
        data, console = bytes(range(256)) * 3, b""
        for name in frames.LETTERS:
            console += frames.Framer(name).encode(data)
        taken = frames.unframe(console)
        self.assertEqual({name: bytes(got) for name, got in taken.streams.items()}, dict.fromkeys(frames.LETTERS, data))
        self.assertEqual((taken.error(), bytes(taken.foreign), taken.restarts), ("", b"", 0))
        self.assertLessEqual(max(map(len, console.splitlines())), frames.HEAD_BYTES + frames.TEXT_MAX)

    def test_pieces_of_any_size_and_foreign_lines(self) -> None:
        rng = random.Random(6)
        log, hist, console, foreign = frames.Framer("log"), frames.Framer("hist"), b"", b""
        said = {"log": b"", "hist": b""}
        for _ in range(300):
            for name, framer in (("log", log), ("hist", hist)):
                data = rng.randbytes(rng.randrange(200))
                said[name] += data
                console += framer.encode(data).replace(b"\n", rng.choice([b"\n", b"\r\n", b"\r\r\n"]))
            line = rng.choice([b"(XEN) [  1.5] text\n", b"=\n", b"=l\n", b"=L:0000:\n", b"\xff\x00 =l:0000:00000000:\n", b"x" * 500 + b"\n"])
            console, foreign = console + line, foreign + line
        unframer, at = frames.Unframer(), 0
        while at < len(console):
            step = rng.randrange(1, 40)
            unframer.feed(console[at : at + step])
            at += step
        unframer.finish()
        self.assertEqual({name: bytes(unframer.streams[name]) for name in said}, said)
        self.assertEqual((unframer.error(), bytes(unframer.foreign)), ("", foreign))

    def test_numbers_wrap(self) -> None:
        framer = frames.Framer("control")
        console = b"".join(framer.encode(b"x") for _ in range(frames.NUMBERS + 3))
        taken = frames.unframe(console)
        self.assertEqual((taken.error(), taken.restarts, len(taken.streams["control"])), ("", 0, frames.NUMBERS + 3))

    def test_frame_within_a_payload_is_text(self) -> None:
        inner = frame("h", 0, b"forged")
        taken = frames.unframe(frames.Framer("log").encode(inner) + b"(d1) " + inner)
        self.assertEqual((bytes(taken.streams["log"]), bytes(taken.streams["hist"])), (inner, b""))

    def test_unknown_stream_is_foreign(self) -> None:
        line = frame("z", 0, b"x")
        self.assertEqual(bytes(frames.unframe(line).foreign), line)

    def test_foreign_text_without_end(self) -> None:
        self.assertEqual(bytes(frames.unframe(b"a\nlogin: ").foreign), b"a\nlogin: ")

    def test_restart(self) -> None:
        console = frame("l", 0, b"a") + frame("l", 1, b"b") + frame("l", 0, b"c")
        taken = frames.unframe(console)
        self.assertEqual((bytes(taken.streams["log"]), taken.error(), taken.restarts), (b"abc", "", 1))


class Damaged(unittest.TestCase):
    """Nothing wrong stays untold, and the place is named."""

    def wrong(self, console: bytes, *words: str) -> frames.Unframer:
        taken = frames.unframe(console)
        for word in words:
            self.assertIn(word, taken.error())
        self.assertTrue(taken.damage_count)
        return taken

    def test_wrong_sum(self) -> None:
        good = frame("l", 0, b"abc")
        self.wrong(b"foreign\n" + good.replace(b"abc", b"abd"), "line 2", "0000 of log", "CRC")

    def test_gap(self) -> None:
        self.wrong(frame("h", 0, b"a") + frame("h", 3, b"b"), "line 2", "hist", "0003 instead of 0001", "2 missing")

    def test_beginning_is_missing(self) -> None:
        self.wrong(frame("l", 7, b"a"), "0007 instead of 0000")

    def test_frame_twice(self) -> None:
        self.wrong(frame("l", 0, b"a") + frame("l", 1, b"b") * 2, "line 3", "0001 instead of 0002")

    def test_cut_at_every_byte(self) -> None:
        line = frame("p", 0, b"payload")
        for length in range(len(b"=p:0000:"), len(line)):
            self.wrong(line[:length], "ends within a frame")
            self.wrong(line[:length] + frame("p", 1, b"x"), "line 1")

    def test_torn_by_foreign_text(self) -> None:
        line = frame("l", 0, b"payload")
        self.wrong(line[:20] + b"(XEN) Panic\n" + line[20:], "line 1")

    def test_impossible_payloads(self) -> None:
        for text in (b"\\", b"\\4", b"\\zz", b"\\0A", b"x" * 97):
            self.wrong(frame("l", 0, text), "line 1")
        self.wrong(frame("l", 0, b"a\tb"), "line 1")

    def test_no_end(self) -> None:
        taken = frames.Unframer()
        for _ in range(100):
            taken.feed(b"=l:0000:00000000:" + b"x" * 5000)
        self.assertLessEqual(len(taken.pending), frames.LINE_MAX)
        taken.feed(b"\n" + frame("l", 0, b"a"))
        taken.finish()
        self.assertEqual((taken.damage_count, bytes(taken.streams["log"])), (1, b"a"))

    def test_many_damages_are_counted_not_kept(self) -> None:
        taken = self.wrong(b"=l:0000:bad\n" * 5000, "and 4999 more")
        self.assertEqual(len(taken.damages), frames.DAMAGES_KEPT)

    def test_flipped_bits_never_pass(self) -> None:
        console = bytearray(frames.Framer("log").encode(b"a line of the log\n" * 4))
        rng = random.Random(1)
        whole = bytes(frames.unframe(bytes(console)).streams["log"])
        for _ in range(500):
            at, bit = rng.randrange(len(console)), 1 << rng.randrange(8)
            console[at] ^= bit
            taken = frames.unframe(bytes(console))
            if not taken.damage_count:  # its first bytes tell no frame any more: the last one of its stream
                self.assertNotEqual(bytes(taken.foreign), b"")
                self.assertTrue(whole.startswith(bytes(taken.streams["log"])))
            console[at] ^= bit

    def test_noise(self) -> None:
        rng = random.Random(2)
        for _ in range(50):
            taken = frames.unframe(rng.randbytes(3000) + b"\n=l:" + rng.randbytes(300))
            self.assertEqual(sum(map(len, taken.streams.values())), 0)


class Command(unittest.TestCase):
    """./tern unframe."""

    def run_on(self, data: bytes, *words: str) -> subprocess.CompletedProcess:
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            line = ["/usr/bin/python3", "-B", str(ROOT / "perf/host/cli.py"), "unframe", file.name, *words]
            return subprocess.run(line, capture_output=True, check=False, timeout=30)

    def test_streams(self) -> None:
        console = frames.Framer("log").encode(b"said\n") + b"(XEN) x\n" + frames.Framer("hist").encode(b"#[x]\n")
        for stream, text in (("log", b"said\n"), ("hist", b"#[x]\n"), ("foreign", b"(XEN) x\n"), ("prof", b"")):
            run = self.run_on(console, "--stream", stream)
            self.assertEqual((run.returncode, run.stdout, run.stderr), (0, text, b""))

    def test_damage(self) -> None:
        run = self.run_on(frame("l", 1, b"late"))
        self.assertEqual((run.returncode, run.stdout), (1, b"late"))
        self.assertRegex(run.stderr, rb"^tern: \S+: line 1: log goes on with frame 0001 instead of 0000: 1 missing\n$")

    def test_no_frame(self) -> None:
        run = self.run_on(b"nothing of the kind\n")
        self.assertEqual((run.returncode, run.stderr.count(b"\n")), (1, 1))

    def test_no_file(self) -> None:
        with self.assertRaisesRegex(frames.TernError, "cannot read /nowhere"), contextlib.redirect_stdout(io.StringIO()):
            frames.command("/nowhere", "log")


if __name__ == "__main__":
    unittest.main()
