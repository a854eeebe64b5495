# SPDX-License-Identifier: MIT
"""Rows of results.json: per-operation figures of one histogram, the budget they are held against, and the
checked file.

Figures are in the bench's unit: instructions (icount), ns (KVM), nested-instructions (icount around a hypervisor and
its guest) or emulated-ns (an emulator's clock: not a speed).
"""
import json
import platform
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema

from common import ROOT, TernError

SCHEMA_VERSION = 1
PERCENTILES = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p999": 99.9}
HERE = Path(__file__).resolve().parent

Row = dict[str, Any]


def budgets_load() -> dict[str, dict[str, Any]]:
    """Budgets in guest instructions by bench name."""
    with open(HERE / "budgets.json", encoding="utf-8") as file:
        return {
            entry["bench"]: entry for entry in json.load(file)["budgets"] if entry["unit"] == "instructions"
        }


def per_op(value: int, ops: int) -> int | float:
    """A sample's value for one operation: an integer where the division is exact, else three decimals."""
    return value // ops if value % ops == 0 else round(value / ops, 3)


def verdict(p50: float, budget: float | None) -> str:
    """`within budget`, `over budget by N` or `no budget`."""
    if budget is None:
        return "no budget"
    return (
        "within budget"
        if p50 <= budget
        else "over budget by " + f"{p50 - budget:.3f}".rstrip("0").rstrip(".")
    )


def row_make(
    name: str, unit: str, boot: int, fields: dict[str, int], value_at: Callable[[float], int], payload: str
) -> Row:
    """One bench of one boot.

    fields: count min max sum overflow ops overhead (all per sample) and perhaps cold, stolen and
    stolen_ns, exact as the guest counted them. value_at(percentile 0..100): from the histogram; limited here to the exact minimum and
    maximum.
    """
    ops = fields.get("ops", 1)
    low, high = fields["min"], fields["max"]
    row: Row = {
        "name": name,
        "unit": unit,
        "boot": boot,
        "ops": ops,
        "count": fields["count"],
        "min": per_op(low, ops),
        "mean": round(fields["sum"] / fields["count"] / ops, 3),
    }
    for key, percentile in PERCENTILES.items():
        row[key] = per_op(min(max(value_at(percentile), low), high), ops)
    cold = fields.get("cold")
    row |= {
        "max": per_op(high, ops),
        "cold": None if cold is None else per_op(cold, ops),
        "overhead": per_op(fields.get("overhead", 0), ops),
        "overflow": fields["overflow"],
        "histogram": payload,
    }
    row |= {key: fields[key] for key in ("stolen", "stolen_ns") if key in fields}
    entry = budgets_load().get(name) if unit == "instructions" else None
    row["budget"] = entry["budget"] if entry else None
    row["stretch"] = entry["stretch"] if entry else None
    row["verdict"] = verdict(row["p50"], row["budget"])
    return row


def stolen_text(row: Row) -> str:
    """One clause about the samples that the hypervisor made longer; row has `stolen`."""
    return (
        f"{row['name']}, boot {row['boot']}: the hypervisor took {row['stolen_ns']} ns from the CPU,"
        f" in {row['stolen']} of {row['count']} samples"
    )


def identity(row: Row) -> tuple[str, str, str]:
    """What a row is of: bench, unit, hypervisor (empty unless it is one under emulation)."""
    return row["name"], row.get("unit", ""), row.get("vmm", "")


def middle_rows(rows: list[Row]) -> list[Row]:
    """One row per bench, unit and hypervisor: that of the boot with the median p50. Benches in order of appearance."""
    chosen = []
    for key in dict.fromkeys(map(identity, rows)):
        same = sorted((row for row in rows if identity(row) == key), key=lambda row: row["p50"])
        chosen.append(same[(len(same) - 1) // 2])
    order = list(dict.fromkeys(row["name"] for row in chosen))
    return sorted(chosen, key=lambda row: order.index(row["name"]))


def differences(rows: list[Row]) -> list[str]:
    """Benches that are not equal in every boot, as `NAME: boot 0 says p50 201, boot 1 says 203`."""
    first = {row["name"]: row for row in rows if row["boot"] == 0}
    found = []
    for row in rows:
        other = first.get(row["name"])
        if other is None:
            found.append(f"{row['name']}: only in boot {row['boot']}")
        elif {**row, "boot": 0} != other:
            key = next(key for key in row if key != "boot" and row[key] != other[key])
            shown = (
                "its histogram differs" if key == "histogram" else f"{other[key]} {key} in boot 0, {row[key]}"
            )
            found.append(f"{row['name']}: {shown} in boot {row['boot']}")
    for boot in {row["boot"] for row in rows}:
        missing = first.keys() - {row["name"] for row in rows if row["boot"] == boot}
        found += [f"{name}: missing in boot {boot}" for name in sorted(missing)]
    return found


def steady(rows: list[Row]) -> int:
    """How many benches have the same p50 in every boot."""
    return sum(len({row["p50"] for row in rows if identity(row) == key}) == 1 for key in set(map(identity, rows)))


def revision() -> str:
    """The tree's git commit, `+changes` appended if the tree differs from it; `unknown` without git."""

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True, timeout=20
        ).stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != ROOT:
            return "unknown"
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain") else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def host_cpu() -> str:
    """The host CPU's brand string, or the machine architecture."""
    try:
        found = re.search(
            r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE
        )
    except OSError:
        found = None
    return found[1].strip() if found else platform.machine() or "unknown"


def document_make(
    rows: list[Row],
    tern: dict[str, str],
    environment: dict[str, Any],
    cross: dict[str, Any] | None,
    every: dict[str, dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """The whole of results.json, checked against the schema; raises TernError if it does not conform."""
    document = {"schema_version": SCHEMA_VERSION, "tern": tern, "benches": rows, "environment": environment}
    if cross is not None:
        document["environment_cross_cpu"] = cross
    if every:
        document["environments"] = every
    with open(HERE / "results.schema.json", encoding="utf-8") as file:
        schema = json.load(file)
    try:
        jsonschema.validate(document, schema, cls=jsonschema.Draft7Validator)
    except jsonschema.ValidationError as error:
        where = "/".join(str(part) for part in error.absolute_path)
        raise TernError(
            f"the results do not fit results.schema.json at {where}: {error.message[:200]}"
        ) from error
    return document
