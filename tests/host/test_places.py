#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Guest tests on other places: which, how they are grouped, and what a session that breaks off leads to."""
import dataclasses
import sys
import unittest
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "perf/host"), str(ROOT / "ci")]

import cli
import guest_tests
import jobs
import places
import qemu
from common import TernError


def sections(**keys: dict[str, str]) -> list[guest_tests.GuestTest]:
    """Tests of these sections."""
    return [test for section, words in keys.items() for test in guest_tests.section_expand(section, words)]


class Places(unittest.TestCase):
    """Choice and grouping."""

    def on(self, place: str, **keys: dict[str, str]) -> dict[str, guest_tests.GuestTest]:
        """What the sections give there, by name."""
        with mock.patch("guest_tests.tests_read", lambda: sections(**keys)):
            return {test.name: test for test in places.tests_on(places.PLACES[place])}

    def test_command_line_knows_the_places(self):
        self.assertEqual(tuple(cli.PLACES), tuple(places.PLACES))

    def test_all_places(self):
        with mock.patch("guest_tests.tests_read", lambda: sections(a={"machine": "q35 microvm"}, b={})):
            names = {job.name for job in places.place_jobs("all", ["guest.a."])}
        self.assertEqual({name for name in names if name.startswith("guest")}, {f"guest.a.{p}.1cpu" for p in places.PLACES})

    def test_ten_checks_are_everything(self):
        place, words = places.PLACES["xen-dom0"], {"smp": "1 2 4 8", "entry": "syscall sysenter"}
        with mock.patch("guest_tests.tests_read", lambda: sections(a=words, b=words, c={**words, "on": "xen-dom0.2cpu"})):
            turns = [{test.name for test in places.default_tests(place, turn)} for turn in range(places.TURNS)]
        asked = "guest.c.xen-dom0.2cpu"
        able = {f"guest.{section}.xen-dom0.{smp}cpu" for section in "abc" for smp in (1, 2, 4, 8)}
        self.assertTrue(all(asked in turn for turn in turns))
        self.assertEqual(set().union(*turns), able)
        self.assertEqual(sum(len(turn - {asked}) for turn in turns), len(able) - 1)

    def test_turn_is_the_commits(self):
        for said, turn in (((0, "0000000f" + "0" * 32), 5), ((128, "fatal: not a git repository"), 0)):
            with mock.patch("places.program_said", lambda *_, said=said: said):
                self.assertEqual(places.turn_get(), turn)
        with mock.patch("places.program_said", side_effect=FileNotFoundError):
            self.assertEqual(places.turn_get(), 0)

    def test_less_work_there(self):
        words = {"append": "iterations=400 idle=hlt x", "on_append": "idle=poll iterations=4"}
        (test,) = self.on("xen-domu", a=words).values()
        self.assertEqual(test.append, "iterations=4 idle=poll x")
        with self.assertRaisesRegex(TernError, "on_append = more=1; append= has no more= to replace"):
            sections(a={**words, "on_append": "more=1"})

    def test_each_cell_once(self):
        found = self.on("kvm-q35", a={"machine": "microvm pc q35", "smp": "1 2"})
        self.assertEqual(sorted(found), ["guest.a.kvm-q35.1cpu", "guest.a.kvm-q35.2cpu"])
        self.assertEqual({test.machine for test in found.values()}, {"q35"})

    def test_machines(self):
        found = self.on("kvm-microvm", a={}, b={"machine": "microvm,acpi=off"}, c={"machine": "pc"})
        self.assertEqual([test.machine for test in found.values()], ["microvm", "microvm,acpi=off", "pc"])
        reasons = [places.refusal(test, places.PLACES["kvm-microvm"]) for test in found.values()]
        self.assertEqual(reasons, ["", "", "it is about the machine pc"])

    def test_refusals(self):
        found = self.on(
            "kvm-microvm",
            a={"accel": "icount", "smp": "1 2"},
            b={"entry": "sysenter"},
            c={"device": "edu"},
            d={"boot": "iso"},
            e={"not_on": "kvm-microvm: it may not\nkvm-q35: x"},
            f={"entry": "sysenter", "expect": "39"},
        )
        reasons = [places.refusal(test, places.PLACES["kvm-microvm"])[:13] for test in found.values()]
        self.assertEqual(
            reasons, ["", "CPUs that tak", "an AMD CPU ha", "a microvm has", "a microvm boo", "it may not", ""]
        )

    def test_bad_keys(self):
        with self.assertRaisesRegex(TernError, "use PLACE: REASON"):
            sections(a={"not_on": "kvm-q35"})
        with mock.patch("guest_tests.tests_read", lambda: sections(a={"on": "mars"})):
            with self.assertRaisesRegex(TernError, "on = mars; the places are: kvm-q35"):
                places.default_jobs()

    def test_sessions_are_bounded_and_apart(self):
        cells = " ".join(map(str, range(1, 50)))
        tests = sections(a={"smp": cells, "timeout": "10"}, b={"accel": "icount"}, c={"repeat": "50"})
        made = places.sessions_make(places.PLACES["kvm-q35"], tests)
        self.assertEqual([len(session.tests) for session in made], [24, 24, 1, 1, 1])
        self.assertEqual([session.exact for session in made], [False] * 4 + [True])
        self.assertEqual(len({session.name() for session in made}), 5)

    def test_long_ones_are_apart(self):
        tests = sections(a={"timeout": "400", "smp": "1 2 4"}, b={"timeout": "2000"}, c={})
        made = places.sessions_make(places.PLACES["kvm-q35"], tests)
        self.assertEqual([len(session.tests) for session in made], [2, 1, 1, 1])

    def test_filters(self):
        with mock.patch("guest_tests.tests_read", lambda: sections(a={}, b={})):
            names = [job.name for job in places.place_jobs("kvm-q35", ["guest.a"])]
            self.assertEqual(names, ["session.kvm-q35.1", "guest.a.kvm-q35.1cpu"])
            with self.assertRaisesRegex(TernError, "no guest test matches nothing"):
                places.place_jobs("kvm-q35", ["nothing"])


