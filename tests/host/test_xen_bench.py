#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`tern bench --vmm xen`: both domains in one plan, one table and one results.json, each row with its side."""
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
import table
from common import TernError

FIELDS = {"count": 3, "min": 250, "max": 300, "sum": 850, "overflow": 0, "ops": 1, "overhead": 0}


def options(**more) -> bench.Options:
    """What the command line gives."""
    usual = {"names": (), "machine": "xen", "boots": 2, "smp": 2, "quick": True, "out": Path("/x"), "timeout_s": 60.0}
    return bench.Options(**{**usual, "dry_run": False, "kernel": None, **more})


def row(name: str, vmm: str, boot: int = 0, value: int = 260) -> results.Row:
    """A row of one side."""
    return results.row_make(name, "nested-instructions", boot, FIELDS, lambda percentile: value, "HISTFAAA") | {"vmm": vmm}


ROWS = [row("a.b", "xen-dom0", 0, 280), row("c.d", "xen-dom0"), row("a.b", "xen-domu"), row("c.d", "xen-domu")]


class XenBench(unittest.TestCase):
    """The plan, and what becomes of it."""

    def test_plan_has_both_sides(self):
        parts = bench.parts_plan(options(), Path("/k/tern.elf"))
        self.assertEqual([(part.vmm, part.label, part.unit) for part in parts],
                         [(vmm, label, unit) for vmm in ("xen-dom0", "xen-domu") for label, unit in
                          (("bench", "nested-instructions"), ("objects", "nested-instructions"), ("cross", "emulated-ns"))])  # fmt: skip

    def test_each_side_is_booted_by_its_module(self):
        seen = {}

        def module(vmm):
            def boots_try(boots, work, exact, label):
                seen.setdefault(vmm, []).append((exact, [folder.name for _, folder in boots], work.parent.name))
                return [mock.Mock(spec=qemu.Outcome)] * len(boots)

            return mock.Mock(boots_try=boots_try)

        with mock.patch("bench.batch_module", module), mock.patch("bench.outcome_take") as take:
            bench.boot_families(bench.parts_plan(options(boots=1), Path("/k/tern.elf")), Path("/w"), options(boots=1))
        one = [(True, ["bench-0", "objects-0"]), (False, ["cross-0"])]
        self.assertEqual(seen, {vmm: [(*run, vmm) for run in one] for vmm in ("xen-dom0", "xen-domu")})
        self.assertEqual(take.call_count, 6)

    def test_an_error_of_one_side_ends_the_run(self):
        def module(vmm):
            return mock.Mock(boots_try=mock.Mock(side_effect=TernError(f"{vmm} has no package")))

        self.addCleanup(qemu.stopping.clear)
        with mock.patch("bench.batch_module", module), self.assertRaisesRegex(TernError, "has no package"):
            bench.boot_families(bench.parts_plan(options(smp=1), Path("/k/tern.elf")), Path("/w"), options(smp=1))

    def test_nothing_starts_after_the_end(self):
        self.addCleanup(qemu.stopping.clear)
        qemu.stop_all()
        with self.assertRaisesRegex(TernError, "interrupted"), qemu.started(["true"], Path("/"), sys.stderr.buffer):
            self.fail("it started")

    def test_table_has_sides_beside_each_other_and_no_budgets(self):
        lines = table.table(results.middle_rows(ROWS)).splitlines()
        self.assertEqual([line.split()[:2] for line in lines],
                         [["bench", "vmm"], ["a.b", "dom0"], ["a.b", "domU"], ["c.d", "dom0"], ["c.d", "domU"]])  # fmt: skip
        self.assertNotIn("budget", lines[0])
        self.assertNotIn("vmm", table.table(results.middle_rows(ROWS[:2])))

    def test_what_cannot_be_measured_is_said(self):
        nothing = row("c.d", "xen-dom0") | {"min": 0, "p50": 0, "max": 0}
        self.assertEqual(bench.unmeasured(ROWS), [])
        [line] = bench.unmeasured([*ROWS, nothing])
        self.assertRegex(line, r"not measurable on xen-dom0, .*: c\.d$")

    def test_steady_and_middle_are_of_one_side(self):
        rows = [*ROWS, row("a.b", "xen-dom0", 1, 290), row("a.b", "xen-domu", 1)]
        self.assertEqual(results.steady(rows), 3)
        self.assertEqual([one["p50"] for one in results.middle_rows(rows)], [280, 260, 260, 260])

    def test_results_have_both_environments(self):
        with tempfile.TemporaryDirectory() as folder:
            kernel = Path(folder, "tern.elf")
            kernel.write_bytes(b"x")
            parts = bench.parts_plan(options(smp=1), kernel)
            with mock.patch("bench.batch_module", lambda vmm: mock.Mock(environment=lambda exact: {"kernel": "xen"})):
                for part in parts:
                    part.streams.append(stream.Stream([], {"hypervisor": "XenVMMXenVMM"}, 0))
                every = {f"{part.vmm}.{part.label}": part.environment() for part in parts}
        tern = {"revision": "x", "kernel_sha256": "0" * 64, "image_sha256": "built-in"}
        document = results.document_make(ROWS, tern, every["xen-dom0.bench"], None, every)
        self.assertEqual([one["accelerator"] for one in document["environments"].values()], ["xen-dom0"] * 2 + ["xen-domu"] * 2)
        self.assertEqual(export.gbench(document)["benchmarks"][0]["name"], "xen-dom0/a.b/p50")

    def test_hypervisor_has_a_version(self):
        part = bench.parts_plan(options(), Path("/k/tern.elf"))[0]
        part.streams.append(stream.Stream([], {"hypervisor": "XenVMMXenVMM"}, 0))
        for log, named in (("[ 0.1] Xen 4.17, guest domain\n", "XenVMMXenVMM 4.17"), ("nothing\n", "XenVMMXenVMM")):
            part.outcomes[:] = [qemu.Outcome(33, 1.0, log, b"", "", 9.0)]
            self.assertEqual(part.hypervisor(), named)


if __name__ == "__main__":
    unittest.main()
