#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""mkimage.py from outside, as a user runs it, and its position index from inside.

Needs gcc: small programs are linked for real, and the kernel's own image_check judges what was packed. Run it by
itself (`tests/host/test_mkimage.py`) or with `python3 -m unittest`.
"""

import json
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "user/images"
SEED = ROOT.parent / "shared/seeds/003_204b3efb7ab78218.txt"
sys.path.insert(0, str(IMAGES))

import image_file  # noqa: E402
from abi import Abi  # noqa: E402
from elf import elf_read  # noqa: E402
from json5_position import Document, SyntaxProblem  # noqa: E402
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
LAYOUT = """#include "sys/abi/image.h"
#include "sys/abi/histogram.h"
#include <stddef.h>
#include <stdio.h>
int main(void)
{
    printf("%zu %zu %zu %zu %zu %zu %zu", sizeof(struct image_header), sizeof(struct image_process),
           sizeof(struct image_region), sizeof(struct image_thread), sizeof(struct image_object),
           offsetof(struct image_header, checksum), HISTOGRAM_BYTES);
    return 0;
}
"""
# Two processes and a channel; the tests change single words of it. Line 5 is the server's, lines 6 to 11 the client's.
GOOD = """{
  // a comment
  apps: [{
    name: 'pair', flash_size_bytes: 65536, ram_size_bytes: 65536, processes: [
      { name: "server", objects: [{ name: "IPC", type: "channel_handler" }], threads: [{ name: "main" }] },
      {
        name: "client",
        objects: [
          { name: "call", type: "channel_initiator", handler_process: "server", handler_object_name: "IPC" },
        ],
        threads: [{ name: "main", priority: 20, stack_size_bytes: 1024 }],
      },
    ],
  }],
}
"""


def mkimage(*arguments: object, cwd: Path | None = None) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of one run."""
    command = [IMAGES / "mkimage.py", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, timeout=120)
    return result.returncode, result.stdout, result.stderr


class Case(unittest.TestCase):
    """A temporary folder for each test."""

    maxDiff = None

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def check(self, text: str | bytes) -> list[str]:
        """What `check` says of the text, each line without the file's name; [] if the text is accepted."""
        file = self.write("system.json5", text)
        status, out, err = mkimage("check", file)
        self.assertEqual(out, "")
        self.assertEqual(status, 1 if [line for line in err.splitlines() if ": note: " not in line] else 0, err)
        for line in err.splitlines():
            self.assertTrue(line.startswith(f"{file}:"), line)
        return [line[len(str(file)) + 1 :] for line in err.splitlines()]

    def refused(self, old: str, new: str, *expected: str) -> None:
        """GOOD with `old` replaced by `new` gives exactly these errors."""
        self.assertIn(old, GOOD)
        self.assertEqual(self.check(GOOD.replace(old, new, 1)), list(expected))

    def compiled(self, source: str, *more: object) -> Path:
        """A host program out of C text."""
        program = self.folder / "host_program"
        file = self.write("host_program.c", source)
        subprocess.run(["gcc", "-std=gnu2x", "-iquote", ROOT, "-o", program, file, *more], check=True)
        return program


