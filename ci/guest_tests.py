# SPDX-License-Identifier: MIT
"""Guest tests: reads tests/tests.cfg, expands its matrix, boots, compares the end with what was expected."""
import configparser
import itertools
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import build
import iso
import qemu
from common import ROOT, TernError
from jobs import Failed, Job, Skipped

CONFIG = ROOT / "tests/tests.cfg"
LOGS = ROOT / "build/check"
KEYS = {
    "image",
    "machine",
    "smp",
    "accel",
    "append",
    "entry",
    "cpu",
    "device",
    "type",
    "prompt",
    "expect",
    "log",
    "timeout",
    "cpu",
    "build",
    "boot",
    "virtio",
    "without",
    "repeat",
    "seed",
    "group",
    "on",
    "on_append",
    "not_on",
    "xl",
    "ends",
    "com1",
    "com1_not",
}
ENTRIES = ("syscall", "sysenter")
VENDOR_OF_ENTRY = {"syscall": "", "sysenter": "vendor=GenuineIntel"}  # SYSENTER in 64-bit mode is Intel's


@dataclass(frozen=True)
class GuestTest:
    """One cell of the matrix. `expect` is SUCCESS or QEMU's exit status; each of `log` must be found, each of `com1` on
    COM1, and none of `com1_not` there. `on`: places of ci/places.py where it also runs in each check; `on_append`: words
    that replace those of `append` with the same key there; `not_on`: places where it cannot run, with the reason."""

    name: str
    image: str
    machine: str
    smp: int
    accel: str
    append: str
    entry: str
    cpu: str
    devices: tuple[str, ...]
    typed: str
    prompt: str
    expect: str
    log: tuple[re.Pattern[str], ...]
    timeout_s: float
    build: str
    iso: bool
    virtio: str
    without: tuple[str, ...]
    repeat: int
    seed: str
    long: bool
    section: str
    on: tuple[str, ...]
    on_append: str
    not_on: dict[str, str]
    xl: tuple[str, ...]
    ends: str
    com1: tuple[re.Pattern[str], ...]
    com1_not: tuple[re.Pattern[str], ...]


def one_of(section: str, key: str, value: str, allowed: tuple[str, ...]) -> str:
    """The value, if it is allowed."""
    if value not in allowed:
        raise TernError(f"tests.cfg: [{section}] {key} = {value}; use one of: {' '.join(allowed)}")
    return value


def whole(section: str, key: str, value: str) -> int:
    """The value as a whole number above 0."""
    if not value.isdigit() or int(value) == 0:
        raise TernError(f"tests.cfg: [{section}] {key} = {value}; use a whole number above 0")
    return int(value)


def patterns(section: str, text: str, smp: int) -> tuple[re.Pattern[str], ...]:
    """One pattern per line, {smp} replaced by the number of CPUs."""
    try:
        return tuple(
            re.compile(line.replace("{smp}", str(smp)), re.MULTILINE) for line in text.splitlines() if line
        )
    except re.error as error:
        raise TernError(f"tests.cfg: [{section}] log or prompt: {error}") from error


def reasons(section: str, text: str) -> dict[str, str]:
    """Lines of PLACE: REASON."""
    found = {}
    for line in filter(None, text.splitlines()):
        place, colon, reason = line.partition(":")
        if not colon or not reason.strip():
            raise TernError(f"tests.cfg: [{section}] not_on = {line}; use PLACE: REASON")
        found[place.strip()] = reason.strip()
    return found


def on_append(section: str, keys: dict[str, str]) -> str:
    """Words that replace some of append=; each must have one to replace."""
    known = {word.partition("=")[0] for word in keys.get("append", "").split()}
    for word in keys.get("on_append", "").split():
        if word.partition("=")[0] not in known:
            raise TernError(f"tests.cfg: [{section}] on_append = {word}; append= has no {word.partition('=')[0]}= to replace")
    return keys.get("on_append", "")


