#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`tern profile` without a machine: cutting a trace, folding it, and the names that stand for addresses."""
import subprocess
import sys
import tempfile
import unittest
from array import array
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "perf/host"))

import disassembly
import listing
import profiling
import trace
from common import TernError

A, B, C, D = 0x1000, 0x1100, 0x2000, 0x2100  # the clock is read at A and B around nothing, then at C and D
PROGRAM = """
    .text
    .globl _start, helper, table, word
    .type _start, @function
_start:
    call helper
    mov $table, %ecx
    mov table+8(, %rax, 8), %rax
    mov word(%rip), %rdx
    mov $0x1f, %eax
    mov $message, %edi
    mov 0x200010, %rax
    mov $0x200010, %eax
    jmp 1f
    nop
1:  ret
    .size _start, . - _start
    .type helper, @function
helper:
    rdtsc
inside:
    ret
    .size helper, . - helper
    .section .rodata
    .Lx: .quad 0
    message = .
    .quad 0
    .data
    .type table, @object
table:
    .quad 0, 0
    .size table, 16
    .type word, @object
word:
    .quad 0
    .size word, 8
"""


def record(**fields: int) -> SimpleNamespace:
    """What the guest says about a bench."""
    return SimpleNamespace(name="some.bench", fields=fields, value_at=lambda percentile: fields["min"])


def timed(first: int, second: int, between: int) -> list[int]:
    """What is executed from a read at `first` to one at `second`, and a little after."""
    return [first, *range(first + 1, first + 1 + between), second, 1, 2, 3]


class Unfold(unittest.TestCase):
    """A folded trace is shorter and says the same."""

    def check(self, addresses: list[int], items: int) -> None:
        folded, unfolded = list(listing.fold(array("Q", addresses))), []
        for item in folded:
            unfolded += unfolded[-item.length :] * item.times if isinstance(item, listing.Again) else [item]
        self.assertEqual(unfolded, addresses)
        self.assertEqual(len(folded), items)

    def test_straight_line_stays(self):
        self.check([1, 2, 3, 4], 4)
        self.check([], 0)

    def test_loop_is_one_item_more(self):
        self.check([1] + [2, 3] * 100 + [4], 5)
        self.check([7] * 513, 2)

    def test_broken_last_round_is_written_out(self):
        self.check([1, 2, 3, 1, 2, 3, 1, 2, 9], 7)

    def test_loop_in_loop(self):
        self.check([1, *([2, 3, 3, 3, 4] * 10), 5], 7)

    def test_same_function_called_twice_is_no_loop(self):
        self.check([1, 8, 9, 2, 8, 9, 3], 7)


class Cut(unittest.TestCase):
    """The trace must say what the guest says."""

    def setUp(self):
        empty = timed(A, B, 4) * 3
        samples = timed(C, D, 14) + timed(C, D, 20) + timed(C, D, 14)
        self.addresses = array("Q", [9, *empty, *timed(0x3000, 0x3100, 90), *samples])
        clock = {A, B, C, D, 0x3000, 0x3100}
        self.reads = [index for index, address in enumerate(self.addresses) if address in clock]

    def cut(self, **changed: int):
        said = {"count": 3, "min": 10, "max": 16, "sum": 36, "overhead": 5, **changed}
        return trace.samples_cut(self.addresses, self.reads, record(**said))

    def test_samples_are_the_last_spans(self):
        samples, overhead = self.cut()
        self.assertEqual(overhead, 5)
        self.assertEqual([end - start for start, end in samples], [15, 21, 15])
        self.assertEqual({self.addresses[start] for start, _ in samples}, {C})

    def test_any_other_figure_is_refused(self):
        for key, wrong in (("min", 9), ("max", 17), ("sum", 37), ("overhead", 4)):
            with self.subTest(key), self.assertRaisesRegex(TernError, f"the guest says .*{key} {wrong}, the trace"):
                self.cut(**{key: wrong})

    def test_other_number_of_samples_is_refused(self):
        for count in (2, 4):
            with self.subTest(count), self.assertRaisesRegex(TernError, "is not what some.bench measured"):
                self.cut(count=count)

    def test_read_that_was_missed_is_refused(self):
        del self.reads[4]
        with self.assertRaisesRegex(TernError, "is not what some.bench measured"):
            self.cut()

    def test_empty_trace_is_refused(self):
        with self.assertRaisesRegex(TernError, "count 3, the trace 0"):
            trace.samples_cut(array("Q"), [], record(count=3, min=1, max=1, sum=3, overhead=0))


class Names(unittest.TestCase):
    """A small program whose addresses become names."""

    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory(prefix="tern-test-")
        cls.addClassCleanup(temporary.cleanup)
        source, cls.path = Path(temporary.name) / "small.S", Path(temporary.name) / "small.elf"
        source.write_text(PROGRAM)
        options = ["-nostdlib", "-static", "-no-pie", "-Wl,-Ttext=0x1000000,--build-id=none"]
        subprocess.run(["gcc", *options, "-o", cls.path, source], check=True, stderr=subprocess.DEVNULL)
        cls.elf = disassembly.Elf("small", cls.path)
        cls.texts = [cls.elf.text(line.text) for line in cls.elf.lines.values()]

    def test_addresses_become_names(self):
        self.assertEqual(
            self.texts,
            [
                "call helper",
                "mov $table,%ecx",
                "mov table+0x8(,%rax,8),%rax",
                "mov word(%rip),%rdx",
                "mov $0x1f,%eax",
                "mov $.rodata,%edi",
                "mov vvar+0x10,%rax",
                "mov $0x200010,%eax",
                "jmp _start+0x33",
                "nop",
                "ret",
                "rdtsc",
                "ret",
            ],
        )

    def test_label_inside_a_function_is_that_function(self):
        last = max(self.elf.lines)
        self.assertEqual(self.elf.symbol(last), ("helper", 2))
        self.assertIsNone(self.elf.symbol(0x5000000))

    def test_function_without_a_size_reaches_to_the_next_symbol_or_the_end(self):
        starts = {name: start for start, _, name in self.elf.symbols}
        self.assertEqual(profiling.extents(self.elf, "_start"), [range(starts["_start"], starts["helper"])])
        self.assertEqual(profiling.extents(self.elf, "helper"), [range(starts["helper"], starts["helper"] + 3)])
        self.assertEqual(profiling.extents(self.elf, "inside"), [range(starts["inside"], starts["helper"] + 3)])
        self.assertEqual(profiling.extents(self.elf, "nothing"), [])

    def test_code_that_is_in_no_file(self):
        self.assertEqual(disassembly.decode(0x201965, bytes.fromhex("4989e3")).split(), ["mov", "%rsp,%r11"])

    def test_wrong_file_is_one_line(self):
        with self.assertRaisesRegex(TernError, "^objdump cannot read .*small.S: .*file format not recognized$"):
            disassembly.Elf("text", self.path.with_suffix(".S"))


if __name__ == "__main__":
    unittest.main()
