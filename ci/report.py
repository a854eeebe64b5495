# SPDX-License-Identifier: MIT
"""Results of ./tern check as TAP 13 and as JUnit XML, and the last line on the screen."""
import re
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from jobs import Result


def clean(text: str) -> str:
    """Printable text: what XML 1.0 and TAP lines may hold."""
    return re.sub(r"[^\x20-\x7e\n\t]", "?", text)


def tap(results: list[Result]) -> str:
    """TAP version 13: numbered lines, the whole reason of a failure as a YAML block."""
    lines = ["TAP version 13", f"1..{len(results)}"]
    for number, result in enumerate(results, 1):
        word = "not ok" if result.state == "failed" else "ok"
        reason = clean(result.detail).splitlines()[0] if result.detail else ""
        skip = f" # SKIP {reason}" if result.state == "skipped" else ""
        lines.append(f"{word} {number} - {result.name}{skip}")
        if result.state == "failed":
            lines += [
                "  ---",
                "  message: |",
                *(f"    {line}" for line in clean(result.detail).splitlines()),
                "  ...",
            ]
    return "\n".join(lines) + "\n"


def junit(results: list[Result]) -> str:
    """One test suite; the class name of a case is its name's first word."""
    failed = sum(result.state == "failed" for result in results)
    skipped = sum(result.state == "skipped" for result in results)
    total = sum(result.seconds for result in results)
    text = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuite name="tern" tests="{len(results)}" failures="{failed}" errors="0" skipped="{skipped}" '
        f'time="{total:.3f}">',
    ]
    for result in results:
        head = (
            f'  <testcase classname={quoteattr("tern." + result.name.split(".")[0])}'
            f" name={quoteattr(result.name)} "
            f'time="{result.seconds:.3f}"'
        )
        detail = clean(result.detail)
        first = quoteattr(detail.splitlines()[0] if detail else "")
        if result.state == "failed":
            text.append(f"{head}><failure message={first}>{escape(detail)}</failure></testcase>")
        elif result.state == "skipped":
            text.append(f"{head}><skipped message={first}/></testcase>")
        else:
            text.append(f"{head}/>")
    return "\n".join([*text, "</testsuite>"]) + "\n"


def summary(results: list[Result]) -> str:
    """`N passed, N failed`, and `, N skipped` if there are any."""
    counts = {
        state: sum(result.state == state for result in results) for state in ("ok", "failed", "skipped")
    }
    tail = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    return f"{counts['ok']} passed, {counts['failed']} failed{tail}"


def write(results: list[Result], folder: Path) -> None:
    """check.tap and check.xml in `folder`."""
    (folder / "check.tap").write_text(tap(results), encoding="ascii")
    (folder / "check.xml").write_text(junit(results), encoding="ascii")
