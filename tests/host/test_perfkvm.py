#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`tern profile --vmm kvm-nested` without a machine: what perf and the kernel's tracing say, and what is lacking."""
import sys
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "perf/host")]

import perfkvm
from common import TernError

SCRIPT = """
K      ffffffff81a14c40
G      ffffffff80204010
G      ffffffff80204010
KGg             1000040
U          55d0c0ffee
G      ffffffff81a14c40
nonsense
"""
HIST = """# event histogram
{ exit_reason:          0 } hitcount:          1
{ exit_reason:        123 } hitcount:       3376
{ exit_reason:       1024 } hitcount:       1837
{ exit_reason:        101 } hitcount:        333
Totals:
    Hits: 5547
"""


class PerfKvm(unittest.TestCase):
    """Two kernels share the addresses; perf's mode tells them apart."""

    def test_mode_and_not_address_says_whose_a_sample_is(self):
        guest, host = perfkvm.samples_count(SCRIPT.splitlines())
        self.assertEqual(guest, {0xFFFFFFFF80204010: 2, 0x1000040: 1, 0xFFFFFFFF81A14C40: 1})
        self.assertEqual(host, 2)

    def test_exits_are_named_and_in_order(self):
        found = perfkvm.exits_read(HIST, perfkvm.AMD)
        self.assertEqual(found, [("port", 3376), ("nested page fault", 1837), ("0x65", 333), ("0x0", 1)])
        self.assertEqual(perfkvm.exits_read("no histogram", perfkvm.AMD), [])

    def test_samples_are_divided_only_where_one_bench_says_how_many(self):
        self.assertEqual(perfkvm.per_sample(50, "bench=a.b iterations=100"), "exits in all: 50, 0.5 per sample of 100")
        for append in ("bench=a,b iterations=100", "iterations=100", "bench=a.b", ""):
            self.assertEqual(perfkvm.per_sample(50, append), "exits in all: 50")

    def test_what_is_lacking_is_one_line(self):
        with mock.patch("shutil.which", return_value=None), self.assertRaisesRegex(TernError, "^perf is missing; install"):
            perfkvm.perf_find()
        with tempfile.TemporaryDirectory() as folder:
            machine = SimpleNamespace(kernel=Path(folder, "tern.elf"), options=SimpleNamespace(hz=0))
            with self.assertRaisesRegex(TernError, "tern.kallsyms is not there"):
                perfkvm.extra_make(machine)
            Path(folder, "perf.txt").write_text("first\nno permission\n")
            with self.assertRaisesRegex(TernError, "wrote no file; it said: no permission$"):
                perfkvm.samples_read(Path(folder), Path(folder, "tern.kallsyms"))


if __name__ == "__main__":
    unittest.main()
