# SPDX-License-Identifier: MIT
"""Guest boots as PVH guests that `xl create` makes under a real Xen: Debian's Linux is the PV dom0 of the first level,
with Xen's own tools from Debian's packages, and runs one guest after another.

A guest's streams come from what xenconsoled logs of its console. xl tells how the domain ended (the reason of its
shutdown); the exit status is what the guest says in its log, held against that reason. `exact` and the clocks are as in
xen_dom0.py, with the Linux on the same CPU.
"""
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import debcache
import firstlevel
import frames
import nested
import qemu
import xen
from common import TernError
from initramfs import Archive

NAME = "the first level (Xen, Linux as dom0)"
LIBRARIES = (
    "libxenmisc4.17",
    "libxencall1",
    "libxendevicemodel1",
    "libxenevtchn1",
    "libxenforeignmemory1",
    "libxengnttab1",
    "libxenhypfs1",
    "libxenstore4",
    "libxentoolcore1",
    "libxentoollog1",
    "libyajl2",
    "libncurses6",
    "libtinfo6",
)
PACKAGES = (debcache.KERNEL, debcache.BUSYBOX, xen.HYPERVISOR, "xen-utils-4.17", "xenstore-utils", *LIBRARIES)
MODULES = ("xen-privcmd", "xenfs", "xen-evtchn", "xen-gntdev", "xen-gntalloc")
TOOLS_FOLDER = "usr/lib/xen-4.17/bin"
LIBRARY_FOLDER = "usr/lib/xen-4.17/lib/x86_64-linux-gnu"
TOOLS = ("xl", "xenstored", "xenconsoled", "xen-init-dom0", "xenconsole", "xenctx")
STORE_TOOLS = ("xenstore-read", "xenstore-write", "xenstore-list", "xenstore-ls")
MEMORY_MB, DOM0_MB, GUEST_MB = 1536, 768, 256
LINUX = "console=hvc0 rdinit=/init panic=-1 loglevel=4 mitigations=off nokaslr nmi_watchdog=0 nowatchdog audit=0 cryptomgr.notests"
CONSOLES = "/var/log/xen/console"
SETUP = f"""
export PATH=$PATH:/{TOOLS_FOLDER}
mkdir -p /dev/pts /proc/xen /run /var/lib/xen /var/run/xen /var/lock {CONSOLES} /etc/xen
echo 'autoballoon="0"' >/etc/xen/xl.conf
mount -t devpts devpts /dev/pts
mount -t xenfs xenfs /proc/xen || stop "no xenfs: is this Linux above Xen?"
xenstored --pid-file /var/run/xenstored.pid || stop "xenstored does not start"
tries=0
until xenstore-read -s / >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || stop "xenstored does not answer"
    sleep 0.1
done
xen-init-dom0 || stop "xen-init-dom0 fails"
xenconsoled --log=guest --log-dir={CONSOLES} --pid-file=/var/run/xenconsoled.pid || stop "xenconsoled does not start"
"""
LATE, NOT_MADE, REASON_BASE = 124, 125, 64
REASON_POWEROFF, REASON_CRASH = 0, 3
REASONS = {0: "poweroff", 1: "reboot", 2: "suspend", 3: "crash", 4: "watchdog", 5: "soft reset"}
CONFIG_FILE, XL_FILE, XEN_FILE, GUEST_CONSOLE_FILE = "guest.cfg", "xl.txt", "xen.txt", "guest-console.txt"
# What xl shows of a domain that has ended stays until it is destroyed (-e: nobody waits for it to do so). Where the guest
# shares its one CPU with dom0 (exact) it begins when dom0 has come to rest.
SCRIPT = """cat >{config} <<'END'
{text}END
dmesg() {{ xl dmesg -c; }}
dmesg >/dev/null
console={consoles}/guest-{name}.log
rm -f $console
reason() {{ xl list -v {name} 2>/dev/null | awk 'NR == 2 {{ print $(NF - 1) }}'; }}
if ! xl create {create} {config} >{xl} 2>&1; then
    cat {xl}
    dmesg >{xen}
    xl destroy {name} 2>/dev/null
    exit {not_made}
fi
{unpause}read -r uptime rest </proc/uptime
end=$((${{uptime%.*}} + {timeout}))
status={late}
{ask}
while read -r uptime rest </proc/uptime && [ ${{uptime%.*}} -lt $end ]; do
    now=$(reason)
    case $now in
    [0-9]*)
        status=$(({base} + now))
        break
        ;;
    esac
    sleep {pause}
done
if [ $status = {late} ]; then
    xl list -v {name}
    for cpu in {cpus}; do xenctx --all {id} $cpu; done >registers.txt 2>&1
fi
size=
tries=0
while [ "$size" != "$(wc -c <$console)" ] && [ $tries -lt 50 ]; do
    size=$(wc -c <$console)
    tries=$((tries + 1))
    sleep 0.2
done
xl destroy {name}
{asked}dmesg >{xen}
cp $console {out} 2>/dev/null || : >{out}
rm -f $console
exit $status
"""

