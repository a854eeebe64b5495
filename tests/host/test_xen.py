#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Guests of Xen, as dom0 and by xl: command lines, configurations, and what is made of consoles, reasons and crashes."""
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "perf/host"), str(ROOT / "ci")]

import firstlevel
import frames
import guest_tests
import jobs
import places
import qemu
import xen
import xen_dom0
import xen_domu
from common import TernError

XEN = b"(XEN) [    2.1] Freed 656kB init memory\r\n(d0) [    3.6] [  0.0] Tern, by PVH\r\n(d7) [    3.7] other\r\n"
PANIC = b"(XEN) ****************************************\r\n(XEN) Panic on CPU 1:\r\n(XEN) GENERAL PROTECTION FAULT\r\n"


def framed(log: str, histograms: bytes = b"#[x]\n") -> bytes:
    """A guest's console."""
    return frames.Framer("log").encode(log.encode()) + frames.Framer("hist").encode(histograms)


class Folder(unittest.TestCase):
    """Tests with a folder."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="tern-xen-"))
        self.addCleanup(shutil.rmtree, self.folder, True)


class Console(Folder):
    """What Xen's console and the guest's tell."""

    def test_crashes(self):
        for console, words in (
            (XEN, ""),
            (PANIC, "Xen says: Panic on CPU 1: (XEN) GENERAL PROTECTION FAULT"),
            (b"(XEN) d0v0 Triple fault - invoking HVM shutdown action 1\r\n", "Xen says: d0v0 Triple fault - invoking HVM shutdown"),
            (b"(XEN) *** Dumping Dom1 vcpu#0 state: ***\n", "Xen says: *** Dumping Dom1 vcpu#0 state"),
            (b"\xff" * 99 + b"(XEN) Domain 3 (vcpu#0) crashed on cpu#1:\n", "Xen says: Domain 3"),
        ):
            found = xen.crash_find(console)
            self.assertTrue(found.startswith(words) and bool(found) is bool(words), found)

    def test_early_log_is_that_of_the_domain(self):
        self.assertEqual(xen.early_log(XEN, 0), b"[  0.0] Tern, by PVH\n")
        self.assertEqual(xen.early_log(XEN, None), b"other\n")

    def test_streams(self):
        said = "[  0.0] Tern, by PVH\n" * 9
        self.assertEqual(xen.streams_write(self.folder, framed(said), XEN, 0), "")
        self.assertEqual((self.folder / qemu.LOG_FILE).read_text(), said)
        self.assertEqual((self.folder / qemu.HIST_FILE).read_bytes(), b"#[x]\n")

    def test_guest_that_died_before_its_console(self):
        self.assertEqual(xen.streams_write(self.folder, b"", XEN, 0), "")
        self.assertEqual((self.folder / qemu.LOG_FILE).read_text(), "[  0.0] Tern, by PVH\n")

    def test_damage_and_reboot_are_flaws(self):
        console = framed("a\n" * 100)
        self.assertIn("damaged: line 2: log goes on with frame 0001", xen.streams_write(self.folder, console[1:], XEN, 0))
        self.assertIn("booted again", xen.streams_write(self.folder, console + console, XEN, 0))

    def test_a_flaw_outweighs_every_status(self):
        outcome = qemu.Outcome(33, 1.0, "VERDICT: SUCCESS\n", b"", "", 9.0, flaw="Xen says: x", console="(XEN) end\n")
        self.assertEqual(outcome.judge(), (qemu.End.CRASH, "Xen says: x"))
        self.assertEqual(outcome.last_lines(), ["(XEN) end"])


class Dom0(unittest.TestCase):
    """Xen's command line and QEMU's."""

    def line(self, exact: bool, **more) -> list[str]:
        boot = qemu.Boot(kernel=Path("/k,k/tern.elf"), **more)
        return xen_dom0.command(boot, Path("/xen.elf"), exact)

    def value(self, line: list[str], option: str) -> str:
        return line[line.index(option) + 1]

    def test_modules(self):
        line = self.line(False, initrd=Path("/i/x.img"), append="bench=a,b", smp=8)
        self.assertEqual(self.value(line, "-initrd"), "/k,,k/tern.elf bench=a,,b,/i/x.img")
        self.assertIn("dom0_max_vcpus=8", self.value(line, "-append"))
        self.assertEqual(self.value(line, "-smp"), "1")

    def test_line_is_knocked_at(self):
        with tempfile.TemporaryDirectory(prefix="tern-line-") as folder, socket.socket(socket.AF_UNIX) as listener:
            path = Path(folder, xen_dom0.LINE_FILE)
            knocker = xen_dom0.Knocker(path)
            knocker.since -= xen_dom0.KNOCK_S
            knocker.look()  # nobody listens yet
            listener.bind(str(path))
            listener.listen(1)
            knocker.look()  # too soon
            listener.settimeout(0.1)
            self.assertRaises(TimeoutError, listener.accept)
            knocker.since -= xen_dom0.KNOCK_S
            knocker.look()
            with listener.accept()[0] as link:
                self.assertEqual(link.recv(10), b"\0")

    def test_no_image(self):
        self.assertEqual(self.value(self.line(True), "-initrd"), "/k,,k/tern.elf")

    def test_exact_has_one_cpu_and_no_wall_clock(self):
        line = self.line(True)
        self.assertEqual((self.value(line, "-smp"), self.value(line, "-icount")), ("1", "shift=0,sleep=off"))

    def test_cpu_without_what_kills_xen(self):
        self.assertEqual(self.value(self.line(False), "-cpu"), "EPYC,-monitor,-smap")


class DomU(Folder):
    """What xl is told, and what its answer means."""

    def setUp(self):
        super().setUp()
        self.kernel = self.folder / "tern.elf"
        self.kernel.write_bytes(b"x")

    def outcome(self, status: int | None, log: str, boot: qemu.Boot | None = None, hypervisor: bytes = b"", **files: str):
        """The outcome of a task that ended so."""
        (self.folder / xen_domu.GUEST_CONSOLE_FILE).write_bytes(framed(log) if log else b"")
        (self.folder / xen_domu.XEN_FILE).write_bytes(hypervisor)
        for name, text in files.items():
            (self.folder / f"{name}.txt").write_text(text)
        return xen_domu.outcome_make(boot or qemu.Boot(), firstlevel.TaskEnd(status, 1.5, self.folder))

    def test_configuration(self):
        text = xen_domu.config_text(qemu.Boot(smp=3, append='bench="a b"'), "tern-1", "/k", "/r")
        for line in ('type = "pvh"', "vcpus = 3", "cmdline = 'bench=\"a b\"'", 'kernel = "/k"', 'ramdisk = "/r"', 'tsc_mode = "native"'):
            self.assertIn(f"{line}\n", text)
        self.assertNotIn("ramdisk", xen_domu.config_text(qemu.Boot(), "t", "/k", ""))
        with self.assertRaisesRegex(TernError, "quotes"):
            xen_domu.config_text(qemu.Boot(append="'\""), "t", "/k", "")
        with self.assertRaisesRegex(TernError, "quotes"):
            xen_domu.config_text(qemu.Boot(append="a\nb"), "t", "/k", "")

    def test_configuration_has_the_keys_of_the_sample(self):
        sample = ROOT / "perf/vmm/xen/pvh.cfg"
        if not sample.is_file():
            self.skipTest("no sample yet")
        keys = {line.split("=")[0].strip() for line in sample.read_text().splitlines() if "=" in line and line[0] != "#"}
        boot = qemu.Boot(append="x")
        ours = {line.split("=")[0].strip() for line in xen_domu.config_text(boot, "t", "/k", "/r").splitlines()}
        self.assertEqual(ours - keys - {"on_watchdog"}, set())

    def test_script_is_one_for_the_shell(self):
        boot = qemu.Boot(kernel=self.kernel, append="a='b c' $x", xl=("suspend", "shutdown"))
        script = xen_domu.task_make(boot, "3-name", False).script
        (self.folder / "s").write_text(script)
        run = subprocess.run(["sh", "-n", str(self.folder / "s")], capture_output=True, text=True, check=False, timeout=20)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertIn("control/shutdown suspend", script)
        self.assertIn("xl shutdown -w tern-3", script)
        self.assertIn("<<'END'", script)

    def test_console_gets_one_frame(self):
        script = xen_domu.ask_script("t", ["control"])
        terminal = "$(xenstore-read /local/domain/$(xl domid t)/console/tty)"
        line = next(line for line in script.splitlines() if "printf" in line).replace(terminal, "out")
        self.assertIn(" >out || return", line)
        subprocess.run(["sh", "-c", line.replace("|| return", "")], cwd=self.folder, check=True, timeout=20)
        heard = frames.unframe((self.folder / "out").read_bytes())
        self.assertEqual((bytes(heard.streams["control"]), heard.error()), (b"\npower off 300\n", ""))

    def test_what_a_guest_has_not(self):
        for boot in (qemu.Boot(cdrom=Path("/x")), qemu.Boot(kernel=self.kernel, typed="x"), qemu.Boot(kernel=self.kernel, plugin="x")):
            with self.assertRaisesRegex(TernError, "a PVH guest boots no ISO"):
                xen_domu.task_make(boot, "0-x", False)

    def test_good_end(self):
        outcome = self.outcome(64, "VERDICT: SUCCESS\n[ 1.0] the machine ends, exit status 33\n")
        self.assertEqual((outcome.status, outcome.ended, outcome.judge()[0]), (33, "poweroff", qemu.End.SUCCESS))
        self.assertEqual((outcome.histograms, outcome.seconds), (b"#[x]\n", 1.5))

    def test_other_statuses(self):
        for told, reason, end in ((35, 64, qemu.End.FAILURE), (39, 64, qemu.End.REFUSED), (37, 67, qemu.End.PANIC)):
            outcome = self.outcome(reason, f"x\nthe machine ends, exit status {told}\n")
            self.assertEqual((outcome.status, outcome.judge()[0]), (told, end))

    def test_lies_and_silence(self):
        for status, log, words in (
            (67, "the machine ends, exit status 33\n", "exit status 33, xl says crash"),
            (64, "the machine ends, exit status 37\n", "exit status 37, xl says poweroff"),
            (64, "VERDICT: SUCCESS\n", "its log does not say how"),
            (1, "VERDICT: SUCCESS\n", "neither late nor a reason"),
        ):
            self.assertIn(words, self.outcome(status, log).flaw)

    def test_triple_fault(self):
        outcome = self.outcome(65, "x\n", hypervisor=b"(XEN) d1v0 Triple fault - invoking HVM shutdown action 1\n")
        self.assertEqual(outcome.judge(), (qemu.End.CRASH, "Xen says: d1v0 Triple fault - invoking HVM shutdown action 1"))

    def test_late_and_not_made(self):
        self.assertEqual(self.outcome(xen_domu.LATE, "x\n").judge()[0], qemu.End.HANG)
        outcome = self.outcome(xen_domu.NOT_MADE, "", xl="Parsing\nxl: no loader found\n")
        self.assertIn("xl create fails: xl: no loader found", outcome.flaw)

    def test_what_was_asked_must_be_done(self):
        boot = qemu.Boot(xl=("shutdown",))
        log = "the machine ends, exit status 33\n"
        self.assertIn("xl fails; it says: no such domain", self.outcome(64, log, boot, asked="no such domain\n").flaw)
        self.assertEqual(self.outcome(64, log, boot, asked=f"x\n{xen_domu.ASKED_DONE}\n").flaw, "")

    def test_commands_without_packages(self):
        with mock.patch("debcache.packages_peek", lambda names: None):
            lines = xen_domu.commands_shown([qemu.Boot(kernel=self.kernel)], True)
        self.assertEqual((lines[1][:2], len(lines)), (["xl", "create"], 2))
        self.assertIn("vmlinuz-amd64", lines[0][lines[0].index("-initrd") + 1])


class Places(unittest.TestCase):
    """Which guest tests run on Xen."""

    def reasons(self, place: str, **keys: dict[str, str]) -> list[str]:
        """Why each section's test does not run there."""
        tests = [test for section, words in keys.items() for test in guest_tests.section_expand(section, words)]
        with mock.patch("guest_tests.tests_read", lambda: tests):
            return [places.refusal(test, places.PLACES[place])[:14] for test in places.tests_on(places.PLACES[place])]

    def test_refusals(self):
        sections = {
            "a": {},
            "b": {"machine": "microvm"},
            "c": {"boot": "iso"},
            "d": {"device": "edu"},
            "e": {"virtio": "none"},
            "f": {"type": "x", "prompt": "y"},
            "g": {"cpu": "-smap"},
            "h": {"cpu": "+la57"},
            "i": {"accel": "icount", "smp": "2"},
            "j": {"entry": "sysenter"},
            "k": {"xl": "shutdown", "ends": "poweroff"},
        }
        common = ["", "it is about th", "Xen boots kern", "Xen hands no d", "there is no vi", "there is no se", "", "Xen runs on on",
                  "it is about CP", "an AMD CPU has"]  # fmt: skip
        self.assertEqual(self.reasons("xen-domu", **sections), [*common, ""])
        self.assertEqual(self.reasons("xen-dom0", **sections), [*common, "it is about a "])
        self.assertEqual(self.reasons("kvm-q35", k=sections["k"]), ["it is about xl"])

    def test_what_xl_asks_is_no_direct_boot(self):
        tests = guest_tests.section_expand("k", {"xl": "suspend shutdown", "ends": "poweroff"})
        with mock.patch("guest_tests.tests_read", lambda: tests):
            self.assertEqual(guest_tests.guest_jobs(), [])

    def test_end_that_xl_sees(self):
        (test,) = guest_tests.section_expand("k", {"xl": "reboot", "ends": "reboot", "expect": "33"})
        for ended, good in (("reboot", True), ("poweroff", False), ("", False)):
            outcome = qemu.Outcome(33, 1.0, "x\n", b"", "", 9.0, ended=ended)
            if good:
                guest_tests.outcome_check(test, outcome)
            else:
                with self.assertRaisesRegex(jobs.Failed, "expected that xl sees reboot"):
                    guest_tests.outcome_check(test, outcome)

    def test_flaw_fails_whatever_is_expected(self):
        (test,) = guest_tests.section_expand("k", {"expect": "37"})
        with self.assertRaisesRegex(jobs.Failed, "Xen says: x"):
            guest_tests.outcome_check(test, qemu.Outcome(37, 1.0, "x\n", b"", "", 9.0, flaw="Xen says: x"))


if __name__ == "__main__":
    unittest.main()
