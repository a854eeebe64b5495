# SPDX-License-Identifier: MIT
"""`tern ctl --console` against a played guest that frames its streams on one console, a terminal or a socket."""
import json
import os
import re
import select
import socket
import sys
import tempfile
import threading
import tty
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "perf/host"))

import control
import frames
from common import TernError


class Guest:
    """Behind a console's other end: says `before`, then answers one request, its log in between, and says `after`."""

    def __init__(self, file: int, before: bytes = b"", after: bytes = b"", answers: bool = True) -> None:
        self.file, self.before, self.after, self.answers = file, before, after, answers
        self.request = b""
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        os.write(self.file, self.before)
        heard = frames.Unframer()
        while not (found := re.search(rb"#(\w+) (.*)\n", heard.streams["control"])):
            if not select.select([self.file], [], [], 5)[0]:
                return
            heard.feed(os.read(self.file, 4096))
        self.request = found[2]
        answer = {"tag": found[1].decode(), "status": "OK", "answer": "x" * 300}
        lines = frames.Framer("control").encode(json.dumps(answer).encode() + b"\n").splitlines(keepends=True)
        log = frames.Framer("log").encode(b"of no concern\n")
        os.write(self.file, log.join(lines) if self.answers else log)
        os.write(self.file, self.after)


class Consoles(unittest.TestCase):
    """Each kind of them."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tern-console-")
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name, "console")

    def terminal(self, **plays) -> tuple[Guest, Path]:
        """A guest at a terminal."""
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        self.addCleanup(os.close, theirs)
        self.addCleanup(os.close, ours)
        guest = Guest(ours, **plays)
        self.addCleanup(guest.thread.join)
        return guest, Path(os.ttyname(theirs))

    def test_terminal(self):
        guest, path = self.terminal(before=b"text of others\r\n" + frames.Framer("log").encode(b"hello\n"))
        answer = control.ask(path, ["bus", "publish", "a", "\\ \t"], 5.0, True)
        self.assertEqual((answer["status"], len(answer["answer"])), ("OK", 300))
        self.assertEqual(guest.request, b"bus publish a \\ \t")

    def test_others_answers_and_damage_are_passed_over(self):
        earlier = frames.Framer("control")
        earlier.next = 0x1234
        noise = earlier.encode(b'{"tag": "other", "status": "OK"}\n') + b"=c:0000:00000000:torn\n" + b"=c:00"
        _, path = self.terminal(before=noise + b"\n")
        self.assertEqual(control.ask(path, ["help"], 5.0, True)["status"], "OK")

    def listen(self, serve) -> None:
        """A socket whose first client `serve` gets."""
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(str(self.path))
        listener.listen(1)

        def accept() -> None:
            with listener.accept()[0] as link:
                serve(link)

        thread = threading.Thread(target=accept)
        thread.start()
        self.addCleanup(thread.join)

    def test_socket(self):
        self.listen(lambda link: Guest(link.fileno()).thread.join())
        self.assertEqual(control.ask(self.path, ["help"], 5.0, True)["status"], "OK")

    def test_silence(self):
        _, path = self.terminal(answers=False)
        with self.assertRaisesRegex(TernError, f"{path} does not answer within 0.3 s"):
            control.ask(path, ["help"], 0.3, True)

    def test_end(self):
        self.listen(lambda link: link.recv(100))
        with self.assertRaisesRegex(TernError, f"{self.path} closed the connection before it answered"):
            control.ask(self.path, ["help"], 5.0, True)

    def test_what_is_no_console(self):
        self.path.touch()
        for path, reason in ((self.path, "neither a terminal nor a socket"), (self.path / "x", "Not a directory")):
            with self.assertRaisesRegex(TernError, f"cannot use {path}: .*{reason}"):
                control.ask(path, ["help"], 1.0, True)

    def test_nobody_reads(self):
        ours, theirs = os.openpty()
        self.addCleanup(os.close, ours)
        self.addCleanup(os.close, theirs)
        with control.Console(Path(os.ttyname(theirs)), 0.2) as line, self.assertRaises(TimeoutError):
            line.sendall(b"x" * (1 << 20))


if __name__ == "__main__":
    unittest.main()
