# SPDX-License-Identifier: MIT
"""Unit tests of monitor.py: a monitor that answers, one that does not, and none."""
import socket
import sys
import tempfile
import threading
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "perf/host"))

import monitor


class Monitors(unittest.TestCase):
    """Each kind of them."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tern-monitor-")
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name, "monitor")

    def serve(self, answers: bool) -> None:
        """A monitor for one connection."""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.path))
        listener.listen(1)
        listener.settimeout(5)  # no test that fails waits for ever
        self.addCleanup(listener.close)

        def run() -> None:
            try:
                link, _ = listener.accept()
            except TimeoutError:
                return
            link.sendall(b"QEMU 7.2 monitor\r\n(qemu) ")
            while answers and (words := link.recv(1000)):
                link.sendall(b"i\x1b[K\x1b[Din\x1b[K\r\nabout " + words.strip() + b"\r\n(qemu) ")
            while link.recv(1000):
                pass
            link.close()

        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join)

    def test_each_question_is_answered(self):
        self.serve(True)
        said = monitor.machine_ask(self.path)
        self.assertEqual(said, "\n".join(f"about {words}\n" for words in monitor.QUESTIONS))

    def test_silence_takes_no_more_than_its_time(self):
        self.serve(False)
        with mock.patch.object(monitor, "ANSWER_S", 0.2):
            self.assertEqual(monitor.machine_ask(self.path), "")

    def test_no_monitor(self):
        self.assertEqual(monitor.machine_ask(self.path), "")


if __name__ == "__main__":
    unittest.main()