class Positions(unittest.TestCase):
    """json5_position: every key and value is found where it stands."""

    def test_comments_quotes_and_commas(self) -> None:
        text = "// {x: 1}\n{ /* [\n*/ a: [1, 'b]}', ], \"c\": {d: /**/ true,},\n  'e\\\n,': null, }"
        document = Document(text)
        self.assertEqual(document.value, {"a": [1, "b]}"], "c": {"d": True}, "e,": None})
        self.assertEqual(document.keys, {("a",): (3, 4), ("c",): (3, 21), ("c", "d"): (3, 27), ("e,",): (4, 3)})
        self.assertEqual(document.values, {
            (): (2, 1), ("a",): (3, 7), ("a", 0): (3, 8), ("a", 1): (3, 11), ("c",): (3, 26), ("c", "d"): (3, 35),
            ("e,",): (5, 5)})

    def test_escapes_in_keys(self) -> None:
        document = Document(r"""{ \u0061b: 1, "c\x64": 2, '\u00e9\'': [3] }""")
        self.assertEqual(set(document.values), {(), ("ab",), ("cd",), ("é'",), ("é'", 0)})
        self.assertEqual(document.keys[("é'",)], (1, 27))

    def test_line_ends_and_columns(self) -> None:
        for end in ("\n", "\r\n", "\r"):
            with self.subTest(end=end):
                document = Document(f"{{{end}  é: 'ü', b:{end} [0]}}")
                self.assertEqual(document.values[("b",)], (3, 2))
                self.assertEqual(document.keys[("b",)], (2, 11))

    def test_value_that_is_missing_is_told_at_its_parent(self) -> None:
        self.assertEqual(Document("{a: [ {} ]}").at(("a", 0, "name", "x")), (1, 7))

    def test_syntax_errors(self) -> None:
        for text, position, message in (
            ("", (1, 1), "the file is empty"),
            ("{a: 1,\n b: }", (2, 5), 'unexpected "}"'),
            ("{a: 1\r\n,,}", (2, 2), 'unexpected ","'),
            ("{\r a: }", (2, 5), 'unexpected "}"'),
            ("{a: 'x\n'}", (1, 7), "unexpected end of line"),
            ("{a: 1 // end", (1, 13), "unexpected end of input"),
            ("[" * 3000, (1, 1), "the text is nested too deeply"),
        ):
            with self.subTest(text=text[:20]), self.assertRaises(SyntaxProblem) as caught:
                Document(text)
            self.assertEqual((caught.exception.position, caught.exception.message), (position, message))

    def test_random_documents_have_all_their_paths(self) -> None:
        """The index and json5 must see the same keys and values, whatever stands between them."""
        dice = random.Random(3)
        blank = ["", " ", "\n", "\r\n", "/* ,]} */", "// \"'{\n", "\t", "\u00a0"]

        def word(text: str) -> str:
            return f"{dice.choice(blank)}{text}{dice.choice(blank)}"

        def value(depth: int) -> str:
            kind = dice.randrange(8 if depth else 6)
            if kind >= 6:
                marks = ("{}", "[]")[kind - 6]
                items = [value(depth - 1) for _ in range(dice.randrange(4))]
                if marks == "{}":
                    items = [word(key_text(number)) + ":" + item for number, item in enumerate(items)]
                comma = "," + dice.choice(blank) if items and dice.random() < 0.5 else ""
                return word(marks[0] + ",".join(items) + comma + marks[1])
            return word(["1", "-.5e3", "'a\\'\\\n}'", '"[\\\\"', "null", "0x1F"][kind])

        def key_text(number: int) -> str:
            return dice.choice(["k{}", "'k {}'", '"k\\n{}"', "$_{}", "\\u006b{}"]).format(number)

        def paths(item: object, path: tuple = ()) -> set[tuple]:
            members = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
            return {path}.union(*(paths(member, path + (key,)) for key, member in members))

        for _ in range(150):
            text = value(4)
            document = Document(text)
            self.assertEqual(set(document.values), paths(document.value), text)
            lines = re.split(r"\r\n|\n|\r", text)
            for path, at in document.values.items():
                self.assertNotIn(lines[at.line - 1][at.column - 1], " \t/,:]}", (text, path))


