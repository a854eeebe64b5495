#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The comparison of queues (`make bench-peers`): which repetitions count, what is met and missed, where the tables go."""
import contextlib
import io
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "perf/bench/peers"))

import compare
import series
import tables
import targets


def repetition(foreign=0.0, raw=500.0, after=None, **figures):
    """One, with figures that a test does not care about."""
    base = {"pair_ns": 5.0, "stream_mops_1": 10.0, "stream_mops_2": 4.0, "one_way_p50_ns": 250.0, "one_way_p99_ns": 400.0,
            "bare_ns": 240.0}
    return {**base, **figures, "foreign": foreign, "raw_before_ns": raw, "raw_after_ns": raw if after is None else after}


def row(queue="channel", kind="own", size=8, capacity=32, instructions=31.0, trusted=True, repetitions=None, **figures):
    """One, with three equal repetitions unless given."""
    return {"queue": queue, "title": queue.upper(), "kind": kind, "bytes": size, "capacity": capacity, "trusted": trusted,
            "instructions": instructions, "repetitions": repetitions or [repetition(**figures)] * 3}  # fmt: skip


def lines(*rows):
    """The verdicts of one configuration."""
    return [verdict.line() for verdict in targets.verdicts(list(rows))]


class Series(unittest.TestCase):
    """Which repetitions count."""

    def test_the_usual_placement_is_that_of_most(self):
        self.assertEqual(series.usual_raw([repetition(raw=500)] * 3 + [repetition(raw=110)] * 2), 500)

    def test_another_placement_does_not_fit_before_or_after(self):
        self.assertTrue(series.fits(repetition(raw=500, after=600), 500))
        self.assertFalse(series.fits(repetition(raw=500, after=110), 500))
        self.assertFalse(series.fits(repetition(raw=110, after=500), 500))

    def test_a_tenth_of_a_cpu_is_the_most_that_others_may_use(self):
        self.assertTrue(series.fits(repetition(foreign=0.10), 500))
        self.assertFalse(series.fits(repetition(foreign=0.11), 500))

    def test_the_first_that_fit_are_taken_not_the_best(self):
        given = [repetition(foreign=0.5), repetition(pair_ns=9.0), repetition(pair_ns=1.0), repetition(pair_ns=0.5)]
        chosen, trusted = series.choose(given, 500, 2)
        self.assertEqual([each["pair_ns"] for each in chosen], [9.0, 1.0])
        self.assertTrue(trusted)

    def test_too_few_are_filled_up_with_the_quietest_and_not_trusted(self):
        given = [repetition(foreign=0.9), repetition(foreign=0.3), repetition()]
        chosen, trusted = series.choose(given, 500, 2)
        self.assertEqual([each["foreign"] for each in chosen], [0.0, 0.3])
        self.assertFalse(trusted)

    def test_a_latency_is_a_multiple_of_the_raw_round_trips_around_it(self):
        self.assertEqual(series.multiples([repetition(raw=400, after=600)], "one_way_p50_ns"), [0.5])


class Targets(unittest.TestCase):
    """Met or missed, by how much, against whom."""

    def test_limits_are_still_met(self):
        self.assertTrue(targets.Verdict("", 36, 36, "").met)
        self.assertTrue(targets.Verdict("", 10, 10, "", at_least=True).met)
        self.assertFalse(targets.Verdict("", 36.01, 36, "").met)
        self.assertFalse(targets.Verdict("", 9.99, 10, "", at_least=True).met)

    def test_instructions_have_a_target_for_a_word_only(self):
        self.assertIn("pair 40 instructions, at most 36: **missed** by 11.1 %", lines(row(instructions=40.0)))
        self.assertFalse([line for line in lines(row(size=64)) if "instructions" in line])

    def test_one_way(self):
        bare = "; a bare line, without a queue, takes 0.48"
        self.assertIn(f"one way 0.50 of the raw round trip, at most 0.55: **met** by 9.1 %{bare}", lines(row()))
        said = lines(row(one_way_p50_ns=300.0, trusted=False))
        self.assertIn(f"one way 0.60 of the raw round trip, at most 0.55: **missed** by 9.1 %{bare}; (!) disturbed", said)

    def test_the_best_peer_is_the_measure(self):
        peers = row("a", "many", pair_ns=6.0, stream_mops_1=12.5), row("b", "many", pair_ns=4.0, stream_mops_1=8.0)
        said = lines(row(), *peers)
        self.assertIn("pair 5.00 ns, at most 4.00 (B): **missed** by 25.0 %", said)
        self.assertIn("10 million messages per second from 1 producer, at least 12.5 (A): **missed** by 20.0 %", said)

    def test_rings_for_one_producer_and_the_own_variants_are_not_compared_with(self):
        said = lines(row(), row("s", "one", pair_ns=1.0), row("v", "own", pair_ns=1.0), row("m", "many", pair_ns=6.0))
        self.assertIn("pair 5.00 ns, at most 6.00 (M): **met** by 16.7 %", said)

    def test_a_peer_without_the_figure_is_not_the_best(self):
        bare = repetition()
        del bare["stream_mops_2"]
        said = lines(row(), row("m", "many", repetitions=[bare]), row("n", "many", stream_mops_2=5.0))
        self.assertIn("4.00 million messages per second from 2 producers, at least 5.00 (N): **missed** by 20.0 %", said)

    def test_overlapping_ranges_and_disturbed_rows_are_said(self):
        wide = [repetition(pair_ns=4.0), repetition(pair_ns=5.0), repetition(pair_ns=6.0)]
        said = lines(row(repetitions=wide), row("m", "many", trusted=False, pair_ns=4.5))
        self.assertIn("pair 5.00 ns, at most 4.50 (M): **missed** by 11.1 %; the ranges overlap; (!) one of the two was disturbed", said)

    def test_figures(self):
        shown = [targets.figure(value) for value in (0.554, 1.0, 9.996, 12.34, 31.0, 123.4)]
        self.assertEqual(shown, ["0.55", "1.00", "10.00", "12.3", "31", "123"])


