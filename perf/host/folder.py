# SPDX-License-Identifier: MIT
"""A folder of results that appears whole or not at all: written under a hidden name, then renamed."""
import os
import shutil
from datetime import datetime, timezone
from pathlib import Path

from common import TernError


class ResultFolder:
    """with ResultFolder(parent) as folder: write into folder.partial; folder.commit() publishes it.

    Leaving without commit removes all of it. Every failure to write becomes one TernError.
    """

    def __init__(self, parent: Path):
        self.parent = parent
        self.partial = parent / f".partial-{os.getpid()}"

    def __enter__(self) -> "ResultFolder":
        try:
            self.parent.mkdir(parents=True, exist_ok=True)
            self.partial.mkdir()
        except OSError as error:
            raise self.failure(error) from error
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        shutil.rmtree(self.partial, ignore_errors=True)
        if isinstance(error, OSError):
            raise self.failure(error) from error

    def failure(self, error: OSError) -> TernError:
        """The line for a full disk, a read-only place, a file in the way."""
        return TernError(
            f"cannot write results below {self.parent}: {error.strerror}; free space or choose --out DIR"
        )

    def write(self, name: str, content: str | bytes) -> None:
        """One file, on the disk before this returns, so that a full disk is seen here."""
        path = self.partial / name
        path.parent.mkdir(exist_ok=True)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
            file.flush()
            os.fsync(file.fileno())

    def commit(self) -> Path:
        """Renames to the UTC time of now, points the link `latest` to it, and returns the final path."""
        stamp = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H-%M-%SZ")
        final, number = self.parent / stamp, 2
        while final.exists():
            final, number = self.parent / f"{stamp}-{number}", number + 1
        link = self.partial / ".latest"
        link.symlink_to(final.name)
        waiting = self.parent / f".latest-{os.getpid()}"
        os.replace(link, waiting)
        os.rename(self.partial, final)
        os.replace(waiting, self.parent / "latest")
        return final