class Shape(Case):
    """Keys and types. Each text differs from GOOD in one place."""

    def test_good_text_is_accepted(self) -> None:
        self.assertEqual(self.check(GOOD), [])
        self.assertEqual(self.check("\ufeff" + GOOD.replace("\n", "\r\n")), [])

    def test_syntax(self) -> None:
        self.refused("priority: 20", "priority:", '11:44: unexpected ","')

    def test_not_utf8(self) -> None:
        self.assertEqual(self.check(b"{\n a: '\xc3\xa9\xff'}"), ["2:7: byte 0xff is not UTF-8"])

    def test_columns_after_byte_order_mark_and_crlf(self) -> None:
        text = "\ufeff{ apps: [],\r\n  'é': 1, }"
        self.assertEqual(self.check(text), ["2:3: unknown key 'é' in the system; valid keys: apps, arch, kernel"])

    def test_top_level_is_no_object(self) -> None:
        self.assertEqual(self.check("[]"), ["1:1: the system must be an object, not a list"])
        self.assertEqual(self.check("{}"), ["1:1: the system needs the key 'apps'"])

    def test_unknown_keys(self) -> None:
        self.refused("apps", "app", "1:1: the system needs the key 'apps'",
                     "3:3: unknown key 'app' in the system; did you mean 'apps'? valid keys: apps, arch, kernel")
        self.refused("ram_size_bytes", "ram_bytes", "4:44: unknown key 'ram_bytes' in an app; did you mean "
                     "'ram_size_bytes'? valid keys: constants, flash_size_bytes, name, processes, ram_size_bytes")
        self.refused('name: "server",', 'name: "server", zzz: {},', "5:25: unknown key 'zzz' in a process; valid keys: "
                     "cpu, memory_mappings, name, objects, program, ram_size_bytes, threads")
        self.refused('"channel_handler"', '"channel_handler", handler_proces: 1',
                     "5:72: unknown key 'handler_proces' in a channel_handler; valid keys: name, type")
        self.refused("stack_size_bytes", "stack_size", "11:49: unknown key 'stack_size' in a thread; did you mean "
                     "'stack_size_bytes'? valid keys: name, priority, stack_size_bytes")

    def test_missing_keys(self) -> None:
        self.refused("name: 'pair',", "", "3:10: an app needs the key 'name'")
        self.refused('name: "server",', "", "5:7: a process needs the key 'name'")
        self.refused(', type: "channel_handler"', "", "5:35: an object needs the key 'type'")
        self.refused('name: "call",', "", "9:11: an object needs the key 'name'")
        self.refused(', handler_process: "server"', "", "9:11: a channel_initiator needs the key 'handler_process'")
        self.refused(', handler_object_name: "IPC"', "",
                     "9:11: a channel_initiator needs the key 'handler_object_name'")
        self.refused('{ name: "main" }', "{}", "5:87: a thread needs the key 'name'")

    def test_wrong_types(self) -> None:
        self.refused("65536", '"64K"', "4:37: 'flash_size_bytes' must be an integer, not the string '64K'")
        self.refused("65536", "-1", "4:37: 'flash_size_bytes' is -1; it must be at least 0")
        self.refused("'pair'", "7", "4:11: 'name' must be a string, not 7")
        self.refused('"server"', "null", "5:15: 'name' must be a string, not null")
        self.refused('[{ name: "main" }]', '{ name: "main" }', "5:87: 'threads' must be a list, not an object")
        self.refused('{ name: "main" }', '"main"', "5:88: a thread must be an object, not the string 'main'")
        self.refused("1024", "true", "11:67: 'stack_size_bytes' must be an integer, not true")
        self.refused("20", "[20]", "11:45: 'priority' must be an integer or a string, not a list")

    def test_ranges(self) -> None:
        for name, value, limit in (("stack_size_bytes: 1024", 0, "at least 1"), ("stack_size_bytes: 1024", -5, "at least 1"),
                                   ("stack_size_bytes: 1024", 1048577, "at most 1048576")):
            key = name.split(":", maxsplit=1)[0]
            self.refused(name, f"{key}: {value}", f"11:67: '{key}' is {value}; it must be {limit}")
        self.refused('name: "client"', 'name: "client", cpu: 64', "7:30: 'cpu' is 64; it must be at most 63")
        self.refused('name: "client"', 'name: "client", cpu: -1', "7:30: 'cpu' is -1; it must be at least 0")
        self.assertEqual(self.check(GOOD.replace("1024", "1048576").replace('name: "client"', 'name: "client", cpu: 63')), [])

    def test_priorities(self) -> None:
        for good in ("0", "31", "'Level0'", '"Level31"', "2e1"):
            self.assertEqual(self.check(GOOD.replace("priority: 20", f"priority: {good}")), [])
        for bad in ("32", "-1", "'Level32'", "'level3'", "'Level03'", "'20'"):
            self.refused("priority: 20", f"priority: {bad}",
                         f"11:45: 'priority' is {bad}; valid are 0 to 31 and 'Level0' to 'Level31'")

    def test_types_of_objects(self) -> None:
        self.refused('"channel_handler"', '"wait_group"', "5:56: object type 'wait_group' is not supported by this kernel "
                     "yet; supported: channel_handler, channel_initiator, histogram, thread")
        for kind in ("interrupt", "process", "event_subscription"):
            [line] = self.check(GOOD.replace("channel_handler", kind))
            self.assertIn(f"'{kind}' is not supported by this kernel yet", line)
        self.refused('"channel_handler"', '"channel_handle"', "5:56: unknown object type 'channel_handle'; did you mean "
                     "'channel_handler'? valid types: channel_handler, channel_initiator, histogram, thread")

    def test_parts_that_are_not_served(self) -> None:
        self.refused("name: 'pair',", "name: 'pair', constants: [1],",
                     "4:30: 'constants' is not supported by this kernel yet; leave it out or empty")
        self.assertEqual(self.check(GOOD.replace('name: "server",', 'name: "server", memory_mappings: [],')), [])

    def test_repeated_key(self) -> None:
        self.refused("name: 'pair',", "name: 'pair', name: 'pear',", "4:19: key 'name' is given twice, first in line 4")

    def test_all_errors_are_told_in_order_and_at_most_twenty(self) -> None:
        self.assertEqual(self.check(GOOD.replace('"main"', "1").replace("20", "{}")), [
            "5:96: 'name' must be a string, not 1",
            "11:25: 'name' must be a string, not 1",
            "11:38: 'priority' must be an integer or a string, not an object"])
        lines = self.check("{ apps: [" + "7,\n" * 30 + "] }")
        self.assertEqual(len(lines), 21)
        self.assertEqual(lines[19], "20:1: an app must be an object, not 7")
        self.assertEqual(lines[20], " and 10 more errors")

    def test_missing_file(self) -> None:
        status, _, err = mkimage("check", self.folder / "none.json5")
        self.assertEqual((status, err), (1, f"mkimage: {self.folder}/none.json5: No such file or directory\n"))


