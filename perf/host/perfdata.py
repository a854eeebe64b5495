# SPDX-License-Identifier: MIT
"""A profile as a perf.data file, the one that `perf report -g` opens.

A process of the image is a process of perf's: its index + 1 is the pid, its name the command. Each maps its own ELF
file and the vDSO; the kernel is perf's kernel, whose names perf takes from --vmlinux or --kallsyms. The event is
cpu-clock; a sample stands for the time between two. Beside FILE lies FILE.elf/ with copies of all ELF files, so that
the next build does not take the names away; the kernel's is tern.elf.

The layout is that of Linux' tools/perf/Documentation/perf.data-file-format.txt: header, attributes, events, then the
feature sections. The numbers are those of <linux/perf_event.h>.
"""
import re
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path

from common import TernError
from disassembly import Elf, said_by
from profstream import Profile, Sample
from symbols import CALLS, KERNEL_BASE, VDSO, Symbols

MAGIC = b"PERFILE2"
HEADER_BYTES, ATTR_BYTES, SECTION = 104, 112, struct.Struct("<QQ")
RECORD_MMAP, RECORD_LOST, RECORD_COMM, RECORD_SAMPLE, RECORD_MMAP2 = 1, 2, 3, 9, 10
MISC_KERNEL, MISC_USER = 1, 2
TYPE_SOFTWARE, CPU_CLOCK = 1, 0
SAMPLE_IP, SAMPLE_TID, SAMPLE_TIME, SAMPLE_CALLCHAIN, SAMPLE_ID, SAMPLE_CPU, SAMPLE_PERIOD = (
    1 << bit for bit in (0, 1, 2, 5, 6, 7, 8)
)
SAMPLE_TYPE = SAMPLE_IP | SAMPLE_TID | SAMPLE_TIME | SAMPLE_CALLCHAIN | SAMPLE_ID | SAMPLE_CPU | SAMPLE_PERIOD
FLAG_MMAP, FLAG_COMM, FLAG_FREQ, FLAG_SAMPLE_ID_ALL, FLAG_MMAP2 = (1 << bit for bit in (8, 9, 10, 18, 23))
CONTEXT_KERNEL, CONTEXT_USER = (-128 & (1 << 64) - 1), (-512 & (1 << 64) - 1)
PROT_READ_EXEC, MAP_PRIVATE = 5, 2
EVENT_ID = 1
NOBODY_PID, NOBODY_NAME = 0, "idle"
KERNEL_PID = 0xFFFFFFFF
KERNEL_NAME = b"[kernel.kallsyms]_text"
EVENT_NAME = "cpu-clock"
HEADER_HOSTNAME, HEADER_OSRELEASE, HEADER_VERSION, HEADER_ARCH, HEADER_NRCPUS = 3, 4, 5, 6, 7
HEADER_CPUDESC, HEADER_TOTAL_MEM, HEADER_CMDLINE, HEADER_EVENT_DESC = 8, 10, 11, 12
STRING_ALIGN = 64
SEGMENT = re.compile(r"^ *LOAD +0x([0-9a-f]+) 0x([0-9a-f]+) 0x[0-9a-f]+ 0x[0-9a-f]+ 0x([0-9a-f]+) R.E ")


def padded(raw: bytes, to: int = 8) -> bytes:
    """With at least one zero, up to a multiple of `to`."""
    return raw + b"\0" * (to - len(raw) % to)


def string(text: str) -> bytes:
    """A string of a feature section."""
    raw = padded(text.encode(), STRING_ALIGN)
    return struct.pack("<I", len(raw)) + raw


def record(kind: int, misc: int, body: bytes) -> bytes:
    """One event."""
    return struct.pack("<IHH", kind, misc, 8 + len(body)) + body


def pid_of(process: int | None) -> int:
    """Processes count from 1; 0 is who idles."""
    return NOBODY_PID if process is None else process + 1


def tid_of(process: int | None, thread: int) -> int:
    """The first thread's is the pid."""
    return pid_of(process) + 1000 * thread


def identity(pid: int, tid: int, time_ns: int, cpu: int) -> bytes:
    """What follows each event that is no sample (sample_id_all)."""
    return struct.pack("<IIQQII", pid, tid, time_ns, EVENT_ID, cpu, 0)


