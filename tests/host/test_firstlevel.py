#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Sessions in a first level that a stand-in for QEMU plays, and what becomes of guest boots in one."""
import dataclasses
import os
import shutil
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "perf/host")]

import firstlevel
import nested
import qemu
from common import TernError
from initramfs import Archive

HERE = Path(__file__).resolve().parent


class Sessions(unittest.TestCase):
    """Every way in which a session can end."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="tern-level-"))
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.level = firstlevel.Level("the first level", self.folder / "k", "", Archive(), boot_timeout_s=0.7)
        patch = mock.patch.dict(os.environ, {"TERN_QEMU": str(HERE / "fake_level.py")})
        patch.start()
        self.addCleanup(patch.stop)

    def session(self, plays: str, tasks: int = 2) -> list[firstlevel.TaskEnd]:
        """Runs a session that goes as `plays` says."""
        made = [firstlevel.Task(f"t{number}", "true", 0.7) for number in range(tasks)]
        with mock.patch.dict(os.environ, {"FAKE_LEVEL": plays}):
            return firstlevel.session_run(self.level, made, self.folder / "work")

    def test_good(self):
        ends = self.session("boots 0=0 1=33 done")
        self.assertEqual([end.status for end in ends], [0, 33])
        self.assertEqual(ends[0].seconds, 2.25)
        self.assertEqual((ends[1].folder / "log.txt").read_text(), "VERDICT: SUCCESS\n")

    def test_never_up(self):
        for plays, words in (
            ("hang", "did not get on within 0.7 s before its Linux was up"),
            ("boots hang", "before the first task"),
            ("boots stop=no-kvm", "the first level: no-kvm"),
            ("exit=1", "status 1 before its Linux was up; QEMU says: qemu: something is wrong"),
            ("boots", "ended before the first task"),
        ):
            with self.assertRaisesRegex(TernError, words):
                self.session(plays)

    def test_asleep_for_ever(self):
        with mock.patch.object(firstlevel, "STOPPED_S", 0.3), self.assertRaisesRegex(TernError, "sleeps for ever before the first"):
            self.session("boots hang")
        self.assertTrue((self.folder / "work/machine.txt").is_file())

    def test_woken_by_a_key(self):
        with mock.patch.object(firstlevel, "FAINT_S", 0.1):
            ends = self.session("boots 0=0 key 1=33 done")
        self.assertEqual([end.status for end in ends], [0, 33])
        self.assertEqual((self.folder / "work/woken.txt").read_text(), "at task 1 of 2 (t0)\n")
        self.assertEqual(firstlevel.woken(self.folder / "work"), 1)
        self.assertEqual(firstlevel.woken(self.folder), 0)

    def test_busy_one_hears_a_key_now_and_then(self):
        with mock.patch.object(firstlevel, "KNOCK_S", 0.1):
            self.assertEqual([end.status for end in self.session("boots 0=0 key 1=33 done")], [0, 33])
        self.assertEqual(firstlevel.woken(self.folder / "work"), 0)

    def test_exact_one_is_left_alone(self):
        self.level = dataclasses.replace(self.level, exact=True)
        with mock.patch.object(firstlevel, "KNOCK_S", 0.1):
            self.assertEqual([end.status for end in self.session("boots 0=0 key 1=33 done")], [0, None])

    def test_console_is_shown(self):
        with self.assertRaisesRegex(TernError, r"(?s)did not get on.*\n    tern: ready"):
            self.session("boots hang")

    def test_hang_in_a_task_takes_nothing_from_those_before(self):
        start = time.monotonic()
        ends = self.session("boots 0=33 begins=1 hang", 3)
        self.assertLess(time.monotonic() - start, 10)
        self.assertEqual([end.status for end in ends], [33, None, None])
        self.assertRegex(ends[1].reason, r"within 0.7 s at task 2 of 3 \(t1\)")

    def test_power_off_in_a_task(self):
        ends = self.session("boots 0=0 begins=1")
        self.assertRegex(ends[1].reason, r"ended at task 2 of 2")

    def test_results_cut_short(self):
        ends = self.session("boots 0=0 cut done")
        self.assertEqual([end.status for end in ends], [None, None])
        self.assertTrue(all(end.reason for end in ends))

    def test_status_that_is_none(self):
        self.assertIsNone(self.session("boots 0=x done", 1)[0].status)

    def test_hostile_results(self):
        for name in ("../../evil", "/tmp/evil", "0000/../../evil"):
            with self.assertRaisesRegex(TernError, "no plain file"):
                self.session(f"boots evil={name} done")
        self.assertEqual(list(self.folder.parent.glob("evil")), [])

    def test_noise_does_not_put_off_the_end(self):
        start = time.monotonic()
        with mock.patch.object(firstlevel, "POWER_OFF_SECONDS", 0.5):
            with self.assertRaisesRegex(TernError, "no-kvm"):
                self.session("boots stop=no-kvm again")
            self.assertRegex(self.session("boots begins=0 again")[0].reason, "did not get on")
        self.assertLess(time.monotonic() - start, 10)

    def test_no_power_off(self):
        with mock.patch.object(firstlevel, "POWER_OFF_SECONDS", 0.5):
            self.assertEqual(self.session("boots 0=7 done hang", 1)[0].status, 7)

    def test_task_number_that_is_none(self):
        ends = self.session("boots 0=0 begins=77 done")
        self.assertEqual(ends[0].status, 0)

    def test_equal_names(self):
        with self.assertRaisesRegex(TernError, "one name"):
            firstlevel.archive_fill(self.level, [firstlevel.Task("a", "", 1), firstlevel.Task("a", "", 1)])


class Boots(unittest.TestCase):
    """A guest boot as a task, and back."""

    def end(self, status: int | None, *files: str) -> firstlevel.TaskEnd:
        """A task's end with empty files."""
        folder = Path(tempfile.mkdtemp(prefix="tern-boot-"))
        self.addCleanup(shutil.rmtree, folder, True)
        for name in files:
            (folder / name).touch()
        (folder / qemu.LOG_FILE).write_text("VERDICT: SUCCESS\n")
        return firstlevel.TaskEnd(status, 1.0, folder)

    def test_outcomes(self):
        boot = qemu.Boot()
        self.assertEqual(nested.outcome_make(boot, self.end(33)).judge()[0], qemu.End.SUCCESS)
        self.assertEqual(nested.outcome_make(boot, self.end(37)).judge()[0], qemu.End.PANIC)
        self.assertEqual(nested.outcome_make(boot, self.end(137, nested.LATE_FILE)).judge()[0], qemu.End.HANG)
        self.assertEqual(nested.outcome_make(boot, self.end(139)).status, -11)
        self.assertEqual(nested.outcome_make(boot, self.end(139)).judge()[0], qemu.End.CRASH)

    def test_command_is_that_of_the_first_level(self):
        boot = qemu.Boot(kernel=Path("/a b/k.elf"), initrd=Path("/x/i.img"), append="it's 1", smp=3, machine="microvm")
        inner, files = nested.inner_boot(boot, exact=False)
        self.assertEqual(sorted(files.values()), [Path("/a b/k.elf"), Path("/x/i.img")])
        task = nested.task_make(boot, "name", False)
        self.assertIn("-accel kvm -cpu host -smp 3", task.script)
        self.assertIn("'it'\"'\"'s 1'", task.script)
        self.assertNotIn("/a b/", task.script)
        self.assertEqual(str(inner.kernel), f"/{firstlevel.session_path(Path('/a b/k.elf'))}")
        with self.assertRaisesRegex(TernError, "plugin"):
            nested.inner_boot(qemu.Boot(plugin="x"), exact=False)

    def test_exact_guest_has_no_pv_eoi_unless_it_is_asked_for(self):
        for append, exact, wanted in (
            ("a=1", False, "a=1"),
            ("a=1", True, "a=1 kvm=-pv_eoi"),
            ("", True, "kvm=-pv_eoi"),
            ("kvm=all", True, "kvm=all"),
        ):
            self.assertEqual(nested.inner_boot(qemu.Boot(append=append), exact)[0].append, wanted)

    def test_different_files_have_different_places(self):
        self.assertNotEqual(firstlevel.session_path(Path("/a/b c")), firstlevel.session_path(Path("/a/b_c")))


if __name__ == "__main__":
    unittest.main()
