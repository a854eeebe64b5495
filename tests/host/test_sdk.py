#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The SDK as a stranger has it: installed elsewhere, moved, with the files of user/README.md in a folder of their own.

What README.md shows is taken out of it, built with the installed generator, and booted. Needs gcc, make and QEMU.
"""

import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KERNEL = ROOT / "build/release/tern.elf"
README = (ROOT / "user/README.md").read_text(encoding="utf-8")
# The last file name before a block, in the paragraph that introduces it.
BLOCK = re.compile(r"`(\w+\.(?:json5|c|h))`[^`\n]*(?:`(?!\w+\.(?:json5|c|h)`)[^`\n]*`[^`\n]*)*\n\n```\w+\n(.*?)^```$",
                   re.DOTALL | re.MULTILINE)
BAD_MESSAGES = {
    "TERN_MESSAGE(m, 16, uint64_t a; uint32_t b;);": "struct m has padding",
    "TERN_MESSAGE(m, 8, uint16_t a; uint32_t b;);": "struct m has padding",
    "TERN_MESSAGE(m, 8, uint32_t a;);": "struct m does not have 8 bytes",
    "TERN_MESSAGE(m, 16, __int128 a;);": "struct m is aligned too strictly",
}


def run(*command: object, cwd: Path = ROOT, seconds: int = 120) -> tuple[int, str]:
    """Exit status and all output of a command."""
    done = subprocess.run([str(word) for word in command], cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=seconds, check=False)
    return done.returncode, done.stdout


class Sdk(unittest.TestCase):
    """One installation for all tests."""

    @classmethod
    def setUpClass(cls) -> None:
        holder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(holder.cleanup)
        cls.folder = Path(holder.name)
        status, said = run("make", "-j2", "install-sdk", KERNEL.relative_to(ROOT), f"DESTDIR={cls.folder}/first",
                           "PREFIX=/opt", seconds=400)
        if status:
            raise AssertionError(said)
        shutil.move(cls.folder / "first", cls.folder / "moved")
        cls.sdk = cls.folder / "moved/opt"

    def build(self, *words: object) -> None:
        status, said = run(self.sdk / "bin/tern-mkimage", "build", *words, cwd=self.folder)
        self.assertEqual((status, said), (0, ""))

    def boot(self, image: Path, smp: int = 1) -> str:
        status, said = run(ROOT / "tern", "run", "--kernel", KERNEL, "--image", image, "--smp", smp)
        self.assertEqual(status, 0, said)
        return said

    def written(self, heading: str) -> Path:
        """The files that a chapter of README.md shows, in a folder."""
        chapter = re.search(rf"^## {heading}\n(.*?)^## ", README, re.DOTALL | re.MULTILINE)
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        for name, text in BLOCK.findall(chapter[1]):
            (folder / name).write_text(text, encoding="utf-8")
        return folder

    def test_two_processes(self) -> None:
        folder = self.written("Two processes")
        self.assertEqual({path.name for path in folder.iterdir()}, {"system.json5", "initiator.c", "handler.c"})
        self.build(folder / "system.json5", "--programs", folder, "--out", folder / "my.img")
        self.assertRegex(self.boot(folder / "my.img"), r"(?m)^Aa$")

    def test_three_processes_and_a_wait_group(self) -> None:
        folder = self.written("Three processes and a wait group")
        self.assertEqual({path.name for path in folder.iterdir()},
                         {"system.json5", "counter.h", "counter.c", "client.c"})
        self.build(folder / "system.json5", "--programs", folder, "--out", folder / "my.img")
        self.assertRegex(self.boot(folder / "my.img"), r"(?m)^total 110$")
        text = (folder / "system.json5").read_text(encoding="utf-8")
        (folder / "two.json5").write_text(text.replace('program: "client",', 'program: "client", cpu: 1,', 1),
                                          encoding="utf-8")
        self.build(folder / "two.json5", "--programs", folder, "--out", folder / "two.img")
        self.assertRegex(self.boot(folder / "two.img", smp=2), r"(?m)^total 110$")

    def test_examples_are_installed(self) -> None:
        user = self.sdk / "lib/tern/user"
        self.build(user / "images/chain.json5", "--programs", user / "programs", "--out", "chain.img")
        self.assertIn("'three processes' has arrived", self.boot(self.folder / "chain.img"))

    def test_every_header_stands_alone(self) -> None:
        tern = self.sdk / "lib/tern"
        headers = sorted(path.relative_to(tern) for path in tern.rglob("*.h"))
        self.assertGreater(len(headers), 10)
        flags = (tern / "rt/cflags").read_text(encoding="utf-8").split()
        source = self.folder / "header.c"
        for header in headers:
            source.write_text(f'#include "{header}"\n', encoding="utf-8")
            status, said = run("gcc", *flags, "-fsyntax-only", "-iquote", tern, source)
            self.assertEqual((status, said), (0, ""), header)

    def test_bad_messages_do_not_build(self) -> None:
        for text, wanted in BAD_MESSAGES.items():
            source = self.folder / "message.c"
            source.write_text(f'#include "user/rt/message.h"\n{text}\n', encoding="utf-8")
            status, said = run("gcc", "-std=gnu2x", "-fsyntax-only", "-iquote", self.sdk / "lib/tern", source)
            self.assertEqual(status, 1, text)
            self.assertIn(wanted, said)


if __name__ == "__main__":
    unittest.main()
