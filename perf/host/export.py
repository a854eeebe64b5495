# SPDX-License-Identifier: MIT
"""The results in the formats of other tools: JSON text, Google Benchmark's JSON, Prometheus text (0.0.4)."""
import json
from typing import Any

import results
from stream import Record

PERCENTILES = ("p50", "p90", "p99", "p999")
BOUND_BITS = range(0, 40, 2)  # 20 buckets: 1, 4, 16, ... of the unit
FAMILIES = {  # unit: metric, what one unit is worth in it, help
    "instructions": ("tern_instructions", 1, "Guest instructions per operation under icount."),
    "ns": ("tern_latency_seconds", 1e-9, "Latency of one operation."),
    "nested-instructions": ("tern_nested_instructions", 1, "Instructions of guest and hypervisor per operation under icount."),
    "emulated-ns": ("tern_emulated_latency_seconds", 1e-9, "An emulator's clock per operation: not a speed."),
}


def json_text(document: dict[str, Any]) -> str:
    """Indented JSON with keys in their order and a final newline."""
    return json.dumps(document, indent=1, ensure_ascii=True) + "\n"


def gbench(document: dict[str, Any]) -> dict[str, Any]:
    """Google Benchmark's layout: every percentile is a row of its own, repeated per boot. compare.py never
    scales by time_unit, so it may say instructions."""
    rows = []
    for row in document["benches"]:
        repetitions = sum(results.identity(other) == results.identity(row) for other in document["benches"])
        for key in PERCENTILES:
            name = "/".join(filter(None, [row.get("vmm", ""), row["name"], key]))
            rows.append(
                {
                    "name": name,
                    "run_name": name,
                    "run_type": "iteration",
                    "repetitions": repetitions,
                    "repetition_index": row["boot"],
                    "threads": 1,
                    "iterations": row["count"],
                    "real_time": row[key],
                    "cpu_time": row[key],
                    "time_unit": row["unit"],
                }
            )
    context = {key: value for key, value in document["environment"].items() if key != "guest"}
    return {"context": {**context, "revision": document["tern"]["revision"]}, "benchmarks": rows}


def number(value: float) -> str:
    """A number as Prometheus reads it, without noise digits."""
    return str(value) if isinstance(value, int) else f"{value:.12g}"


def prometheus_lines(row: dict[str, Any], record: Record, metric: str, scale: float) -> list[str]:
    """The _bucket, _sum and _count lines of one bench, per operation."""
    vmm = f',vmm="{row["vmm"]}"' if "vmm" in row else ""
    lines, label, ops = [], f'bench="{row["name"]}"{vmm}', row["ops"]
    used = [(value / ops, count) for value, count in record.slots()]
    for bit in BOUND_BITS:
        below = sum(count for value, count in used if value <= 1 << bit)
        lines.append(f'{metric}_bucket{{{label},le="{number((1 << bit) * scale)}"}} {below}')
    count = row["count"] + row["overflow"]
    lines.append(f'{metric}_bucket{{{label},le="+Inf"}} {count}')
    lines.append(f'{metric}_sum{{{label}}} {number(record.fields["sum"] / ops * scale)}')
    lines.append(f"{metric}_count{{{label}}} {count}")
    return lines


def prometheus(rows: list[dict[str, Any]], records: dict[tuple[str, str, str], Record]) -> str:
    """Classic histograms in base units, one metric family per unit. records: by results.identity of a row."""
    text = []
    for unit, (metric, scale, help_text) in FAMILIES.items():
        mine = [row for row in rows if row["unit"] == unit]
        if mine:
            text += [f"# HELP {metric} {help_text}", f"# TYPE {metric} histogram"]
        for row in mine:
            text += prometheus_lines(row, records[results.identity(row)], metric, scale)
    return "\n".join(text) + "\n"
