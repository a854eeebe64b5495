# SPDX-License-Identifier: MIT
"""Guest boots under a real KVM on a machine that has none: Debian's cloud kernel, with its kvm-amd, is the first
level under QEMU's emulation of an AMD CPU with SVM; each guest boots there in a QEMU with -accel kvm.

The outcomes are those of direct boots (qemu.Outcome), and so is the judging. `exact`: the first level runs under
-icount, where each instruction of guest, KVM, Linux and inner QEMU is one tick of every clock; else by the wall's
clock, which is no speed there. `cpus`: of the first level, one as a rule: with two, guests of four CPUs reset in 7
of 14 boots (hooks_churn_debug), and the first level crashed, since now and then QEMU 7.2 walks page tables wrongly
around a VMRUN; with one, in 0 of 14. After a guest's time limit the registers of its CPUs are asked for and
kept as monitor.txt in its folder.
"""
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import debcache
import firstlevel
import qemu
from common import TernError
from initramfs import Archive

FIRMWARE = ("bios-256k.bin", "bios-microvm.bin", "kvmvapic.bin", "linuxboot_dma.bin", "pvh.bin", "qboot.rom")
FIRMWARE_FOLDERS = ("/usr/share/qemu", "/usr/share/seabios")
PACKAGES = (debcache.KERNEL_CLOUD, debcache.BUSYBOX)
NAME = "the first level (Linux with KVM)"
INNER_QEMU = "usr/bin/qemu-system-x86_64"
APPEND = (
    "console=ttyS0 panic=-1 tsc=reliable mitigations=off nokaslr nopti nmi_watchdog=0 nowatchdog audit=0 loglevel=4"
    " cryptomgr.notests"
)
MONITOR, LATE_FILE = "monitor", "late.txt"
MONITOR_SECONDS = 3
SETUP = """
[ -c /dev/kvm ] || stop "no /dev/kvm in the first level: this QEMU emulates no SVM, or kvm-amd does not like it"
mount -t tmpfs tmpfs /tmp
echo HUGE_PAGES >/proc/sys/vm/nr_hugepages
mkdir -p /dev/hugepages
mount -t hugetlbfs hugetlbfs /dev/hugepages
"""
# QEMU 7.2 keeps the vector that VMRUN injected, and delivers it once more if its loop stops before the guest's next exit:
# under icount whenever a timer of the machine is due by then, else rarely. If the nested page tables lack a page meanwhile,
# KVM is told of an exception of that number, and the guest goes on at an address of the first level, and resets. A guest's
# memory in pages of 2 MiB makes that rare (and TLB misses cheap); an EOI that exits ends it soon, before the handler of an
# exact guest has left the kernel's stack, where Tern survives it (sys/trap.c).
HUGE_PAGES = 160
EXACT_APPEND = "kvm=-pv_eoi"
MEMORY_PATH = "/dev/hugepages"
SCRIPT = """mkfifo {monitor}.in {monitor}.out
{before}
{feed}{qemu} {console} 2>>qemu.txt &
vm=$!
(
    sleep {timeout}
    : >late.txt
    cat {monitor}.out >monitor.txt &
    echo 'info registers -a' >{monitor}.in
    sleep {grace}
    echo 'info registers -a' >{monitor}.in
    sleep {grace}
    kill -9 $vm
) &
dog=$!
{during}
wait $vm
status=$?
kill $dog
rm -f {monitor}.in {monitor}.out
{after}
exit $status
"""
FEED = "(until grep -Eq -f prompt.txt serial.txt 2>/dev/null; do sleep 0.1; done; cat typed.txt) | "


@dataclass(frozen=True)
class Extra:
    """What a user of sessions adds. `programs` puts more into the initramfs. Shell text around each guest, in its
    folder: `before` it starts, `during` its run (its QEMU is process $vm; put what lasts into the background),
    `after` its end. Files left in the folder come back with the boot's. `modules`: more kernel modules."""

    programs: Callable[[Archive], None] = lambda archive: None
    modules: tuple[str, ...] = ()
    before: str = ""
    during: str = ""
    after: str = ""


def firmware_find(name: str) -> Path:
    """A firmware file of QEMU's."""
    for folder in FIRMWARE_FOLDERS:
        path = Path(folder, name)
        if path.is_file():
            return path.resolve()
    raise TernError(f"QEMU's firmware {name} is missing; install qemu-system-x86 and seabios")


def level_make(exact: bool, cpus: int = 1, extra: Extra = Extra()) -> firstlevel.Level:
    """The first level with KVM; downloads Debian's kernel once. Raises TernError for what is missing."""
    packages = debcache.packages_get(PACKAGES)
    archive = firstlevel.archive_make(packages, ["kvm_amd", *extra.modules], SETUP.replace("HUGE_PAGES", str(HUGE_PAGES)))
    archive.program(INNER_QEMU, Path(qemu.program()))
    for name in FIRMWARE:
        archive.file(f"usr/share/qemu/{name}", firmware_find(name))
    extra.programs(archive)
    return firstlevel.Level(NAME, kernel_find(packages), APPEND, archive, exact=exact, cpus=cpus)


