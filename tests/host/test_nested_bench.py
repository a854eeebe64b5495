#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`tern bench --vmm kvm-nested`: what is booted and where, units, what results.json says, and what is refused."""
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "perf/host")]

import bench
import export
import qemu
import results
import stream
from common import TernError


def options(**more) -> bench.Options:
    """What the command line gives."""
    usual = {"names": (), "machine": "kvm-nested", "boots": 2, "smp": 2, "quick": True, "out": Path("/x"), "timeout_s": 60.0}
    return bench.Options(**{**usual, "dry_run": False, "kernel": None, **more})


class NestedBench(unittest.TestCase):
    """The plan, and what becomes of it."""

    def plan(self, **more) -> list[bench.Part]:
        """Parts of a command line; a usable /dev/kvm changes nothing."""
        with mock.patch("qemu.kvm_usable", lambda: True):
            return bench.parts_plan(options(**more), Path("/k/tern.elf"))

    def test_units_are_their_own(self):
        parts = self.plan()
        self.assertEqual([(part.label, part.unit, part.exact()) for part in parts],
                         [("bench", "nested-instructions", True), ("objects", "nested-instructions", True),
                          ("cross", "emulated-ns", False)])  # fmt: skip
        self.assertTrue(all(part.boot.machine == "q35" for part in parts))
        self.assertIn("unit=instructions", parts[0].boot.append)
        self.assertNotIn("unit=instructions", parts[2].boot.append)

    def test_exact_and_parallel_parts_never_share_a_first_level(self):
        groups = bench.batches(self.plan())
        self.assertEqual([[part.label for part in group] for group in groups], [["bench", "objects"], ["cross"]])
        self.assertEqual(len(bench.batches(self.plan(smp=1))), 1)

    def test_each_boot_is_made_once(self):
        seen = []

        def boots_try(boots, work, exact, label):
            seen.append((exact, [folder.name for _, folder in boots], boots[0][0].timeout_s))
            return [mock.Mock(spec=qemu.Outcome)] * len(boots)

        module = mock.Mock(boots_try=boots_try)
        with mock.patch("bench.outcome_take") as take:
            bench.boot_batches(module, self.plan(), Path("/w"), options())
        self.assertEqual(seen, [(True, ["bench-0", "objects-0", "bench-1", "objects-1"], 60.0),
                                (False, ["cross-0", "cross-1"], 240.0)])  # fmt: skip
        self.assertEqual(take.call_count, 6)

    def test_no_budget_and_a_metric_of_its_own(self):
        fields = {"count": 3, "min": 250, "max": 300, "sum": 850, "overflow": 0, "ops": 1, "overhead": 0}
        row = results.row_make("syscall.null", "nested-instructions", 0, fields, lambda percentile: 260, "HISTFAAA")
        self.assertEqual((row["budget"], row["verdict"]), (None, "no budget"))
        self.assertEqual(len({export.FAMILIES[unit][0] for unit in export.FAMILIES}), len(export.FAMILIES))

    def test_environment_fits_the_schema(self):
        with tempfile.TemporaryDirectory() as folder:
            kernel = Path(folder, "tern.elf")
            kernel.write_bytes(b"x")
            parts = bench.parts_plan(options(), kernel)
            parts[0].streams.append(stream.Stream([], {"hypervisor": "KVMKVMKVM"}, 0))
            with mock.patch("nested.environment", lambda exact: {"kernel": "vmlinuz", "accelerator": "tcg"}):
                environment = parts[0].environment()
        self.assertEqual((environment["accelerator"], environment["guest"]), ("kvm-nested", {"hypervisor": "KVMKVMKVM"}))
        fields = {"count": 3, "min": 250, "max": 300, "sum": 850, "overflow": 0, "ops": 1, "overhead": 0}
        row = results.row_make("a.b", "nested-instructions", 0, fields, lambda percentile: 260, "HISTFAAA")
        tern = {"revision": "x", "kernel_sha256": "0" * 64, "image_sha256": "built-in"}
        results.document_make([row], tern, environment, None)

    def test_steady(self):
        rows = [{"name": name, "p50": p50} for name, p50 in (("a", 1), ("a", 1), ("b", 2), ("b", 3))]
        self.assertEqual(results.steady(rows), 1)

    def test_control_is_refused(self):
        with self.assertRaisesRegex(TernError, "leave out --control"):
            bench.bench(options(control=True))

    def test_dry_run_fetches_nothing(self):
        with mock.patch("debcache.packages_get", side_effect=AssertionError), mock.patch("builtins.print") as shown:
            with mock.patch("debcache.packages_peek", lambda names: None):
                bench.bench(options(dry_run=True, kernel=str(ROOT / "tern")))
        lines = [call.args[0] for call in shown.call_args_list]
        self.assertEqual(sum("-accel kvm" in line for line in lines), 3)
        self.assertEqual(sum("-icount" in line for line in lines), 1)
        self.assertEqual(sum("thread=multi" in line for line in lines), 1)


if __name__ == "__main__":
    unittest.main()
