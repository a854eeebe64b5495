#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""./tern from the outside, with a played QEMU and dpkg: every way a run can end, and what it leaves."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "perf/host"))

import qemu
import stream

FAKE = ROOT / "tests/host/fake_qemu.py"


class Tern(unittest.TestCase):
    """A folder of its own for each test and a way to run ./tern there."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="tern-test-")
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.out = self.folder / "results"
        self.kernel = self.folder / "tern.elf"
        self.kernel.write_bytes(b"not really an ELF")
        (self.folder / "images").mkdir()
        for image in ("bench_cross", "bench_objects"):
            (self.folder / f"images/{image}.img").write_bytes(b"image")

    def environment(self, mode: str, **more: str) -> dict[str, str]:
        return {**os.environ, "TERN_QEMU": str(FAKE), "FAKE_QEMU": mode, "TERN_INSTALL": "no", **more}

    def bench(self, mode: str, *words: str, **more: str) -> subprocess.CompletedProcess:
        line = [
            str(ROOT / "perf/host/cli.py"),
            "bench",
            "--kernel",
            str(self.kernel),
            "--out",
            str(self.out),
            *words,
        ]
        return subprocess.run(
            line,
            env=self.environment(mode, **more),
            capture_output=True,
            text=True,
            timeout=60,
            cwd=self.folder,
            check=False,
        )

    def machines_alive(self) -> list[str]:
        """Command lines of played machines of this test that still run."""
        lines = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                lines.append(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
            except OSError:
                continue
        return [line for line in lines if "fake_qemu.py" in line and str(self.kernel) in line]

    def document(self) -> dict:
        return json.loads((self.out / "latest/results.json").read_text())

    def assert_no_result(self, run: subprocess.CompletedProcess, says: str, status: int = 1) -> None:
        """One clear line at the end of stderr, a failing status, nothing that looks like a result."""
        last = run.stderr.splitlines()[-1]
        self.assertRegex(last, "^tern: ")
        self.assertIn(says, last)
        self.assertEqual(run.returncode, status, run.stderr)
        self.assertNotIn("Traceback", run.stderr)
        self.assertEqual([path.name for path in self.out.glob("*") if path.name != "failed"], [])
        self.assertEqual(list(self.out.glob(".*")), [])
        self.assertEqual(run.stdout, "")


@unittest.skipIf(qemu.kvm_usable(), "the played guest counts instructions, as without KVM")
class BenchEnds(Tern):
    """Each way a guest can end."""

    def test_success_leaves_every_file(self):
        run = self.bench("success")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertIn(f"{qemu.kvm_lack()}: counts are guest instructions, not time", run.stdout)
        latest = self.out / "latest"
        self.assertTrue(latest.is_symlink())
        names = sorted(str(path.relative_to(latest)) for path in latest.rglob("*") if path.is_file())
        self.assertEqual(
            names,
            [
                "console-objects.log",
                "console-sysenter.log",
                "console.log",
                "gbench.json",
                "hgrm/channel.call.group.1.instructions.hgrm",
                "hgrm/channel.call.same_cpu.0.instructions.hgrm",
                "hgrm/syscall.null.instructions.hgrm",
                "latency-objects.hlog",
                "latency-sysenter.hlog",
                "latency.hlog",
                "metrics.prom",
                "results.json",
            ],
        )
        self.assertIn("VERDICT: SUCCESS", (latest / "console.log").read_text())
        self.assertTrue(stream.read((latest / "latency.hlog").read_bytes()).records)

    def test_figures_are_exact_and_per_operation(self):
        self.bench("success")
        call, null, group = self.document()["benches"]
        self.assertEqual(group["name"], "channel.call.group.1")
        self.assertEqual(
            {
                key: call[key]
                for key in ("count", "min", "p50", "p99", "p999", "max", "mean", "cold", "budget")
            },
            {
                "count": 1000,
                "min": 201,
                "p50": 201,
                "p99": 201,
                "p999": 5000,
                "max": 5000,
                "mean": 248.99,
                "cold": 900,
                "budget": 260,
            },
        )
        self.assertEqual(call["verdict"], "within budget")
        self.assertEqual((null["ops"], null["p50"], null["overhead"], null["cold"]), (100, 40, 3, None))
        environment = self.document()["environment"]
        self.assertEqual(
            (environment["clock_source"], environment["icount"], environment["tsc_khz"]),
            ("pit", True, 1000000),
        )
        self.assertEqual(environment["command_line"], "unit=instructions")

    def test_panic(self):
        run = self.bench("panic")
        self.assert_no_result(run, "the guest panicked: [    0.003] panic: panic=test")
        self.assertIn("    [    0.003]   kernel_main+0x12", run.stderr)
        self.assertTrue((self.out / "failed/log.txt").is_file())

    def test_hang(self):
        self.assert_no_result(self.bench("hang", "--timeout", "0.5"), "the guest hangs")

    def test_silent(self):
        self.assert_no_result(self.bench("silent", "--timeout", "0.5"), "said nothing in 0.5 s")

    def test_other_ends(self):
        for mode, says in (
            ("truncated", "cut short"),
            ("wrong_verdict", "verdict is FAILURE: it broke"),
            ("no_verdict", "never said VERDICT: SUCCESS"),
            ("killed", "signal 9 (SIGKILL)"),
            ("refused", "refused its command line or image"),
            ("reset", "without a verdict"),
            ("failure", "reports a failure"),
            ("no_histograms", "no histogram arrived"),
            ("wrong_unit", "in ns, not in instructions"),
            ("qemu_error", "unsupported machine type"),
        ):
            with self.subTest(mode):
                self.assert_no_result(self.bench(mode), says)

    def test_log_from_serial_line_counts(self):
        self.assertEqual(self.bench("late_serial").returncode, 0)

    def test_qemu_missing(self):
        run = self.bench("success", TERN_QEMU="/nonexistent/qemu")
        self.assertIn("tern: /nonexistent/qemu is missing; install qemu-system-x86", run.stderr)
        self.assertEqual(run.returncode, 1)

    def test_interrupt_stops_the_machine(self):
        line = [str(ROOT / "perf/host/cli.py"), "bench", "--kernel", str(self.kernel), "--out", str(self.out)]
        process = subprocess.Popen(
            line,
            env=self.environment("hang"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background job's is ignored
        )
        boot = ROOT / f"build/boots/bench-{process.pid}/bench-0"
        deadline = time.monotonic() + 20
        while not (boot / "hist.txt").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(len(self.machines_alive()), 1)
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=20)
        self.assertEqual((process.returncode, out), (130, ""))
        self.assertRegex(error, "tern: interrupted; (the virtual machine|everything it started) was stopped")
        self.assertFalse(boot.exists())
        self.assertEqual(self.machines_alive(), [])

    def test_boots_must_agree(self):
        self.assertEqual(self.bench("success", "--boots", "3").returncode, 0)
        self.assertEqual([row["boot"] for row in self.document()["benches"]], [0, 0, 1, 1, 2, 2, 0, 1, 2])
        self.out.joinpath("latest").unlink()
        run = self.bench("changing", "--boots", "2", FAKE_QEMU_COUNT=str(self.folder / "count"))
        self.assertIn("tern: not deterministic: channel.call.same_cpu.0: ", run.stderr)
        self.assertEqual(run.returncode, 1)
        self.assertFalse((self.out / "latest").exists())

    def test_cross_cpu_rows_are_no_speed(self):
        run = self.bench("success", "--smp", "2")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("not a speed", run.stdout)
        told = [(row["name"], row["unit"], row["budget"]) for row in self.document()["benches"]]
        self.assertEqual(
            told,
            [
                ("channel.call.same_cpu.0", "instructions", 260),
                ("syscall.null", "instructions", 40),
                ("channel.call.group.1", "instructions", None),
                ("channel.call.cross_cpu.0", "emulated-ns", None),
            ],
        )
        self.assertEqual(self.document()["environment_cross_cpu"]["icount"], False)

    def test_names_choose_rows(self):
        self.assertEqual(self.bench("success", "syscall").returncode, 0)
        self.assertEqual([row["name"] for row in self.document()["benches"]], ["syscall.null"])
        run = self.bench("success", "nonsense")
        self.assertIn(
            "no bench matches nonsense; there are: channel.call.same_cpu.0, syscall.null", run.stderr
        )

    def test_unwritable_out(self):
        self.out.write_text("a file in the way")
        run = self.bench("success")
        self.assertRegex(
            run.stderr, "^tern: cannot write results below .*; free space or choose --out DIR\n$"
        )
        self.assertEqual(run.returncode, 1)

    def test_full_disk(self):
        if os.getuid() != 0:
            self.skipTest("needs root to mount a small disk")
        script = (
            'mkdir -p "$1" && mount -t tmpfs -o size=16k tmpfs "$1" && shift && "$@"; s=$?; '
            'ls -A "$OUT"; exit $s'
        )
        line = [
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            script,
            "sh",
            str(self.out),
            str(ROOT / "perf/host/cli.py"),
            "bench",
            "--kernel",
            str(self.kernel),
            "--out",
            str(self.out),
        ]
        run = subprocess.run(
            line,
            env=self.environment("success", OUT=str(self.out)),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if "mount" in run.stderr or "unshare" in run.stderr:
            self.skipTest("cannot mount here")
        self.assertRegex(
            run.stderr, "^tern: cannot write results below .*No space left on device; free space"
        )
        self.assertEqual((run.returncode, run.stdout), (1, ""))

    def test_dry_run_prints_the_command(self):
        run = self.bench("success", "--dry-run", "--vmm", "microvm")
        self.assertEqual(run.returncode, 0)
        for part in (
            "-M microvm",
            "shift=0,sleep=off",
            "virtio-mmio.force-legacy=false",
            "name=org.tern.hist",
            "isa-debug-exit,iobase=0xf4,iosize=0x4",
            "-append unit=instructions",
        ):
            self.assertIn(part, run.stdout)
        self.assertFalse(self.out.exists())


class Usage(Tern):
    """Wrong words end with one line and status 2."""

    def test_wrong_words(self):
        for words in (
            ["--smp", "0"],
            ["--smp", "65"],
            ["--smp", "two"],
            ["--smp", "-1"],
            ["--boots", "0"],
            ["--timeout", "nan"],
            ["--vmm", "vax"],
        ):
            with self.subTest(words):
                run = self.bench("success", *words)
                self.assertEqual(run.returncode, 2)
                self.assertRegex(run.stderr, "^tern: [^\n]*see ./tern bench --help\n$")

    def test_help_of_every_command(self):
        for command in ("bench", "profile", "run", "ctl", "check", "iso"):
            run = subprocess.run(
                [ROOT / "tern", command, "--help"], capture_output=True, text=True, cwd="/", check=False
            )
            self.assertEqual(run.returncode, 0)
            self.assertIn(f"tern {command}", run.stdout)


class Launcher(Tern):
    """Packages: dpkg-query, id, sudo and apt-get are played by scripts that log their calls."""

    def launch(self, *words: str, missing: str = "", user: int = 0, sudo: bool = False, **more: str):
        """Runs ./tern with `missing` packages; returns the run and the calls of apt-get."""
        tools = self.folder / "bin"
        tools.mkdir()
        scripts = {
            "dpkg-query": f'shift 3; for p; do case " {missing} " in'
            ' *" $p "*) ;; *) echo "installed $p";; esac; done',
            "id": f"echo {user}",
            "apt-get": f'echo "$@" >>{self.folder}/calls; readlink /proc/self/fd/0 >>{self.folder}/calls',
        }
        if sudo:
            scripts["sudo"] = f'echo sudo >>{self.folder}/calls; exec "$@"'
        for name, text in scripts.items():
            (tools / name).write_text(f"#!/bin/sh\n{text}\n")
            (tools / name).chmod(0o755)
        path = f"{tools}:/usr/bin:/bin" if sudo or user == 0 else f"{tools}:{self.tools_without_sudo()}"
        link = self.folder / "link"
        link.symlink_to(ROOT / "tern")
        run = subprocess.run(
            [link, *words],
            env={"PATH": path, **more},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        calls = self.folder / "calls"
        return run, calls.read_text().splitlines() if calls.exists() else []

    def tools_without_sudo(self) -> Path:
        """A folder with what the launcher calls and no sudo."""
        folder = self.folder / "few"
        folder.mkdir()
        for name in (
            "sh",
            "env",
            "readlink",
            "dirname",
            "awk",
            "sed",
            "tr",
            "cut",
            "tail",
            "mktemp",
            "rm",
            "cat",
        ):
            (folder / name).symlink_to(f"/usr/bin/{name}")
        return folder

    def test_nothing_missing_asks_no_network(self):
        run, calls = self.launch("bench", "--smp", "0")
        self.assertEqual(calls, [])
        self.assertEqual(run.returncode, 2)

    def test_says_what_and_why_then_installs(self):
        run, calls = self.launch("bench", "--smp", "0", missing="make gcc")
        self.assertRegex(
            run.stderr, r"^tern: `bench` first installs Debian packages: make \(drives the build\), gcc \("
        )
        self.assertEqual(calls[0], "-q update")
        self.assertRegex(calls[2], r"-y --no-install-recommends .*install make gcc$")
        self.assertEqual(calls[1::2], ["/dev/null", "/dev/null"])

    def test_sets_follow_the_command(self):
        _, calls = self.launch("iso", "--nonsense", missing="xorriso spin")
        self.assertTrue(calls[2].endswith("install xorriso"))

    def test_packages_of_a_set_and_nothing_else(self):
        run, calls = self.launch("packages", "peers", missing="libck-dev qemu-system-x86")
        self.assertTrue(calls[2].endswith("install libck-dev"))
        self.assertEqual((run.returncode, run.stdout), (0, ""))

    def test_refuses_when_told(self):
        run, calls = self.launch("check", missing="spin", TERN_INSTALL="no")
        self.assertEqual((run.returncode, calls), (1, []))
        self.assertRegex(
            run.stderr, "^tern: `check` lacks packages .*apt-get install --no-install-recommends spin\n$"
        )

    def test_uses_sudo(self):
        _, calls = self.launch("bench", "--smp", "0", missing="make", user=1000, sudo=True)
        self.assertEqual(calls[:2], ["sudo", "-q update"])

    def test_neither_root_nor_sudo(self):
        run, calls = self.launch("bench", missing="make", user=1000)
        self.assertEqual((run.returncode, calls), (1, []))
        self.assertIn("run as root: apt-get update && apt-get install", run.stderr)


if __name__ == "__main__":
    unittest.main()
