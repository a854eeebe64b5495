#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Parts of ./tern that need no process: figures, table, formats, QEMU options, the check runner."""
import dataclasses
import json
import os
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "perf/host"), str(ROOT / "ci")]

import export
import guest_tests
import hdr
import hlog
import jobs
import qemu
import report
import results
import stream
import table
from common import TernError


class Pieces(unittest.TestCase):
    """Parts that need no process."""

    FIELDS = {"count": 3, "min": 250, "max": 300, "sum": 850, "overflow": 0, "ops": 1, "overhead": 0}

    def row(
        self, name: str = "channel.call.same_cpu.0", unit: str = "instructions", p50: int = 270, **more
    ) -> dict:
        return results.row_make(name, unit, 0, {**self.FIELDS, **more}, lambda percentile: p50, "HISTFAAA")

    def test_kvm_lack(self):
        with tempfile.TemporaryDirectory() as folder:
            device, info = Path(folder, "kvm"), Path(folder, "cpuinfo")
            info.write_text("flags\t\t: fpu svm_lock vmx\n", encoding="utf-8")
            self.assertEqual(qemu.kvm_lack(str(device), str(info)), f"no {device}")
            device.touch()
            self.assertEqual(qemu.kvm_lack(str(device), str(info)), "")
            info.write_text("model name: vmx\nflags\t\t: fpu svm_lock\n", encoding="utf-8")
            self.assertRegex(qemu.kvm_lack(str(device), str(info)), "neither vmx nor svm")

    def test_budget_verdicts(self):
        self.assertEqual(self.row(p50=260)["verdict"], "within budget")
        self.assertEqual(self.row(p50=261)["verdict"], "over budget by 1")
        self.assertEqual(self.row(name="unheard.of")["verdict"], "no budget")
        self.assertEqual(self.row(unit="ns")["verdict"], "no budget")

    def test_percentiles_stay_within_exact_bounds(self):
        self.assertEqual(self.row(p50=400)["p99"], 300)
        self.assertEqual(self.row(p50=1)["p50"], 250)

    def test_table_fits(self):
        rows = [
            self.row(
                name="channel.transact.same_cpu.4096." + "x" * 60,
                sum=1 << 62,
                max=(1 << 40) - 1,
                count=10**9,
                cold=10**9,
            )
        ]
        rows[0] |= {"budget": 1000000, "verdict": "over budget by 123456789", "p99": 123456789.125}
        text = table.table([*rows, self.row()])
        self.assertTrue(all(len(line) <= 110 for line in text.splitlines()), text)
        self.assertTrue(text.isascii())
        self.assertEqual(text.splitlines()[2].split()[-3:], ["260", "+10", "over"])

    def test_budgets_are_data_with_a_source(self):
        entries = json.loads((ROOT / "perf/host/budgets.json").read_text())["budgets"]
        self.assertTrue(all(entry["source"] and entry["budget"] and entry["stretch"] for entry in entries))
        self.assertEqual(results.budgets_load()["boot.to_user"]["budget"], 1000000)

    def test_bad_document_is_refused(self):
        with self.assertRaisesRegex(TernError, "do not fit results.schema.json at tern"):
            results.document_make([self.row()], {"revision": "x"}, {}, None)

    def test_prometheus_is_cumulative(self):
        fields = {**self.FIELDS, "min": 1, "max": 5, "sum": 10}
        row = self.row(unit="ns", **fields)
        made = hdr.Histogram()
        for value in (1, 4, 5):
            made.record(value)
        record = stream.Record(row["name"], "ns", fields, hlog.Record(row["name"], 0.0, 1.0, {}, made), "")
        text = export.prometheus([row], {results.identity(row): record})
        counts = [int(line.split()[-1]) for line in text.splitlines() if "_bucket" in line]
        self.assertEqual(counts[:3], [1, 2, 3])
        self.assertEqual(counts, sorted(counts))
        self.assertIn('tern_latency_seconds_bucket{bench="channel.call.same_cpu.0",le="4e-09"} 2', text)
        self.assertIn('le="+Inf"} 3\n', text)
        self.assertIn("} 1e-08\n", text)
        self.assertTrue(text.endswith('_count{bench="channel.call.same_cpu.0"} 3\n'))

    def test_kvm_and_mttcg_options(self):
        self.assertEqual(qemu.accelerator_options("kvm", 2, ""), ["-accel", "kvm", "-cpu", "host", "-smp", "2"])
        self.assertIn("tcg,thread=multi", qemu.accelerator_options("mttcg", 2, ""))

    def test_stream_environment(self):
        said = stream.environment_read(b'#[Tern environment a=1 b="x y"]\nother\n#[Tern environment c=z]\n')
        self.assertEqual(said, {"a": "1", "b": "x y", "c": "z"})
        with self.assertRaises(stream.StreamError):
            stream.environment_read(b"#[Tern environment a=1 a=2]\n")
        with self.assertRaises(stream.StreamError):
            stream.environment_read(b"#[Tern environment words without]\n")