def kernel_find(packages: Path) -> Path:
    """The kernel of the unpacked packages."""
    kernels = sorted((packages / "boot").glob("vmlinuz-*"))
    if len(kernels) != 1:
        raise TernError(f"{packages} has {len(kernels)} kernels, not one; remove {packages.parent.parent}")
    return kernels[0]


def commands_shown(boots: Sequence[qemu.Boot], exact: bool, cpus: int = 1) -> list[list[str]]:
    """The command line of the first level and those of the guests in it; downloads nothing."""
    packages = debcache.packages_peek(PACKAGES)
    kernel = kernel_find(packages) if packages else Path("vmlinuz-cloud-amd64")
    level = firstlevel.Level(NAME, kernel, APPEND, Archive(), exact=exact, cpus=cpus)
    inner = [inner_command(inner_boot(boot, exact)[0]) for boot in boots]
    return [firstlevel.command(level, Path(firstlevel.INITRAMFS_FILE)), *inner]


def environment(exact: bool, cpus: int = 1) -> dict[str, str]:
    """What results.json says of the first level."""
    level = firstlevel.Level(NAME, kernel_find(debcache.packages_get(PACKAGES)), APPEND, Archive(), exact=exact, cpus=cpus)
    return {
        "kernel": level.kernel.name,
        "machine": level.machine,
        "cpu": level.cpu,
        "cpus": "1" if exact else str(cpus),
        "accelerator": "tcg, icount shift=0" if exact else "tcg",
        "command_line": APPEND,
    }


def inner_boot(boot: qemu.Boot, exact: bool) -> tuple[qemu.Boot, dict[str, Path]]:
    """The boot as the first level does it, and the files it takes there. An exact one has no PV EOI unless it says kvm=.
    Raises TernError for what is TCG's only."""
    if boot.plugin:
        raise TernError("a plugin of QEMU's cannot watch a guest of KVM")
    files, paths = {}, {}
    for name in ("kernel", "initrd", "cdrom"):
        source = getattr(boot, name)
        if source is not None:
            files[firstlevel.session_path(source)] = source
            paths[name] = Path("/", firstlevel.session_path(source))
    append = boot.append
    if exact and not any(word.startswith("kvm=") for word in append.split()):
        append = f"{append} {EXACT_APPEND}".strip()
    return replace(boot, accelerator="kvm", control=None, append=append, **paths), files


def inner_command(boot: qemu.Boot) -> list[str]:
    """Command line of the QEMU in the first level, for the boot of inner_boot()."""
    return [f"/{INNER_QEMU}", *qemu.command(boot)[1:]]


def inner_words(boot: qemu.Boot) -> list[str]:
    """The command line that a script runs: a monitor on a pair of pipes, to ask a guest that hangs."""
    line = inner_command(boot)
    at = line.index("-monitor")
    line[at : at + 2] = ["-chardev", f"pipe,id=monitor,path={MONITOR}", "-mon", "chardev=monitor,mode=readline"]
    return [*line, "-mem-path", MEMORY_PATH]


def task_make(boot: qemu.Boot, name: str, exact: bool, extra: Extra = Extra()) -> firstlevel.Task:
    """The task of one boot. The guest's time limit counts by the first level's clock, which an exact one lets run at
    a fraction of the wall's speed while it is busy; the session's own limit is the wall's."""
    inner, files = inner_boot(boot, exact)
    script = SCRIPT.format(
        monitor=MONITOR,
        before=extra.before,
        feed=FEED if boot.typed else "",
        qemu=shlex.join(inner_words(inner)),
        console=">serial.txt" if boot.typed else ">>qemu.txt",
        timeout=f"{boot.timeout_s:g}",
        grace=MONITOR_SECONDS,
        during=extra.during,
        after=extra.after,
    )
    if boot.typed:
        keys = f"printf %s {shlex.quote(boot.prompt)} >prompt.txt\nprintf %s {shlex.quote(boot.typed)} >typed.txt\n"
        script = f"{keys}: >serial.txt\n{script}"
    return firstlevel.Task(name, script, boot.timeout_s * (10 if exact else 2) + 30, files)


def outcome_make(boot: qemu.Boot, end: firstlevel.TaskEnd) -> qemu.Outcome:
    """A boot's outcome from what the first level handed back; without status if it was too late."""
    status = end.status
    if status is not None and (end.folder / LATE_FILE).is_file():
        status = None
    elif status is not None and status > 128:
        status = 128 - status
    return qemu.outcome_read(end.folder, status, end.seconds, boot.timeout_s)


def boots_try(
    boots: Sequence[tuple[qemu.Boot, Path]],
    work: Path,
    exact: bool,
    cpus: int = 1,
    extra: Extra = Extra(),
    label: str = "KVM",
) -> list[qemu.Outcome | TernError]:
    """Runs the boots, each with the folder that gets its files, in one first level whose own files stay in `work`."""

    def task(boot: qemu.Boot, name: str) -> firstlevel.Task:
        return task_make(boot, name, exact, extra)

    return firstlevel.boots_try(level_make(exact, cpus, extra), boots, task, outcome_make, work, label)
