#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Stands in for apt-get and apt-cache. The folder $FAKE_APT has records.txt (apt's lists), debs/, and perhaps files
that make it fail: offline, full, corrupt (what is downloaded differs from the lists), old (404). calls.txt gets what
was asked."""
import os
import shutil
import sys
from pathlib import Path

STATE = Path(os.environ["FAKE_APT"])


def records() -> list[str]:
    """Records of the lists."""
    path = STATE / "records.txt"
    return [text.strip() + "\n" for text in path.read_text().split("\n\n") if text.strip()] if path.exists() else []


def cache(words: list[str]) -> int:
    """apt-cache show NAME, apt-cache madison NAME."""
    found = [text for text in records() if text.startswith(f"Package: {words[-1]}\n")]
    if words[0] == "madison":
        print("dpkg | 1.21 | somewhere" if records() else "", end="")
        return 0
    print("\n\n".join(found) if found else "E: No packages found")
    return 0 if found else 100


def download(request: str) -> int:
    """apt-get download NAME=VERSION into the current folder."""
    name, _, version = request.partition("=")
    if (STATE / "offline").exists():
        print("Err:1 http://deb bookworm\n  Could not connect to deb:80\nE: Failed to fetch http://deb/x.deb")
        return 100
    if (STATE / "full").exists():
        print("E: Write error - write (28: No space left on device)")
        return 100
    found = sorted((STATE / "debs").glob(f"{name}_{version.replace(':', '%3a')}_*.deb"))
    if not found:
        print("E: Failed to fetch http://deb/x.deb  404  Not Found")
        return 100
    shutil.copy(found[0], found[0].name)
    if (STATE / "corrupt").exists():
        Path(found[0].name).write_bytes(b"damaged on the way")
    return 0


def main() -> int:
    """The program of whichever name it was called by."""
    words = [word for word in sys.argv[1:] if not word.startswith("-") and "::" not in word and "=yes" not in word]
    words = [word for word in words if not word.startswith("Acquire")]
    with open(STATE / "calls.txt", "a", encoding="utf-8") as file:
        print(Path(sys.argv[0]).name, *words, file=file)
    if Path(sys.argv[0]).name == "apt-cache":
        return cache(words)
    if words[0] == "download":
        return download(words[-1])
    if words[0] == "update":
        new = STATE / "new-records.txt"
        if new.exists():
            shutil.copy(new, STATE / "records.txt")
        return 0
    if words[0] == "install":
        print("".join(f"Inst {name} (1 somewhere)\nConf {name}\n" for name in words[1:]))
        return 0
    return 100


sys.exit(main())
