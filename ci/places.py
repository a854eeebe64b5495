# SPDX-License-Identifier: MIT
"""Other places where guest tests run: under a hypervisor in a first level, many boots in one session.

A place is an entry of PLACES. `./tern check` runs there what tests.cfg asks for with on=, and a tenth of everything, which
one the commit's hash decides; `./tern check --on PLACE` runs everything there. A test that a place cannot run is skipped with
the reason. Each session is a job, and so is each test, which tells what the session found; a session that a test stops goes on
with the next one.
"""
import contextlib
import fnmatch
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import debcache
import firstlevel
import guest_tests
import nested
import qemu
import xen_dom0
import xen_domu
from common import ROOT, TernError, program_said
from guest_tests import LOGS, GuestTest
from jobs import Failed, Job, Skipped

BOOTS_PER_SESSION = 24
LIMITS_PER_SESSION_S = 1000  # of the tests' own time limits: what may last long does not keep the others' results back
RESTARTS_MAX = 4
TURNS = 10
QUIET = "com1=spare"  # each byte there is a way through KVM, Linux and QEMU, all emulated
BOOTS = Sequence[tuple[qemu.Boot, Path]]


@dataclass(frozen=True)
class Place:
    """`machines`: QEMU's machines there, the usual one first; a test that wants another of q35's kin or microvm's has no
    meaning there if it names no q35. `boots_try(boots, work, exact)` as nested.boots_try. `refuse` says why a test
    cannot run, or nothing. `append`: on each command line. `slower`: by how much a test's time limit is stretched.
    `repeat_max`: boots at most of a test that repeats. `exact`: whether tests of one CPU under icount have a first
    level under icount."""

    name: str
    machines: tuple[str, ...]
    boots_try: Callable[[BOOTS, Path, bool], list[qemu.Outcome | TernError]]
    refuse: Callable[[GuestTest, "Place"], str]
    append: str = ""
    slower: float = 4.0
    repeat_max: int = 5
    exact: bool = True


def kvm_refuse(test: GuestTest, place: Place) -> str:
    """What a guest of KVM cannot do here."""
    if test.xl:
        return "it is about xl"
    if test.entry == "sysenter" and test.expect == "SUCCESS":
        return "an AMD CPU has no SYSENTER in 64-bit mode, and KVM plays none"
    if test.accel == "icount" and test.smp > 1:
        return "CPUs that take turns exist under icount only"
    if test.machine not in place.machines:
        return f"it is about the machine {test.machine}"
    if test.machine.startswith("microvm") and test.iso:
        return "a microvm boots no ISO"
    if test.machine.startswith("microvm") and test.devices:
        return "a microvm has no PCI for the test's device"
    return ""


def kvm_boots(boots: BOOTS, work: Path, exact: bool) -> list[qemu.Outcome | TernError]:
    """A session with KVM."""
    return nested.boots_try(boots, work, exact)


def xen_refuse(test: GuestTest, place: Place) -> str:
    """What a guest of Xen, as dom0 or by xl, cannot do here."""
    if test.xl and place.name != "xen-domu":
        return "it is about a guest that xl made"
    if test.entry == "sysenter" and test.expect == "SUCCESS":
        return "an AMD CPU has no SYSENTER in 64-bit mode, and Xen plays none"
    if test.accel != "mttcg" and test.smp > 1:
        return f"it is about CPUs under {test.accel}"
    if test.cpu not in ("", "max,-smap"):
        return f"Xen runs on one model of a CPU, which is not {test.cpu}"
    if test.machine not in place.machines:
        return f"it is about the machine {test.machine}"
    if test.iso:
        return "Xen boots kernel and image without GRUB"
    if test.typed:
        return "there is no serial line to type on"
    if test.com1:
        return "COM1 is Xen's"
    if test.devices:
        return "Xen hands no device to this guest"
    if test.virtio != "modern":
        return "there is no virtio console"
    return ""


PLACES = {
    place.name: place
    for place in (
        Place("kvm-q35", ("q35", "pc"), kvm_boots, kvm_refuse, append=QUIET),
        Place("kvm-microvm", ("microvm", "microvm,acpi=off"), kvm_boots, kvm_refuse, append=QUIET),
        Place("xen-dom0", ("q35", "pc"), xen_dom0.boots_try, xen_refuse),
        Place("xen-domu", ("q35", "pc"), xen_domu.boots_try, xen_refuse),
    )
}


