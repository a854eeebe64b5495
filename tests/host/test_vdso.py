#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The vDSO is a shared object that debuggers understand, and a changed ABI fails the build."""

import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VDSO = ROOT / "build/release/vdso/vdso.so"
MAPPED = ROOT / "build/release/vdso/vdso.bin"
OTHERS = {"clock_now", "cpu_id", "features", "extension_call"}


def output(*command: object) -> str:
    """What a command prints; raises if it fails."""
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout


class Vdso(unittest.TestCase):
    """build/release/vdso/."""

    @classmethod
    def setUpClass(cls) -> None:
        subprocess.run(["make", "-j2", "build/release/vdso/vdso.bin"], cwd=ROOT, capture_output=True, check=True)
        text = (ROOT / "sys/abi/syscalls.def").read_text(encoding="ascii")
        cls.calls = set(re.findall(r"^DEFINE_SYSCALL\(\d+, (\w+),", text, re.M))

    def test_shared_object_with_a_name(self) -> None:
        self.assertIn("DYN (Shared object file)", output("readelf", "-h", VDSO))
        self.assertIn("[tern-vdso.so.1]", output("readelf", "-d", VDSO))
        self.assertNotIn("R_X86_64", output("readelf", "-r", VDSO))

    def test_every_call_is_exported(self) -> None:
        names = re.findall(r"FUNC\s+GLOBAL DEFAULT\s+\d+ (\w+)", output("readelf", "-W", "--dyn-syms", VDSO))
        self.assertEqual(set(names), self.calls | OTHERS)

    def test_unwind_information_covers_all_code(self) -> None:
        ranges = [(int(a, 16), int(b, 16)) for a, b in
                  re.findall(r"pc=([0-9a-f]+)\.\.([0-9a-f]+)", output("readelf", "-W", "--debug-dump=frames", VDSO))]
        symbols = re.findall(r":\s+([0-9a-f]+)\s+(\d+) FUNC", output("readelf", "-W", "-s", VDSO))
        self.assertGreater(len(symbols), len(self.calls))
        for start, size in ((int(a, 16), int(n)) for a, n in symbols):
            self.assertTrue(any(low <= start and start + size <= high for low, high in ranges), hex(start))

    def test_what_is_mapped_is_one_page_and_a_whole_elf(self) -> None:
        self.assertLessEqual(MAPPED.stat().st_size, 2 * 4096)
        self.assertIn("channel_transact", output("readelf", "-W", "--dyn-syms", MAPPED))

    def test_another_abi_fails_the_build(self) -> None:
        changes = [
            ("sys/abi/syscalls.def", "DEFINE_SYSCALL(7, thread_yield,", "DEFINE_SYSCALL(7, thread_give_way,",
             "+call 7 thread_give_way()"),
            ("sys/abi/syscalls.def", "RANGE(code_point, 0, 127)", "RANGE(code_point, 0, 255)",
             "+call 10 debug_putc(code_point: 0 to 255)"),
            ("sys/abi/status.def", "STATUS(NOT_FOUND, 5,", "STATUS(NOT_FOUND, 55,", "+status 55 NOT_FOUND"),
            ("sys/abi/layout.h", "USER_PROCESS_STRIDE 0x01000000", "USER_PROCESS_STRIDE 0x02000000",
             "+USER_PROCESS_STRIDE 0x2000000"),
            ("sys/abi/image.h", "uint32_t flags; /* IMAGE_REGION_*;", "uint64_t more, flags; /* IMAGE_REGION_*;", None),
            ("sys/vdso/vdso.S", "FUNCTION cpu_id", ".skip 16\n    FUNCTION cpu_id", "+vdso cpu_id"),
            ("tests/golden/abi.txt", "call 7 thread_yield()", "call 7 thread_yields()", "+call 7 thread_yield()"),
        ]
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "tree"
            shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns("build", ".git"))
            self.assertEqual(self.make_abi(copy).returncode, 0, "the tree as it is")
            for name, old, new, line in changes:
                with self.subTest(change=new):
                    self.change_refused(copy, copy / name, old, new, line)
            self.assertEqual(self.make_abi(copy).returncode, 0, "the tree as it was")

    def make_abi(self, tree: Path) -> subprocess.CompletedProcess:
        """A build of the text that is compared with the golden one."""
        return subprocess.run(["make", "build/release/abi.txt"], cwd=tree, capture_output=True, text=True, check=False)

    def change_refused(self, tree: Path, path: Path, old: str, new: str, line: str | None) -> None:
        """One change fails the build: by the comparison, which shows the line, or (None) by an assertion before."""
        text = path.read_text(encoding="ascii")
        self.assertEqual(text.count(old), 1, f"{path.name}: {old}")
        path.write_text(text.replace(old, new), encoding="ascii")
        run = self.make_abi(tree)
        path.write_text(text, encoding="ascii")
        self.assertNotEqual(run.returncode, 0)
        if line is None:
            self.assertIn("image ABI", run.stderr)
            return
        self.assertTrue(any(said.startswith(line) for said in run.stdout.splitlines()), run.stdout)
        self.assertIn("the ABI is not the one in tests/golden/abi.txt; if that is meant: make abi-golden", run.stdout)


if __name__ == "__main__":
    unittest.main()
