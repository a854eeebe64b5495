# SPDX-License-Identifier: MIT
"""Runs named jobs on two slots, in order, each when what it needs has passed; one line per result.

A job is a function that returns a text (shown after the name) or raises Failed or Skipped. Any other
exception is a failure too: a job that breaks never passes.
"""
import fnmatch
import queue
import subprocess
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from common import TernError, program_said, progress

SLOTS = 2


class Failed(Exception):
    """A job's failure: one line, perhaps with more lines after it."""


class Skipped(Exception):
    """A job that cannot be tried here; the reason."""


@dataclass(frozen=True)
class Job:
    """`slots` is 2 for jobs that keep both cores busy. `long` jobs are left out by --quick."""

    name: str
    work: Callable[[], str | None]
    needs: tuple[str, ...] = ()
    slots: int = 1
    long: bool = False


@dataclass(frozen=True)
class Result:
    """How a job ended: `state` is ok, failed or skipped; `detail` is the reason or the note of a success."""

    name: str
    state: str
    seconds: float
    detail: str

    def line(self) -> str:
        """The line on the screen."""
        first = self.detail.splitlines()[0] if self.detail else ""
        if self.state == "failed":
            return f"not ok - {self.name}: {first}"
        note = f": {first}" if first else ""
        return (
            f"ok - {self.name} # SKIP {first}"
            if self.state == "skipped"
            else f"ok - {self.name} ({self.seconds:.1f} s){note}"
        )


def run_quiet(
    *words: str | Path, cwd: Path, seconds: float, environment: dict[str, str] | None = None
) -> str:
    """Runs a program with a time limit; returns stdout and stderr as one text. Raises Failed."""
    line = [str(word) for word in words]
    try:
        status, text = program_said(line, cwd, environment, seconds)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{Path(line[0]).name} did not end within {seconds:g} s") from error
    except OSError as error:
        raise Failed(f"{line[0]} cannot be started: {error.strerror}") from error
    if status != 0:
        lines = [part for part in text.splitlines() if part.strip()]
        last = lines[-1] if lines else "it printed nothing"
        raise Failed(
            "\n".join(
                [f"{Path(line[0]).name} ended with status {status}: {last[:200]}", *lines[-25:]]
            )
        )
    return text


def select(jobs: list[Job], filters: list[str]) -> list[Job]:
    """Jobs whose name contains or matches a filter, with all that they need, in the given order."""
    by_name = {job.name: job for job in jobs}
    wanted = [
        job.name
        for job in jobs
        if not filters or any(word in job.name or fnmatch.fnmatchcase(job.name, word) for word in filters)
    ]
    if not wanted:
        raise TernError(f"no test matches {' '.join(filters)}; see ./tern check --list")
    closure: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name not in closure:
            closure.add(name)
            wanted += by_name[name].needs
    return [job for job in jobs if job.name in closure]


def run_one(job: Job) -> Result:
    """Runs a job to its result."""
    start = time.monotonic()
    try:
        state, detail = "ok", job.work() or ""
    except Skipped as reason:
        state, detail = "skipped", str(reason)
    except (Failed, TernError) as reason:
        state, detail = "failed", str(reason)
    except Exception as error:  # a broken test is a failed test
        state, detail = "failed", f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
    return Result(job.name, state, time.monotonic() - start, detail)


def startable(waiting: list[Job], passed: set[str], free: int) -> Job | None:
    """The first waiting job whose needs have passed, if it fits. A job that does not fit keeps later ones
    back, so that it is not passed over for ever."""
    for job in waiting:
        if passed.issuperset(job.needs):
            return job if job.slots <= free else None
    return None


def blocked_by(job: Job, states: dict[str, str]) -> str | None:
    """The first need of a job that did not pass, if there is one."""
    return next((name for name in job.needs if states.get(name) in ("failed", "skipped")), None)


def run_all(jobs: list[Job], shown: Callable[[Result], None]) -> list[Result]:
    """Runs every job; `shown` is called with each result as it comes. A job whose need failed or was skipped
    ends likewise, with the need named."""
    waiting, results, done = list(jobs), [], queue.SimpleQueue()
    states: dict[str, str] = {}
    busy: dict[str, Job] = {}

    def finish(result: Result) -> None:
        states[result.name] = result.state
        results.append(result)
        progress("")
        shown(result)

    unknown = {name for job in jobs for name in job.needs} - {job.name for job in jobs}
    states |= dict.fromkeys(unknown, "skipped")
    while waiting or busy:
        for job, need in [(job, blocked_by(job, states)) for job in waiting]:
            if need is not None:
                waiting.remove(job)
                word = "failed" if states[need] == "failed" else "was skipped"
                finish(Result(job.name, states[need], 0.0, f"{need} {word}"))
        passed = {name for name, state in states.items() if state == "ok"}
        job = startable(waiting, passed, SLOTS - sum(other.slots for other in busy.values()))
        if job is not None:
            waiting.remove(job)
            busy[job.name] = job
            threading.Thread(target=lambda job=job: done.put(run_one(job)), daemon=True).start()
            continue
        if busy:
            progress(f"[{len(results)}/{len(jobs)}] {', '.join(busy)}")
            result = done.get()
            del busy[result.name]
            finish(result)
    return results