class Meaning(Case):
    """What one part of the text says about another."""

    def test_names(self) -> None:
        self.refused('"client"', '""', "7:15: 'name' is empty",
                     "7:15: '' cannot name a program's source: it is empty, has a '/' or only dots")
        self.refused('name: "main", p', f'name: "{"x" * 32}", p', "11:25: 'name' has 32 bytes; at most 31 fit")
        self.refused('name: "main", p', r'name: "a\nb", p', "11:25: 'name' may only hold printable ASCII characters")
        self.refused("'pair'", "'päir'", "4:11: 'name' may only hold printable ASCII characters")
        self.refused('"client"', '"../x"', "7:15: '../x' cannot name a program's source: it is empty, has a '/' or only dots")
        self.assertEqual(self.check(GOOD.replace("client", "X" * 31).replace('"main"', '"The Main Thread"')), [])

    def test_unique_names(self) -> None:
        self.refused('"client"', '"server"', "7:15: process name 'server' is used twice, first in line 5",
                     "9:71: object 'IPC' of process 'server' does not exist; that process has no handler"
                     ) if False else None
        lines = self.check(GOOD.replace('"client"', '"server"'))
        self.assertIn("7:15: process name 'server' is used twice, first in line 5", lines)
        self.refused('{ name: "call"', '{ name: "call", type: "histogram" }, { name: "call"',
                     "9:56: object name 'call' is used twice in process 'client', first in line 9")
        self.refused('{ name: "call"', '{ name: "CALL", type: "histogram" }, { name: "call"',
                     "9:56: objects 'CALL' and 'call' in process 'client' would both be HANDLE_CALL")
        app = "{ name: 'pair', processes: [{ name: 'third', threads: [{ name: 'x' }] }] },"
        self.refused("apps: [", "apps: [" + app, "4:11: app name 'pair' is used twice, first in line 3")
        process = '{ name: "a b", threads: [{ name: "x" }] }, { name: "a_b", threads: [{ name: "x" }] },'
        self.refused("processes: [", "processes: [\n" + process,
                     "5:52: processes 'a b' and 'a_b' would both have the folder 'a_b'")

    def test_histogram_names_of_the_abi(self) -> None:
        self.refused('{ name: "call"', '{ name: "bytes", type: "histogram" }, { name: "call"',
                     "9:19: a histogram cannot be named 'bytes': HISTOGRAM_BYTES is taken by the ABI")

    def test_channels(self) -> None:
        self.refused('handler_process: "server"', 'handler_process: "sever"', "5:43: handler 'IPC' is used by no initiator",
                     "9:71: there is no process 'sever'; did you mean 'server'? valid processes: client, server")
        self.refused('handler_object_name: "IPC"', 'handler_object_name: "ipc"',
                     "5:43: handler 'IPC' is used by no initiator",
                     "9:102: object 'ipc' of process 'server' does not exist; valid handlers: IPC")
        self.refused('type: "channel_handler"', 'type: "histogram"',
                     "9:102: object 'IPC' of process 'server' is a histogram, not a channel_handler; that process has no handler")
        self.refused("    objects: [\n",
                     "    objects: [\n{ name: 'x', type: 'channel_initiator', handler_process: 'server', handler_object_name: 'IPC' },\n",
                     "10:102: handler 'IPC' of process 'server' already has the initiator 'x' of process 'client'; "
                     "a channel has exactly one")
        self.refused('"channel_handler" }', '"channel_handler" }, { name: "b", type: "channel_handler" }',
                     "5:84: handler 'b' is used by no initiator")

    def test_self_call(self) -> None:
        new = ("objects: [\n{ name: 'h', type: 'channel_handler' }, "
               "{ name: 'i', type: 'channel_initiator', handler_process: 'client', handler_object_name: 'h' },\n")
        self.refused("objects: [\n", new, "9:98: process 'client' would call itself and wait for ever")

    def test_cycles(self) -> None:
        def process(name: str, calls: str, called_by: str) -> str:
            objects = [f"{{ name: 'to_{peer}', type: 'channel_initiator', handler_process: '{peer}', "
                       f"handler_object_name: 'from_{name}' }}" for peer in calls]
            objects += [f"{{ name: 'from_{peer}', type: 'channel_handler' }}" for peer in called_by]
            return f"{{ name: '{name}', threads: [{{ name: 'main' }}], objects: [{', '.join(objects)}] }},\n"

        def system(edges: str) -> str:
            pairs = edges.split()
            names = sorted(set("".join(pairs)))
            body = "".join(process(name, "".join(pair[1] for pair in pairs if pair[0] == name),
                                   "".join(pair[0] for pair in pairs if pair[1] == name)) for name in names)
            return "{ apps: [{ name: 'x', processes: [\n" + body + "] }] }"

        self.assertEqual(self.check(system("AB BC AC AD DC")), [])
        self.assertEqual(self.check(system("AB BA")), [
            "3:105: processes call each other in a cycle, which can wait for ever: A -> B -> A"])
        [line] = self.check(system("AB BC CD DB"))
        self.assertIn("5:105: ", line)
        self.assertTrue(line.endswith(": B -> C -> D -> B"), line)
        self.assertEqual(len(self.check(system("AB BA CD DC"))), 2)

    def test_threads(self) -> None:
        none = "process 'server' has no thread; give it threads: [{ name: \"main\" }]"
        self.refused('[{ name: "main" }]', "[]", f"5:7: {none}")
        self.refused(', threads: [{ name: "main" }]', "", f"5:7: {none}")
        two = "process 'server' has 2 threads; this kernel supports exactly one per process yet"
        self.refused('{ name: "main" }', '{ name: "main" }, { name: "b" }', f"5:106: {two}")
        self.refused('"channel_handler" }', '"channel_handler" }, { name: "t", type: "thread" }', f"5:76: {two}")

    def test_too_many(self) -> None:
        process = "{{ name: 'p{}', threads: [{{ name: 'main' }}] }},\n"
        text = "{ apps: [{ name: 'x', processes: [\n" + "".join(map(process.format, range(121))) + "] }] }"
        self.assertEqual(self.check(text), ["122:1: the system has 121 processes; at most 120 fit"])
        item = "\n{{ name: 'h{}', type: 'histogram' }},"
        self.refused("objects: [\n", "objects: [" + "".join(map(item.format, range(17))) + "\n",
                     "25:1: 17 histograms in process 'client'; at most 16 fit")
        self.assertEqual(self.check("{ apps: [] }"), ["1:1: the system has no process"])

    def test_newest_form(self) -> None:
        text = """{
  arch: { type: "riscv" }, kernel: { flash_start_address: 0x80000000 },
  apps: [{ name: "a", flash_size_bytes: 65536, constants: [], processes: [{
    name: "one", ram_size_bytes: 16384, memory_mappings: [], objects: [
      { type: "thread", name: "main", kernel_stack_size_bytes: 2048, priority: "Level20", main_thread: true },
    ] }] }],
}"""
        self.assertEqual(self.check(text), [
            "2:3: note: 'arch' is ignored: this kernel's memory is not described here",
            "2:28: note: 'kernel' is ignored: this kernel's memory is not described here",
            "5:39: note: 'kernel_stack_size_bytes' is ignored: each CPU has one kernel stack"])