class Tables(unittest.TestCase):
    """Markdown, and the place for it."""

    def rows(self):
        return [row(size=size, capacity=capacity) for size in (8, 64) for capacity in (32, 1024)]

    def test_short_tells_two_configurations_long_all(self):
        results = {"how": "HOW", "rows": self.rows()}
        short, long = tables.document(results, short=True), tables.document(results, short=False)
        self.assertEqual((short.count("messages, capacity"), long.count("messages, capacity")), (2, 4))
        self.assertTrue(short.startswith("HOW\n\n8-byte messages, capacity 32:\n\n| queue |"))
        self.assertIn("64-byte messages, capacity 1024:", short)

    def test_all_lines_of_a_table_have_its_columns(self):
        bare = repetition()
        del bare["stream_mops_2"]
        for cells, heads in ((tables.long_cells, tables.LONG_HEADS), (tables.short_cells, tables.SHORT_HEADS)):
            made = tables.table(heads, [cells(row()), cells(row(repetitions=[bare]))]).splitlines()
            self.assertEqual({line.count("|") for line in made}, {len(heads) + 1})
            self.assertIn(" - ", made[3])

    def test_a_row_says_range_and_distrust(self):
        cells = tables.long_cells(row(trusted=False, repetitions=[repetition(pair_ns=1.0), repetition(foreign=0.2, pair_ns=3.0)]))
        self.assertEqual((cells[0], cells[1], cells[-1]), ("CHANNEL (!)", "2.00 [1.00..3.00]", "0.20"))

    def test_the_block_is_replaced_and_the_rest_kept(self):
        text = f"above\n{tables.BEGIN}\nold\n{tables.END}\nbelow\n"
        once = tables.replaced(text, "new\n\n")
        self.assertEqual(once, f"above\n{tables.BEGIN}\nnew\n{tables.END}\nbelow\n")
        self.assertEqual(tables.replaced(once, "new"), once)

    def test_a_file_without_its_two_markers_is_refused_and_kept(self):
        for wrong in ("", tables.BEGIN, tables.END + tables.BEGIN, tables.BEGIN * 2 + tables.END):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "README.md"
                path.write_text(wrong)
                with self.assertRaisesRegex(tables.MarkerError, "README.md: needs the lines"):
                    tables.file_replace(path, "new")
                self.assertEqual([each.name for each in Path(folder).iterdir()], ["README.md"])
                self.assertEqual(path.read_text(), wrong)

    def test_the_files_of_the_tree_have_the_markers(self):
        for path in (ROOT / "README.md", ROOT / "perf/bench/peers/README.md"):
            tables.replaced(path.read_text(), "")


class Compare(unittest.TestCase):
    """The command's list is the makefile's."""

    def test_every_queue_is_built(self):
        rules = (ROOT / "perf/bench/peers/rules.mk").read_text()
        for queue in compare.QUEUES:
            self.assertRegex(rules, rf"\b{queue}\b")

    def test_measuring_ends_when_all_rows_have_enough_that_count(self):
        given = [repetition(pair_ns=float(number), foreign=0.5 if number in (2, 3) else 0.0) for number in range(9)]
        rows = [row(repetitions=None) | {"repetitions": []}, row("b") | {"repetitions": []}]
        with mock.patch.object(compare, "repetition", lambda *_: given.pop(0)), contextlib.redirect_stderr(io.StringIO()):
            compare.measure(rows, [1, 0, 1], 2, 60)
        kept = [[each["pair_ns"] for each in each_row["repetitions"]] for each_row in rows]
        self.assertEqual((kept, len(given)), ([[0.0, 4.0], [1.0, 5.0]], 3))
        self.assertTrue(all(each["trusted"] and each["measured"] == 3 for each in rows))

    def test_measuring_ends_with_the_time_and_says_that_it_is_not_enough(self):
        rows = [row() | {"repetitions": []}]
        clock = iter((0.0, 1.0, 59.0, 61.0))
        played = mock.patch.multiple(compare, repetition=lambda *_: repetition(foreign=0.9), time=mock.Mock(monotonic=lambda: next(clock)))
        with played, contextlib.redirect_stderr(io.StringIO()):
            compare.measure(rows, [1, 0, 1], 5, 60)
        self.assertEqual((len(rows[0]["repetitions"]), rows[0]["trusted"]), (2, False))

    def test_one_cpu_per_core_is_chosen(self):
        found = compare.cores()
        self.assertEqual(found, sorted(set(found)))
        self.assertGreaterEqual(len(found), 1)


if __name__ == "__main__":
    unittest.main()
