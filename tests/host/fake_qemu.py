#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Plays QEMU for test_cli.py: writes a boot's files into its working directory, ends as FAKE_QEMU says."""
import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "perf/host"))
import hdr

HEADER = (
    "#[Histogram log format version 1.3]\n#[StartTime: 0.000 (seconds since epoch), 1970-01-01T00:00:00Z]\n"
    '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n'
)
ENVIRONMENT = (
    "#[Tern environment clock_source=pit tsc_khz=1000000 cpus_started=1 hypervisor=TCG "
    'command_line="unit=instructions"]\n'
)


def histogram(name: str, values: list[int], words: str) -> str:
    """The two lines of one histogram."""
    made = hdr.Histogram()
    for value in values:
        made.record(value)
    return (
        f"#[Tern histogram={name} count={len(values)} min={min(values)} max={max(values)} sum={sum(values)} "
        f"overflow=0 {words}]\nTag={name},0.500,0.100,{max(values) / 1e6:.3f},{made.encode(0)}\n"
    )


def stream(unit: str, extra: int) -> str:
    """A whole stream of two benches; `extra` is added to every value."""
    call = histogram(
        "channel.call.same_cpu.0", [201 + extra] * 990 + [5000] * 10, f"unit={unit} cold=900 overhead=3"
    )
    null = histogram("syscall.null", [4000 + extra] * 100, f"unit={unit} ops=100 overhead=300")
    return f"{HEADER}{ENVIRONMENT}{call}{null}#[Tern end histograms=2 dropped=0]\n"


def boots_before() -> int:
    """How many boots ran before this one, counted in the file that FAKE_QEMU_COUNT names."""
    counter = os.environ.get("FAKE_QEMU_COUNT")
    if not counter:
        return 0
    path = Path(counter)
    count = len(path.read_text()) if path.exists() else 0
    path.write_text("x" * (count + 1))
    return count


def main() -> int:
    """Ends with the status that QEMU would end with."""
    words = sys.argv[1:]
    if "--version" in words:
        print("QEMU emulator version 0.0 (fake)")
        return 0
    mode = os.environ["FAKE_QEMU"]
    unit = "instructions" if "unit=instructions" in " ".join(words) else "ns"
    extra = boots_before() if mode == "changing" else 0
    log = "[    0.001] hello\n[    0.002] 1 of 1 CPUs, from MADT\n"
    hist = stream(unit, extra)
    if mode == "typed_on":
        print("say something\r", flush=True)
        print("VERDICT: SUCCESS" if sys.stdin.read() == "one\ntwo\n" else "VERDICT: FAILURE", flush=True)
        return 33
    if mode == "silent":
        time.sleep(60)
    if mode == "qemu_error":
        print("qemu: -M nonsense: unsupported machine type", file=sys.stderr)
        return 1
    if mode == "panic":
        log += "[    0.003] panic: panic=test\n[    0.003]   kernel_main+0x12\n"
    if mode != "no_verdict":
        log += f"[    0.004] VERDICT: {'FAILURE it broke' if mode == 'wrong_verdict' else 'SUCCESS'}\n"
    if mode == "truncated":
        hist = hist[: len(hist) // 2]
    if mode == "wrong_unit":
        hist = hist.replace("unit=instructions", "unit=ns")
    image = words[words.index("-initrd") + 1] if "-initrd" in words else ""
    for name, bench in (("bench_cross", "channel.call.cross_cpu.0"), ("bench_objects", "channel.call.group.1")):
        if name in image:
            hist = hist.replace("channel.call.same_cpu.0", bench)
    if mode == "late_serial":
        Path("serial.txt").write_text(log)
    else:
        Path("log.txt").write_text(log)
    Path("hist.txt").write_text("" if mode == "no_histograms" else hist)
    if mode == "hang":
        time.sleep(60)
    if mode == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    return {"panic": 37, "refused": 39, "reset": 0, "failure": 35}.get(mode, 33)


sys.exit(main())
