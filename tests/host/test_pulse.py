# SPDX-License-Identifier: MIT
"""Unit tests of pulse.py: an emulator that does nothing any more."""
import os
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "perf/host"))

import pulse


def stopped_within(process: subprocess.Popen, seconds: float, window_s: float = 0.3) -> bool:
    """Whether the process is said to have stopped by then."""
    looked, end = pulse.Pulse(process.pid, window_s), time.monotonic() + seconds
    while time.monotonic() < end:
        if looked.stopped():
            return True
        time.sleep(0.02)
    return False


class Pulses(unittest.TestCase):
    """Of real processes."""

    def start(self, *words: str) -> subprocess.Popen:
        """A process that ends with the test."""
        process = subprocess.Popen(words)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_sleeper_has_none(self):
        self.assertTrue(stopped_within(self.start("sleep", "60"), 5))

    def test_worker_has_one_in_any_thread(self):
        program = "import threading, time\ndef spin():\n while True: pass\nthreading.Thread(target=spin).start()\ntime.sleep(60)"
        process = self.start(sys.executable, "-c", program)
        time.sleep(0.3)
        self.assertFalse(stopped_within(process, 1.0))

    def test_nothing_is_said_before_the_window_is_over(self):
        self.assertFalse(stopped_within(self.start("sleep", "60"), 0.5, 30.0))

    def test_own_time_grows(self):
        before = pulse.cpu_seconds(os.getpid())
        end = time.process_time() + 0.05
        while time.process_time() < end:
            pass
        self.assertGreater(pulse.cpu_seconds(os.getpid()), before + 0.04)
        self.assertEqual(pulse.cpu_seconds(1 << 22), 0.0)


if __name__ == "__main__":
    unittest.main()