@dataclass
class Session:
    """Tests that share a first level; `found` is what became of each boot, by test. Filled by run()."""

    place: Place
    exact: bool
    tests: list[GuestTest]
    number: int
    found: dict[str, list[qemu.Outcome | TernError]] = field(default_factory=dict)

    def name(self) -> str:
        """The job's name."""
        return f"session.{self.place.name}{'.icount' if self.exact else ''}.{self.number}"

    def boots(self) -> list[tuple[GuestTest, qemu.Boot, Path]]:
        """Every boot of every test."""
        made = []
        for test in self.tests:
            folder = LOGS / test.name
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            append = guest_tests.append_of(test)
            if not test.typed:  # what is typed on COM1 is answered there
                append = f"{append} {self.place.append}".strip()
            boot = guest_tests.boot_make(test, folder, append)
            boot = replace(boot, timeout_s=boot.timeout_s * self.place.slower)
            made += [(test, boot, folder / f"boot{number}") for number in range(1, test.repeat + 1)]
        return made

    def run(self) -> str:
        """Boots all tests. A boot that stops the first level is tried once more in another one, in which the rest goes
        on: QEMU 7.2 now and then lets a whole first level sleep for ever, whatever runs in it."""
        waiting, stops, woken, again = self.boots(), 0, 0, False
        while waiting:
            results = self.level_run(waiting)
            woken += firstlevel.woken(LOGS / self.name())
            good = next((n for n, result in enumerate(results) if isinstance(result, TernError)), len(results))
            stopped = good < len(results)
            stops += stopped
            if stopped:
                self.keep(stops)
            if stopped and stops > RESTARTS_MAX:
                raise Failed(f"the first level was stopped {stops} times: {results[good]}")
            taken = good + (1 if stopped and again and good == 0 else 0)
            for (test, _, _), result in zip(waiting[:taken], results):
                self.found.setdefault(test.name, []).append(result)
            waiting, again = waiting[taken:], stopped and taken == good
        notes = [f"{sum(map(len, self.found.values()))} boots"]
        notes += [f"the first level stopped {stops} times"] if stops else []
        notes += [f"it was woken {woken} times"] if woken else []
        return ", ".join(notes)

    def keep(self, stops: int) -> None:
        """Puts aside what the stopped first level left."""
        folder = LOGS / f"{self.name()}.stopped{stops}"
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):
            shutil.move(LOGS / self.name(), folder)

    def level_run(self, boots: list[tuple[GuestTest, qemu.Boot, Path]]) -> list[qemu.Outcome | TernError]:
        """The boots in one first level."""
        try:
            return self.place.boots_try([(boot, folder) for _, boot, folder in boots], LOGS / self.name(), self.exact)
        except TernError as error:
            if debcache.install_forbidden():
                raise Skipped(str(error)) from error
            raise Failed(str(error)) from error

    def report(self, test: GuestTest) -> str:
        """The result of one test, once the session has run."""
        results = self.found.get(test.name, [])
        if len(results) != test.repeat:
            raise Failed(f"the session made {len(results)} of {test.repeat} boots")
        for number, result in enumerate(results, 1):
            which = f"boot {number} of {test.repeat}: " if test.repeat > 1 else ""
            if isinstance(result, TernError):
                raise Failed(f"{which}{result}")
            try:
                guest_tests.outcome_check(test, result)
            except Failed as reason:
                raise Failed(f"{which}{reason}") from None
        return f"{test.repeat} boots" if test.repeat > 1 else ""


def on_place(test: GuestTest, place: Place) -> GuestTest:
    """The test as it is there: on its own machine if the place has it; what runs on a q35 runs on the place's usual."""
    name = guest_tests.test_name(test.section, place.name, test.smp, test.entry)
    usual = test.machine == "q35" and test.machine not in place.machines
    machine = place.machines[0] if usual else test.machine
    append = append_on(test.append, test.on_append)
    return replace(test, name=name, machine=machine, append=append, repeat=min(test.repeat, place.repeat_max))


def append_on(append: str, instead: str) -> str:
    """The command line with the words of `instead` in the places of those with the same key."""
    changes = {word.partition("=")[0]: word for word in instead.split()}
    return " ".join(changes.get(word.partition("=")[0], word) for word in append.split()) if changes else append