class Check(unittest.TestCase):
    """The runner of ./tern check and its configuration."""

    @staticmethod
    def fail(message: str):
        raise jobs.Failed(message)

    def test_results_of_every_kind(self):
        def skip():
            raise jobs.Skipped("no /dev/kvm")

        made = jobs.run_all(
            [
                jobs.Job("a", lambda: None),
                jobs.Job("b", lambda: self.fail("it is\nbroken <&>")),
                jobs.Job("c", lambda: None, ("b",)),
                jobs.Job("d", skip, slots=2),
                jobs.Job("e", lambda: 1 // 0),
            ],
            lambda result: None,
        )
        states = {result.name: result.state for result in made}
        self.assertEqual(states, {"a": "ok", "b": "failed", "c": "failed", "d": "skipped", "e": "failed"})
        self.assertEqual(report.summary(made), "1 passed, 3 failed, 1 skipped")
        lines = report.tap(made).splitlines()
        self.assertEqual(lines[:2], ["TAP version 13", "1..5"])
        self.assertEqual(len([line for line in lines if line.startswith("not ok ")]), 3)
        suite = ElementTree.fromstring(report.junit(made))
        self.assertEqual((suite.get("tests"), suite.get("failures"), suite.get("skipped")), ("5", "3", "1"))

    def test_a_need_that_does_not_run_skips(self):
        made = jobs.run_all([jobs.Job("a", lambda: None, ("left out",))], lambda result: None)
        self.assertEqual(
            [(result.state, result.detail) for result in made], [("skipped", "left out was skipped")]
        )

    def test_never_more_than_two_at_once(self):
        running, most = [], []

        def work():
            running.append(1)
            most.append(len(running))
            time.sleep(0.02)
            running.pop()

        jobs.run_all([jobs.Job(str(number), work) for number in range(8)], lambda result: None)
        self.assertEqual(max(most), 2)

    def test_filter_brings_what_is_needed(self):
        listed = [
            jobs.Job("build", lambda: None),
            jobs.Job("guest.boot", lambda: None, ("build",)),
            jobs.Job("unit", lambda: None),
        ]
        self.assertEqual([job.name for job in jobs.select(listed, ["guest"])], ["build", "guest.boot"])
        with self.assertRaises(TernError):
            jobs.select(listed, ["nothing"])

    def test_configuration(self):
        tests = guest_tests.tests_read()
        names = [test.name for test in tests]
        self.assertEqual(len(names), len(set(names)))
        for machine in qemu.MACHINES:
            cpus = {
                test.smp
                for test in tests
                if test.machine == machine and test.image == "transact" and not test.iso
            }
            self.assertLessEqual({1, 2, 4, 8}, cpus, machine)
        self.assertEqual({test.machine for test in tests if test.iso}, {"pc", "q35"})

    def test_configuration_errors(self):
        for keys, says in (
            ({"colour": "red"}, "unknown key colour"),
            ({"smp": "0"}, "smp = 0"),
            ({"machine": "vax"}, "machine = vax"),
            ({"expect": "PASS"}, "expect = PASS"),
            ({"log": "("}, "log or prompt: "),
            ({"type": "x", "prompt": "("}, "log or prompt: "),
            ({"type": "x"}, "type and prompt"),
            ({"prompt": "x"}, "type and prompt"),
            ({"without": "pit rtc"}, "without for q35 = rtc; use one of: acpi hpet pic pit serial"),
            ({"machine": "microvm", "without": "hpet"}, "without for microvm = hpet"),
            ({"virtio": "double"}, "virtio = double"),
        ):
            with self.assertRaisesRegex(TernError, says):
                guest_tests.section_expand("x", keys)

    def test_what_is_typed(self):
        keys = {"type": "one\ntwo", "prompt": "say some", "device": "edu,addr=4\nedu,addr=5"}
        test = guest_tests.section_expand("x", keys)[0]
        self.assertEqual((test.typed, test.prompt), ("one\ntwo\n", "say some"))
        self.assertEqual(test.devices, ("edu,addr=4", "edu,addr=5"))
        boot = qemu.Boot(
            kernel=Path("k"), typed=test.typed, prompt=test.prompt, devices=test.devices, timeout_s=5
        )
        line = " ".join(qemu.command(boot))
        self.assertIn("-serial stdio", line)
        self.assertIn("-device edu,addr=4 -device edu,addr=5", line)
        environment = {"TERN_QEMU": str(ROOT / "tests/host/fake_qemu.py"), "FAKE_QEMU": "typed_on"}
        with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, environment):
            end, _ = qemu.run(boot, Path(folder)).judge()
            self.assertEqual(end, qemu.End.SUCCESS)
            never = dataclasses.replace(boot, prompt="something else", timeout_s=1)
            end, _ = qemu.run(never, Path(folder)).judge()
            self.assertEqual(end, qemu.End.HANG)

    def test_machines_without_devices(self):
        def line_of(**keys: str) -> str:
            test = guest_tests.section_expand("x", keys)[0]
            boot = qemu.Boot(
                kernel=Path("k"), machine=test.machine, virtio=test.virtio, without=test.without, accelerator="mttcg"
            )
            return " ".join(qemu.command(boot))

        line = line_of(machine="microvm,acpi=off", without="pit pic rtc serial")
        self.assertIn("-M microvm,acpi=off,pit=off,pic=off,rtc=off,isa-serial=off ", line)
        self.assertIn("-serial none", line)
        line = line_of(without="serial hpet", virtio="single")
        self.assertIn("-M q35,hpet=off ", line)
        self.assertIn("-serial none", line)
        self.assertRegex(line, r"virtio-serial-pci,ioeventfd=on,max_ports=1 .*virtconsole,chardev=log")
        self.assertNotIn("org.tern", line)
        self.assertIn("-serial file:", line_of(without="acpi"))
        with self.assertRaisesRegex(TernError, "q35 cannot be without rtc"):
            qemu.command(qemu.Boot(kernel=Path("k"), without=("rtc",)))

    def test_seed_from_the_clock(self):
        keys = {"append": "iterations=5", "seed": "clock", "entry": "sysenter"}
        test = guest_tests.section_expand("x", keys)[0]
        seeds = {guest_tests.append_of(test) for _ in range(3) if not time.sleep(0.001)}
        self.assertEqual(len(seeds), 3)
        for append in seeds:
            self.assertRegex(append, r"^iterations=5 entry=sysenter seed=\d+$")
        self.assertEqual(guest_tests.append_of(guest_tests.section_expand("x", {})[0]), "")
        with self.assertRaisesRegex(TernError, "seed = 7"):
            guest_tests.section_expand("x", {"seed": "7"})

    def test_outcomes(self):
        test = guest_tests.section_expand("x", {"expect": "37", "log": r"\bpanic\b"})[0]

        def outcome(status: int, log: str) -> qemu.Outcome:
            return qemu.Outcome(status, 0.1, log, b"", "", 1.0)

        guest_tests.outcome_check(test, outcome(37, "panic: x"))
        for bad in (outcome(33, "panic\nVERDICT: SUCCESS"), outcome(37, "quiet")):
            with self.assertRaises(jobs.Failed):
                guest_tests.outcome_check(test, bad)
        plain = guest_tests.section_expand("x", {})[0]
        guest_tests.outcome_check(plain, outcome(33, "[0.1] VERDICT: SUCCESS\n"))
        with self.assertRaises(jobs.Skipped):
            guest_tests.outcome_check(plain, outcome(33, "VERDICT: SKIP one CPU only\n"))
        for bad in (
            outcome(33, "VERDICT: SUCCESS\nVERDICT: FAILURE"),
            outcome(35, "VERDICT: SUCCESS"),
            outcome(33, ""),
        ):
            with self.assertRaises(jobs.Failed):
                guest_tests.outcome_check(plain, bad)


if __name__ == "__main__":
    unittest.main()