def attribute(hz: int) -> bytes:
    """struct perf_event_attr of the one event."""
    flags = FLAG_MMAP | FLAG_COMM | FLAG_FREQ | FLAG_SAMPLE_ID_ALL | FLAG_MMAP2
    head = struct.pack("<IIQQQQQ", TYPE_SOFTWARE, ATTR_BYTES, CPU_CLOCK, hz, SAMPLE_TYPE, 0, flags)
    return head.ljust(ATTR_BYTES, b"\0")


def mapping(pid: int, start: int, size: int, offset: int, path: Path) -> bytes:
    """A part of an ELF file in a process."""
    fields = struct.pack("<IIQQQIIQQII", pid, pid, start, size, offset, 0, 0, 0, 0, PROT_READ_EXEC, MAP_PRIVATE)
    return record(RECORD_MMAP2, MISC_USER, fields + padded(str(path.resolve()).encode()) + identity(pid, pid, 0, 0))


@dataclass(frozen=True)
class Text:
    """Where the code of an ELF file is mapped, and which part of the file that is; bytes."""

    start: int
    size: int
    offset: int


def text_of(elf: Elf) -> Text:
    """The executable segment that is mapped highest: the kernel has a second one for its boot. Raises TernError without any."""
    found = [SEGMENT.match(line) for line in said_by("readelf", "-l", "-W", elf.path)]
    parts = [Text(int(row[2], 16), int(row[3], 16), int(row[1], 16)) for row in found if row]
    if not parts:
        raise TernError(f"{elf.path} has no executable segment; build it anew")
    return max(parts, key=lambda text: text.start)


def kernel_mapping(kernel: Elf) -> bytes:
    """The kernel's text, which belongs to no process."""
    text = text_of(kernel)
    fields = struct.pack("<IIQQQ", KERNEL_PID, 0, text.start, text.size, text.start)
    return record(RECORD_MMAP, MISC_KERNEL, fields + padded(KERNEL_NAME) + identity(KERNEL_PID, 0, 0, 0))


def name_event(pid: int, tid: int, name: str) -> bytes:
    """A thread's name, of which perf keeps 15 bytes."""
    return record(RECORD_COMM, 0, struct.pack("<II", pid, tid) + padded(name.encode()[:15]) + identity(pid, tid, 0, 0))


def process_events(profile: Profile, symbols: Symbols, folder: Path) -> bytes:
    """Names of all threads that were seen and of all processes, and what each process maps, out of `folder`."""
    threads = {(sample.process, sample.thread) for sample in profile.samples if sample.thread and sample.process is not None}
    events = [name_event(NOBODY_PID, NOBODY_PID, NOBODY_NAME)]
    for process, name in enumerate(profile.processes):
        pid, text = pid_of(process), text_of(symbols.programs[process])
        events.append(name_event(pid, pid, name))
        events.append(mapping(pid, text.start, text.size, text.offset, folder / symbols.programs[process].path.name))
        events.append(mapping(pid, VDSO.start, CALLS.stop - VDSO.start, 0, folder / symbols.vdso.path.name))
    events += [
        name_event(pid_of(process), tid_of(process, thread), profile.processes[process or 0])
        for process, thread in sorted(threads, key=lambda pair: (pair[0] or 0, pair[1]))
    ]
    return b"".join(events)


def callers_inside(chain: tuple[int, ...]) -> tuple[int, ...]:
    """Return addresses moved into their calls: behind a call that never returns another function begins. In the vDSO
    the first one is such an address too, behind the instruction that entered the kernel."""
    return tuple(address - (place > 0 or address in VDSO) for place, address in enumerate(chain))


def sample_event(sample: Sample, period: int) -> bytes:
    """One sample with its chain."""
    chain: list[int] = []
    if sample.kernel:
        chain += [CONTEXT_KERNEL, *callers_inside(sample.kernel)]
    if sample.user:
        chain += [CONTEXT_USER, *callers_inside(sample.user)]
    where = (sample.kernel or sample.user)[0]
    pid, tid = pid_of(sample.process), tid_of(sample.process, sample.thread)
    fields = struct.pack(
        f"<QIIQQIIQQ{len(chain)}Q", where, pid, tid, sample.time_ns, EVENT_ID, sample.cpu, 0, period, len(chain), *chain
    )
    return record(RECORD_SAMPLE, MISC_KERNEL if where >= KERNEL_BASE else MISC_USER, fields)


