# SPDX-License-Identifier: MIT
"""A guest's framed console as if it were its control port: what is sent goes there as frames, and of what comes only the
control stream is seen (frames.py). The console is a terminal, as of xenconsoled or libvirt, or a unix socket of QEMU's.

Whoever else reads it takes part of the answers away. Bytes that came before are of others, whose frames have other
numbers, so no gap is told; a damaged frame is as one that never came.
"""
import contextlib
import os
import select
import socket
import stat
import time
import tty
from pathlib import Path

import frames
from common import TernError

READ_BYTES = 1 << 16


class Console:
    """An open console; closes at the end of a `with`. The same operations as of a socket, as far as control.py uses them."""

    def __init__(self, path: Path, seconds: float) -> None:
        self.seconds = seconds
        self.framer = frames.Framer("control")
        self.unframer = frames.Unframer()
        self.socket: socket.socket | None = None
        try:
            self.file = self.open(path)
        except OSError as error:
            raise TernError(f"cannot use {path}: {error.strerror or error}") from error

    def open(self, path: Path) -> int:
        """A descriptor that does not block."""
        if stat.S_ISSOCK(path.stat().st_mode):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(self.seconds)
            self.socket.connect(str(path))
            self.socket.setblocking(False)
            return self.socket.fileno()
        file = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        if not os.isatty(file):
            os.close(file)
            raise OSError(0, "it is neither a terminal nor a socket")
        tty.setraw(file)  # no echo: the guest would hear itself
        return file

    def __enter__(self) -> "Console":
        return self

    def __exit__(self, *_: object) -> None:
        if self.socket is not None:
            self.socket.close()
        else:
            os.close(self.file)

    def settimeout(self, seconds: float) -> None:
        """How long the next operation may take."""
        self.seconds = seconds

    def sendall(self, data: bytes) -> None:
        """Raises TimeoutError if the guest does not take them."""
        left, end = self.framer.encode(data), time.monotonic() + self.seconds
        while left:
            self.wait(end, writes=True)
            with contextlib.suppress(BlockingIOError):
                left = left[os.write(self.file, left) :]

    def recv(self, count: int) -> bytes:
        """The next bytes of the control stream, as many as came; none when the console has ended. Raises TimeoutError."""
        del count
        came, end = self.unframer.streams["control"], time.monotonic() + self.seconds
        while not came:
            self.wait(end, writes=False)
            with contextlib.suppress(BlockingIOError):
                if not (more := os.read(self.file, READ_BYTES)):
                    return b""
                self.unframer.feed(more)
        taken = bytes(came)
        for stream in (self.unframer.foreign, *self.unframer.streams.values()):
            stream.clear()
        return taken

    def wait(self, end: float, writes: bool) -> None:
        """Until the console is ready."""
        files = [self.file]
        ready = select.select([] if writes else files, files if writes else [], [], max(end - time.monotonic(), 0.0))
        if not any(ready):
            raise TimeoutError