def typed(section: str, keys: dict[str, str]) -> str:
    """What is typed on the serial line; there must be a prompt to wait for."""
    if ("type" in keys) != ("prompt" in keys):
        raise TernError(f"tests.cfg: [{section}] has one of type and prompt; give both or none")
    patterns(section, keys.get("prompt", ""), 1)
    return keys["type"].strip() + "\n" if "type" in keys else ""


def removals(section: str, machine: str, words: str) -> tuple[str, ...]:
    """The devices that a machine is to be without; each must be one that it can be without."""
    kind = machine.partition(",")[0]
    allowed = tuple(device for device, machines in qemu.REMOVALS.items() if kind in machines)
    return tuple(one_of(section, f"without for {kind}", word, allowed) for word in words.split())


def cpu_model(properties: str, entry: str) -> str:
    """QEMU's CPU model: `max` with properties, or empty for the usual one."""
    words = [word for word in (VENDOR_OF_ENTRY[entry], properties) if word]
    return ",".join(["max", *words]) if words else ""


def test_name(section: str, machine: str, smp: int, entry: str) -> str:
    """Name of a cell."""
    return f"guest.{section}.{machine}.{smp}cpu" + (".sysenter" if entry == "sysenter" else "")


def section_expand(section: str, keys: dict[str, str]) -> list[GuestTest]:
    """The tests of one section: each machine with each number of CPUs and each entry."""
    unknown = set(keys) - KEYS
    if unknown:
        raise TernError(
            f"tests.cfg: [{section}] has the unknown key {min(unknown)}; there are: {' '.join(sorted(KEYS))}"
        )
    expect = keys.get("expect", "SUCCESS")
    if expect != "SUCCESS" and not expect.isdigit():
        raise TernError(f"tests.cfg: [{section}] expect = {expect}; use SUCCESS or an exit status of QEMU")
    entries = [one_of(section, "entry", word, ENTRIES) for word in keys.get("entry", "syscall").split()]
    tests = []
    for machine, word, entry in itertools.product(
        keys.get("machine", "q35").split(), keys.get("smp", "1").split(), entries
    ):
        smp = whole(section, "smp", word)
        tests.append(
            GuestTest(
                test_name(section, machine.replace(",acpi=off", "-noacpi"), smp, entry),
                keys.get("image", ""),
                one_of(section, "machine", machine, qemu.MACHINES),
                smp,
                one_of(section, "accel", keys.get("accel", "mttcg"), qemu.ACCELERATORS),
                keys.get("append", ""),
                entry,
                cpu_model(keys.get("cpu", ""), entry),
                tuple(keys.get("device", "").splitlines()),
                typed(section, keys),
                keys.get("prompt", ""),
                expect,
                patterns(section, keys.get("log", ""), smp),
                whole(section, "timeout", keys.get("timeout", "30")),
                one_of(section, "build", keys.get("build", "release"), ("debug", "release")),
                one_of(section, "boot", keys.get("boot", "kernel"), ("kernel", "iso")) == "iso",
                one_of(section, "virtio", keys.get("virtio", "modern"), qemu.VIRTIO),
                removals(section, machine, keys.get("without", "")),
                whole(section, "repeat", keys.get("repeat", "1")),
                one_of(section, "seed", keys.get("seed", ""), ("", "clock")),
                one_of(section, "group", keys.get("group", "short"), ("short", "long")) == "long",
                section,
                tuple(keys.get("on", "").split()),
                on_append(section, keys),
                reasons(section, keys.get("not_on", "")),
                tuple(keys.get("xl", "").split()),
                keys.get("ends", ""),
                patterns(section, keys.get("com1", ""), smp),
                patterns(section, keys.get("com1_not", ""), smp),
            )
        )
    return tests


def tests_read(path: Path = CONFIG) -> list[GuestTest]:
    """All tests of tests.cfg. Raises TernError that names section and key of what is wrong."""
    parser = configparser.ConfigParser(interpolation=None, comment_prefixes=("#",), delimiters=("=",))
    try:
        with open(path, encoding="utf-8") as file:
            parser.read_file(file)
    except (OSError, configparser.Error) as error:
        raise TernError(f"tests.cfg cannot be read: {error}".replace("\n", " ")) from error
    return [test for section in parser.sections() for test in section_expand(section, dict(parser[section]))]