# Each word in turn, when the guest has said in the store that it hears. `xl ... -w` waits until the guest is destroyed.
ASK = """asker() {{
    until [ "$(xenstore-read {control}/feature-poweroff 2>/dev/null)" = 1 ]; do sleep 0.2; done
{words}}}
asker >{file} 2>&1 &
asker=$!"""
ASKED = """tries=0
while kill -0 $asker 2>/dev/null && [ $tries -lt 50 ]; do
    tries=$((tries + 1))
    sleep 0.2
done
kill $asker 2>/dev/null
"""
XL_WORDS = ("shutdown", "reboot")
CONTROL_WORD, CONTROL_REQUEST = "control", "power off 300"  # through the terminal of the guest's console, as `tern ctl --console`
ASKED_FILE, ASKED_DONE = "asked.txt", "asked all"


def ask_script(name: str, words: Sequence[str]) -> str:
    """Shell text that asks this of the guest in the background; nothing for no words."""
    if not words:
        return ""
    domain = f"/local/domain/$(xl domid {name})"
    control = f"{domain}/control"
    frame = "".join(f"\\{byte:03o}" for byte in frames.Framer("control").encode(f"\n{CONTROL_REQUEST}\n".encode()))

    def line(word: str) -> str:
        if word in XL_WORDS:
            return f"timeout 60 xl {word} -w {name} || return"
        if word == CONTROL_WORD:
            return f"printf '{frame}' >$(xenstore-read {domain}/console/tty) || return"
        return f"xenstore-write {control}/shutdown {word} || return; sleep 2"

    text = "".join(f"    {one}\n" for one in [*map(line, words), f"echo {ASKED_DONE}"])
    return ASK.format(control=control, words=text, file=ASKED_FILE)


def config_text(boot: qemu.Boot, name: str, kernel: str, ramdisk: str) -> str:
    """The xl configuration of a guest; perf/vmm/xen/pvh.cfg is one to be used by hand."""

    def text(value: str) -> str:
        if '"' in value and "'" in value or "\n" in value:
            raise TernError(f"xl's configuration cannot hold both kinds of quotes: {value}")
        return f"'{value}'" if '"' in value else f'"{value}"'

    lines = [f"name = {text(name)}", 'type = "pvh"', f"kernel = {text(kernel)}"]
    lines += [f"ramdisk = {text(ramdisk)}"] if ramdisk else []
    lines += [f"cmdline = {text(boot.append)}"] if boot.append else []
    lines += [f"memory = {GUEST_MB}", f"vcpus = {boot.smp}", 'tsc_mode = "native"', "nomigrate = 1"]
    lines += [f'on_{what} = "preserve"' for what in ("poweroff", "reboot", "crash", "watchdog")]
    return "".join(f"{line}\n" for line in lines)


def level_make(exact: bool, cpus: int = 1) -> firstlevel.Level:
    """The first level; downloads Debian's packages once. Raises TernError for what is missing."""
    packages = debcache.packages_get(PACKAGES)
    archive = firstlevel.archive_make(packages, MODULES, SETUP)
    for name in TOOLS:
        archive.program(f"{TOOLS_FOLDER}/{name}", packages / TOOLS_FOLDER / name, [packages], [LIBRARY_FOLDER])
    for name in STORE_TOOLS:
        archive.program(f"usr/bin/{name}", packages / "usr/bin" / name, [packages], [LIBRARY_FOLDER])
    return level_of(xen.hypervisor_get(packages), nested.kernel_find(packages), archive, exact, cpus)


def level_of(hypervisor: Path, linux: Path, archive: Archive, exact: bool, cpus: int) -> firstlevel.Level:
    """The first level with this Xen and this Linux."""
    return firstlevel.Level(
        NAME,
        hypervisor,
        f"{xen.APPEND} dom0_mem={DOM0_MB}M,max:{DOM0_MB}M dom0_max_vcpus=1",
        archive,
        initrd=f"{xen.comma(str(linux))} {xen.comma(LINUX)},{{initramfs}}",
        exact=exact,
        cpus=cpus,
        cpu=xen.CPU,
        memory_mb=MEMORY_MB,
        boot_timeout_s=240.0,
    )


def paths_there(boot: qemu.Boot) -> tuple[str, str, dict[str, Path]]:
    """Where dom0 finds kernel and image, and the files that it gets. Raises TernError for what a PVH guest has not."""
    if boot.cdrom or boot.plugin or boot.typed or boot.kernel is None:
        raise TernError("a PVH guest boots no ISO, takes no plugin, and has no serial line to type on")
    files = {firstlevel.session_path(source): source for source in (boot.kernel, boot.initrd) if source}
    ramdisk = f"/{firstlevel.session_path(boot.initrd)}" if boot.initrd else ""
    return f"/{firstlevel.session_path(boot.kernel)}", ramdisk, files


def guest_name(task: str) -> str:
    """The domain's name for a task, which begins with its number: each its own, for the console's log."""
    return f"tern-{task.split('-')[0]}"


