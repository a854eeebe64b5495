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


def profile_sampler_options(parser: argparse.ArgumentParser) -> None:
    """Options of `profile` for the guest's sampler."""
    parser.add_argument(
        "--sampler",
        action="store_true",
        help="instead: sample the benches from a CPU of their guest, with chains of calls, for `perf report -g`, and as "
        "a flame graph, below build/profile/",
    )
    parser.add_argument(
        "--vmm", choices=("q35", "pc", "microvm"), default="q35", help="QEMU machine for --sampler (default q35)"
    )
    parser.add_argument("--image", default="bench", metavar="NAME", help="what --sampler boots (default bench)")
    parser.add_argument(
        "--hz", type=natural(1, 20000), default=4000, metavar="HZ", help="samples a second for --sampler (default 4000)"
    )
    parser.add_argument(
        "--iterations", type=natural(0, 100000000), default=0, metavar="N", help="rounds per bench for --sampler"
    )


def run_profile(arguments: argparse.Namespace) -> int:
    """The command `profile`, in either way."""
    if arguments.sampler:
        import sampling

        return sampling.command(
            sampling.Options(
                tuple(arguments.bench),
                arguments.vmm,
                arguments.image,
                arguments.hz,
                arguments.iterations,
                arguments.timeout,
                arguments.kernel,
            )
        )
    import profiling

    if len(arguments.bench) > 1:
        raise TernError("one bench is listed at a time; name one, or say --sampler", 2)
    name = arguments.bench[0] if arguments.bench else "channel.call.same_cpu.0"
    out = arguments.out and arguments.out.absolute()
    return profiling.profile(profiling.Options(name, out, arguments.timeout, arguments.kernel))


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
        help="list every instruction that one operation of a bench executes",
        description="Traces a boot of the release kernel and lists what one operation of a bench executes, each "
        "instruction with its function and source line; prints the table of functions. Needs no /dev/kvm. The total "
        "must be the figure of `bench`, or there is no listing.",
        epilog="example: ./tern profile syscall.null",
    )
    profile.add_argument(
        "bench",
        nargs="*",
        metavar="BENCH",
        help="the whole name of a bench on one CPU (default channel.call.same_cpu.0); with --sampler one or more, or "
        "their beginnings",
    )
    profile_sampler_options(profile)
    profile.add_argument(
        "--kernel",
        metavar="FILE",
        help="trace this ELF, with its programs beside it where make leaves them; build only the tracer",
    )
    profile.add_argument(
        "--out", type=Path, metavar="FILE", help="write the listing here (default build/profile/BENCH.txt)"
    )
    profile.add_argument(
        "--timeout", type=seconds, default=60.0, metavar="S", help="limit of the boot (default 60)"
    )

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
    ctl.add_argument("--guest", metavar="NAME|PATH", help="which guest, or its socket, if several run")
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
        choices=PLACES,
        metavar="PLACE",
        help=f"run the guest tests, all of them, under another hypervisor in a first level: {' '.join(PLACES)}",
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
        return run_profile(arguments)
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

        return control.ctl(arguments.words, arguments.guest, arguments.timeout, arguments.json)
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