def lost_events(profile: Profile) -> bytes:
    """How many samples each CPU dropped, for perf's own warning."""
    time = profile.samples[-1].time_ns if profile.samples else 0
    return b"".join(
        record(RECORD_LOST, 0, struct.pack("<QQ", EVENT_ID, counts.dropped) + identity(KERNEL_PID, 0, time, cpu))
        for cpu, counts in profile.counts.items()
        if counts.dropped
    )


def features(profile: Profile, attr: bytes, ids: bytes) -> dict[int, bytes]:
    """The sections about the machine, by bit; perf's own converters expect some of them."""
    command = ["tern", "profile", profile.image]
    description = struct.pack("<II", 1, ATTR_BYTES) + attr + struct.pack("<I", 1) + string(EVENT_NAME) + ids
    return {
        HEADER_HOSTNAME: string("tern"),
        HEADER_OSRELEASE: string(f"tern {profile.build_id[:12]}"),
        HEADER_VERSION: string("6.1"),
        HEADER_ARCH: string("x86_64"),
        HEADER_NRCPUS: struct.pack("<II", profile.cpus, profile.cpus),
        HEADER_CPUDESC: string("virtual CPU of a Tern guest"),
        HEADER_TOTAL_MEM: struct.pack("<Q", 0),
        HEADER_CMDLINE: struct.pack("<I", len(command)) + b"".join(map(string, command)),
        HEADER_EVENT_DESC: description,
    }


def encode(profile: Profile, symbols: Symbols, folder: Path) -> bytes:
    """The whole file. `folder`: where the ELF files of the processes are."""
    hz = profile.hz or 1
    period = 1_000_000_000 // hz
    ids, attr = struct.pack("<Q", EVENT_ID), attribute(hz)
    events = [kernel_mapping(symbols.kernel), process_events(profile, symbols, folder)]
    events += [sample_event(sample, period) for sample in profile.samples]
    data = b"".join([*events, lost_events(profile)])
    ids_at = HEADER_BYTES
    attrs_at = ids_at + len(ids)
    data_at = attrs_at + ATTR_BYTES + SECTION.size
    sections = features(profile, attr, ids)
    table_at = data_at + len(data)
    payload_at = table_at + SECTION.size * len(sections)
    table = payload = b""
    for bit in sorted(sections):
        table += SECTION.pack(payload_at + len(payload), len(sections[bit]))
        payload += sections[bit]
    bits = sum(1 << bit for bit in sections)
    header = MAGIC + struct.pack("<QQ", HEADER_BYTES, ATTR_BYTES + SECTION.size)
    header += SECTION.pack(attrs_at, ATTR_BYTES + SECTION.size) + SECTION.pack(data_at, len(data)) + SECTION.pack(0, 0)
    header += struct.pack("<4Q", bits, 0, 0, 0)
    return header + ids + attr + SECTION.pack(ids_at, len(ids)) + data + table + payload


def elf_folder(out: Path) -> Path:
    """The folder of the ELF files that belong to a file."""
    return out.parent / f"{out.name}.elf"


def elf_copy(symbols: Symbols, folder: Path) -> None:
    """The ELF files in their folder. Those of programs lose .bss: perf 6.1 takes names of a .bss that has a segment
    for itself for code at the file's start."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copyfile(symbols.kernel.path, folder / "tern.elf")
    shutil.copyfile(symbols.vdso.path, folder / symbols.vdso.path.name)
    for program in symbols.programs:
        said_by("objcopy", "-R", ".bss", program.path, folder / program.path.name)


def write(profile: Profile, out: Path, symbols: Symbols) -> None:
    """Writes the file and its folder of ELF files, over what was there. Raises TernError if it cannot be written."""
    try:
        elf_copy(symbols, elf_folder(out))
        out.write_bytes(encode(profile, symbols, elf_folder(out)))
    except OSError as error:
        raise TernError(f"cannot write {out}: {error.strerror}; choose another file") from error
