#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`tern profile` under this host's KVM, with a perf that is played: what it can count, and what is said if it cannot."""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "perf/host")]

import perfhost
import profiling
import qemu
from common import TernError


class PerfHost(unittest.TestCase):
    """Each step of it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tern-perfhost-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.machine = SimpleNamespace(kernel=self.folder / "tern.elf", options=SimpleNamespace(hz=0))

    def perf(self, script: str) -> Path:
        """A perf that does this."""
        path = self.folder / "perf"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def test_cycles_if_they_can_be_counted(self):
        self.assertEqual(perfhost.event_choose(self.perf("echo 123,,cycles,1,100 >&2")), "cycles")
        none = 'case "$*" in *cycles*) echo "<not supported>,,cycles,0,100" >&2 ;; esac'
        self.assertEqual(perfhost.event_choose(self.perf(none)), "cpu-clock")

    def test_no_right_to_count(self):
        with self.assertRaisesRegex(TernError, "^perf cannot count here, it says: No permission; be root, or see kernel.perf_"):
            perfhost.event_choose(self.perf("echo No permission >&2; exit 255"))

    def record(self, script: str) -> str:
        """What a recording of this process leaves, if it begins."""
        process = SimpleNamespace(pid=os.getpid())
        with perfhost.perf_recording(self.perf(script), self.machine, "cycles", process, self.folder):
            self.assertTrue((self.folder / perfhost.READY_FILE).exists())
        return (self.folder / "line").read_text()

    def test_recording_begins_before_the_guest_and_ends_by_interrupt(self):
        line = self.record('echo "$@" >line; trap "echo over >>line; exit 0" INT; : >ready; while :; do sleep 0.05; done')
        self.assertIn(f"-p {os.getpid()} -e cycles -F {perfhost.HZ} -o perf.data.kvm -- sh -c", line)
        self.assertIn(f"--guestkallsyms={self.folder}/tern.kallsyms", line)
        self.assertTrue(line.endswith("over\n"))

    def test_recording_that_does_not_begin(self):
        with self.assertRaisesRegex(TernError, "perf kvm does not record, it says: Access limited; be root"):
            self.record("echo Access limited; exit 1")

    def test_exits_are_counted_of_these_threads_and_no_longer(self):
        for name in ("trigger", "hist"):
            (self.folder / name).write_text("counted\n")
        said: list[str] = []
        writes = mock.patch.object(Path, "write_text", lambda path, text, encoding: said.append(text))
        with mock.patch.object(perfhost, "TRIGGER", self.folder / "trigger"), writes:
            with perfhost.exits_counted(SimpleNamespace(pid=os.getpid()), self.folder / "exits.txt"):
                pass
        self.assertEqual((self.folder / "exits.txt").read_text(), "counted\n")
        self.assertIn(f"common_pid == {os.getpid()}", said[0])
        self.assertEqual(said[1], f"!{said[0]}")

    def test_exits_that_may_not_be_counted(self):
        with mock.patch.object(perfhost, "TRIGGER", self.folder / "none/trigger"):
            with perfhost.exits_counted(SimpleNamespace(pid=os.getpid()), self.folder / "exits.txt"):
                pass
        self.assertFalse((self.folder / "exits.txt").exists())

    def test_qemu_waits_and_is_asked_for(self):
        line = perfhost.command(qemu.Boot(kernel=Path("/k"), accelerator="kvm"))
        self.assertEqual((line[-1], line[line.index("-monitor") + 1][:5]), ("-S", "unix:"))
        ended = subprocess.Popen(["true"])
        ended.wait()
        (self.folder / qemu.QEMU_FILE).write_text("no such machine\n")
        with self.assertRaisesRegex(TernError, "QEMU does not begin, it says: no such machine"):
            perfhost.vcpus_wait(ended, self.folder)

    def test_reasons_are_those_of_the_cpu(self):
        for flags, port in (("flags : fpu vmx sse", 30), ("flags : fpu svm", 0x7B), ("", 0x7B)):
            with mock.patch("qemu.read_text", return_value=flags):
                self.assertEqual(perfhost.reasons()[port], "port")

    def test_where_the_numbers_come_from(self):
        for usable, words, source in (
            (True, {}, "perf"),
            (False, {}, "count"),
            (True, {"exact": True}, "count"),
            (True, {"whole": True}, "count"),
            (True, {"sampler": True}, "sampler"),
            (False, {"vmm": "kvm-nested"}, "perf"),
        ):
            with mock.patch("qemu.kvm_usable", return_value=usable):
                self.assertEqual(profiling.Options(**words).source(), source)


if __name__ == "__main__":
    unittest.main()
