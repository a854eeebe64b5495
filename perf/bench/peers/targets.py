# SPDX-License-Identifier: MIT
"""What the channel is held to in a comparison, and by how much it meets or misses that.

A row is a queue in one configuration: `queue`, `title`, `kind` ("own", "many" or "one" producer), `bytes`, `capacity`,
`instructions`, `repetitions`, `trusted`. The channel is compared with the queues that take many producers. Rings for one
producer need no locked instruction: another class, shown and not compared with.
"""
from dataclasses import dataclass
from typing import Any

import series

Row = dict[str, Any]

OWN = "channel"
INSTRUCTIONS_MAX = 36
INSTRUCTIONS_BYTES = 8  # the budget is one for messages of a word
ONE_WAY_MAX = 0.55


@dataclass
class Verdict:
    """One line below a table. `limit` is the most allowed, or with `at_least` the least."""

    what: str
    value: float
    limit: float
    against: str
    at_least: bool = False
    note: str = ""

    @property
    def met(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def line(self) -> str:
        """`pair 4.00 ns, at most 4.05 (QUEUE): met by 1.2 %`"""
        by = abs(self.value - self.limit) / self.limit * 100
        bound = "at least" if self.at_least else "at most"
        against = f" ({self.against})" if self.against else ""
        said = f"**{'met' if self.met else 'missed'}** by {by:.1f} %"
        return f"{self.what.format(figure(self.value))}, {bound} {figure(self.limit)}{against}: {said}{self.note}"


def figure(value: float) -> str:
    """Three digits, or all before the point; a whole number of more than one, such as a count, without a point."""
    whole = value >= 100 or (value >= 10 and value == int(value))
    return f"{value:.0f}" if whole else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def values(row: Row, name: str) -> list[float]:
    """A figure of all repetitions; empty if the row has none."""
    return [each[name] for each in row["repetitions"] if name in each]


def against_peers(rows: list[Row], name: str, what: str, at_least: bool) -> list[Verdict]:
    """The own row's median against that of the best peer for many producers; a note if the two ranges overlap."""
    own = next(row for row in rows if row["queue"] == OWN)
    peers = [row for row in rows if row["kind"] == "many" and values(row, name)]
    if not peers or not values(own, name):
        return []
    pick = max if at_least else min
    best = pick(peers, key=lambda row: series.spread(values(row, name))[0])
    (mine, least, most), (theirs, low, high) = (series.spread(values(row, name)) for row in (own, best))
    notes = ["; the ranges overlap"] if least <= high and low <= most else []
    notes += [] if own["trusted"] and best["trusted"] else ["; (!) one of the two was disturbed"]
    return [Verdict(what, mine, theirs, best["title"], at_least, "".join(notes))]


def verdicts(rows: list[Row]) -> list[Verdict]:
    """All targets of one configuration, whose rows these are."""
    own = next(row for row in rows if row["queue"] == OWN)
    found = []
    if own["bytes"] == INSTRUCTIONS_BYTES:
        found.append(Verdict("pair {} instructions", own["instructions"], INSTRUCTIONS_MAX, ""))
    found += against_peers(rows, "pair_ns", "pair {} ns", at_least=False)
    way = series.spread(series.multiples(own["repetitions"], "one_way_p50_ns"))[0]
    bare = series.spread(series.multiples(own["repetitions"], "bare_ns"))[0]
    note = f"; a bare line, without a queue, takes {figure(bare)}" + ("" if own["trusted"] else "; (!) disturbed")
    found.append(Verdict("one way {} of the raw round trip", way, ONE_WAY_MAX, "", note=note))
    for producers in (1, 2):
        what = f"{{}} million messages per second from {producers} producer{'s' * (producers > 1)}"
        found += against_peers(rows, f"stream_mops_{producers}", what, at_least=True)
    return found
