# SPDX-License-Identifier: MIT
"""`tern run`: one boot with the serial line on this terminal; the guest's status becomes the exit status."""
import shlex
import subprocess
import sys
from pathlib import Path

import build
import control
import qemu
from common import TernError


def machine_run(line: list[str], socket: Path) -> int:
    """QEMU's status."""
    process = subprocess.Popen(line)
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.kill()
        process.wait()
        raise TernError("interrupted; the virtual machine was stopped", 130) from None
    finally:
        socket.unlink(missing_ok=True)


def interactive(image: str, machine: str, smp: int, append: str, kernel: str | None, dry_run: bool) -> int:
    """Boots until the guest ends. Returns 0 for the guest's success status, else QEMU's status."""
    elf = build.DEFAULT_KERNEL if dry_run and kernel is None else build.kernel_get(kernel)
    path = build.image_path(image, elf) if dry_run else build.image_find(image, elf)
    socket = control.socket_path(image)
    boot = qemu.Boot(
        kernel=elf,
        initrd=path,
        machine=machine,
        smp=smp,
        append=append,
        accelerator="kvm" if qemu.kvm_usable() else "mttcg",
        control=socket,
    )
    line = qemu.command(boot, interactive=True)
    if dry_run:
        print(shlex.join(line))
        return 0
    control.socket_prepare(socket)
    print(f"tern: in another terminal: ./tern ctl help, with --guest {socket.stem} if several run", file=sys.stderr)
    status = machine_run(line, socket)
    if status < 0:
        raise TernError(f"QEMU was killed by {qemu.signal_name(-status)}")
    if status not in (qemu.EXIT_SUCCESS, qemu.EXIT_FAILURE, qemu.EXIT_PANIC, qemu.EXIT_REFUSED):
        raise TernError(f"the guest ended without a status of its own (QEMU status {status})")
    if status != qemu.EXIT_SUCCESS:
        print(f"tern: the guest ended with status {status}", file=sys.stderr)
    return 0 if status == qemu.EXIT_SUCCESS else status
