#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The initramfs writer: what GNU-compatible cpio readers see, libraries of programs, order of modules, bad input."""
import gzip
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "perf/host")]

import initramfs
from common import TernError


def cpio_read(data: bytes) -> dict[str, tuple[int, bytes, tuple[int, int]]]:
    """Mode, content and device by name, read by the rules of the kernel's documentation of the format."""
    at, found = 0, {}
    while True:
        assert data[at : at + 6] == b"070701", data[at : at + 6]
        fields = [int(data[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i in range(13)]
        name_at = at + 110
        name = data[name_at : name_at + fields[11] - 1].decode()
        assert data[name_at + fields[11] - 1] == 0
        content_at = (name_at + fields[11] + 3) & ~3
        content = data[content_at : content_at + fields[6]]
        at = (content_at + fields[6] + 3) & ~3
        if name == "TRAILER!!!":
            assert at == len(data)
            return found
        assert name not in found
        found[name] = (fields[1], content, (fields[9], fields[10]))


class Initramfs(unittest.TestCase):
    """What goes in comes out."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="tern-initramfs-"))
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.archive = initramfs.Archive()

    def written(self, compressed: bool = False) -> dict[str, tuple[int, bytes, tuple[int, int]]]:
        """The archive as it is read back."""
        out = self.folder / "out.cpio"
        self.archive.write(out, compressed)
        data = out.read_bytes()
        return cpio_read(gzip.decompress(data) if compressed else data)

    def test_every_kind(self):
        source = self.folder / "source"
        source.write_bytes(b"\0\1\2")
        self.archive.file("a/b/file", source, 0o755)
        self.archive.file("text", "abc")
        self.archive.file("empty", b"")
        self.archive.symlink("a/link", "b/file")
        self.archive.node("dev/console", "c", 5, 1)
        self.archive.node("dev/disk", "b", 254, 16, 0o660)
        self.archive.directory("tmp", 0o1777)
        for compressed in (False, True):
            found = self.written(compressed)
            self.assertEqual(found["a/b/file"], (stat.S_IFREG | 0o755, b"\0\1\2", (0, 0)))
            self.assertEqual(found["text"][1], b"abc")
            self.assertEqual(found["empty"][1], b"")
            self.assertEqual(found["a/link"], (stat.S_IFLNK | 0o777, b"b/file", (0, 0)))
            self.assertEqual(found["dev/console"], (stat.S_IFCHR | 0o600, b"", (5, 1)))
            self.assertEqual(found["dev/disk"], (stat.S_IFBLK | 0o660, b"", (254, 16)))
            self.assertEqual(found["tmp"][0], stat.S_IFDIR | 0o1777)
            self.assertTrue(list(found).index("a") < list(found).index("a/b") < list(found).index("a/b/file"))

    def test_equal_content_is_equal_bytes(self):
        data = []
        for order in ((1, 2), (2, 1)):
            archive = initramfs.Archive()
            for number in order:
                archive.file(f"f{number}", f"{number}")
            for compressed in (False, True):
                archive.write(self.folder / "out", compressed)
                data.append((self.folder / "out").read_bytes())
        self.assertEqual(data[0], data[2])
        self.assertEqual(data[1], data[3])

    def test_bad_paths(self):
        for path in ("", "/", "a//b", "../a", "a/../b", "./a", "a\0b"):
            with self.assertRaisesRegex(TernError, "is no path"):
                self.archive.file(path, b"")
        self.archive.file("a", b"")
        with self.assertRaisesRegex(TernError, "a is no folder"):
            self.archive.file("a/b", b"")

    def test_missing_files(self):
        with self.assertRaisesRegex(TernError, "which is not there"):
            self.archive.file("a", self.folder / "none")
        gone = self.folder / "gone"
        gone.write_text("x")
        self.archive.file("a", gone)
        gone.unlink()
        with self.assertRaisesRegex(TernError, "needs .*gone"):
            self.archive.write(self.folder / "out")
        self.assertEqual([path.name for path in self.folder.iterdir()], [])

    def test_unwritable_place(self):
        (self.folder / "file").write_text("x")
        with self.assertRaisesRegex(TernError, "cannot write"):
            self.archive.write(self.folder / "file/out")

    def test_tree(self):
        source = self.folder / "tree"
        (source / "b").mkdir(parents=True)
        (source / "b/x").write_text("1")
        (source / "b/x").chmod(0o750)
        (source / "c").symlink_to("/absolute/nowhere")
        os.mkfifo(source / "fifo")
        self.archive.tree("etc/t", source)
        found = self.written()
        self.assertEqual(found["etc/t/b/x"][:2], (stat.S_IFREG | 0o750, b"1"))
        self.assertEqual(found["etc/t/c"][1], b"/absolute/nowhere")
        self.assertNotIn("etc/t/fifo", found)

    def compile(self, out: Path, text: str, *words: str) -> None:
        """Compiles one C file."""
        source = self.folder / "x.c"
        source.write_text(text)
        out.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gcc", str(source), "-o", str(out), *words], check=True, capture_output=True)

    def test_program_with_libraries_of_an_unpacked_root(self):
        root = self.folder / "root"
        library = root / "usr/lib/x86_64-linux-gnu"
        self.compile(library / "libdeep.so.1", "int deep(void){return 7;}", "-shared", "-fPIC", "-Wl,-soname,libdeep.so.1")
        self.compile(
            root / "opt/own/libnear.so",
            "int deep(void); int near(void){return deep();}",
            *("-shared", "-fPIC", "-Wl,-soname,libnear.so", f"-L{library}", "-l:libdeep.so.1"),
        )
        program = root / "opt/bin/program"
        words = (f"-L{root}/opt/own", "-lnear", "-Wl,-rpath,$ORIGIN/../own", f"-Wl,-rpath-link,{library}")
        self.compile(program, "int near(void); int main(void){return near();}", *words)
        self.archive.program("bin/program", program, [root])
        found = self.written()
        at = initramfs.LIBRARIES_AT
        for name in ("libdeep.so.1", "libnear.so", "libc.so.6", "libgcc_s.so.1"):
            self.assertIn(f"{at}/{name}", found)
        self.assertEqual(found["lib64/ld-linux-x86-64.so.2"][0], stat.S_IFREG | 0o755)
        (library / "libdeep.so.1").unlink()
        with self.assertRaisesRegex(TernError, "needs the library libdeep.so.1"):
            initramfs.Archive().program("bin/program", program, [root])

    def test_program_that_needs_nothing(self):
        static = self.folder / "static"
        self.compile(static, "int main(void){return 0;}", "-static")
        self.archive.program("bin/static", static)
        script = self.folder / "script"
        script.write_text("#!/bin/sh\n")
        self.archive.program("bin/script", script)
        self.assertEqual([name for name in self.written() if name.startswith("lib")], [])
        broken = self.folder / "broken"
        broken.write_bytes(b"\x7fELF and nothing more")
        with self.assertRaises(TernError):
            self.archive.program("bin/broken", broken)

    def test_links_stay_inside_the_root(self):
        root = self.folder / "root"
        (root / "etc").mkdir(parents=True)
        (root / "etc/alternatives").symlink_to("/opt/real")
        (root / "opt").mkdir()
        (root / "opt/real").write_text("x")
        (root / "up").symlink_to("../../../../opt/real")
        (root / "loop").symlink_to("loop")
        self.assertEqual(initramfs.rooted(root, "/etc/alternatives"), root / "opt/real")
        self.assertEqual(initramfs.rooted(root, "up"), root / "opt/real")
        initramfs.rooted(root, "loop")

    def modules_root(self, **modules: str) -> Path:
        """An unpacked kernel with modules that depend on others."""
        kernel = self.folder / "kernel/lib/modules/6.1-x/kernel"
        kernel.mkdir(parents=True, exist_ok=True)
        for name, needs in modules.items():
            (kernel / f"{name}.ko").write_bytes(f"ELF\0license=GPL\0depends={needs}\0name={name}\0".encode())
        (kernel.parent / "modules.builtin").write_text("kernel/lib/built-in.ko\n")
        return self.folder / "kernel"

    def test_modules_in_order(self):
        root = self.modules_root(**{"kvm-amd": "kvm,ccp,built_in", "kvm": "irqbypass", "ccp": "", "irqbypass": ""})
        order = [Path(path).stem for path in self.archive.modules(root, ["kvm_amd", "ccp"])]
        self.assertEqual(sorted(order), ["ccp", "irqbypass", "kvm", "kvm-amd"])
        self.assertLess(order.index("irqbypass"), order.index("kvm"))
        self.assertEqual(order[-1], "kvm-amd")
        self.assertIn("lib/modules/kvm-amd.ko", self.written())

    def test_modules_that_are_not_there(self):
        root = self.modules_root(one="none")
        with self.assertRaisesRegex(TernError, "no module none"):
            self.archive.modules(root, ["one"])
        with self.assertRaisesRegex(TernError, "0 kernels' modules"):
            self.archive.modules(self.folder / "nowhere", ["one"])
        (root / "lib/modules/6.2").mkdir()
        with self.assertRaisesRegex(TernError, "2 kernels' modules"):
            self.archive.modules(root, ["one"])

    def test_modules_that_need_each_other(self):
        root = self.modules_root(one="two", two="one")
        with self.assertRaisesRegex(TernError, "need each other"):
            self.archive.modules(root, ["one"])


if __name__ == "__main__":
    unittest.main()
