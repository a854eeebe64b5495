# SPDX-License-Identifier: MIT
"""An operation's instructions as text: a table of its functions, and the listing of all of them in order.

Nothing here depends on the machine, the time, or where code was linked: equal code gives equal bytes.
"""
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from disassembly import Disassembly, Instruction
from results import per_op
from trace import Operation

HARNESS = "rdtsc_ordered"  # in user/rt/tern.h; with it the benches read the clock
FOLD_MAX = 512  # instructions of the longest loop body that is folded
TEXT_COLUMNS = 44


@dataclass(frozen=True)
class Again:
    """The last `length` instructions were executed `times` times more."""

    length: int
    times: int


def repeats(addresses: array, at: int, length: int) -> int:
    """How often the `length` addresses before `at` come again from there on, one after the other."""
    body, end = addresses[at - length : at], at
    while addresses[end : end + length] == body:
        end += length
    return (end - at) // length


def fold(addresses: array) -> Iterator[int | Again]:
    """The addresses in order, with a loop's further rounds as one item; all there is, and nothing twice."""
    last: dict[int, int] = {}
    at = 0
    while at < len(addresses):
        length = at - last.get(addresses[at], at)
        times = repeats(addresses, at, length) if 0 < length <= FOLD_MAX else 0
        if times:
            yield Again(length, times)
            at += length * times
            last.update((addresses[index], index) for index in range(at - length, at))
        else:
            yield addresses[at]
            last[addresses[at]] = at
            at += 1


class Listing:
    """The texts about one operation. Raises TernError for an address that is no instruction."""

    def __init__(self, name: str, operation: Operation, code: Disassembly):
        self.name, self.operation, self.code = name, operation, code
        executed = Counter(operation.addresses)
        self.harness = {address for address in executed if self.is_harness(code.at(address))}
        self.functions: Counter[tuple[str, str]] = Counter()
        for address, count in executed.items():
            if address not in self.harness:
                self.functions[code.at(address).where, code.at(address).function] += count
        self.total = self.functions.total()
        self.listed = 0  # the last number of lines()

    def is_harness(self, instruction: Instruction) -> bool:
        """Whether an instruction of the client reads the clock for the bench; an empty body must have as many."""
        return instruction.where == self.code.client.where and instruction.inlined == HARNESS

    def rows(self) -> list[str]:
        """A line per function, the largest share first, and the total."""
        rows = [("where", "function", "insn", "percent")]
        for (where, function), count in sorted(self.functions.items(), key=lambda item: (-item[1], item[0])):
            rows.append((where, function, str(count), f"{100 * count / self.total:.1f}"))
        rows.append(("", "total", str(self.total), "100.0"))
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        return [
            f"{where:<{widths[0]}}  {function:<{widths[1]}}  {count:>{widths[2]}}  {percent:>{widths[3]}}"
            for where, function, count, percent in rows
        ]

    def how(self) -> list[str]:
        """How the total came about, and what it was held against."""
        operation = self.operation
        counted = f"{len(operation.addresses)} from one read of the clock to the next"
        if operation.overhead:
            counted += f", less {operation.overhead} for the reads themselves"
        figure = f"`./tern bench` says {per_op(operation.value, operation.ops)}"
        if operation.ops > 1:
            figure += f" for each of the {operation.ops} operations of this sample"
        return [f"{self.total} instructions: {counted}.", f"{figure}."]

    def lines(self) -> Iterator[str]:
        """The instructions in order, below a heading wherever the function changes."""
        segment: list[str] = []
        previous: Instruction | None = None
        count = begun = 0
        done = 0
        for item in fold(self.operation.addresses):
            if isinstance(item, Again):
                body = self.operation.addresses[done - item.length : done]
                counted = sum(address not in self.harness for address in body) * item.times
                count, done = count + counted, done + item.length * item.times
                which = "instruction" if item.length == 1 else f"{item.length} instructions"
                segment.append(f"{count:>7}        the last {which}, {item.times} times more")
                continue
            instruction = self.code.at(item)
            if previous and (instruction.where, instruction.function) != (previous.where, previous.function):
                yield from segment_text(previous, count - begun, segment)
                segment, begun = [], count
                previous = None
            count, done = count + (item not in self.harness), done + 1
            segment.append(line_text("-" if item in self.harness else str(count), instruction, previous))
            previous = instruction
        if previous:
            yield from segment_text(previous, count - begun, segment)
        self.listed = count

    def text(self) -> str:
        """The whole file."""
        unit = "operation" if self.operation.ops == 1 else "sample"
        head = [
            f"{self.name}: every instruction of one {unit}, in order.",
            "",
            *self.how(),
            f"Made by `./tern profile --listing {self.name}`: release build, q35, one vCPU, -icount shift=0.",
            "",
            *self.rows(),
            "",
            "Columns: instructions so far (- is the bench reading the clock, not counted); bytes from the start of the",
            "function; instruction; source line, and the function inlined there, where they change.",
        ]
        return "\n".join([*head, *self.lines()]) + "\n"


def segment_text(instruction: Instruction, count: int, lines: list[str]) -> list[str]:
    """A heading and what was executed below it."""
    return ["", f"{instruction.where}: {instruction.function} ({count})", *lines]


def line_text(count: str, instruction: Instruction, previous: Instruction | None) -> str:
    """One instruction; its source only if the previous one's is another."""
    source = instruction.source
    if instruction.inlined not in ("", instruction.function):
        source += f" {instruction.inlined}"
    same = previous and (previous.source, previous.inlined) == (instruction.source, instruction.inlined)
    offset = f"+{instruction.offset:x}"
    return f"{count:>7} {offset:>5}  {instruction.text:<{TEXT_COLUMNS}}  {'' if same else source}".rstrip()
