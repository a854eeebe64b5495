# SPDX-License-Identifier: MIT
"""Host tests: Criterion programs with sanitizers, thread programs under TSan, models, Python tests.

Criterion ends with status 0 when a filter matches nothing and when only the leak checker complained; both
fail here.
"""
import os
import re
import shutil
from xml.etree import ElementTree

import build
from common import ROOT
from jobs import Failed, Job, run_quiet

UNIT = ROOT / "tests/unit"
OUT = ROOT / "build/check"


def programs(suffix: str) -> list[str]:
    """Paths below tests/unit, without suffix, of the sources that end in `suffix`: e.g. ipc/channel."""
    return sorted(str(path.relative_to(UNIT))[: -len(suffix)] for path in UNIT.rglob(f"*{suffix}"))


def programs_build(kind: str, suffix: str) -> str:
    """Builds every program of a kind; one that no rules.mk registers is an error. One that does not compile
    does not keep the others from being built."""
    names = programs(suffix)
    if not names:
        raise Failed(f"there is no tests/unit/**/*{suffix}")
    build.make("-k", *(f"build/unit/{name}_{kind}" for name in names))
    return f"{len(names)} programs"


def unit_run(name: str) -> str:
    """Runs one Criterion program; returns how many tests passed."""
    build.make(f"build/unit/{name}_test")
    folder = OUT / f"unit.{name.replace('/', '.')}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    environment = {
        **os.environ,
        "ASAN_OPTIONS": f"log_path={folder}/asan:detect_leaks=1",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    }
    said = run_quiet(
        f"build/unit/{name}_test",
        f"--tap={folder}/tap",
        f"--xml={folder}/xml",
        "-j1",
        cwd=ROOT,
        seconds=120,
        environment=environment,
    )
    (folder / "output").write_text(said, encoding="utf-8")
    reports = sorted(folder.glob("asan.*"))
    if reports:
        text = reports[0].read_text(encoding="utf-8", errors="replace")
        what = re.search(r"ERROR: (.*)", text)
        raise Failed(f"a sanitizer complains: {what[1] if what else reports[0].name}\n{text[-3000:]}")
    cases = ElementTree.parse(folder / "xml").getroot().iter("testcase")
    ran = sum(case.get("status") == "PASSED" for case in cases)
    if ran == 0:
        raise Failed("no test was run")
    return f"{ran} tests"


def models() -> list[str]:
    """Names of the models."""
    return sorted(path.stem for path in (ROOT / "tests/model").glob("*.pml"))


def model_run(name: str) -> str:
    """Explores one model and its mutants; run.sh parses the explorer's output, whose exit status says nothing."""
    said = run_quiet(ROOT / "tests/model/run.sh", name, cwd=ROOT, seconds=240).strip().splitlines()
    if not said:
        raise Failed("run.sh says nothing")
    return f"{sum(': ok' in line for line in said)} configurations, {sum(': found' in line for line in said)} planted bugs found"


def python_modules() -> list[str]:
    """Names of the modules in tests/host."""
    return sorted(path.stem for path in (ROOT / "tests/host").glob("test_*.py"))


def python_run(module: str) -> str:
    """Runs one module of tests/host; a module without tests fails."""
    said = run_quiet(
        "/usr/bin/python3",
        "-B",
        "-m",
        "unittest",
        "discover",
        "-s",
        "tests/host",
        "-p",
        f"{module}.py",
        cwd=ROOT,
        seconds=240,
    )
    count = re.search(r"^Ran (\d+) tests?", said, re.MULTILINE)
    if count is None or int(count[1]) == 0:
        raise Failed("no test was run")
    return f"{count[1]} tests"


def host_jobs() -> list[Job]:
    """All jobs that need no virtual machine. Each program's job builds it again if need be: after build.unit,
    which comes first and takes both slots, that is nothing to do."""
    jobs = [Job(f"python.{name}", lambda name=name: python_run(name)) for name in python_modules()]
    jobs.append(Job("build.unit", lambda: programs_build("test", "_test.c"), slots=2))
    jobs += [
        Job(f"unit.{name.replace('/', '.')}", lambda name=name: unit_run(name))
        for name in programs("_test.c")
    ]
    jobs.append(Job("build.threads", lambda: programs_build("threads", "_threads.c"), slots=2))
    jobs += [
        Job(f"threads.{name.replace('/', '.')}", threads_work(name), slots=2)
        for name in programs("_threads.c")
    ]
    return [*jobs, *(Job(f"model.{name}", lambda name=name: model_run(name)) for name in models())]


def threads_work(name: str):
    """The work of one thread program: TSan ends it with status 66 on a race."""

    def work() -> str:
        build.make(f"build/unit/{name}_threads")
        run_quiet(f"build/unit/{name}_threads", cwd=ROOT, seconds=120)
        return ""

    return work
