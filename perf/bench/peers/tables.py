# SPDX-License-Identifier: MIT
"""Rows as Markdown: tables with the targets' verdicts below, and their place between two markers of a file."""
from pathlib import Path
from typing import Any

import series
from targets import Row, figure, values, verdicts

BEGIN = "<!-- make bench-peers: begin -->"
END = "<!-- make bench-peers: end -->"
LONG_HEADS = ("queue", "pair ns", "pair instructions", "M/s, 1 producer", "M/s, 2 producers", "one way p50, of raw", "p50 ns",
              "p99 ns", "raw ns before", "raw ns after", "others' CPU")  # fmt: skip
SHORT_HEADS = ("queue", "pair ns", "pair insn", "M/s, 1 producer", "M/s, 2 producers", "one way, of raw")
CONFIGURATIONS_TOLD = ((8, 32), (64, 1024))


class MarkerError(Exception):
    """The file has no place for a table; the message says what is wrong with it."""


def ranged(found: list[float]) -> str:
    """`4.00 [3.98..4.10]`, or `-`."""
    return "{} [{}..{}]".format(*map(figure, series.spread(found))) if found else "-"


def middle(found: list[float]) -> str:
    """The median, or `-`."""
    return figure(series.spread(found)[0]) if found else "-"


def title(row: Row) -> str:
    """The queue's name; marked if its figures are not to be trusted."""
    return row["title"] + ("" if row["trusted"] else " (!)")


def long_cells(row: Row) -> tuple[str, ...]:
    """Everything, in the order of LONG_HEADS."""
    return (
        title(row),
        ranged(values(row, "pair_ns")),
        figure(row["instructions"]),
        ranged(values(row, "stream_mops_1")),
        ranged(values(row, "stream_mops_2")),
        ranged(series.multiples(row["repetitions"], "one_way_p50_ns")),
        ranged(values(row, "one_way_p50_ns")),
        ranged(values(row, "one_way_p99_ns")),
        middle(values(row, "raw_before_ns")),
        middle(values(row, "raw_after_ns")),
        f"{max(values(row, 'foreign')):.2f}",
    )


def short_cells(row: Row) -> tuple[str, ...]:
    """Medians, in the order of SHORT_HEADS."""
    return (
        title(row),
        middle(values(row, "pair_ns")),
        figure(row["instructions"]),
        middle(values(row, "stream_mops_1")),
        middle(values(row, "stream_mops_2")),
        middle(series.multiples(row["repetitions"], "one_way_p50_ns")),
    )


def table(heads: tuple[str, ...], lines: list[tuple[str, ...]]) -> str:
    """A Markdown table."""
    ruled = [heads, tuple(["---"] + ["---:"] * (len(heads) - 1)), *lines]
    return "".join("| " + " | ".join(line) + " |\n" for line in ruled)


def configuration(rows: list[Row], size: int, capacity: int, short: bool) -> str:
    """One configuration: heading, table, verdicts. Empty if there are no such rows."""
    mine = [row for row in rows if (row["bytes"], row["capacity"]) == (size, capacity)]
    if not mine:
        return ""
    cells, heads = (short_cells, SHORT_HEADS) if short else (long_cells, LONG_HEADS)
    text = f"{size}-byte messages, capacity {capacity}:\n\n{table(heads, [cells(row) for row in mine])}\n"
    return text + "".join(f"- {verdict.line()}\n" for verdict in verdicts(mine)) + "\n"


def document(results: dict[str, Any], short: bool) -> str:
    """How it was measured, then the tables: those of CONFIGURATIONS_TOLD, or all."""
    rows = results["rows"]
    every = list(dict.fromkeys((row["bytes"], row["capacity"]) for row in rows))
    chosen = [each for each in every if not short or each in CONFIGURATIONS_TOLD]
    return results["how"] + "\n\n" + "".join(configuration(rows, *each, short) for each in chosen)


def replaced(text: str, block: str) -> str:
    """The text with the block between its two markers."""
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise MarkerError(f"needs the lines `{BEGIN}` and `{END}`, once each and in this order")
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{block.strip()}\n{END}{rest.split(END)[1]}"


def file_replace(path: Path, block: str) -> None:
    """The same in a file, which is written as a whole or not at all."""
    try:
        text = replaced(path.read_text(encoding="utf-8"), block)
    except MarkerError as error:
        raise MarkerError(f"{path}: {error}") from error
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
