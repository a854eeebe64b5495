#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The client of the GDB remote protocol against a played stub: a broken one must not pass for a stopped guest."""
import socket
import struct
import sys
import threading
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "perf/host"), str(ROOT / "ci")]

import gdb_remote
from jobs import Failed


def packet(text: str) -> bytes:
    """A packet as the stub sends it."""
    return b"+$%b#%02x" % (text.encode(), sum(text.encode()) & 0xFF)


class GdbRemote(unittest.TestCase):
    """Each test plays the stub by a list of answers."""

    def remote(self, *answers: bytes) -> gdb_remote.Remote:
        """A client whose packets are answered one by one, and then by the end of the connection."""
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        self.asked: list[str] = []

        def play() -> None:
            with theirs, theirs.makefile("rb") as packets:
                for answer in (packet("OK"), *answers):
                    text = b""
                    while (byte := packets.read(1)) not in (b"#", b""):
                        text += byte
                    packets.read(2)
                    self.asked.append(text.decode().partition("$")[2])
                    theirs.sendall(answer)

        thread = threading.Thread(target=play, daemon=True)
        thread.start()
        self.addCleanup(thread.join, 5)
        return gdb_remote.Remote(ours)

    def test_registers(self):
        values = gdb_remote.LAYOUT.pack(*range(len(gdb_remote.NAMES)))
        now = self.remote(packet((values + bytes(420)).hex())).registers()
        self.assertEqual((now["rax"], now["rip"], now["rflags"], now["efer"]), (0, 16, 17, 32))

    def test_words(self):
        whole = packet(struct.pack("<2Q", 1, 1 << 63).hex())
        self.assertEqual(self.remote(whole).words(0x1000, 2), (1, 1 << 63))
        self.assertEqual(self.asked[-1], "m1000,10")

    def test_breakpoints_change_by_difference(self):
        remote = self.remote(*[packet("OK")] * 3)
        remote.break_at(0x10, 0x20)
        remote.break_at(0x20)
        self.assertEqual(sorted(self.asked[1:]), ["Z0,10,1", "Z0,20,1", "z0,10,1"])

    def test_monitor_gives_what_is_said(self):
        said = packet("O" + b"one ".hex()) + packet("O" + b"two".hex()) + packet("OK")
        self.assertEqual(self.remote(said).monitor("info"), "one two")

    def test_broken_answers(self):
        answers = {b"$OK#00": "checksum", packet("E01"): "refuses", packet(""): "refuses", b"": "ended"}
        for answer, what in answers.items():
            with self.assertRaisesRegex(Failed, what):
                self.remote(answer).memory(0, 1)

    def test_an_exit_is_no_stop(self):
        with self.assertRaisesRegex(Failed, "ended while it was stepped through: W21"):
            self.remote(packet("W21")).step()


if __name__ == "__main__":
    unittest.main()
