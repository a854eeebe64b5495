#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The sample configurations of perf/vmm, each by the tool that knows its language; and their pages.

libvirt's schemas for its XML, Xen's own libxlutil for xl's files, a schema after Firecracker's API for its JSON, the shell for
scripts. What the guest is told must be a command line that the kernel takes. ci/vmm_guest.py carries out what can be."""
import copy
import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import jsonschema

ROOT = Path(__file__).resolve().parents[2]
VMM = ROOT / "perf/vmm"
HYPERVISORS = ("cloud-hypervisor", "firecracker", "kvm", "libvirt", "qemu", "xen")
SCHEMA = ROOT / "tests/host/firecracker.schema.json"
KEY = re.compile(r'^CMDLINE\(\w+, "([^"]+)"', re.MULTILINE)
LIBRARIES = ("-lxlutil", "-lxenlight", "-lxenguest", "-lxenctrl", "-lxentoollog")

# Keys of xl.cfg(5) that the files use, each seen in xl 4.17 itself: xl passes over a key that it does not know.
XL_NUMBERS = {"memory", "vcpus", "nomigrate", "nographic", "vnc", "usb"}
XL_LISTS = {"cpus", "disk"}
XL_WORDS = {"name", "type", "kernel", "ramdisk", "cmdline", "tsc_mode", "boot", "serial", "vga"}
XL_WORDS |= {"on_poweroff", "on_reboot", "on_crash"}


def tool(name: str, package: str) -> str:
    """A tool's path; without it these tests fail."""
    found = shutil.which(name)
    if found is None:
        raise AssertionError(f"{name} is missing; install {package}")
    return found


def run(*words: str | Path) -> subprocess.CompletedProcess:
    """A program's end, its output as text."""
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=60, check=False)


class Libvirt(unittest.TestCase):
    """The domains."""

    def validate(self, path: Path) -> subprocess.CompletedProcess:
        return run(tool("virt-xml-validate", "libvirt-clients"), path, "domain")

    def test_domains(self):
        found = sorted((VMM / "libvirt").glob("*.xml"))
        self.assertEqual([path.name for path in found], ["tern-xen.xml", "tern.xml"])
        for path in found:
            done = self.validate(path)
            self.assertEqual(done.returncode, 0, done.stderr + done.stdout)

    def test_a_wrong_domain_is_noticed(self):
        text = (VMM / "libvirt/tern.xml").read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "wrong.xml")
            path.write_text(text.replace("<vcpupin vcpu='0'", "<vcpupin cpu='0'"), encoding="utf-8")
            self.assertNotEqual(self.validate(path).returncode, 0)

    def test_ports(self):
        text = (VMM / "libvirt/tern.xml").read_text(encoding="utf-8")
        names = re.findall(r"<target type='virtio' name='([^']+)'", text)
        self.assertEqual(sorted(names), [f"org.tern.{port}" for port in ("control", "hist", "log", "prof")])


