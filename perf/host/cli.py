#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Command line of ./tern: arguments only. Each command's module is loaded when it is asked for."""
import argparse
import signal
import sys
from pathlib import Path

sys.path[1:1] = [str(Path(__file__).resolve().parents[2] / "ci")]

import qemu
from common import ROOT, TernError

PLACES = ("kvm-q35", "kvm-microvm", "xen-dom0", "xen-domu")  # of ci/places.py

EPILOG = """environment:
  TERN_QEMU=PATH    the QEMU to use instead of qemu-system-x86_64
  TERN_INSTALL=no   never install Debian packages; say what is missing
exit status: 0 success, 1 failure, 2 wrong usage, 130 interrupted
"""


def natural(low: int, high: int | None = None):
    """An argparse type: a whole number within the bounds."""

    def convert(text: str) -> int:
        limits = f"{low} to {high}" if high is not None else f"{low} or more"
        if (
            not (text.isascii() and text.isdigit())
            or int(text) < low
            or (high is not None and int(text) > high)
        ):
            raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from {limits}")
        return int(text)

    return convert


def seconds(text: str) -> float:
    """An argparse type: more than 0 and at most a day."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 86400:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds above 0")
    return value


class Parser(argparse.ArgumentParser):
    """Usage errors as one line, status 2."""

    def error(self, message: str):
        self.exit(2, f"tern: {message}; see ./{self.prog} --help\n")


def machine_options(parser: argparse.ArgumentParser, machines: tuple[str, ...]) -> None:
    """Options of every command that boots."""
    parser.add_argument(
        "--vmm",
        choices=machines,
        default="q35",
        metavar="VMM",
        help=f"QEMU machine{', or real hypervisor under emulation' if 'kvm-nested' in machines else ''}: "
        f"{' '.join(machines)} (default q35)",
    )
    parser.add_argument(
        "--kernel", metavar="FILE", help="boot this ELF and the images beside it; build nothing"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the QEMU command lines and do nothing")


def parser_make() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = Parser(
        prog="tern",
        description="Builds, boots, measures and tests the Tern kernel.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)

    bench = commands.add_parser(
        "bench",
        help="the main job: boot, run the latency benches, print the table",
        description="Builds a release kernel, boots it, collects the latency histograms of its "
        "benches, prints the table and writes build/results/TIME/. Without KVM the numbers "
        "are guest instructions, equal in every run. With --vmm kvm-nested the guest runs under a real KVM in an "
        "emulated first level (Debian's cloud kernel, unpacked below ~/.cache/tern, never installed): its numbers are "
        "instructions of guest and hypervisor together.",
        epilog="example: ./tern bench channel.call --boots 3 --smp 2",
    )
    bench.add_argument(
        "names", nargs="*", metavar="NAME", help="show only these: a name, its beginning, or a pattern"
    )
    machine_options(bench, ("q35", "pc", "microvm", "kvm-nested", "xen"))
    bench.add_argument(
        "--boots", type=natural(1, 1000), default=1, metavar="N", help="boot N times (default 1)"
    )
    bench.add_argument(
        "--smp",
        type=natural(1, qemu.CPUS_MAX),
        default=1,
        metavar="N",
        help=f"with 2 to {qemu.CPUS_MAX}: also run the cross-CPU benches on N CPUs; without KVM "
        "their unit is emulated-ns, which is not a speed",
    )
    bench.add_argument("--quick", action="store_true", help="fewer samples per bench")
    bench.add_argument(
        "--append", default="", metavar="TEXT", help="more for the kernel command line, e.g. hooks=latency"
    )
    bench.add_argument(
        "--control", action="store_true", help="with a control port, as `run` has it: shows what it costs"
    )
    bench.add_argument(
        "--out",
        type=Path,
        default=ROOT / "build/results",
        metavar="DIR",
        help="make the run's folder and the link `latest` in DIR (default build/results)",
    )
    bench.add_argument(
        "--timeout", type=seconds, default=60.0, metavar="S", help="limit of one boot (default 60)"
    )

    profile = commands.add_parser(
        "profile",
        help="which functions of kernel and processes the time goes to",
        description="Runs benches, or an image, and prints a table of functions of kernel and processes: samples of this host's "
        "perf of a guest of its KVM; without KVM, or with --exact, a plugin of an emulating QEMU counts every instruction, the "
        "same in each run. --sampler: the guest samples itself, callers included, on any hypervisor, and "
        "leaves a perf.data for `perf report -g`. --vmm kvm-nested: perf on the host of a guest of KVM. --listing: every "
        "instruction of one operation of a bench, with source lines; the total must be the figure of `bench`.",
        epilog="examples: ./tern profile channel.call.same_cpu.32     ./tern profile --annotate sys_channel_transact\n"
        "          ./tern profile --sampler --vmm xen          ./tern profile --listing syscall.null",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    profile.add_argument(
        "benches", nargs="*", metavar="BENCH", help="benches to run (default channel.call.same_cpu.32; --listing: .0)"
    )
    source = profile.add_mutually_exclusive_group()
    source.add_argument("--sampler", action="store_true", help="the guest's own samples, with callers")
    source.add_argument("--listing", action="store_true", help="list one operation of BENCH instead")
    source.add_argument("--exact", action="store_true", help="count instructions, without KVM, even where there is KVM")
    profile.add_argument(
        "--vmm", choices=("q35", "pc", "microvm", "kvm-nested", "xen"), default="q35", metavar="VMM", help="(default q35)"
    )
    profile.add_argument("--image", default="", metavar="NAME|FILE", help="profile this image instead of the benches'")
    profile.add_argument("--append", default="", metavar="TEXT", help="more for the kernel command line")
    profile.add_argument("--hz", type=natural(1, 20000), default=0, metavar="N", help="samples a second")
    profile.add_argument("--top", type=natural(1), default=20, metavar="N", help="rows of the table (default 20)")
    profile.add_argument(
        "--annotate", default="", metavar="FUNCTION", help="instead of the table: its instructions with their counts; "
        "of several functions of one name the busiest, or that of PROGRAM:FUNCTION"
    )
    profile.add_argument("--whole", action="store_true", help="count the boot too, not only what follows it")
    profile.add_argument("--kernel", metavar="FILE", help="this ELF, with its programs beside it where make leaves them")
    profile.add_argument(
        "--out", type=Path, metavar="PATH", help="the run's folder; of --listing, its file (default below build/profile)"
    )
    profile.add_argument("--timeout", type=seconds, default=120.0, metavar="S", help="limit of the boot (default 120)")

    run = commands.add_parser(
        "run",
        help="boot interactively",
        description="Boots with the serial line on this "
        "terminal. The exit status is 0 for the guest's success, else QEMU's (35 failure, "
        "37 panic, 39 refused command line or image).",
    )
    machine_options(run, qemu.MACHINES)
    run.add_argument(
        "--image", default="uppercase", metavar="NAME|FILE", help="system image (default uppercase)"
    )
    run.add_argument("--smp", type=natural(1, qemu.CPUS_MAX), default=1, metavar="N", help="CPUs (default 1)")
    run.add_argument("--append", default="", metavar="TEXT", help="kernel command line")

    ctl = commands.add_parser(
        "ctl",
        help="ask a running guest",
        description="Sends one request to a module of a guest that `run` started, by its control port, and prints the "
        "answer; `help` lists the modules and their requests, the module '*' is all of them. The exit status is 0 only "
        "if the guest's status is OK.",
        epilog="examples: ./tern ctl help     ./tern ctl scheduler get_stats     ./tern ctl '*' get_stats --json",
    )
    ctl.add_argument("words", nargs="+", metavar="WORD", help="help, or MODULE REQUEST [PAYLOAD...]; -- before words with -")
    which = ctl.add_mutually_exclusive_group()
    which.add_argument("--guest", metavar="NAME|PATH", help="which guest, or its socket, if several run")
    which.add_argument(
        "--console",
        metavar="PATH",
        help="the terminal or unix socket of a guest that frames its streams on one console: under Xen what "
        "`xenstore-read /local/domain/$(xl domid NAME)/console/tty` says",
    )
    ctl.add_argument(
        "--timeout", type=seconds, default=5.0, metavar="S", help="how long to wait for the answer (default 5)"
    )
    ctl.add_argument("--json", action="store_true", help="print the guest's answer as it is, one line of JSON")

    unframe = commands.add_parser(
        "unframe",
        help="take a Xen guest's console log apart",
        description="A guest of Xen sends its streams as lines of its one console. Reads such a console (of `xl console`, "
        "or a log of xenconsoled) and writes one stream as it comes. Damage is told on stderr; the exit status is then 1.",
        epilog="examples: xl console tern | ./tern unframe -     ./tern unframe guest-tern.log --stream hist >latency.hlog",
    )
    unframe.add_argument("file", metavar="FILE|-", help="the console's text, - for standard input")
    unframe.add_argument(
        "--stream",
        choices=("log", "hist", "control", "prof", "foreign"),
        default="log",
        metavar="STREAM",
        help="log hist control prof, or foreign: all lines that are no frames (default log)",
    )

    check = commands.add_parser(
        "check",
        help="run every test",
        description="Lints, builds, unit, model and guest tests. "
        "Leaves build/check.tap, build/check.xml and the logs of each boot in build/check/.",
    )
    check.add_argument(
        "filters",
        nargs="*",
        metavar="FILTER",
        help="only tests whose name contains or matches this, e.g. guest.boot 'unit.*'",
    )
    check.add_argument("--quick", action="store_true", help="leave out what takes long")
    check.add_argument(
        "--on",
        choices=(*PLACES, "all"),
        metavar="PLACE",
        help=f"run the guest tests, all of them, under another hypervisor in a first level: {' '.join(PLACES)}, or all of these",
    )
    check.add_argument("--list", action="store_true", help="print the names and do nothing")

    iso = commands.add_parser(
        "iso",
        help="write a GRUB image that boots from BIOS",
        description="Builds a release kernel "
        "and writes an ISO that GRUB boots from BIOS; prints its path.",
    )
    iso.add_argument(
        "--image", metavar="NAME|FILE", help="system image as boot module (default: the built-in one)"
    )
    iso.add_argument("--kernel", metavar="FILE", help="use this ELF and the images beside it; build nothing")
    iso.add_argument("--append", default="", metavar="TEXT", help="kernel command line")
    iso.add_argument(
        "--out", type=Path, default=ROOT / "build/tern.iso", metavar="FILE", help="(default build/tern.iso)"
    )
    return parser


def profile_command(arguments: argparse.Namespace) -> int:
    """The source that was asked for."""
    out = arguments.out and arguments.out.absolute()
    if arguments.listing:
        import tracing

        if len(arguments.benches) > 1:
            raise TernError("--listing is of one bench; give one name")
        name = arguments.benches[0] if arguments.benches else "channel.call.same_cpu.0"
        return tracing.listing(tracing.Options(name, out, arguments.timeout, arguments.kernel))
    import profiling

    return profiling.profile(
        profiling.Options(
            tuple(arguments.benches),
            arguments.image,
            arguments.append,
            arguments.vmm,
            arguments.sampler,
            arguments.hz,
            arguments.top,
            arguments.annotate,
            arguments.whole,
            out,
            arguments.timeout,
            arguments.kernel,
            arguments.exact,
        )
    )


def run_command(arguments: argparse.Namespace) -> int:
    """Calls the command; returns the exit status."""
    if arguments.command == "bench":
        import bench

        return bench.bench(
            bench.Options(
                tuple(arguments.names),
                arguments.vmm,
                arguments.boots,
                arguments.smp,
                arguments.quick,
                arguments.out.absolute(),
                arguments.timeout,
                arguments.dry_run,
                arguments.kernel,
                arguments.append,
                arguments.control,
            )
        )
    if arguments.command == "profile":
        return profile_command(arguments)
    if arguments.command == "run":
        import interactive

        return interactive.interactive(
            arguments.image,
            arguments.vmm,
            arguments.smp,
            arguments.append,
            arguments.kernel,
            arguments.dry_run,
        )
    if arguments.command == "ctl":
        import control

        return control.ctl(arguments.words, arguments.guest, arguments.console, arguments.timeout, arguments.json)
    if arguments.command == "unframe":
        import frames

        return frames.command(arguments.file, arguments.stream)
    if arguments.command == "check":
        import check

        return check.check(arguments.filters, arguments.quick, arguments.list, arguments.on)
    import build
    import iso

    kernel = build.kernel_get(arguments.kernel)
    image = build.image_find(arguments.image, kernel) if arguments.image else None
    iso.iso_write(arguments.out, kernel, image, arguments.append)
    print(arguments.out)
    return 0


def main(words: list[str]) -> int:
    """The program; returns its exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        status = run_command(parser_make().parse_args(words))
        sys.stdout.flush()
        return status
    except TernError as error:
        print(f"tern: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        qemu.stop_all()
        print("tern: interrupted; everything it started was stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stdout = None  # nobody reads: no complaint at exit either
        return 1
    except OSError as error:
        print(f"tern: {error.strerror or error}; nothing more was written", file=sys.stderr)
        sys.stdout = None
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
