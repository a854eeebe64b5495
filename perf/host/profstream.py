# SPDX-License-Identifier: MIT
"""What one boot sent through org.tern.prof, as samples (sys/abi/profile.h says what the words mean).

A stream that is cut short, or whose numbers contradict each other, is refused: a profile that silently lacks a part
would mislead. Samples that the guest dropped for want of room are no contradiction; they are counted.
"""
import struct
from dataclasses import dataclass, field

from common import TernError

MAGIC = b"TERNPROF"
VERSION = 1
BEGIN, PROCESS, SAMPLE, CPU, END = range(1, 6)
NAMES = {BEGIN: "BEGIN", PROCESS: "PROCESS", SAMPLE: "SAMPLE", CPU: "CPU", END: "END"}
NONE, NOBODY = 0xFFFFFFFF, 0xFFFF
IN_USER, CUT = 1, 2
FRAMES_MAX, SAMPLE_WORDS = 32, 6
WORDS = {BEGIN: 19, PROCESS: 10, CPU: 6, END: 3}  # a sample's depend on its frames
CPUS_MAX, PROCESSES_MAX = 64, 120
USER_END, KERNEL_BASE = 0x80000000, 0xFFFFFFFF80000000


class ProfileError(TernError):
    """The stream is cut short, damaged, or says something that cannot be."""

    def __init__(self, clause: str):
        super().__init__(f"the profile cannot be used: {clause}; profile again")


@dataclass(frozen=True)
class Sample:
    """Where a CPU was at one moment. Chains are innermost first; `kernel` is empty in user mode, `user` while the CPU
    idles. `process` is an index into Profile.processes, None: nobody's. `time_ns`: since boot."""

    cpu: int
    time_ns: int
    process: int | None
    thread: int
    in_user: bool
    cut: bool
    kernel: tuple[int, ...]
    user: tuple[int, ...]


@dataclass(frozen=True)
class Counts:
    """Of one CPU: samples taken, those of them that were dropped, and moments at which none could be asked for."""

    taken: int
    dropped: int
    late: int


@dataclass(frozen=True)
class Profile:
    """A whole stream. `sampler`: the CPU that only samples the others; None: the host sent the NMIs."""

    hz: int
    cpus: int
    sampler: int | None
    image: str
    build_id: str
    processes: tuple[str, ...]
    samples: list[Sample] = field(default_factory=list)
    counts: dict[int, Counts] = field(default_factory=dict)

    def dropped(self) -> int:
        """Samples that were taken but are not here."""
        return sum(counts.dropped for counts in self.counts.values())


def text_of(words: tuple[int, ...], what: str) -> str:
    """A name in its words: printable ASCII, then zeros."""
    raw = struct.pack(f"<{len(words)}I", *words)
    name, _, rest = raw.partition(b"\0")
    if not name or rest.strip(b"\0") or not all(0x21 <= byte <= 0x7E for byte in name):
        raise ProfileError(f"the name of {what} is malformed")
    return name.decode("ascii")


def double(words: tuple[int, ...], at: int) -> int:
    """Two words, the low one first."""
    return words[at] | words[at + 1] << 32


def address_of(word: int) -> int:
    """A word's sign extension to 64 bits."""
    return word if word < USER_END else word | 0xFFFFFFFF00000000


