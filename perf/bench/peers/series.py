# SPDX-License-Identifier: MIT
"""Repetitions of a measurement and which of them count.

A repetition is a dict of figures by name, with what other processes used of the CPUs (`foreign`, in CPUs) and the raw round trip
of a cache line before and after. A host may move virtual CPUs nearer to each other or apart: that changes everything by a
factor, so only repetitions in one placement, the run's usual one, are compared.
"""
from statistics import median

FOREIGN_MAX = 0.10
RAW_SPREAD = 0.25

Repetition = dict[str, float]


def usual_raw(repetitions: list[Repetition]) -> float:
    """The raw round trip that most of the run had."""
    return median(value for each in repetitions for value in (each["raw_before_ns"], each["raw_after_ns"]))


def fits(repetition: Repetition, usual: float) -> bool:
    """Whether the machine was nearly our own, and in its usual placement before and after."""
    raws = (repetition["raw_before_ns"], repetition["raw_after_ns"])
    return repetition["foreign"] <= FOREIGN_MAX and all(abs(raw - usual) <= RAW_SPREAD * usual for raw in raws)


def choose(repetitions: list[Repetition], usual: float, wanted: int) -> tuple[list[Repetition], bool]:
    """The first `wanted` that fit, and True; if there are too few, these and the quietest others, and False."""
    fitting = [each for each in repetitions if fits(each, usual)]
    if len(fitting) >= wanted:
        return fitting[:wanted], True
    others = sorted((each for each in repetitions if not fits(each, usual)), key=lambda each: each["foreign"])
    return (fitting + others)[:wanted], False


def spread(values: list[float]) -> tuple[float, float, float]:
    """Median, least, greatest."""
    return median(values), min(values), max(values)


def multiples(repetitions: list[Repetition], name: str) -> list[float]:
    """A latency as a multiple of the raw round trip around it, by repetition."""
    return [2 * each[name] / (each["raw_before_ns"] + each["raw_after_ns"]) for each in repetitions]
