# SPDX-License-Identifier: MIT
"""What guests of a real Xen under emulation have in common: Debian's Xen as a multiboot kernel, its command line, what
its console says of a guest that went wrong, and the streams of a guest's console as files of its boot.

xen_dom0.py boots the kernel as the first domain, xen_domu.py as a guest that xl makes.
"""
import gzip
import os
import re
import tempfile
from pathlib import Path

import debcache
import frames
import qemu
from common import TernError, sha256_file

HYPERVISOR = "xen-hypervisor-4.17-amd64"
# QEMU's MONITOR faults with what Xen's idle loop gives it, and 7.2's IRET from user to user mode does with SMAP.
CPU = "EPYC,-monitor,-smap"
APPEND = "console=com1 com1=115200,8n1 loglvl=all guest_loglvl=all console_timestamps=boot conring_size=1m"
CONSOLE_FILE = "console.txt"
TAIL_BYTES = 1 << 14
ENDED = re.compile(rb"the machine ends, exit status (\d+)")
CRASHES = re.compile(
    rb"^.*?(Panic on CPU \d+:(?:\s*\(XEN\)[^\n]*)?|d\d+v\d+ Triple fault[^\n]*|\*\*\* Dumping Dom\d+[^\n]*|Domain \d+ \(vcpu#\d+\) crashed[^\n]*)",
    re.MULTILINE,
)
EARLY = r"^\(d{domain}\) (?:\[ *[\d.]+\] )?(.*)$"


def hypervisor_get(packages: Path) -> Path:
    """Debian's Xen as the ELF file that QEMU loads, unpacked once into the cache."""
    packed = sorted((packages / "boot").glob("xen-*.gz"))
    if len(packed) != 1:
        raise TernError(f"{packages} has {len(packed)} hypervisors, not one; remove {packages.parent.parent}")
    target = debcache.cache_folder() / "made" / f"{packed[0].stem}-{sha256_file(packed[0])[:16]}.elf"
    with debcache.disk_errors():
        if target.is_file():
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(dir=target.parent, prefix=".partial-")
        try:
            with open(handle, "wb") as file:
                file.write(gzip.decompress(packed[0].read_bytes()))
            os.replace(partial, target)
        finally:
            Path(partial).unlink(missing_ok=True)
    return target


def comma(text: str) -> str:
    """A word for -initrd, which separates its modules by commas."""
    return text.replace(",", ",,")


def crash_find(console: bytes) -> str:
    """What Xen's console says of a panic of its own or of a guest that it had to stop; empty if nothing."""
    found = CRASHES.search(console)
    if found is None:
        return ""
    return "Xen says: " + re.sub(r"\s+", " ", found[1].decode("utf-8", "replace")).strip()[:160]


def early_log(console: bytes, domain: int | None) -> bytes:
    """What a domain (None: any but dom0) wrote to its early port, without Xen's marks."""
    pattern = EARLY.format(domain=r"[1-9]\d*" if domain is None else domain)
    found = re.findall(pattern.encode(), console.replace(b"\r", b""), re.MULTILINE)
    return b"".join(line + b"\n" for line in found)


def streams_write(folder: Path, framed: bytes, xen: bytes, domain: int | None) -> str:
    """Takes a guest's console apart into the files of its boot. `xen`: Xen's own console, which has what came before
    the first frame. Returns what is wrong with them, or nothing."""
    unframer = frames.unframe(framed)
    log, early = bytes(unframer.streams["log"]), early_log(xen, domain)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / qemu.LOG_FILE).write_bytes(log if len(log) >= len(early) else early)
    (folder / qemu.HIST_FILE).write_bytes(unframer.streams["hist"])
    if unframer.streams["prof"]:
        (folder / qemu.PROFILE_FILE).write_bytes(unframer.streams["prof"])
    if unframer.restarts:
        return "the guest was booted again by itself"
    return unframer.error()


def status_told(folder: Path) -> int | None:
    """The exit status that the guest says in its log, which is all that Xen's toolstack does not tell."""
    found = ENDED.findall(qemu.read_bytes(folder / qemu.LOG_FILE))
    return int(found[-1]) if found else None


def tail(console: bytes) -> str:
    """The end of Xen's console, to be shown of a boot that failed."""
    return console[-TAIL_BYTES:].decode("utf-8", "replace").replace("\r", "")