class Reader:
    """Takes the records one after the other; `profile` is there after BEGIN."""

    def __init__(self) -> None:
        self.profile: Profile | None = None
        self.names: list[str] = []
        self.samples: list[Sample] = []
        self.next_number: dict[int, int] = {}
        self.stored: dict[int, int] = {}
        self.counts: dict[int, Counts] = {}
        self.process_count = 0
        self.ended = False

    def take(self, kind: int, cpu: int, flags: int, words: tuple[int, ...], before: int) -> None:
        """One record; `words` without its first, `before`: words of the stream before it."""
        if (kind == BEGIN) != (self.profile is None):
            raise ProfileError("it begins with another record" if self.profile is None else "it begins twice")
        if kind == BEGIN:
            self.begin(words)
        elif kind == PROCESS:
            self.process(words)
        elif kind == SAMPLE:
            self.sample(cpu, flags, words)
        elif kind == CPU:
            self.cpu(cpu, words)
        else:
            self.end(double(words, 0), before)

    def begin(self, words: tuple[int, ...]) -> None:
        """What the whole stream is about."""
        version, hz, cpus, sampler, processes = words[:5]
        if version != VERSION:
            raise ProfileError(f"it has version {version}, this tool reads {VERSION}")
        if not 1 <= cpus <= CPUS_MAX or not 1 <= processes <= PROCESSES_MAX or (sampler != NONE and sampler >= cpus):
            raise ProfileError(f"it says {cpus} CPUs, {processes} processes, sampler {sampler}")
        build_id = struct.pack("<5I", *words[5:10]).hex()
        self.process_count = processes
        image = text_of(words[10:18], "the image")
        self.profile = Profile(hz, cpus, None if sampler == NONE else sampler, image, build_id, ())

    def process(self, words: tuple[int, ...]) -> None:
        """They come in order, before the first sample."""
        if words[0] != len(self.names) or words[0] >= self.process_count or self.samples:
            raise ProfileError(f"process {words[0]} is out of order")
        self.names.append(text_of(words[1:9], f"process {words[0]}"))

    def known_cpu(self, cpu: int) -> None:
        """Fails unless the CPU exists, all processes are known and the CPU's counts are still to come."""
        if len(self.names) != self.process_count:
            raise ProfileError(f"{len(self.names)} of {self.process_count} processes are named")
        if self.profile is None or cpu >= self.profile.cpus:
            raise ProfileError(f"there is no CPU {cpu}")
        if cpu in self.counts:
            raise ProfileError(f"CPU {cpu} goes on behind its end")

    def sample(self, cpu: int, flags: int, words: tuple[int, ...]) -> None:
        """Frames of the kernel lie in its half, those of the process in the other."""
        self.known_cpu(cpu)
        number, who, chains = words[0], words[3], words[4]
        in_kernel, in_user, process = chains & 0xFF, chains >> 8 & 0xFF, who & 0xFFFF
        frames = tuple(map(address_of, words[5:]))
        kernel, user = frames[:in_kernel], frames[in_kernel:]
        if chains >> 16 or in_kernel + in_user != len(frames) or max(in_kernel, in_user) > FRAMES_MAX or not frames:
            raise ProfileError(f"a sample of CPU {cpu} has other frames than it says")
        if any(frame < KERNEL_BASE for frame in kernel) or any(frame >= USER_END for frame in user):
            raise ProfileError(f"a sample of CPU {cpu} has a frame in the wrong half")
        if process != NOBODY and process >= self.process_count:
            raise ProfileError(f"a sample of CPU {cpu} is of process {process}, and there are {self.process_count}")
        if flags & ~(IN_USER | CUT) or bool(flags & IN_USER) != (not kernel) or (process == NOBODY and user):
            raise ProfileError(f"a sample of CPU {cpu} contradicts itself")
        expected = self.next_number.get(cpu, 0)
        if (number - expected) & 0xFFFFFFFF >= 1 << 31:
            raise ProfileError(f"sample {number} of CPU {cpu} comes behind {expected - 1}")
        self.next_number[cpu] = number + 1 & 0xFFFFFFFF
        self.stored[cpu] = self.stored.get(cpu, 0) + 1
        owner = None if process == NOBODY else process
        cut = bool(flags & CUT)
        self.samples.append(
            Sample(cpu, double(words, 1), owner, who >> 16, bool(flags & IN_USER), cut, kernel, user)
        )

    def cpu(self, cpu: int, words: tuple[int, ...]) -> None:
        """The CPU's own counts against what arrived."""
        self.known_cpu(cpu)
        counts = Counts(double(words, 0), double(words, 2), words[4])
        arrived = self.stored.get(cpu, 0)
        if counts.taken - counts.dropped != arrived:
            raise ProfileError(f"CPU {cpu} sent {counts.taken - counts.dropped} samples and {arrived} arrived")
        if self.next_number.get(cpu, 0) > counts.taken & 0xFFFFFFFF:
            raise ProfileError(f"CPU {cpu} took {counts.taken} samples, and their numbers go further")
        self.counts[cpu] = counts

    def end(self, words: int, before: int) -> None:
        """Nothing is missing."""
        if words != before:
            raise ProfileError(f"{words} words were sent and {before} arrived")
        if self.profile is None or sorted(self.counts) != list(range(self.profile.cpus)):
            raise ProfileError(f"the counts of {len(self.counts)} CPUs are there")
        self.ended = True

    def finish(self) -> Profile:
        """The whole of it, samples by time."""
        if not self.ended or self.profile is None:
            raise ProfileError(f"it is cut short after {len(self.samples)} samples")
        begun = self.profile
        samples = sorted(self.samples, key=lambda sample: (sample.time_ns, sample.cpu))
        return Profile(
            begun.hz,
            begun.cpus,
            begun.sampler,
            begun.image,
            begun.build_id,
            tuple(self.names),
            samples,
            dict(sorted(self.counts.items())),
        )


def size_check(kind: int, size: int) -> None:
    """Fails if a record of this kind cannot have so many words."""
    if kind not in NAMES:
        raise ProfileError(f"it has a record of the unknown type {kind}")
    least, most = (SAMPLE_WORDS, SAMPLE_WORDS + 2 * FRAMES_MAX) if kind == SAMPLE else (WORDS[kind], WORDS[kind])
    if not least <= size <= most:
        raise ProfileError(f"a record {NAMES[kind]} has {size} words")


def read(stream: bytes) -> Profile:
    """Reads a whole stream. Raises ProfileError if it is empty, cut short, damaged, or contradicts itself."""
    if not stream:
        raise ProfileError("org.tern.prof is empty")
    if not stream.startswith(MAGIC):
        raise ProfileError("it does not begin as one")
    words = struct.unpack(f"<{len(stream) // 4}I", stream[: len(stream) // 4 * 4])
    reader, at = Reader(), len(MAGIC) // 4
    while at < len(words):
        head = words[at]
        kind, size = head & 0xFF, head >> 8 & 0xFF
        if reader.ended:
            raise ProfileError("something follows its end")
        size_check(kind, size)
        if at + size > len(words):
            break
        reader.take(kind, head >> 16 & 0xFF, head >> 24, words[at + 1 : at + size], at)
        at += size
    if reader.ended and len(stream) != 4 * at:
        raise ProfileError("something follows its end")
    return reader.finish()
