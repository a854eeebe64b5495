#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What mkimage.py makes of programs: they are compiled and linked for real, with a runtime of a few lines.

The kernel's own image_check, compiled for the host, judges what was packed. Needs gcc and make. Runs by
itself or with `python3 -m unittest`.
"""

import os
import re
import struct
import subprocess
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

# The first import makes the modules of mkimage.py known.
from test_mkimage import GOOD, ROOT, Case, mkimage_process, mkimage_run  # noqa: E402, I001
from test_mkimage_events import NEWS  # noqa: E402
from test_mkimage_objects import BASE, HEAP, ROBOT  # noqa: E402

import image_file  # noqa: E402
from elf import elf_read  # noqa: E402
from system import Refused  # noqa: E402

LINK_SCRIPT = """ENTRY(_start)
PHDRS { text PT_LOAD FLAGS(5); rodata PT_LOAD FLAGS(4); data PT_LOAD FLAGS(6); }
SECTIONS {
    . = PROCESS_BASE;
    .text : { *(.text .text.*) } :text
    . = ALIGN(0x1000);
    .rodata : { *(.rodata .rodata.*) } :rodata
    . = ALIGN(0x1000);
    .data : { *(.data .data.*) } :data
    .bss : { *(.bss .bss.*) } :data
    /DISCARD/ : { *(.comment) *(.note .note.*) *(.eh_frame) }
}
"""
JUDGE = """#include "sys/image.h"
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
    const struct image_header *h = NULL;
    const char *why = "";
    void *bytes = malloc(1 << 24);
    FILE *file = fopen(argv[argc - 1], "rb");
    enum status status = image_check(bytes, fread(bytes, 1, 1 << 24, file), &h, &why);
    printf("%d %s\\n", status, why ? why : "sound");
    return 0;
}
"""


class Building(Case):
    """Whole images, out of real compilers and linkers."""

    def setUp(self) -> None:
        super().setUp()
        self.write("rt/link.lds", LINK_SCRIPT)
        self.write("rt/vdso.ld", "vdso_answer = 0x201000;\n")
        gcc = ["gcc", "-ffreestanding", "-fno-pic", "-fno-pie", "-fno-asynchronous-unwind-tables"]
        start = self.write("start.c", "int main(void);\nvoid _start(void) { for (;;) main(); }\n")
        subprocess.run([*gcc, "-c", "-o", self.folder / "rt/crt0.o", start], check=True)
        self.write("programs/server.c", '#include "handles.h"\nint main(void) { return HANDLE_IPC; }\n')
        self.write("programs/client/main.c",
                   '#include "handles.h"\n#include "client.h"\nint vdso_answer(void);\n'
                   "int main(void) { counter += CLIENT + vdso_answer(); return HANDLE_CALL; }\n")
        self.write("programs/client/data.c", '#include "client.h"\nint counter = 7;\nchar big[5000];\n')
        self.write("programs/client/client.h", "#define CLIENT 1\nextern int counter;\n")

    def build(self, text: str = GOOD, *more: object, image: str = "out.img") -> tuple[int, str]:
        file = self.write("system.json5", text)
        status, out, err = mkimage_run("build", file, "--programs", self.folder / "none", "--programs",
                                       self.folder / "programs",
                                   "--rt", self.folder / "rt", "--work", self.folder / "work", "--out",
                                   self.folder / image, *more)
        self.assertEqual(out, "")
        return status, err

    def show(self, image: str = "out.img") -> str:
        status, out, err = mkimage_run("show", self.folder / image)
        self.assertEqual((status, err), (0, ""))
        return out

    def judge(self, image: str = "out.img") -> str:
        """The kernel's opinion."""
        program = self.compiled(JUDGE, ROOT / "sys/image.c", ROOT / "sys/lib/crc32.c")
        return subprocess.run([program, self.folder / image], capture_output=True, text=True,
                              check=True).stdout

    def test_tables(self) -> None:
        text = GOOD.replace('{ name: "call"', '{ name: "ns", type: "histogram" }, { name: "call"').replace(
            'name: "client",', 'name: "client", cpu: 3,')
        self.assertEqual(self.build(text, "--name", "my image"), (0, ""))
        self.assertEqual(self.judge(), "0 sound\n")
        lines = [re.sub(r"\d+ of them at offset [1-9]\d*", "N of them",
                        line) for line in self.show().splitlines()]
        self.assertRegex(lines[0], r"^image 'my image' version 3 bytes \d+ checksum ")
        self.assertEqual(lines[1:], [
            "process 'server' cpu 0 entry 0x1000000",
            "  thread 'main' priority 15 stack_top 0x1c01000",
            "  handle 0 'IPC' channel_handler peer 'client'.'call'",
            "  handle 1 'process' process 'server'",
            "  region 0x1000000 r-x bytes 4096, N of them",
            "  region 0x1c00000 rw- bytes 4096, 0 of them at offset 0",
            "process 'client' cpu 3 entry 0x2000000",
            "  thread 'main' priority 20 stack_top 0x2c01000",
            "  handle 0 'ns' histogram at 0x2800000",
            "  handle 1 'call' channel_initiator peer 'server'.'IPC'",
            "  handle 2 'process' process 'client'",
            "  region 0x2000000 r-x bytes 4096, N of them",
            "  region 0x2001000 rw- bytes 8192, N of them",
            "  region 0x2800000 rw- bytes 258048, 0 of them at offset 0",
            "  region 0x2c00000 rw- bytes 4096, 0 of them at offset 0"])

    def build_robot(self, text: str = ROBOT) -> tuple[int, str]:
        for name in ("driver", "keeper"):
            self.write(f"programs/{name}.c", '#include "handles.h"\nint main(void) { return HANDLE_PROCESS; }\n')
        return self.build(text)

    def test_all_tables(self) -> None:
        """Every type of object, several threads, all mappings; both forms of the schema."""
        self.assertEqual(self.build_robot(), (0, ""))
        self.assertEqual(self.judge(), "0 sound\n")
        lines = [re.sub(r"\d+ of them at offset [1-9]\d*", "N of them",
                        line) for line in self.show().splitlines()]
        self.assertEqual(lines[1:], [
            "process 'driver' cpu 1 entry 0x1000000",
            "  thread 'main' priority 15 stack_top 0x1c01000",
            "  thread 'worker' priority 3 stack_top 0x1c04000",
            "  handle 0 'group' wait_group",
            "  handle 1 'lines' interrupt 4 40",
            "  handle 2 'worker' thread 'worker'",
            "  handle 3 'main' thread 'main'",
            "  handle 4 'requests' channel_handler peer 'keeper'.'ask'",
            "  handle 5 'times' histogram at 0x1800000",
            "  handle 6 'process' process 'driver'",
            "  region 0x1000000 r-x bytes 4096, N of them",
            "  region 0x1800000 rw- bytes 258048, 0 of them at offset 0",
            "  region 0x1840000 rw- bytes 8192, 0 of them at offset 0",
            "  region 0x1c00000 rw- bytes 4096, 0 of them at offset 0",
            "  region 0x1c02000 rw- bytes 8192, 0 of them at offset 0",
            "  ports 0x3f8 to 0x3ff",
            "  device 0x1e00000 rw- bytes 8192 at physical 0xfee00000",
            "  device 0x1e03000 rw- bytes 4096 at physical 0xfed00000",
            "process 'keeper' cpu 0 entry 0x2000000",
            "  thread 'main' priority 20 stack_top 0x2c01000",
            "  thread 'Night watch' priority 15 stack_top 0x2c04000",
            "  handle 0 'ward' process 'driver'",
            "  handle 1 'ask' channel_initiator peer 'driver'.'requests'",
            "  handle 2 'bell' interrupt 255",
            "  handle 3 'NIGHT_WATCH' thread 'Night watch'",
            "  handle 4 'process' process 'keeper'",
            "  region 0x2000000 r-x bytes 4096, N of them",
            "  region 0x2c00000 rw- bytes 4096, 0 of them at offset 0",
            "  region 0x2c02000 rw- bytes 8192, 0 of them at offset 0"])

    def test_events_and_modules(self) -> None:
        for name in ("reader", "server", "client"):
            self.write(f"programs/{name}.c", '#include "handles.h"\nint main(void) { return HANDLE_PROCESS; }\n')
        self.assertEqual(self.build(NEWS), (0, ""))
        self.assertEqual(self.judge(), "0 sound\n")
        self.assertEqual(re.findall(r"^  handle \d '(?!process')(.*)", self.show(), re.MULTILINE), [
            "life' event_subscription priority 0 depth 8 shutdown process_created process_exited bad_origin",
            "alarms' event_subscription priority 128 depth 64 tick custom 'fire' 'water-level'",
            "ask' router",
            "echo' channel_handler, a module",
            "plain' channel_handler peer 'client'.'call'",
            "everything' event_subscription priority 128 depth 64 all",
            "call' channel_initiator peer 'server'.'plain'"])

    def test_private_data_beside_the_program(self) -> None:
        at = f"address: {BASE + 0x1000}"
        self.assertEqual(self.build_robot(ROBOT.replace(HEAP, HEAP.replace("address: 0", at))), (0, ""))
        self.assertEqual(self.judge(), "0 sound\n")
        self.assertIn("\n  region 0x1001000 rw- bytes 8192, 0 of them", self.show())
        at = f"address: {BASE}"
        self.assertEqual(self.build_robot(ROBOT.replace(HEAP, HEAP.replace("address: 0", at))),
                         (1, f"{self.folder}/system.json5:14:67: mapping 'heap' overlaps the program of process "
                          "'driver', which ends at 0x1001000\n"))

    def test_graph_beside_the_image(self) -> None:
        self.assertEqual(self.build(GOOD, "--graph", self.folder / "out.dot"), (0, ""))
        _, graph, _ = mkimage_run("graph", self.folder / "system.json5")
        self.assertEqual((self.folder / "out.dot").read_text(encoding="utf-8"), graph)

    def test_stacks_of_all_threads_count(self) -> None:
        """Worker 8192 and main 4096 of the driver; its mapping does not count."""
        ram = 'name: "driver", ram_size_bytes: {},'
        self.assertEqual(self.build_robot(ROBOT.replace('name: "driver",', ram.format(12288))), (0, ""))
        self.assertEqual(self.build_robot(ROBOT.replace('name: "driver",', ram.format(12287))),
                         (1, f"{self.folder}/system.json5:9:41: 'ram_size_bytes' is 12287, but data, bss and stack "
                          "take 12288 bytes (driver 12288)\n"))

    def test_memory_is_what_the_linker_made(self) -> None:
        self.assertEqual(self.build(), (0, ""))
        image = (self.folder / "out.img").read_bytes()
        fields = image_file.HEADER.unpack_from(image)
        regions = [image_file.REGION.unpack_from(image,
                                                 fields[14] + 40 * number) for number in range(fields[7])]
        program = elf_read(self.folder / "work/client/client.elf")
        self.assertEqual(len(program.segments), 2)
        for segment in program.segments:
            [(_, _, offset, size, _, _)] = [region for region in regions if region[0] == segment.address]
            self.assertEqual(image[offset : offset + size], segment.data)
        self.assertEqual(struct.unpack_from("<i", program.segments[1].data), (7,))

    def test_same_bytes_each_time_and_everywhere(self) -> None:
        self.assertEqual(self.build(), (0, ""))
        first = (self.folder / "out.img").read_bytes()
        self.assertEqual(self.build(image="again.img"), (0, ""))
        self.assertEqual((self.folder / "again.img").read_bytes(), first)
        status, _, err = mkimage_process("build", "system.json5", "--programs", "programs", "--rt", "rt",
                                         "--work",
                                         "elsewhere", "--out", "third.img", cwd=self.folder)
        self.assertEqual((status, err), (0, ""))
        self.assertEqual((self.folder / "third.img").read_bytes(), first)
        self.assertFalse(list(self.folder.glob("*.part")))

    def test_pack_gives_what_build_gives(self) -> None:
        self.assertEqual(self.build(), (0, ""))
        work = self.folder / "work"
        command = ["pack", self.folder / "system.json5", "--out", self.folder / "packed.img", "--elf",
                   f"client={work}/client/client.elf"]
        self.assertEqual(mkimage_run(*command, f"server={work}/server/server.elf"), (0, "", ""))
        self.assertEqual((self.folder / "packed.img").read_bytes(), (self.folder / "out.img").read_bytes())
        self.assertEqual(mkimage_run(*command), (1, "", "--elf: no program is given for: server\n"))
        status, _, err = mkimage_run(*command, "sever=x")
        self.assertEqual((status, err),
                         (1,
                          "--elf sever=x: no such process; valid are PROCESS=FILE with one of: "
                          "server, client\n"))
        swapped = [*command[:-1], f"client={work}/server/server.elf", f"server={work}/client/client.elf"]
        status, _, err = mkimage_run(*swapped)
        self.assertEqual(status, 1)
        self.assertIn("has a segment at 0x2000000; it must be linked at 0x1000000", err)

    def test_depfile(self) -> None:
        self.assertEqual(self.build(GOOD, "--depfile", self.folder / "out.d"), (0, ""))
        self.write("makefile",
                   f"include {self.folder}/out.d\n{self.folder}/out.img: ; @echo made; touch $@\n")

        def make() -> str:
            command = ["make", "-s", "--no-print-directory", "-f", self.folder / "makefile",
                       self.folder / "out.img"]
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout

        self.assertNotIn("made", make())
        for name in ("programs/client/client.h", "programs/server.c", "rt/link.lds", "system.json5"):
            os.utime(self.folder / name, (4e9, 4e9))
            self.assertIn("made", make(), name)
            os.utime(self.folder / name, (1, 1))
            os.utime(self.folder / "out.img")
        (self.folder / "programs/client/client.h").unlink()
        self.assertIn("made", make())
        self.assertNotIn("work/", (self.folder / "out.d").read_text(encoding="utf-8"))

    def test_missing_program(self) -> None:
        status, err = self.build(GOOD.replace('"client",', '"client", program: "nobody",'))
        self.assertEqual((status, err),
                         (1, f"{self.folder}/system.json5:7:34: process 'client' has no program: neither "
                         f"nobody.c nor a folder nobody with sources is in: "
                         f"{self.folder}/none, {self.folder}/programs\n"))

    def test_missing_runtime(self) -> None:
        (self.folder / "rt/crt0.o").unlink()
        status, err = self.build()
        self.assertEqual((status, err),
                         (1,
                          f"{self.folder}/rt/crt0.o: missing; --rt must hold crt0.o, link.lds, vdso.ld\n"))

    def test_own_entries_are_refused(self) -> None:
        for text, word in (("syscall", "syscall"), ("sysenter", "sysenter"), ("int $0x80", "int")):
            self.write("programs/server.c", f'int main(void) {{ __asm__ volatile("{text}"); return 0; }}\n')
            self.write("system.json5", GOOD)
            status, err = self.build()
            self.assertEqual(status, 1)
            self.assertRegex(err, rf"process 'server': \S+server\.elf: main at 0x[0-9a-f]+ has its own {word};")

    def test_breakpoints_are_accepted(self) -> None:
        self.write("programs/server.c", 'int main(void) { __asm__ volatile("int3; ud2"); return 0; }\n')
        self.assertEqual(self.build(), (0, ""))

    def test_compiler_error_names_the_process(self) -> None:
        self.write("programs/server.c", "int main(void) { return nothing; }\n")
        self.write("system.json5", GOOD)
        status, _, err = mkimage_process("build", "system.json5", "--programs", "programs", "--rt", "rt",
                                         "--work", "work",
                                         "--out", "out.img", cwd=self.folder)
        self.assertEqual(status, 1)
        self.assertIn("programs/server.c:1:25: error:", err)
        self.assertIn("process 'server': this command failed: gcc ", err)
        self.assertFalse((self.folder / "out.img").exists())

    def test_flags_replace_the_defaults(self) -> None:
        self.write("programs/server.c",
                   "#ifndef MINE\n#error\n#endif\nint main(void) { int unused; return 0; }\n")
        self.assertEqual(self.build(GOOD, "--cflags", "-DMINE")[0], 0)

    def test_flash_is_counted_in_bytes(self) -> None:
        """The server's code and the client's, as the linked programs have it."""
        self.assertEqual(self.build(), (0, ""))
        work = self.folder / "work"
        sizes = [elf_read(work / name / f"{name}.elf").size(writable=False) for name in ("server", "client")]
        limit = sum(sizes)
        self.assertEqual(self.build(GOOD.replace("flash_size_bytes: 65536", f"flash_size_bytes: {limit}")),
                         (0, ""))
        status, err = self.build(GOOD.replace("flash_size_bytes: 65536", f"flash_size_bytes: {limit - 1}"))
        self.assertEqual((status, err),
                         (1,
                          f"{self.folder}/system.json5:4:37: 'flash_size_bytes' is {limit - 1}, but code and "
                         f"read-only data take {limit} bytes (server {sizes[0]}, client {sizes[1]})\n"))

    def test_ram_is_counted_in_bytes(self) -> None:
        """Server: a stack of 4096. Client: .data 4, .bss 5000 after alignment to 32, stack 1024."""
        need = 4096 + 32 + 5000 + 1024
        self.assertEqual(self.build(GOOD.replace("ram_size_bytes: 65536", f"ram_size_bytes: {need}")),
                         (0, ""))
        status, err = self.build(GOOD.replace("ram_size_bytes: 65536", f"ram_size_bytes: {need - 1}"))
        self.assertEqual((status, err),
                         (1,
                          f"{self.folder}/system.json5:4:60: 'ram_size_bytes' is {need - 1}, but data, "
                          f"bss and "
                         f"stacks take {need} bytes (server 4096, client 6056)\n"))
        status, err = self.build(GOOD.replace('name: "client",', 'name: "client", ram_size_bytes: 6055,'))
        self.assertEqual((status, err),
                         (1, f"{self.folder}/system.json5:7:41: 'ram_size_bytes' is 6055, but data, bss and "
                         "stack take 6056 bytes (client 6056)\n"))

    def test_too_many_regions(self) -> None:
        self.assertEqual(self.build(), (0, ""))
        work = self.folder / "work"
        abi = self.small_abi("IMAGE_REGIONS_MAX", 4)
        result = mkimage_run("--abi", abi, "pack", self.folder / "system.json5",
                             "--out", self.folder / "x.img", "--elf", f"server={work}/server/server.elf",
                             f"client={work}/client/client.elf")
        self.assertEqual(result, (1, "", "the image has 5 regions; at most 4 fit\n"))

    def test_program_larger_than_its_slot(self) -> None:
        self.write("programs/client/data.c", '#include "client.h"\nint counter = 7;\nchar big[9 << 20];\n')
        status, err = self.build(GOOD.replace("65536", "99999999"))
        self.assertEqual(status, 1)
        self.assertRegex(err,
                         r"^the program of process 'client' ends at 0x290\d000; "
                         "it has 8 MiB, up to 0x2800000\n$")

    def test_elf_that_the_kernel_would_not_load(self) -> None:
        self.assertEqual(self.build(), (0, ""))
        good = (self.folder / "work/client/client.elf").read_bytes()
        header = 64  # the first program header: text
        for at, value, message in (
            (0, b"\x7fELG", "not a little-endian 64-bit ELF"),
            (16, b"\3\0", "not a static x86_64 executable"),
            (18, b"\xb7\0", "not a static x86_64 executable"),
            (56, b"\xff\xff", "its program headers leave the file"),
            (header, b"\3", "it is dynamically linked"),
            (header, b"\7", "it is using thread-local variables, which this kernel does not have"),
            (header + 4, b"\7", "the segment at 0x2000000 is writable and executable"),
            (header + 32, b"\xff\xff\xff\x7f", "the segment at 0x2000000 leaves the file"),
        ):
            with self.subTest(message=message), self.assertRaises(Refused) as caught:
                elf_read(self.write("bad.elf", good[:at] + value + good[at + len(value) :]))
            self.assertEqual(caught.exception.lines, [f"{self.folder}/bad.elf: {message}"])
        for length in range(0, 64 + 56, 7):
            with self.assertRaises(Refused):
                elf_read(self.write("bad.elf", good[:length]))

    def test_placement(self) -> None:
        self.assertEqual(self.build(), (0, ""))
        good = (self.folder / "work/client/client.elf").read_bytes()
        kinds = [struct.unpack_from("<II", good, 64 + 56 * index) for index in range(3)]
        data_header = 64 + 56 * kinds.index((1, 6))
        for at, value, message in (
            (24, 0x2001000, "starts at 0x2001000, which is not in its executable code"),
            (data_header + 16, 0x2000F00, "has two segments in the page at 0x2000000"),
            (data_header + 16, 0x1FFF000, "has a segment at 0x1fff000; it must be linked at 0x2000000"),
        ):
            bad = self.write("bad.elf", good[:at] + struct.pack("<Q", value) + good[at + 8 :])
            status, _, err = mkimage_run("pack", self.folder / "system.json5", "--out",
                                         self.folder / "bad.img", "--elf",
                                     f"client={bad}", f"server={self.folder}/work/server/server.elf")
            self.assertEqual((status, err), (1, f"the program of process 'client' {message}\n"))

    def test_show_refuses_what_is_no_image(self) -> None:
        self.assertEqual(self.build(), (0, ""))
        good = (self.folder / "out.img").read_bytes()
        for data, why in ((b"", "unpack_from requires"), (b"x" * 200, "wrong magic"),
                          (good[:-1], "its header says"),
                          (good[:-1] + b"\x01", "wrong checksum")):
            status, out, err = mkimage_run("show", self.write("bad.img", data))
            self.assertEqual((status, out), (1, ""))
            self.assertIn("bad.img: not a system image: ", err)
            self.assertIn(why, err)

    def test_wrong_usage(self) -> None:
        self.assertEqual(mkimage_run("build")[0], 2)
        status, out, _ = mkimage_run("--help")
        self.assertEqual(status, 0)
        for command in ("check", "graph", "headers", "build", "pack", "show"):
            self.assertIn(f"\n    {command} ", out)


if __name__ == "__main__":
    unittest.main()