class Xl(unittest.TestCase):
    """The files of xl, read by the library that xl reads them with."""

    program: Path
    folder: tempfile.TemporaryDirectory

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="tern-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.program = Path(cls.folder.name, "xen_program")
        source = ROOT / "tests/host/xen_program.c"
        done = run(tool("gcc", "gcc"), "-std=gnu2x", "-Wall", "-Wextra", "-Werror", "-o", cls.program, source, *LIBRARIES)
        if done.returncode:
            raise AssertionError(f"xen_program.c does not compile; install libxen-dev\n{done.stderr}")

    def read(self, text: str, *keys: str) -> subprocess.CompletedProcess:
        path = Path(self.folder.name, "x.cfg")
        path.write_text(text, encoding="utf-8")
        return run(self.program, "config", path, *keys)

    def values(self, name: str) -> dict[str, str]:
        """All values of a file; a key that xl would pass over, or of another kind, is an error."""
        text = (VMM / "xen" / name).read_text(encoding="utf-8")
        keys = re.findall(r"^(\w+) *=", text, re.MULTILINE)
        self.assertLessEqual(set(keys), XL_NUMBERS | XL_LISTS | XL_WORDS)
        self.assertEqual(len(keys), len(set(keys)), "a key twice")
        done = self.read(text, *keys)
        self.assertEqual(done.returncode, 0, done.stderr)
        values = dict(line.split("=", 1) for line in done.stdout.splitlines())
        for key in keys:
            self.assertEqual(f"{key}[0]" in values, key in XL_LISTS, key)
            if key in XL_NUMBERS:
                self.assertRegex(values[key], r"^\d+$")
        return values

    def test_pvh(self):
        values = self.values("pvh.cfg")
        self.assertEqual(values["type"], "pvh")
        self.assertEqual(values["kernel"], "build/release/tern.elf")
        self.assertEqual(sum(key.startswith("cpus[") for key in values), int(values["vcpus"]), "a CPU for each vCPU")

    def test_hvm(self):
        """No device model of Xen's is in Debian's CI here: the file is read, not carried out."""
        values = self.values("hvm.cfg")
        self.assertEqual((values["type"], values["boot"], values["serial"]), ("hvm", "d", "pty"))
        self.assertIn("devtype=cdrom", values["disk[0]"])

    def test_wrong_files_are_noticed(self):
        for text, keys, says in (
            ('name = "x', ("name",), "cannot read"),
            ('type = "pwh"', ("type",), "does not know this word"),
            ('tsc_mode = "fast"', ("tsc_mode",), "does not know this word"),
            ('on_crash = "cry"', ("on_crash",), "does not know this word"),
            ('disk = ["vdev=hdc, colour=red"]', ("disk",), "refuses an item"),
            ("memory = 5", ("vcpus",), "has no value"),
        ):
            done = self.read(text + "\n", *keys)
            self.assertEqual(done.returncode, 1, text)
            self.assertIn(says, done.stderr)


class Firecracker(unittest.TestCase):
    """Its JSON."""

    def test_configuration(self):
        schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
        jsonschema.Draft7Validator.check_schema(schema)
        sample = json.loads((VMM / "firecracker/tern.json").read_text(encoding="utf-8"))
        jsonschema.validate(sample, schema)
        for section, key, value in (
            ("machine-config", "vcpu_count", 3),
            ("machine-config", "cpus", 2),
            ("machine-config", "huge_pages", "1G"),
            ("boot-source", "kernel_image_path", ""),
            ("boot-source", "boot_args", None),
        ):
            wrong = copy.deepcopy(sample)
            wrong[section][key] = value
            with self.assertRaises(jsonschema.ValidationError, msg=key):
                jsonschema.validate(wrong, schema)


class Scripts(unittest.TestCase):
    """The scripts, and what they say when used wrongly."""

    def test_syntax(self):
        scripts = sorted(VMM.rglob("*.sh"))
        self.assertEqual(
            [str(path.relative_to(VMM)) for path in scripts],
            ["cloud-hypervisor/tern.sh", "kvm/pin.sh", "qemu/tern.sh"],
        )
        for path in scripts:
            self.assertTrue(path.stat().st_mode & 0o100, f"{path} cannot be executed")
            done = run("sh", "-n", path)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_wrong_use_gives_one_line(self):
        for words, environment, says in (
            (["qemu/tern.sh"], {"TERN_IMAGE": "no/such.img"}, "tern.sh: cannot read no/such.img; run make"),
            (["qemu/tern.sh"], {"TERN_IMAGE": __file__, "TERN_ACCEL": "xen"}, "tern.sh: "),
            (["kvm/pin.sh"], {}, "usage: pin.sh PID CPU..."),
            (["kvm/pin.sh", "0", "0", "0"], {}, "pin.sh: there is no process 0"),
        ):
            with tempfile.TemporaryDirectory() as folder:
                elf = Path(folder, "build/release/tern.elf")
                elf.parent.mkdir(parents=True)
                elf.touch()
                script = [str(VMM / words[0]), *words[1:]]
                done = subprocess.run(
                    script,
                    cwd=folder,
                    env={"PATH": "/usr/bin:/bin", **environment},
                    capture_output=True,
                    text=True,
                    timeout=20,
                    check=False,
                )
            self.assertNotEqual(done.returncode, 0)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertTrue(done.stderr.startswith(says), done.stderr)

    def test_cloud_hypervisor_command(self):
        """What the script would start: each option once, of those that Cloud Hypervisor's documentation has."""
        with tempfile.TemporaryDirectory() as folder:
            fake = Path(folder, "cloud-hypervisor")
            fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
            fake.chmod(0o755)
            done = subprocess.run(
                [str(VMM / "cloud-hypervisor/tern.sh"), "bench=hist", "idle=poll"],
                env={"PATH": f"{folder}:/usr/bin:/bin", "TERN_OUT": folder},
                capture_output=True,
                text=True,
                timeout=20,
                check=True,
            )
        words = done.stdout.splitlines()
        options = dict(zip(words[::2], words[1::2], strict=True))
        self.assertEqual(
            list(options), ["--kernel", "--initramfs", "--cmdline", "--cpus", "--memory", "--console", "--serial"]
        )
        self.assertEqual(options["--cmdline"], "streams=serial bench=hist idle=poll")
        self.assertRegex(options["--cpus"], r"^boot=(\d+),affinity=\[0@\[\d+\],1@\[\d+\]\]$")