def append_of(test: GuestTest) -> str:
    """The kernel's command line; a seed from the clock is another one each time."""
    words = [test.append]
    words += [f"entry={test.entry}"] if test.entry != "syscall" else []
    words += [f"seed={time.time_ns() // 1000 % 2**32}"] if test.seed == "clock" else []
    return " ".join(filter(None, words))


def boot_make(test: GuestTest, folder: Path, append: str) -> qemu.Boot:
    """The boot of a test; an ISO is written into `folder` first."""
    kernel = ROOT / f"build/{test.build}/tern.elf"
    name = str(ROOT / test.image) if "/" in test.image else test.image
    image = build.image_find(name, kernel) if name else None
    common = {
        "machine": test.machine,
        "accelerator": test.accel,
        "smp": test.smp,
        "cpu": test.cpu,
        "devices": test.devices,
        "typed": test.typed,
        "prompt": test.prompt,
        "virtio": test.virtio,
        "without": test.without,
        "timeout_s": test.timeout_s,
        "xl": test.xl,
        "profile": "prof=" in append,
    }
    if not test.iso:
        return qemu.Boot(kernel=kernel, initrd=image, append=append, **common)
    iso.iso_write(folder / "tern.iso", kernel, image, append)
    return qemu.Boot(cdrom=folder / "tern.iso", **common)


def outcome_check(test: GuestTest, outcome: qemu.Outcome) -> None:
    """Raises Failed, or Skipped if the guest says so, unless the outcome is the expected one."""
    end, reason = outcome.judge()
    tail = "\n".join(["", *outcome.last_lines()])
    if outcome.flaw:
        raise Failed(outcome.flaw + tail)
    if test.expect == "SUCCESS" and end is qemu.End.SKIP:
        raise Skipped(reason)
    if test.expect == "SUCCESS" and end is not qemu.End.SUCCESS:
        raise Failed(reason + tail)
    if test.expect != "SUCCESS" and outcome.status != int(test.expect):
        raise Failed(f"expected exit status {test.expect}, got {outcome.status} ({reason})" + tail)
    if test.ends and outcome.ended != test.ends:
        raise Failed(f"expected that xl sees {test.ends}, it sees {outcome.ended or 'nothing'} ({reason})" + tail)
    for where, text, wanted in ("the log", outcome.log, test.log), ("COM1", outcome.com1, test.com1):
        for pattern in wanted:
            if not pattern.search(text):
                raise Failed(f"{where} has no line like {pattern.pattern!r}" + tail)
    for pattern in test.com1_not:
        if pattern.search(outcome.com1):
            raise Failed(f"COM1 has a line like {pattern.pattern!r}" + tail)


def guest_run(test: GuestTest) -> str:
    """Boots a test as often as it asks; returns a note. The boot's files stay in build/check/NAME/."""
    if test.accel == "kvm" and not qemu.kvm_usable():
        raise Skipped(qemu.kvm_lack())
    folder = LOGS / test.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    append = append_of(test)
    seed = append.split()[-1] if test.seed else ""
    boot = boot_make(test, folder, append)
    for number in range(1, test.repeat + 1):
        for name in (qemu.LOG_FILE, qemu.SERIAL_FILE, qemu.HIST_FILE):
            (folder / name).unlink(missing_ok=True)
        try:
            outcome_check(test, qemu.run(boot, folder))
        except Failed as reason:
            which = f"boot {number} of {test.repeat}" if test.repeat > 1 else ""
            raise Failed(": ".join(filter(None, [seed, which, str(reason)]))) from None
    return ", ".join(filter(None, [seed, f"{test.repeat} boots" if test.repeat > 1 else ""]))


def guest_jobs() -> list[Job]:
    """A job per cell; each needs the build that it boots. What is about xl has no cell of a direct boot."""
    return [
        Job(test.name, lambda test=test: guest_run(test), (f"build.gcc.{test.build}",), long=test.long)
        for test in tests_read()
        if not test.xl
    ]
