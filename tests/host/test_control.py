# SPDX-License-Identifier: MIT
"""`tern ctl` against a played guest: how it finds one, what it sends, what it makes of what comes back."""
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "perf/host"))

import control
import qemu

FAKE = ROOT / "tests/host/fake_qemu.py"
Reply = Callable[[str, str], bytes]  # of tag and request


def said(tag: str, **more) -> bytes:
    """A line as a guest writes it."""
    return json.dumps({"id": 1, "tag": tag, "module": "m", "type": "t", "status": "OK", **more}).encode() + b"\n"


class Guest:
    """Listens on a socket and gives each client whatever `reply` makes of its request."""

    def __init__(self, path: Path, reply: Reply) -> None:
        self.path = path
        self.reply = reply
        self.requests: list[str] = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(4)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self.listener.accept()[0]
                with client, client.makefile("rb") as lines, contextlib.suppress(OSError):
                    for line in lines:
                        if not line.strip():
                            continue
                        tag, _, request = line.decode().rstrip("\n").partition(" ")
                        self.requests.append(request)
                        client.sendall(self.reply(tag.removeprefix("#"), request))
                        if self.reply is hang_up:
                            break

    def close(self) -> None:
        """Nobody listens any more; the socket's file stays."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)


def hang_up(tag: str, request: str) -> bytes:
    """A reply of nothing, and the connection ends."""
    del tag, request
    return b""


class Control(unittest.TestCase):
    """A runtime folder of its own for each test."""

    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory(prefix="tern-", dir="/tmp")
        self.addCleanup(temporary.cleanup)
        self.base = Path(temporary.name)
        self.folder = self.base / "tern"
        self.folder.mkdir(mode=0o700)

    def guest(self, reply: Reply, name: str = "play-1") -> Guest:
        guest = Guest(self.folder / f"{name}.sock", reply)
        self.addCleanup(lambda: guest.thread.is_alive() and guest.close())
        return guest

    def tern(self, *words: str, **more: str) -> subprocess.CompletedProcess:
        environment = {**os.environ, "XDG_RUNTIME_DIR": str(self.base), **more}
        line = [ROOT / "perf/host/cli.py", *words]
        return subprocess.run(
            line, env=environment, capture_output=True, text=True, timeout=60, cwd=self.base, check=False
        )

    def ctl(self, *words: str) -> subprocess.CompletedProcess:
        return self.tern("ctl", *words)

    def assert_refused(self, run: subprocess.CompletedProcess, says: str, status: int = 1) -> None:
        """One line on stderr and nothing else."""
        self.assertEqual((run.returncode, run.stdout, run.stderr.count("\n")), (status, "", 1), run.stderr)
        self.assertRegex(run.stderr, "^tern: ")
        self.assertIn(says, run.stderr)


class Answers(Control):
    """What comes back becomes output and exit status."""

    def test_request_and_answer(self):
        guest = self.guest(lambda tag, _: said(tag, answer={"khz": 1000, "source": "pit", "emulated": False}))
        run = self.ctl("clock", "get_stats", "some", "payload")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertEqual(run.stdout, 'khz       1000\nsource    pit\nemulated  false\n')
        self.assertEqual(guest.requests, ["clock get_stats some payload"])

    def test_json_is_the_whole_answer(self):
        self.guest(lambda tag, _: said(tag, answer={"a": 1}))
        run = self.ctl("m", "t", "--json")
        answer = json.loads(run.stdout)
        self.assertEqual((run.returncode, answer["status"], answer["answer"]), (0, "OK", {"a": 1}))

    def test_table(self):
        rows = [{"cpu": 0, "level": "polling"}, {"cpu": 10, "level": "halted"}]
        self.guest(lambda tag, _: said(tag, answer={"cpus": rows, "none": []}))
        lines = self.ctl("m", "t").stdout.splitlines()
        self.assertEqual(lines, ["cpus:", "  cpu  level", "    0  polling", "   10  halted", "none  []"])

    def test_text_cannot_move_the_cursor(self):
        self.guest(lambda tag, _: said(tag, answer="two\nlines \x1b[2J\x9b"))
        self.assertEqual(self.ctl("m", "t").stdout, "two\nlines \\x1b[2J\\x9b\n")

    def test_refusal(self):
        self.guest(lambda tag, _: said(tag, status="NOT_FOUND", error="no module has this name"))
        self.assert_refused(self.ctl("m", "t"), "m t: NOT_FOUND: no module has this name")
        run = self.ctl("m", "t", "--json")
        self.assertEqual((run.returncode, json.loads(run.stdout)["status"], run.stderr), (1, "NOT_FOUND", ""))

    def test_broadcast(self):
        answers = [
            {"module": "clock", "status": "OK", "answer": {"khz": 7}},
            {"module": "mine", "status": "UNIMPLEMENTED", "error": "no"},
        ]
        guest = self.guest(lambda tag, _: said(tag, module="*", answers=answers))
        run = self.ctl("*", "get_stats")
        self.assertEqual((run.returncode, guest.requests), (0, ["* get_stats"]))
        self.assertEqual(run.stdout, "clock:\n  khz  7\nmine:\n  UNIMPLEMENTED: no\n")

    def test_answer_in_pieces_behind_those_of_others(self):
        def reply(tag: str, _: str) -> bytes:
            return b'the end of another"}\n' + said("0000") + said(tag, answer={"mine": 1})

        self.guest(reply)
        self.assertEqual(self.ctl("m", "t").stdout, "mine  1\n")

    def test_answer_byte_by_byte(self):
        asked = control.Asked("t")
        line = said("t", answer="x")
        answers = [asked.take(line[i : i + 1]) for i in range(len(line))]
        self.assertEqual([answer is not None for answer in answers], [False] * (len(line) - 1) + [True])

    def test_end_is_not_waited_for_for_ever(self):
        asked = control.Asked("t")
        with self.assertRaisesRegex(control.TernError, "no end"):
            for _ in range(100):
                asked.take(b"x" * (control.ANSWER_MAX // 50))


class Ends(Control):
    """Every way not to get an answer is one line."""

    def test_nobody_answers(self):
        self.guest(lambda tag, _: b"")
        self.assert_refused(self.ctl("m", "t", "--timeout", "0.3"), "play-1 does not answer within 0.3 s")

    def test_no_json(self):
        self.guest(lambda tag, _: b"segmentation fault\n")
        self.assert_refused(self.ctl("m", "t", "--timeout", "0.3"), "is no JSON answer to this request: b'segm")

    def test_json_of_another_kind(self):
        for line in (b"[1]\n", b'{"tag": 3}\n', b"[" * 100000 + b"\n", b"7\n", b"\xff\n"):
            asked = control.Asked("t")
            self.assertIsNone(asked.take(line))
            self.assertEqual(asked.skipped, line[:-1])

    def test_hangs_up(self):
        self.guest(hang_up)
        self.assert_refused(self.ctl("m", "t"), "closed the connection")

    def test_no_guest(self):
        self.assert_refused(self.ctl("help"), "no guest with a control port runs; start one: ./tern run")
        self.assert_refused(self.ctl("help", "--guest", "play-7"), "no guest play-7 runs")

    def test_several_guests(self):
        first, second = (self.guest(lambda tag, _, n=n: said(tag, answer=n), f"play-{n}") for n in (1, 2))
        self.assert_refused(self.ctl("help"), "several guests run; choose with --guest: play-1, play-2")
        self.assertEqual(self.ctl("help", "--guest", "play-2").stdout, "2\n")
        self.assertEqual(self.ctl("help", "--guest", str(first.path)).stdout, "1\n")
        self.assert_refused(self.ctl("help", "--guest", "play-3"), "no guest play-3 runs; there are: play-1, play-2")
        second.close()
        self.assertEqual(self.ctl("help").stdout, "1\n")

    def test_stale_socket(self):
        guest = self.guest(hang_up)
        guest.close()
        self.assertTrue(guest.path.exists())
        self.assert_refused(self.ctl("help"), "no guest with a control port runs")
        self.assert_refused(self.ctl("help", "--guest", str(guest.path)), "nobody listens on")
        self.assert_refused(self.ctl("help", "--guest", f"{self.folder}/none"), "there is no socket")

    def test_folder_of_somebody_else(self):
        self.folder.chmod(0o777)
        self.assert_refused(self.ctl("help"), "not a folder of yours alone")
        self.folder.rmdir()
        self.folder.symlink_to("/tmp")
        self.assert_refused(self.ctl("help"), "not a folder of yours alone")

    def test_usage(self):
        self.assert_refused(self.ctl("m", "two\nlines", "--guest", "/x/y"), "a request is one line", 2)
        self.assertEqual(self.ctl().returncode, 2)
        self.assertEqual(self.ctl("m", "t", "--timeout", "0").returncode, 2)


class Machines(Control):
    """The port on QEMU's command line, and the socket's life."""

    def command(self, *words: str) -> str:
        kernel = self.base / "tern.elf"
        kernel.touch()
        run = self.tern(*words, "--kernel", str(kernel), "--dry-run")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        return run.stdout

    def test_run_has_the_port_on_every_machine(self):
        self.folder.rmdir()
        for machine, device in (("q35", "virtio-serial-pci"), ("pc", "virtio-serial-pci"), ("microvm", "virtio-serial-device")):
            line = self.command("run", "--vmm", machine)
            socket_option = rf"-chardev socket,id=control,path={self.folder}/uppercase-\d+\.sock,server=on,wait=off "
            self.assertRegex(line, socket_option + "-device virtserialport,chardev=control,name=org.tern.control ")
            self.assertIn(f"-device {device}", line)
            self.assertNotIn("org.tern.log", line)
        self.assertFalse(self.folder.exists())

    def test_bench_only_if_asked(self):
        self.assertNotIn("control", self.command("bench"))
        line = self.command("bench", "--control")
        self.assertEqual(line.count("name=org.tern.control"), line.count("name=org.tern.log"))

    def test_comma_in_the_path(self):
        boot = qemu.Boot(kernel=Path("k"), control=Path("/a,b/c.sock"))
        self.assertIn(("control", "socket,path=/a,,b/c.sock,server=on,wait=off"), qemu.ports_of(boot, True))

    def test_run_says_how_and_tidies_up(self):
        """What is left of guests that were killed goes, what is not known to be goes not."""
        dead = subprocess.Popen(["true"])
        dead.wait()
        left, kept = self.folder / f"play-{dead.pid}.sock", self.folder / f"play-{os.getpid()}.sock"
        left.touch()
        kept.touch()
        (self.base / "images").mkdir()
        (self.base / "images/uppercase.img").write_bytes(b"image")
        (self.base / "tern.elf").touch()
        run = self.tern("run", "--kernel", str(self.base / "tern.elf"), TERN_QEMU=str(FAKE), FAKE_QEMU="wrong_verdict")
        self.assertRegex(run.stderr, r"(?m)^tern: in another terminal: \./tern ctl help, with --guest uppercase-\d+ if")
        self.assertEqual([left.exists(), kept.exists()], [False, True])

    def test_path_too_long(self):
        with self.assertRaisesRegex(control.TernError, "too long"):
            control.socket_prepare(Path("/" + "x" * 107))


if __name__ == "__main__":
    unittest.main()