class CommandLines(unittest.TestCase):
    """What the guests are told."""

    def words(self) -> dict[str, str]:
        """The command line of each configuration."""
        read = {name: (VMM / name).read_text(encoding="utf-8") for name in ("libvirt/tern.xml", "libvirt/tern-xen.xml")}
        lines = {name: re.findall("<cmdline>(.*)</cmdline>", text)[0] for name, text in read.items()}
        text = (VMM / "xen/pvh.cfg").read_text(encoding="utf-8")
        lines["xen/pvh.cfg"] = re.findall('^cmdline = "(.*)"', text, re.MULTILINE)[0]
        sample = json.loads((VMM / "firecracker/tern.json").read_text(encoding="utf-8"))
        lines["firecracker/tern.json"] = sample["boot-source"]["boot_args"] + " pci=off"  # it adds that
        text = (VMM / "cloud-hypervisor/tern.sh").read_text(encoding="utf-8")
        lines["cloud-hypervisor/tern.sh"] = re.findall(r'--cmdline "(.*) \$\*"', text)[0]
        return lines

    def test_the_kernel_knows_each_key(self):
        known = set(KEY.findall((ROOT / "sys/cmdline.def").read_text(encoding="utf-8")))
        self.assertIn("idle", known)
        for name, line in self.words().items():
            for word in line.split():
                self.assertIn(word.partition("=")[0], known, name)


class Pages(unittest.TestCase):
    """The pages: one each, linked from the README, with links and commands that lead somewhere."""

    def test_each_hypervisor_has_a_page(self):
        self.assertEqual(sorted(path.name for path in VMM.iterdir() if path.is_dir()), sorted(HYPERVISORS))
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        for name in HYPERVISORS:
            page = (VMM / name / "README.md").read_text(encoding="utf-8")
            self.assertIn(f"(perf/vmm/{name}/README.md)", readme)
            for heading in ("## Boot", "## Latency", "## Limits", "## What was tried"):
                self.assertIn(f"\n{heading}\n", page, name)
            for path in (VMM / name).iterdir():
                self.assertTrue(path.name == "README.md" or path.name in page, f"{name} does not mention {path.name}")

    def test_links_lead_somewhere(self):
        for name in HYPERVISORS:
            folder = VMM / name
            page = (folder / "README.md").read_text(encoding="utf-8")
            for link in re.findall(r"\]\(([^)#:]+)\)", page):
                self.assertTrue((folder / link).exists(), f"{name}: {link}")
            for path in re.findall(r"\bperf/vmm/[\w./-]+\w", page):
                self.assertTrue((ROOT / path).exists(), f"{name}: {path}")


if __name__ == "__main__":
    sys.exit(unittest.main())