class Example(Case):
    """The description in the seed, character by character."""

    def test_committed_text_is_accepted(self) -> None:
        self.assertEqual(mkimage("check", IMAGES / "uppercase.json5"), (0, "", ""))

    @unittest.skipUnless(SEED.exists(), "the seeds are not on this machine")
    def test_committed_text_is_the_seeds(self) -> None:
        seed = SEED.read_text(encoding="utf-8")
        start = seed.index("{\n  apps")
        text = seed[start : seed.index("\n}\n", start) + 3]
        self.assertEqual((IMAGES / "uppercase.json5").read_text(encoding="utf-8"), text)


class Abis(Case):
    """What Python says twice must be what C says."""

    def test_structs_and_sizes(self) -> None:
        numbers = subprocess.run([self.compiled(LAYOUT)], capture_output=True, text=True, check=True).stdout.split()
        formats = (image_file.HEADER, image_file.PROCESS, image_file.REGION, image_file.THREAD, image_file.OBJECT)
        expected = [row.size for row in formats] + [image_file._CHECKSUM_OFFSET, Abi(ROOT / "sys/abi").histogram_bytes]
        self.assertEqual(list(map(int, numbers)), expected)

    def test_limits_in_the_schema(self) -> None:
        schema = json.loads((IMAGES / "system_schema.json").read_text(encoding="utf-8"))
        process = schema["properties"]["apps"]["items"]["properties"]["processes"]["items"]["properties"]
        abi = Abi(ROOT / "sys/abi")
        self.assertEqual(process["cpu"]["maximum"], abi["IMAGE_CPUS_MAX"] - 1)
        self.assertLess(process["threads"]["items"]["properties"]["stack_size_bytes"]["maximum"],
                        abi["USER_PROCESS_STRIDE"] - abi["USER_STACK_OFFSET"])


