# SPDX-License-Identifier: MIT
"""`tern check`: the list of everything that is tested, run on two slots; leaves TAP and JUnit files."""
import os
import shutil
import time
from pathlib import Path

import build
import conformance
import console_guest
import control_guest
import entry_tests
import guest_tests
import jobs
import kvm_host
import places
import profiles
import report
import unit_tests
import vmm_guest
from common import ROOT, TernError
from jobs import Failed, Job, Result, run_quiet

OUT = ROOT / "build"
REPRODUCE = OUT / "repro"
LEFT_OUT_BY_QUICK = "left out by --quick"


def lint_jobs() -> list[Job]:
    """Every executable script of ci/lint."""
    scripts = sorted(path for path in (ROOT / "ci/lint").glob("*.py") if os.access(path, os.X_OK))

    def work(script: Path):
        return lambda: run_quiet(script, cwd=ROOT, seconds=120) and None

    return [Job(f"lint.{script.stem}", work(script)) for script in scripts]


def build_jobs(toolchains: tuple[str, ...] = ("gcc", "clang")) -> list[Job]:
    """Each toolchain, both builds, without a warning (-Werror)."""

    def work(toolchain: str, kind: str):
        return lambda: build.make(f"BUILD={kind}", f"TOOLCHAIN={toolchain}", "all", "tests-images") and None

    return [
        Job(f"build.{toolchain}.{kind}", work(toolchain, kind), slots=2, long=toolchain == "clang")
        for toolchain in toolchains
        for kind in ("release", "debug")
    ]


def tree_copy(source: Path, target: Path) -> None:
    """The sources without build/, .git and editors' leavings."""
    shutil.copytree(
        source, target, symlinks=True, ignore=shutil.ignore_patterns(".git", "build", "__pycache__", "*.swp")
    )


def reproduce() -> str:
    """Two clean release builds in folders of different length give equal bytes; notes the time of one."""
    trees, seconds = [REPRODUCE / "a", REPRODUCE / "another-place"], []
    shutil.rmtree(REPRODUCE, ignore_errors=True)
    tree_copy(ROOT, trees[0])
    tree_copy(trees[0], trees[1])
    for tree in trees:
        start = time.monotonic()
        build.make("BUILD=release", "all", cwd=tree)
        seconds.append(time.monotonic() - start)
    made = [
        sorted(
            path.relative_to(tree)
            for path in tree.glob("build/release/**/*")
            if path.suffix in (".elf", ".img")
        )
        for tree in trees
    ]
    if Path("build/release/tern.elf") not in made[0] or made[0] != made[1]:
        raise Failed("the two builds made different files, or no build/release/tern.elf")
    for path in made[0]:
        if (trees[0] / path).read_bytes() != (trees[1] / path).read_bytes():
            raise Failed(f"{path} differs between two clean builds; compare them below build/repro/")
    shutil.rmtree(REPRODUCE, ignore_errors=True)
    return f"clean build in {min(seconds):.1f} s, {len(made[0])} files equal"


def jobs_all() -> list[Job]:
    """Everything, cheap checks first; the order is that of the report for jobs of equal need."""
    return [
        *lint_jobs(),
        *build_jobs(),
        *unit_tests.host_jobs(),
        *guest_tests.guest_jobs(),
        *places.default_jobs(),
        *entry_tests.entry_jobs(),
        *control_guest.control_jobs(),
        *console_guest.console_jobs(),
        *conformance.bench_jobs(),
        *profiles.profile_jobs(),
        *vmm_guest.vmm_jobs(),
        *kvm_host.kvm_host_jobs(),
        Job("build.reproducible", reproduce, slots=2, long=True),
    ]


def shown(result: Result) -> None:
    """The result's line; of a failure also the first lines of what it said."""
    print(result.line(), flush=True)
    if result.state == "failed":
        for line in result.detail.splitlines()[1:26]:
            print(f"    {line}", flush=True)


def check(filters: list[str], quick: bool, only_list: bool, on: str | None) -> int:
    """Runs the command; returns 1 if anything failed. Raises TernError if a filter matches nothing."""
    every = jobs_all() if on is None else [*build_jobs(("gcc",)), *places.place_jobs(on, filters)]
    chosen = jobs.select(every, filters)
    if only_list:
        print("\n".join(job.name for job in chosen))
        return 0
    start = time.monotonic()
    left_out = [Result(job.name, "skipped", 0.0, LEFT_OUT_BY_QUICK) for job in chosen if quick and job.long]
    try:
        OUT.mkdir(exist_ok=True)
        results = jobs.run_all([job for job in chosen if not (quick and job.long)], shown)
        for result in left_out:
            shown(result)
        results += left_out
        report.write(results, OUT)
    except OSError as error:
        raise TernError(f"cannot write below {OUT}: {error.strerror}; free space") from error
    print(
        f"{time.monotonic() - start:.0f} s; build/check.tap, build/check.xml,"
        " logs of each boot in build/check/"
    )
    print(report.summary(results))
    return 1 if any(result.state == "failed" for result in results) else 0