def tests_on(place: Place) -> list[GuestTest]:
    """Each section, number of CPUs and entry once: on the first of the place's machines that the section has."""
    order = list(place.machines)
    chosen: dict[str, GuestTest] = {}
    for test in guest_tests.tests_read():
        moved = on_place(test, place)
        rank = order.index(moved.machine) if moved.machine in order else len(order)
        other = chosen.get(moved.name)
        if other is None or rank < (order.index(other.machine) if other.machine in order else len(order)):
            chosen[moved.name] = moved
    return list(chosen.values())


def refusal(test: GuestTest, place: Place) -> str:
    """Why a test does not run there, or nothing."""
    return test.not_on.get(place.name) or test.not_on.get("all") or place.refuse(test, place)


def fits(tests: Sequence[GuestTest]) -> bool:
    """Whether the tests are not too much for one session."""
    limits = sum(test.repeat * test.timeout_s for test in tests)
    return sum(test.repeat for test in tests) <= BOOTS_PER_SESSION and limits <= LIMITS_PER_SESSION_S


def sessions_make(place: Place, tests: Sequence[GuestTest], first: int = 1) -> list[Session]:
    """Tests in sessions of bounded length, those under icount apart."""
    sessions: list[Session] = []
    for exact in (False, True):
        current: list[GuestTest] = []
        for test in (test for test in tests if (place.exact and test.accel == "icount" and test.smp == 1) is exact):
            if current and not fits([*current, test]):
                sessions.append(Session(place, exact, current, first + len(sessions)))
                current = []
            current.append(test)
        if current:
            sessions.append(Session(place, exact, current, first + len(sessions)))
    return sessions


def skip(reason: str) -> Callable[[], str]:
    """The work of a test that a place cannot run."""

    def work() -> str:
        raise Skipped(reason)

    return work


def jobs_make(place: Place, tests: Sequence[GuestTest]) -> list[Job]:
    """The jobs of the tests and of the sessions that they need."""
    refused = [(test, refusal(test, place)) for test in tests]
    made = [Job(test.name, skip(reason)) for test, reason in refused if reason]
    for session in sessions_make(place, [test for test, reason in refused if not reason]):
        builds = tuple(sorted({f"build.gcc.{test.build}" for test in session.tests}))
        made.append(Job(session.name(), session.run, builds, long=True))
        made += [
            Job(test.name, lambda session=session, test=test: session.report(test), (session.name(),), long=True)
            for test in session.tests
        ]
    return made


def matches(test: GuestTest, filters: Sequence[str]) -> bool:
    """Whether the name has a word of the filters, or none are given."""
    return not filters or any(word in test.name or fnmatch.fnmatchcase(test.name, word) for word in filters)


def place_jobs(name: str, filters: Sequence[str]) -> list[Job]:
    """Every guest test on the place, or on each of `all`, whose name matches a filter."""
    chosen = PLACES.values() if name == "all" else [PLACES[name]]
    made = [job for place in chosen for job in jobs_make(place, [t for t in tests_on(place) if matches(t, filters)])]
    if not made:
        raise TernError(f"no guest test matches {' '.join(filters)} on {name}; see ./tern check --list --on {name}")
    return made


def turn_get() -> int:
    """Which of TURNS it is: by the commit, so that a check that is repeated does the same; 0 where git knows none."""
    try:
        status, said = program_said(["git", "rev-parse", "HEAD"], ROOT, None, 10)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return int(said[:8], 16) % TURNS if status == 0 else 0


def default_tests(place: Place, turn: int) -> list[GuestTest]:
    """What tests.cfg asks for with on= PLACE or PLACE.Ncpu, and every TURNSth of what can run there."""
    tests = tests_on(place)
    asked = {
        test.name
        for test in tests
        if test.entry == "syscall" and (place.name in test.on or f"{place.name}.{test.smp}cpu" in test.on)
    }
    able = [test.name for test in tests if not refusal(test, place)]
    return [test for test in tests if test.name in asked or test.name in able[turn::TURNS]]


def default_jobs() -> list[Job]:
    """On each place what a check runs there."""
    for test in guest_tests.tests_read():
        for word in test.on:
            if word.split(".")[0] not in PLACES:
                raise TernError(f"tests.cfg: [{test.section}] on = {word}; the places are: {' '.join(PLACES)}")
    turn = turn_get()
    return [job for place in PLACES.values() for job in jobs_make(place, default_tests(place, turn))]