class Headers(Case):
    """handles.h compiles and says what the text says."""

    def headers(self, text: str) -> dict[str, str]:
        out = self.folder / "out"
        status, _, err = mkimage("headers", self.write("system.json5", text), "--out", out)
        self.assertEqual(status, 0, err)
        return {path.parent.name: path.read_text(encoding="ascii") for path in out.glob("*/handles.h")}

    def test_text(self) -> None:
        text = GOOD.replace('"client"', '"the \\"client\\""').replace(
            '{ name: "call"', '{ name: "round-trip ns", type: "histogram" }, { name: "b", type: "histogram" }, { name: "call"')
        headers = self.headers(text)
        self.assertEqual(set(headers), {"server", "the__client_"})
        body = headers["the__client_"]
        self.assertEqual(body[body.index("#define") :], """#define PROCESS_NAME "the \\"client\\""

enum handle {
    HANDLE_ROUND_TRIP_NS = 0,
    HANDLE_B = 1,
    HANDLE_CALL = 2,
};

struct histogram; /* sys/abi/histogram.h */
#define HISTOGRAM_ROUND_TRIP_NS ((struct histogram *)0x2800000)
#define HISTOGRAM_B ((struct histogram *)0x2840000)
""")
        self.assertNotIn("HISTOGRAM", headers["server"])
        for folder in headers:
            source = f'#include "out/{folder}/handles.h"\n#include "sys/abi/histogram.h"\nint main(void) {{ return 0; }}\n'
            self.compiled(source, "-Wall", "-Wextra", "-Wpedantic", "-Werror")

    def test_unchanged_header_keeps_its_time(self) -> None:
        self.headers(GOOD)
        file = self.folder / "out/server/handles.h"
        os.utime(file, (1, 1))
        self.headers(GOOD)
        self.assertEqual(file.stat().st_mtime, 1)


