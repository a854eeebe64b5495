# SPDX-License-Identifier: MIT
"""The table on the screen: plain ASCII, at most 110 columns, one row per bench and unit, and per hypervisor if there are several."""
from typing import Any

HEADS = ("bench", "unit", "count", "min", "p50", "p99", "max", "cold", "budget", "delta", "verdict")
UNIT_SHOWN = {"instructions": "insn", "nested-instructions": "nested-insn"}
BUDGET_COLUMNS = 3  # the last ones, which no hypervisor under emulation has
LEFT = ("bench", "vmm", "unit", "verdict")
VMM_SHOWN = {"xen-dom0": "dom0", "xen-domu": "domU"}
WIDTH_MAX = 110


def figure(value: float | None) -> str:
    """At most eight columns: 12.5, 643, 1.234M; `-` for none."""
    if value is None:
        return "-"
    for limit, unit in ((10_000_000_000, "G"), (10_000_000, "M")):
        if abs(value) >= limit:
            return f"{value / (1_000_000_000 if unit == 'G' else 1_000_000):.2f}{unit}"
    return str(value) if isinstance(value, int) else f"{value:.1f}" if value < 100_000 else f"{value:.0f}"


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    """The texts of one row, in the order of HEADS."""
    budget = row["budget"]
    delta = None if budget is None else round(row["p50"] - budget, 1)
    said = {"within budget": "ok", "no budget": "-"}.get(row["verdict"], "over")
    sign = "+" if delta is not None and delta > 0 else ""
    return (
        row["name"],
        UNIT_SHOWN.get(row["unit"], row["unit"]),
        figure(row["count"]),
        figure(row["min"]),
        figure(row["p50"]),
        figure(row["p99"]),
        figure(row["max"]),
        figure(row["cold"]),
        figure(budget),
        sign + figure(delta),
        said,
    )


def table(rows: list[dict[str, Any]]) -> str:
    """Lines of equal columns under a heading; ends with a newline. A name that is too wide is cut."""
    heads, lines = HEADS, [cells(row) for row in rows]
    vmms = [row.get("vmm", "") for row in rows]
    if len(set(vmms)) > 1:
        heads = (HEADS[0], "vmm", *HEADS[1:-BUDGET_COLUMNS])
        lines = [(line[0], VMM_SHOWN.get(vmm, vmm), *line[1:-BUDGET_COLUMNS]) for line, vmm in zip(lines, vmms)]
    lines = [heads, *lines]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    spare = WIDTH_MAX - sum(widths[1:]) - (len(heads) - 1)
    widths[0] = min(widths[0], spare)
    text = ""
    for line in lines:
        parts = [
            cell[:width].ljust(width) if head in LEFT else cell.rjust(width)
            for head, cell, width in zip(heads, line, widths)
        ]
        text += " ".join(parts).rstrip() + "\n"
    return text