class Sessions(unittest.TestCase):
    """What becomes of the boots."""

    GOOD = qemu.Outcome(33, 1.0, "VERDICT: SUCCESS", b"", "", 30.0)
    BAD = qemu.Outcome(35, 1.0, "VERDICT: FAILURE why", b"", "", 30.0)

    def session(self, rounds: list) -> places.Session:
        """A session of three tests whose first levels give these results in turn."""
        turns = iter(rounds)

        def boots_try(boots, work, exact):
            result = next(turns)
            if isinstance(result, TernError):
                raise result
            return result

        place = dataclasses.replace(places.PLACES["kvm-q35"], boots_try=boots_try)
        session = places.Session(place, False, sections(a={}, b={}, c={}), 1)
        made = [(test, qemu.Boot(), Path("x")) for test in session.tests]
        with mock.patch.object(places.Session, "boots", lambda self: made):
            session.note = session.run()
        return session

    def test_each_test_gets_its_own(self):
        session = self.session([[self.GOOD, self.BAD, self.GOOD]])
        self.assertEqual(session.report(session.tests[0]), "")
        with self.assertRaisesRegex(jobs.Failed, "VERDICT: FAILURE why"):
            session.report(session.tests[1])

    def test_one_that_stops_the_first_level_is_tried_again(self):
        stopped = TernError("stopped")
        session = self.session([[self.GOOD, stopped, stopped], [self.GOOD, self.GOOD]])
        self.assertEqual(session.note, "3 boots, the first level stopped 1 times")
        self.assertEqual([session.report(test) for test in session.tests], ["", "", ""])

    def test_one_that_always_stops_it_has_failed_and_the_rest_goes_on(self):
        stopped = TernError("stopped")
        session = self.session([[self.GOOD, stopped, stopped], [stopped, stopped], [self.GOOD]])
        self.assertEqual(session.note, "3 boots, the first level stopped 2 times")
        with self.assertRaisesRegex(jobs.Failed, "stopped"):
            session.report(session.tests[1])
        self.assertEqual(session.report(session.tests[2]), "")

    def test_first_levels_are_bounded(self):
        stopped = TernError("stopped")
        with self.assertRaisesRegex(jobs.Failed, "stopped 5 times"):
            self.session([[stopped] * 3, [stopped] * 3, [stopped] * 2, [stopped] * 2, [stopped], [stopped]])

    def test_never_up(self):
        with self.assertRaisesRegex(jobs.Failed, "no kvm"):
            self.session([TernError("no kvm")])
        with mock.patch("debcache.install_forbidden", lambda: True), self.assertRaisesRegex(jobs.Skipped, "no package"):
            self.session([TernError("no package")])

    def test_nothing_found_is_no_success(self):
        session = places.Session(places.PLACES["kvm-q35"], False, sections(a={}), 1)
        with self.assertRaises(jobs.Failed):
            session.report(session.tests[0])


if __name__ == "__main__":
    unittest.main()
