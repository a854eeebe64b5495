# SPDX-License-Identifier: MIT
"""What every command of ./tern shares: the tree's root, the one error type, hashes, progress."""
import hashlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class TernError(Exception):
    """An end with one line on stderr, `tern: what is wrong; what to do`. `status` is the exit code."""

    def __init__(self, message: str, status: int = 1):
        super().__init__(message)
        self.status = status


def program_said(
    words: Sequence[str | Path], cwd: Path | None = None, environment: dict[str, str] | None = None, seconds: float | None = None
) -> tuple[int, str]:
    """Runs a program without input; its status and all that it said, on whichever output. Raises OSError if it cannot be
    started and subprocess.TimeoutExpired if it does not end."""
    run = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=seconds,
        check=False,
    )
    return run.returncode, run.stdout.decode("utf-8", "replace")


def sha256_file(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def progress(text: str) -> None:
    """Shows `text` as the one changing line of a terminal; empty text clears it. Nothing elsewhere."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text[:100]}")
        sys.stderr.flush()