def task_make(boot: qemu.Boot, task: str, exact: bool) -> firstlevel.Task:
    """The task of one boot."""
    kernel, ramdisk, files = paths_there(boot)
    name = guest_name(task)
    script = SCRIPT.format(
        config=CONFIG_FILE,
        text=config_text(boot, name, kernel, ramdisk),
        consoles=CONSOLES,
        name=name,
        xl=XL_FILE,
        xen=XEN_FILE,
        out=GUEST_CONSOLE_FILE,
        base=REASON_BASE,
        late=LATE,
        not_made=NOT_MADE,
        timeout=int(boot.timeout_s) + 1,
        cpus=" ".join(map(str, range(boot.smp))),
        id=f"$(xl domid {name})",
        pause=1 if exact else 0.1,
        create="-e -p" if exact else "-e",
        unpause=f"sleep 1\nxl unpause {name}\n" if exact else "",
        ask=ask_script(name, boot.xl),
        asked=ASKED if boot.xl else "",
    )
    return firstlevel.Task(task, script, boot.timeout_s * (10 if exact else 2) + 60, files)


def outcome_make(boot: qemu.Boot, end: firstlevel.TaskEnd) -> qemu.Outcome:
    """A boot's outcome from what dom0 handed back. Without status if it was too late."""
    console, hypervisor = (qemu.read_bytes(end.folder / name) for name in (GUEST_CONSOLE_FILE, XEN_FILE))
    flaw = xen.streams_write(end.folder, console, hypervisor, None)
    status, reason = None, ""
    if end.status == NOT_MADE:
        said = qemu.read_text(end.folder / XL_FILE).strip().splitlines() or ["nothing"]
        status, flaw = qemu.EXIT_REFUSED, f"xl create fails: {said[-1][:160]}"
    elif end.status != LATE:
        reason = REASONS.get((end.status or 0) - REASON_BASE, "")
        status, flaw = status_judge(end.folder, reason, flaw, xen.crash_find(hypervisor))
    if boot.xl and not flaw and status is not None and ASKED_DONE not in qemu.read_text(end.folder / ASKED_FILE):
        said = qemu.read_text(end.folder / ASKED_FILE).strip().splitlines() or ["nothing"]
        flaw = f"the guest ended before all was asked of it, or xl fails; it says: {said[-1][:160]}"
    outcome = qemu.outcome_read(end.folder, status, end.seconds, boot.timeout_s)
    return replace(outcome, flaw=flaw, console=xen.tail(hypervisor), ended=reason)


def status_judge(folder: Path, reason: str, flaw: str, crash: str) -> tuple[int, str]:
    """The exit status that the guest told, held against the reason that xl tells; and what is wrong with either, or
    else the flaw that is known already. `crash`: what Xen says, which is no news of a guest that says it panics."""
    told = xen.status_told(folder)
    flaw = flaw or ("" if told == qemu.EXIT_PANIC else crash)
    if not reason:
        return -1, flaw or "the session's script was stopped: neither late nor a reason of xl's"
    if told is None:
        return -1, flaw or f"the domain ended ({reason}) and its log does not say how"
    if (told == qemu.EXIT_PANIC) != (reason == "crash"):
        return told, flaw or f"the guest says exit status {told}, xl says {reason}"
    return told, flaw


def commands_shown(boots: Sequence[qemu.Boot], exact: bool, cpus: int = 1) -> list[list[str]]:
    """The command line of the first level, and what dom0 runs for each boot; downloads nothing."""
    packages = debcache.packages_peek(PACKAGES)
    hypervisor = xen.hypervisor_get(packages) if packages else Path("xen.elf")
    linux = nested.kernel_find(packages) if packages else Path("vmlinuz-amd64")
    level = level_of(hypervisor, linux, Archive(), exact, cpus)
    lines = [firstlevel.command(level, Path(firstlevel.INITRAMFS_FILE))]
    for number, boot in enumerate(boots):
        kernel, ramdisk, _ = paths_there(boot)
        words = config_text(boot, f"tern-{number}", kernel, ramdisk).splitlines()
        lines.append(["xl", "create", "-e", "/dev/null", *words])
    return lines


def environment(exact: bool, cpus: int = 1) -> dict[str, str]:
    """What results.json says of the first level."""
    packages = debcache.packages_get(PACKAGES)
    level = level_of(xen.hypervisor_get(packages), nested.kernel_find(packages), Archive(), exact, cpus)
    return {
        "kernel": level.kernel.name,
        "dom0": nested.kernel_find(packages).name,
        "machine": level.machine,
        "cpu": level.cpu,
        "cpus": "1" if exact else str(cpus),
        "accelerator": "tcg, icount shift=0" if exact else "tcg",
        "command_line": level.append,
    }


def boots_try(
    boots: Sequence[tuple[qemu.Boot, Path]], work: Path, exact: bool, cpus: int = 1, label: str = "domU"
) -> list[qemu.Outcome | TernError]:
    """Runs the boots, each with the folder that gets its files, in one first level whose own files stay in `work`."""

    def task(boot: qemu.Boot, name: str) -> firstlevel.Task:
        return task_make(boot, name, exact)

    return firstlevel.boots_try(level_make(exact, cpus), boots, task, outcome_make, work, label)
