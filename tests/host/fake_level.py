#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Stands in for the QEMU of a first level: what it says and hands back in its folder is told by $FAKE_LEVEL.

Words: boots (says linux, ready), each N=STATUS (runs task N and hands it back), begins=N (begins it and no more), stop=TEXT, done, hang, key
(sleeps until one is pressed by the monitor), again (says the same for ever), exit=N, evil=NAME (a tar with that name), cut (the tar ends in the middle)."""
import io
import os
import socket
import sys
import tarfile
import time


def say(text: str) -> None:
    """A line on the console."""
    with open("console.txt", "a", encoding="utf-8") as file:
        file.write(f"tern: {text}\r\n")


def member(tar: tarfile.TarFile, name: str, text: str) -> None:
    """A file of a tar."""
    info = tarfile.TarInfo(name)
    info.size = len(text)
    tar.addfile(info, io.BytesIO(text.encode()))


def hand_back(name: str, files: dict[str, str]) -> None:
    """One task's folder, or a tar with one strange name."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:") as tar:
        for path, text in files.items():
            member(tar, f"{name}/{path}" if name else path, text)
    with open("results.tar", "ab") as file:
        file.write(data.getvalue())


def key_wait() -> None:
    """A monitor for one connection, until a key is pressed."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("monitor")
        listener.listen(1)
        link, _ = listener.accept()
        with link:
            link.sendall(b"(qemu) ")
            while not link.recv(1000).startswith(b"sendkey "):
                pass
            link.sendall(b"(qemu) ")


def main() -> int:
    """Plays the words."""
    for word in os.environ["FAKE_LEVEL"].split():
        name, _, value = word.partition("=")
        if name == "boots":
            say("linux")
            say("ready")
        elif name.isdigit():
            say(f"task {int(name):04d}")
            files = {"status.txt": f"{value}\n", "times.txt": "1.5 3.75\n", "log.txt": "VERDICT: SUCCESS\n"}
            hand_back(f"{int(name):04d}", files)
        elif name == "begins":
            say(f"task {int(value):04d}")
        elif name in ("stop", "done"):
            say(word.replace("=", " "))
        elif name == "key":
            key_wait()
        elif name == "evil":
            hand_back("", {value: "x"})
        elif name == "cut":
            with open("results.tar", "r+b") as file:
                file.truncate(700)
        elif name == "again":
            for _ in range(150):
                for text in ("linux", "ready", "task 0000", "stop other"):
                    say(text) if text != "stop other" or "stop" in os.environ["FAKE_LEVEL"] else None
                time.sleep(0.1)
        elif name == "hang":
            time.sleep(60)
        elif name == "exit":
            print("qemu: something is wrong", file=sys.stderr)
            return int(value)
    return 0


sys.exit(main())