class Building(Case):
    """Whole images, out of real compilers and linkers."""

    def setUp(self) -> None:
        super().setUp()
        self.write("rt/link.lds", LINK_SCRIPT)
        empty = self.write("empty.c", "int vdso_answer(void) { return 42; }\n")
        gcc = ["gcc", "-ffreestanding", "-fno-pic", "-fno-pie", "-fno-asynchronous-unwind-tables"]
        start = self.write("start.c", "int main(void);\nvoid _start(void) { for (;;) main(); }\n")
        subprocess.run([*gcc, "-c", "-o", self.folder / "rt/crt0.o", start], check=True)
        subprocess.run([*gcc, "-nostdlib", "-static", "-Wl,-Ttext=0x201000", "-Wl,-e0", "-Wl,--build-id=none", "-o",
                        self.folder / "rt/vdso.elf", empty], check=True)
        self.write("programs/server.c", '#include "handles.h"\nint main(void) { return HANDLE_IPC; }\n')
        self.write("programs/client/main.c", '#include "handles.h"\n#include "client.h"\nint vdso_answer(void);\n'
                   "int main(void) { counter += CLIENT + vdso_answer(); return HANDLE_CALL; }\n")
        self.write("programs/client/data.c", '#include "client.h"\nint counter = 7;\nchar big[5000];\n')
        self.write("programs/client/client.h", "#define CLIENT 1\nextern int counter;\n")

    def build(self, text: str = GOOD, *more: object, image: str = "out.img") -> tuple[int, str]:
        file = self.write("system.json5", text)
        status, out, err = mkimage("build", file, "--programs", self.folder / "none", "--programs", self.folder / "programs",
                                   "--rt", self.folder / "rt", "--work", self.folder / "work", "--out",
                                   self.folder / image, *more)
        self.assertEqual(out, "")
        return status, err

    def show(self, image: str = "out.img") -> str:
        status, out, err = mkimage("show", self.folder / image)
        self.assertEqual((status, err), (0, ""))
        return out

    def judge(self, image: str = "out.img") -> str:
        """The kernel's opinion."""
        program = self.compiled(JUDGE, ROOT / "sys/image.c")
        return subprocess.run([program, self.folder / image], capture_output=True, text=True, check=True).stdout

    def test_tables(self) -> None:
        text = GOOD.replace('{ name: "call"', '{ name: "ns", type: "histogram" }, { name: "call"').replace(
            'name: "client",', 'name: "client", cpu: 3,')
        self.assertEqual(self.build(text, "--name", "my image"), (0, ""))
        self.assertEqual(self.judge(), "0 sound\n")
        lines = [re.sub(r"\d+ of them at offset [1-9]\d*", "N of them", re.sub(r"0x[0-9a-f]{7,}", lambda number: number[0]
                 if number[0][-3:] == "000" else "ENTRY", line)) for line in self.show().splitlines()]
        self.assertRegex(lines[0], r"^image 'my image' version 1 bytes \d+ checksum ")
        self.assertEqual(lines[1:], [
            "process 'server' cpu 0 entry 0x1000000" if "0x1000000" in lines[1] else "process 'server' cpu 0 entry ENTRY",
            "  thread 'main' priority 15 stack_top 0x1c01000",
            "  handle 0 'IPC' channel_handler peer 'client'.'call'",
            "  region 0x1000000 r-x bytes 4096, N of them",
            "  region 0x1c00000 rw- bytes 4096, 0 of them at offset 0",
            "process 'client' cpu 3 entry 0x2000000",
            "  thread 'main' priority 20 stack_top 0x2c01000",
            "  handle 0 'ns' histogram at 0x2800000",
            "  handle 1 'call' channel_initiator peer 'server'.'IPC'",
            "  region 0x2000000 r-x bytes 4096, N of them",
            "  region 0x2001000 rw- bytes 8192, N of them",
            "  region 0x2800000 rw- bytes 258048, 0 of them at offset 0",
            "  region 0x2c00000 rw- bytes 4096, 0 of them at offset 0"])

    def test_memory_is_what_the_linker_made(self) -> None:
        self.assertEqual(self.build(), (0, ""))
        image = (self.folder / "out.img").read_bytes()
        fields = image_file.HEADER.unpack_from(image)
        regions = [image_file.REGION.unpack_from(image, fields[11] + 40 * number) for number in range(fields[7])]
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
        status, _, err = mkimage("build", "system.json5", "--programs", "programs", "--rt", "rt", "--work", "elsewhere",
                                 "--out", "third.img", cwd=self.folder)
        self.assertEqual((status, err), (0, ""))
        self.assertEqual((self.folder / "third.img").read_bytes(), first)
        self.assertFalse(list(self.folder.glob("*.part")))

    def test_pack_gives_what_build_gives(self) -> None:
        self.assertEqual(self.build(), (0, ""))
        work = self.folder / "work"
        command = ["pack", self.folder / "system.json5", "--out", self.folder / "packed.img", "--elf",
                   f"client={work}/client/client.elf"]
        self.assertEqual(mkimage(*command, f"server={work}/server/server.elf"), (0, "", ""))
        self.assertEqual((self.folder / "packed.img").read_bytes(), (self.folder / "out.img").read_bytes())
        self.assertEqual(mkimage(*command), (1, "", "--elf: no program is given for: server\n"))
        status, _, err = mkimage(*command, "sever=x")
        self.assertEqual((status, err), (1, "--elf sever=x: no such process; valid are PROCESS=FILE with one of: server, client\n"))
        swapped = [*command[:-1], f"client={work}/server/server.elf", f"server={work}/client/client.elf"]
        status, _, err = mkimage(*swapped)
        self.assertEqual(status, 1)
        self.assertIn("has a segment at 0x2000000; it must be linked at 0x1000000", err)

    def test_depfile(self) -> None:
        self.assertEqual(self.build(GOOD, "--depfile", self.folder / "out.d"), (0, ""))
        self.write("makefile", f"include out.d\n{self.folder}/out.img: ; @echo made; touch $@\n")

        def make() -> str:
            command = ["make", "-C", self.folder, "-s", "--no-print-directory", f"{self.folder}/out.img"]
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
        self.assertEqual((status, err), (1, f"{self.folder}/system.json5:7:34: process 'client' has no program: neither "
                         f"nobody.c nor a folder nobody with sources is in: {self.folder}/none, {self.folder}/programs\n"))

    def test_missing_runtime(self) -> None:
        (self.folder / "rt/crt0.o").unlink()
        status, err = self.build()
        self.assertEqual((status, err), (1, f"{self.folder}/rt/crt0.o: missing; --rt must hold crt0.o, link.lds, vdso.elf\n"))

    def test_compiler_error_names_the_process(self) -> None:
        self.write("programs/server.c", "int main(void) { return nothing; }\n")
        status, err = self.build()
        self.assertEqual(status, 1)
        self.assertIn("programs/server.c:1:25: error:", err)
        self.assertIn("process 'server': this command failed: gcc ", err)
        self.assertFalse((self.folder / "out.img").exists())

    def test_flags_replace_the_defaults(self) -> None:
        self.write("programs/server.c", "#ifndef MINE\n#error no\n#endif\nint main(void) { int unused; return 0; }\n")
        self.assertEqual(self.build(GOOD, "--cflags", "-DMINE")[0], 0)

    def test_app_sizes(self) -> None:
        status, err = self.build(GOOD.replace("65536", "100"))
        self.assertEqual(status, 1)
        where = f"{self.folder}/system.json5"
        flash, ram = (re.sub(r"(take|server|client) \d{2,3}(?= bytes|[,)])", r"\1 N", line) for line in err.splitlines())
        self.assertEqual(flash, f"{where}:4:37: 'flash_size_bytes' is 100, but code and read-only data take N bytes "
                         "(server N, client N)") if "N bytes" in flash else self.fail(flash)
        self.assertTrue(ram.startswith(f"{where}:4:60: ") or "ram_size_bytes" in ram, ram)

    def test_ram_is_counted_in_bytes(self) -> None:
        """Server: a stack of 4096. Client: .data 4, .bss 5000 after alignment to 32, stack 1024."""
        need = 4096 + 32 + 5000 + 1024
        self.assertEqual(self.build(GOOD.replace("ram_size_bytes: 65536", f"ram_size_bytes: {need}")), (0, ""))
        status, err = self.build(GOOD.replace("ram_size_bytes: 65536", f"ram_size_bytes: {need - 1}"))
        self.assertEqual((status, err), (1, f"{self.folder}/system.json5:4:60: 'ram_size_bytes' is {need - 1}, but data, bss and "
                         f"stacks take {need} bytes (server 4096, client 6056)\n"))
        status, err = self.build(GOOD.replace('name: "client",', 'name: "client", ram_size_bytes: 6055,'))
        self.assertEqual((status, err), (1, f"{self.folder}/system.json5:7:41: 'ram_size_bytes' is 6055, but data, bss and "
                         "stack take 6056 bytes (client 6056)\n"))

    def test_program_larger_than_its_slot(self) -> None:
        self.write("programs/client/data.c", '#include "client.h"\nint counter = 7;\nchar big[9 << 20];\n')
        status, err = self.build(GOOD.replace("65536", "99999999"))
        self.assertEqual(status, 1)
        self.assertRegex(err, r"^the program of process 'client' ends at 0x290\d000; it has 8 MiB, up to 0x2800000$")

    def test_elf_that_the_kernel_would_not_load(self) -> None:
        self.assertEqual(self.build(), (0, ""))
        good = (self.folder / "work/client/client.elf").read_bytes()
        header = 64  # the first program header: text
        for at, value, message in (
            (0, b"\x7fELG", "not a little-endian 64-bit ELF"),
            (16, b"\3\0", "not an x86_64 executable (linked with -no-pie?)"),
            (18, b"\xb7\0", "not an x86_64 executable (linked with -no-pie?)"),
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
        data_header = 64 + 56 * [struct.unpack_from("<II", good, 64 + 56 * index) for index in range(3)].index((1, 6))
        for at, value, message in (
            (24, 0x2001000, "starts at 0x2001000, which is not in its executable code"),
            (data_header + 16, 0x2000F00, "has two segments in the page at 0x2000000"),
            (data_header + 16, 0x1FFF000, "has a segment at 0x1fff000; it must be linked at 0x2000000"),
        ):
            bad = self.write("bad.elf", good[:at] + struct.pack("<Q", value) + good[at + 8 :])
            status, _, err = mkimage("pack", self.folder / "system.json5", "--out", self.folder / "bad.img", "--elf",
                                     f"client={bad}", f"server={self.folder}/work/server/server.elf")
            self.assertEqual((status, err), (1, f"the program of process 'client' {message}\n"))

    def test_show_refuses_what_is_no_image(self) -> None:
        self.assertEqual(self.build(), (0, ""))
        good = (self.folder / "out.img").read_bytes()
        for data, why in ((b"", "unpack_from requires"), (b"x" * 200, "wrong magic"), (good[:-1], "its header says"),
                          (good[:-1] + b"\x01", "wrong checksum")):
            status, out, err = mkimage("show", self.write("bad.img", data))
            self.assertEqual((status, out), (1, ""))
            self.assertIn("bad.img: not a system image: ", err)
            self.assertIn(why, err)

    def test_wrong_usage(self) -> None:
        self.assertEqual(mkimage("build")[0], 2)
        status, out, _ = mkimage("--help")
        self.assertEqual(status, 0)
        for command in ("check", "headers", "build", "pack", "show"):
            self.assertIn(f"\n    {command} ", out)


if __name__ == "__main__":
    unittest.main()
