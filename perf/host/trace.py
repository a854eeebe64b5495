# SPDX-License-Identifier: MIT
"""The addresses that one operation of a bench executes, exactly: a boot under -icount with the plugin that writes down
every instruction, and the interval between two reads of the clock cut out of it.

The boot is that of `./tern bench` without KVM, but for `bench=`. The guest cannot see the plugin; what it counted itself,
in all samples together, must be what is found in the trace, or there is no result.
"""
import itertools
import struct
from array import array
from dataclasses import dataclass
from pathlib import Path

import bench
import build
import qemu
import stream
from common import ROOT, TernError
from disassembly import Disassembly

BOOT = "boot.to_user"  # from the kernel's first read of the clock to the first program's
CROSS = ".cross_cpu."
PLUGIN = ROOT / "build/host/trace_plugin.so"
OUT_FILE, CODE_FILE = "trace.bin", "code.bin"
CODE = struct.Struct("<QB15s")  # struct code in trace_plugin.c
START = "_start"  # in user/rt/crt0.S; reads the clock for boot.to_user

Span = tuple[int, int]


@dataclass(frozen=True)
class Operation:
    """One sample: the addresses from its first read of the clock until before its second, and what the bench says."""

    addresses: array
    overhead: int  # how many of them an empty body has
    ops: int
    value: int  # the sample, which is without the overhead


def boot_make(name: str, kernel: Path, code: Disassembly, timeout_s: float) -> qemu.Boot:
    """The boot of a bench. Raises TernError for a name that cannot be one, or that has no exact trace."""
    if not stream.NAME.fullmatch(name):
        raise TernError(f"no bench is named {name!r}; `./tern bench` shows their names")
    if CROSS in name:
        raise TernError(f"{name} needs two CPUs, where there is no exact count; take a bench of one CPU")
    if name.startswith("timer."):
        raise TernError(f"{name} measures a wait, not an operation; take another bench")
    first, last = code.client.entry, 0
    image = bench.image_of(name)
    words, cpu = ["unit=instructions", f"bench={name}"], ""
    if name == BOOT:  # how long a boot takes depends on the command line too
        first, last = code.kernel.entry, code.client.entry
        words = ["unit=instructions"]
    if name == bench.SYSENTER_BENCHES:
        words, cpu = [*words, "entry=sysenter"], bench.SYSENTER_CPU
    path = str(PLUGIN).replace(",", ",,")
    return qemu.Boot(
        kernel=kernel,
        initrd=None if image == "bench" else kernel.parent / "images" / f"{image}.img",
        cpu=cpu,
        append=" ".join(words),
        timeout_s=timeout_s,
        plugin=f"{path},out={OUT_FILE},code={CODE_FILE},from={first:#x},until={last:#x}",
    )


def plugin_make() -> None:
    """Builds the plugin."""
    build.make(str(PLUGIN.relative_to(ROOT)))


def run(name: str, boot: qemu.Boot, folder: Path, code: Disassembly) -> tuple[stream.Record, array]:
    """Boots; returns what the bench exported and every address that was executed; tells `code` what was there.
    Raises TernError."""
    outcome = qemu.run(boot, folder, f"tracing {name}")
    end, reason = outcome.judge()
    known = bench.KNOWN.findall(outcome.log)
    if end is qemu.End.FAILURE and known:
        known.append(bench.SYSENTER_BENCHES)
        raise TernError(f"no bench is named {name}; there are: {', '.join(known)}")
    if end is not qemu.End.SUCCESS:
        raise bench.guest_failed(reason, outcome, folder, ROOT / "build/profile/failed")
    try:
        read = stream.read(outcome.histograms)
        stream.unit_check(read, "instructions")
    except stream.StreamError as error:
        raise TernError(f"no result: {error}") from error
    records = {record.name: record for record in read.records}
    if name not in records:
        raise TernError(f"{name} is not one bench; there are: {', '.join(records)}")
    addresses = array("Q")
    addresses.frombytes((folder / OUT_FILE).read_bytes())
    translated = CODE.iter_unpack((folder / CODE_FILE).read_bytes())
    code.executed = {address: data[:size] for address, size, data in translated}
    return records[name], addresses


def reads_of_clock(addresses: array, code: Disassembly) -> list[int]:
    """Where in the trace a bench's client reads the clock."""
    reads = {address for address, line in code.client.lines.items() if line.text.startswith("rdtsc")}
    reads -= {address for address in reads if code.at(address).function == START}
    return [index for index, address in enumerate(addresses) if address in reads]


def samples_cut(addresses: array, reads: list[int], record: stream.Record) -> tuple[list[Span], int]:
    """(every sample from read to read, the overhead). Raises TernError unless the guest counted just the same.

    The harness (perf/bench/harness.h) times an empty body at one place, then the first call, the warm-up,
    and the samples.
    """
    spans = list(zip(reads[::2], reads[1::2]))
    samples = spans[-record.fields["count"] :]
    place = [addresses[index] for index in spans[0]] if spans else []
    empty = itertools.takewhile(lambda span: [addresses[index] for index in span] == place, spans)
    overhead = min((end - start for start, end in empty), default=0)
    values = [max(end - start - overhead, 0) for start, end in samples] or [0]
    found = {
        "count": len(samples),
        "min": min(values),
        "max": max(values),
        "sum": sum(values),
        "overhead": overhead,
    }
    different = [
        f"{key} {record.fields[key]}, the trace {value}"
        for key, value in found.items()
        if record.fields[key] != value
    ]
    if different:
        raise TernError(f"the trace is not what {record.name} measured: the guest says {'; '.join(different)}")
    return samples, overhead


def boot_cut(addresses: array, code: Disassembly, record: stream.Record) -> Span:
    """The one sample of boot.to_user."""
    start = next((i for i, address in enumerate(addresses) if code.at(address).text == "rdtsc"), 0)
    span = start, len(addresses) - 1
    if span[1] - span[0] != record.fields["max"]:
        raise TernError(
            f"the trace is not what {BOOT} measured: the guest says {record.fields['max']},"
            f" the trace {span[1] - span[0]}"
        )
    return span


def operation_cut(addresses: array, code: Disassembly, record: stream.Record) -> Operation:
    """The last sample that has the figure which `./tern bench` prints, p50. Raises TernError if there is none."""
    fields = record.fields
    figure = min(max(record.value_at(50.0), fields["min"]), fields["max"])
    if record.name == BOOT:
        samples, overhead = [boot_cut(addresses, code, record)], 0
    else:
        samples, overhead = samples_cut(addresses, reads_of_clock(addresses, code), record)
    for start, end in reversed(samples):
        if end - start - overhead == figure:
            return Operation(addresses[start:end], overhead, fields["ops"], figure)
    raise TernError(f"{record.name}: no sample takes {figure} instructions, which is the figure of `./tern bench`")
