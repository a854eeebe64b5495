#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What mkimage.py makes of the text of a system.json5: positions, errors, notes and handle headers.

Objects other than channels and histograms, mappings and constants are in test_mkimage_objects.py, images and
programs in test_mkimage_build.py. Needs gcc. Runs by itself or with `python3 -m unittest`.
"""

import contextlib
import io
import json
import os
import random
import re
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
import image_show  # noqa: E402
import mkimage  # noqa: E402
from abi import HEADERS, Abi  # noqa: E402
from json5_position import Document, SyntaxProblem  # noqa: E402

LAYOUT = """#include "sys/abi/image.h"
#include "sys/abi/histogram.h"
#include <stddef.h>
#include <stdio.h>
int main(void)
{
    printf("%zu %zu %zu %zu %zu %zu %zu %zu %zu %zu", sizeof(struct image_header), sizeof(struct image_process),
           sizeof(struct image_thread), sizeof(struct image_object), sizeof(struct image_region),
           sizeof(struct image_interrupt), sizeof(struct image_device), sizeof(struct image_subscription),
           offsetof(struct image_header, checksum), HISTOGRAM_BYTES);
    return 0;
}
"""
# Two processes and a channel; the tests change single words of it.
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


def mkimage_process(*arguments: object, cwd: Path | None = None) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of one run, as a user starts it."""
    command = [IMAGES / "mkimage.py", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, timeout=120)
    return result.returncode, result.stdout, result.stderr


def mkimage_run(*arguments: object) -> tuple[int, str, str]:
    """The same inside this process, which saves the start of an interpreter."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = mkimage.main(list(map(str, arguments)))
        except SystemExit as end:
            status = end.code
    return status, out.getvalue(), err.getvalue()


class Case(unittest.TestCase):
    """A temporary folder for each test. `text` is what `refused` changes."""

    maxDiff = None
    text = GOOD

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
        status, out, err = mkimage_run("check", file)
        self.assertEqual(out, "")
        errors = [line for line in err.splitlines() if ": note: " not in line]
        self.assertEqual(status, 1 if errors else 0, err)
        for line in err.splitlines():
            self.assertTrue(line.startswith(f"{file}:"), line)
        return [line[len(str(file)) + 1 :] for line in err.splitlines()]

    def refused(self, old: str, new: str, *expected: str) -> None:
        """The text with `old` replaced by `new` gives exactly these errors."""
        self.assertIn(old, self.text)
        self.assertEqual(self.check(self.text.replace(old, new, 1)), list(expected))

    def small_abi(self, name: str, limit: int) -> Path:
        """A copy of the kernel's headers with another limit, so that a test can reach it."""
        for header in HEADERS:
            text = (ROOT / "sys/abi" / header).read_text(encoding="utf-8")
            text = re.sub(rf"^(#define {name}) \d+", rf"\1 {limit}", text, flags=re.MULTILINE)
            self.write(f"sys/abi/{header}", text)
        return self.folder / "sys/abi"

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
        self.assertEqual(document.keys,
                         {("a",): (3, 4), ("c",): (3, 21), ("c", "d"): (3, 27), ("e,",): (4, 3)})
        self.assertEqual(document.values, {
            (): (2, 1), ("a",): (3, 7), ("a", 0): (3, 8), ("a", 1): (3, 11), ("c",): (3, 26),
            ("c", "d"): (3, 35),
            ("e,",): (5, 5)})

    def test_numbers(self) -> None:
        self.assertEqual(Document("[-0x10, 0xAb, -7, +1, 2e1]").value, [-16, 0xAB, -7, 1, 20])

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
            ("{a: 1\r\n ;}", (2, 2), 'unexpected ";"'),
            ("{\r a: }", (2, 5), 'unexpected "}"'),
            ("{a: 'x\n'}", (1, 7), "unexpected end of line"),
            ("{a: 1 // end", (1, 13), "unexpected end of input"),
            ("[" * 3000, (1, 1), "the text is nested too deeply"),
            ("{a: 0x}", (1, 7), 'unexpected "}"'),
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
            members = list(item.items()) if isinstance(item, dict) else []
            members += enumerate(item) if isinstance(item, list) else []
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
        self.assertEqual(self.check(text),
                         ["2:3: unknown key 'é' in the system; valid keys: apps, arch, kernel"])

    def test_top_level_is_no_object(self) -> None:
        self.assertEqual(self.check("[]"), ["1:1: the system must be an object, not a list"])
        self.assertEqual(self.check("{}"), ["1:1: the system needs the key 'apps'"])

    def test_unknown_keys(self) -> None:
        self.refused("apps", "app", "1:1: the system needs the key 'apps'",
                     "3:3: unknown key 'app' in the system; did you mean 'apps'? "
                     "valid keys: apps, arch, kernel")
        self.refused("ram_size_bytes", "ram_bytes", "4:44: unknown key 'ram_bytes' in an app; did you mean "
                     "'ram_size_bytes'? valid keys: constants, flash_size_bytes, name, processes, "
                     "ram_size_bytes")
        self.refused('name: "server",', 'name: "server", zzz: {},',
                     "5:25: unknown key 'zzz' in a process; valid keys: "
                     "cpu, memory_mappings, name, objects, program, ram_size_bytes, threads")
        self.refused('"channel_handler"', '"channel_handler", handler_proces: 1',
                     "5:75: unknown key 'handler_proces' in a channel_handler; valid keys: module, name, type")
        self.refused("stack_size_bytes", "stack_size",
                     "11:49: unknown key 'stack_size' in a thread; did you mean "
                     "'stack_size_bytes'? valid keys: name, priority, stack_size_bytes")

    def test_missing_keys(self) -> None:
        self.refused("name: 'pair',", "", "3:10: an app needs the key 'name'")
        self.refused('name: "server",', "", "5:7: a process needs the key 'name'")
        self.refused(', type: "channel_handler"', "", "5:35: an object needs the key 'type'")
        self.refused('name: "call",', "", "9:11: an object needs the key 'name'")
        self.refused(', handler_process: "server"', "",
                     "9:11: a channel_initiator needs the key 'handler_process'")
        self.refused(', handler_object_name: "IPC"', "",
                     "9:11: a channel_initiator needs the key 'handler_object_name'")
        self.refused('{ name: "main" }', "{}", "5:88: a thread needs the key 'name'")

    def test_wrong_types(self) -> None:
        self.refused("65536", '"64K"', "4:37: 'flash_size_bytes' must be an integer, not the string '64K'")
        self.refused("65536", "-1", "4:37: 'flash_size_bytes' is -1; it must be at least 0")
        self.refused("'pair'", "7", "4:11: 'name' must be a string, not 7")
        self.refused('"server"', "null", "5:15: 'name' must be a string, not null")
        self.refused('[{ name: "main" }]', '{ name: "main" }',
                     "5:87: 'threads' must be a list, not an object")
        self.refused('{ name: "main" }', '"main"', "5:88: a thread must be an object, not the string 'main'")
        self.refused("1024", "true", "11:67: 'stack_size_bytes' must be an integer, not true")
        self.refused("20", "[20]", "11:45: 'priority' must be an integer or a string, not a list")

    def test_ranges(self) -> None:
        for name, value, limit in (("stack_size_bytes: 1024", 0, "at least 1"),
                                   ("stack_size_bytes: 1024", -5, "at least 1"),
                                   ("stack_size_bytes: 1024", 1048577, "at most 1048576")):
            key = name.split(":", maxsplit=1)[0]
            self.refused(name, f"{key}: {value}", f"11:67: '{key}' is {value}; it must be {limit}")
        self.refused('name: "client"', 'name: "client", cpu: 64', "7:30: 'cpu' is 64; it must be at most 63")
        self.refused('name: "client"', 'name: "client", cpu: -1', "7:30: 'cpu' is -1; it must be at least 0")
        self.assertEqual(self.check(GOOD.replace("1024", "1048576").replace('name: "client"',
                                                                            'name: "client", cpu: 63')), [])

    def test_priorities(self) -> None:
        for good in ("0", "31", "'Level0'", '"Level31"', "2e1"):
            self.assertEqual(self.check(GOOD.replace("priority: 20", f"priority: {good}")), [])
        for bad in ("32", "-1", "'Level32'", "'level3'", "'Level03'", "'20'"):
            self.refused("priority: 20", f"priority: {bad}",
                         f"11:45: 'priority' is {bad}; valid are 0 to 31 and 'Level0' to 'Level31'")

    def test_types_of_objects(self) -> None:
        valid = ("channel_handler, channel_initiator, event_subscription, histogram, interrupt, process, router, "
                 "thread, wait_group")
        self.refused('"channel_handler"', '"channel_handle"',
                     "5:56: unknown object type 'channel_handle'; did you mean "
                     f"'channel_handler'? valid types: {valid}")

    def test_repeated_key(self) -> None:
        self.refused("name: 'pair',", "name: 'pair', name: 'pear',",
                     "4:19: key 'name' is given twice, first in line 4")

    def test_all_errors_are_told_in_order_and_at_most_twenty(self) -> None:
        self.assertEqual(self.check(GOOD.replace('"main"', "1").replace("20", "{}")), [
            "5:96: 'name' must be a string, not 1",
            "11:27: 'name' must be a string, not 1",
            "11:40: 'priority' must be an integer or a string, not an object"])
        lines = self.check("{ apps: [" + "7,\n" * 30 + "] }")
        self.assertEqual(len(lines), 21)
        self.assertEqual(lines[19], "20:1: an app must be an object, not 7")
        self.assertEqual(lines[20], " and 10 more errors")

    def test_as_a_command(self) -> None:
        file = self.write("system.json5", "{ apps: [] }")
        self.assertEqual(mkimage_process("check", file), (1, "", f"{file}:1:1: the system has no process\n"))

    def test_missing_file(self) -> None:
        status, _, err = mkimage_run("check", self.folder / "none.json5")
        self.assertEqual((status, err),
                         (1, f"mkimage: {self.folder}/none.json5: No such file or directory\n"))


class Meaning(Case):
    """What one part of the text says about another."""

    def test_names(self) -> None:
        self.refused('"client"', '""',
                     "7:15: '' cannot name a program's source: it is empty, has a '/' or only dots",
                     "7:15: 'name' is empty")
        self.refused('name: "main", p', f'name: "{"x" * 32}", p',
                     "11:27: 'name' has 32 bytes; at most 31 fit")
        self.refused('name: "main", p', r'name: "a\nb", p',
                     "11:27: 'name' may only hold printable ASCII characters")
        self.refused("'pair'", "'päir'", "4:11: 'name' may only hold printable ASCII characters")
        self.refused('"client"', '"Process"',
                     "7:15: a process cannot be named 'Process': so each process calls its own object")
        self.refused('"call"', '"Process"',
                     "9:19: an object cannot be named 'Process': that is the process's own, added to each")
        self.refused('"client"', '"../x"',
                     "7:15: '../x' cannot name a program's source: it is empty, has a '/' or only dots")
        self.assertEqual(self.check(GOOD.replace("client", "X" * 31).replace('"main"', '"The Main Thread"')),
                         [])

    def test_unique_names(self) -> None:
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
        self.refused('handler_process: "server"', 'handler_process: "sever"',
                     "5:43: handler 'IPC' is used by no initiator",
                     "9:71: there is no process 'sever'; did you mean 'server'? "
                     "valid processes: client, server")
        self.refused('handler_object_name: "IPC"', 'handler_object_name: "ipc"',
                     "5:43: handler 'IPC' is used by no initiator",
                     "9:102: object 'ipc' of process 'server' does not exist; valid handlers: IPC")
        self.refused('type: "channel_handler"', 'type: "histogram"',
                     "9:102: object 'IPC' of process 'server' is a histogram, not a channel_handler; "
                     "that process has no handler")
        self.refused('type: "channel_handler"', "type: 'interrupt', irqs: [{ name: 'x', number: 1 }]",
                     "9:102: object 'IPC' of process 'server' is an interrupt, not a channel_handler; "
                     "that process has no handler")
        self.refused("    objects: [\n",
                     "    objects: [\n{ name: 'x', type: 'channel_initiator', handler_process: 'server', "
                     "handler_object_name: 'IPC' },\n",
                     "10:102: handler 'IPC' of process 'server' already has the initiator 'x' of process "
                     "'client'; "
                     "a channel has exactly one")
        self.refused('"channel_handler" }', '"channel_handler" }, { name: "b", type: "channel_handler" }',
                     "5:85: handler 'b' is used by no initiator")

    def test_self_call(self) -> None:
        new = ("objects: [\n{ name: 'h', type: 'channel_handler' }, "
               "{ name: 'i', type: 'channel_initiator', handler_process: 'client', "
               "handler_object_name: 'h' },\n")
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
            "3:113: processes call each other in a cycle, which can wait for ever: A -> B -> A"])
        [line] = self.check(system("AB BC CD DB"))
        self.assertIn("5:113: ", line)
        self.assertTrue(line.endswith(": B -> C -> D -> B"), line)
        self.assertEqual(len(self.check(system("AB BA CD DC"))), 2)

    def test_threads(self) -> None:
        none = "process 'server' has no thread; give it threads: [{ name: \"main\" }]"
        self.refused('[{ name: "main" }]', "[]", f"5:7: {none}")
        self.refused(', threads: [{ name: "main" }]', "", f"5:7: {none}")

    def test_too_many(self) -> None:
        process = "{{ name: 'p{}', threads: [{{ name: 'main' }}] }},\n"
        text = "{ apps: [{ name: 'x', processes: [\n" + "".join(map(process.format, range(121))) + "] }] }"
        self.assertEqual(self.check(text), ["122:1: the system has 121 processes; at most 120 fit"])
        item = "\n{{ name: 'h{}', type: 'histogram' }},"
        self.refused("objects: [\n", "objects: [" + "".join(map(item.format, range(17))) + "\n",
                     "25:1: 17 histograms in process 'client'; at most 16 fit")
        self.assertEqual(self.check("{ apps: [] }"), ["1:1: the system has no process"])

    def test_too_many_objects(self) -> None:
        file = self.write("system.json5", GOOD)
        self.assertEqual(mkimage_run("--abi", self.small_abi("IMAGE_OBJECTS_MAX", 2), "check", file),
                         (1, "", f"{file}:9:11: the system has 4 objects; at most 2 fit\n"))

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
        self.assertEqual(mkimage_run("check", IMAGES / "uppercase.json5"), (0, "", ""))

    @unittest.skipUnless(SEED.exists(), "the seeds are not on this machine")
    def test_committed_text_is_the_seeds(self) -> None:
        seed = SEED.read_text(encoding="utf-8")
        start = seed.index("{\n  apps")
        text = seed[start : seed.index("\n}\n", start) + 3]
        self.assertEqual((IMAGES / "uppercase.json5").read_text(encoding="utf-8"), text)


class Abis(Case):
    """What Python says twice must be what C says."""

    def test_structs_and_sizes(self) -> None:
        run = subprocess.run([self.compiled(LAYOUT)], capture_output=True, text=True, check=True)
        expected = [row.size for row in (image_file.HEADER, *image_file.TABLES)]
        expected += [image_file.CHECKSUM_OFFSET, Abi(ROOT / "sys/abi").histogram_bytes]
        self.assertEqual(list(map(int, run.stdout.split())), expected)

    def test_limits_in_the_schema(self) -> None:
        schema = json.loads((IMAGES / "system_schema.json").read_text(encoding="utf-8"))
        process = schema["properties"]["apps"]["items"]["properties"]["processes"]["items"]["properties"]
        abi = Abi(ROOT / "sys/abi")
        self.assertEqual(process["cpu"]["maximum"], abi["IMAGE_CPUS_MAX"] - 1)
        largest_stack = process["threads"]["items"]["properties"]["stack_size_bytes"]["maximum"]
        self.assertLess(largest_stack, abi["USER_DEVICE_OFFSET"] - abi["USER_STACK_OFFSET"])
        self.assertEqual(schema["definitions"]["thread"]["properties"]["stack_size_bytes"]["maximum"], largest_stack)
        lines = schema["definitions"]["interrupt"]["properties"]["irqs"]
        self.assertEqual(lines["maxItems"], abi["IMAGE_INTERRUPTS_PER_OBJECT"])
        self.assertEqual(lines["items"]["properties"]["number"]["maximum"], abi["IMAGE_INTERRUPT_MAX"] - 1)
        news = schema["definitions"]["event_subscription"]["properties"]
        self.assertEqual(news["depth"]["maximum"], abi["IMAGE_SUBSCRIPTION_DEPTH_MAX"])
        self.assertEqual(news["priority"]["maximum"], abi["IMAGE_SUBSCRIPTION_PRIORITY_MAX"])
        self.assertEqual(news["names"]["maxItems"], abi["IMAGE_SUBSCRIPTION_NAMES"])

    def test_topics_are_those_of_c(self) -> None:
        """And there is no other."""
        event_h = (ROOT / "sys/abi/event.h").read_text(encoding="utf-8")
        macros = set(re.findall(r"^#define (TOPIC_\w+)", event_h, re.MULTILINE))
        abi = Abi(ROOT / "sys/abi")
        checks = "".join(f'_Static_assert(EVENT_BIT(EVENT_{kind.upper()}) == {abi.topics[kind]}, "{kind}");\n'
                         for kind in abi.event_kinds)
        checks += "".join(f'_Static_assert({name} == {abi.topics[name[6:].lower()]}, "{name}");\n' for name in macros)
        self.compiled('#include "sys/abi/event.h"\n' + checks + "int main(void) { return 0; }\n")
        self.assertEqual(set(abi.topics), {*abi.event_kinds, *(name[6:].lower() for name in macros)})

    def test_python_and_c_name_the_same_types(self) -> None:
        schema = json.loads((IMAGES / "system_schema.json").read_text(encoding="utf-8"))
        image_h = (ROOT / "sys/abi/image.h").read_text(encoding="utf-8")
        in_c = {name.lower() for name in re.findall(r"IMAGE_OBJECT_(\w+) = \d", image_h)}
        self.assertEqual(set(schema["definitions"]), in_c)
        self.assertEqual(set(image_show.KINDS), in_c)


class Headers(Case):
    """handles.h compiles and says what the text says."""

    def headers(self, text: str) -> dict[str, str]:
        out = self.folder / "out"
        status, _, err = mkimage_run("headers", self.write("system.json5", text), "--out", out)
        self.assertEqual(status, 0, err)
        return {path.parent.name: path.read_text(encoding="ascii") for path in out.glob("*/handles.h")}

    def test_text(self) -> None:
        text = GOOD.replace('"client"', '"the \\"client\\""').replace(
            '{ name: "call"',
            '{ name: "round-trip ns", type: "histogram" }, { name: "b", type: "histogram" }, '
            '{ name: "call"')
        headers = self.headers(text)
        self.assertEqual(set(headers), {"server", "the__client_"})
        body = headers["the__client_"]
        self.assertEqual(body[body.index("#define") :], """#define PROCESS_NAME "the \\"client\\""

enum handle {
    HANDLE_ROUND_TRIP_NS = 0,
    HANDLE_B = 1,
    HANDLE_CALL = 2,
    HANDLE_PROCESS = 3,
};

struct histogram; /* sys/abi/histogram.h */
#define HISTOGRAM_ROUND_TRIP_NS ((struct histogram *)0x2800000)
#define HISTOGRAM_B ((struct histogram *)0x2840000)
""")
        self.assertNotIn("HISTOGRAM", headers["server"])
        for folder in headers:
            source = f'#include "out/{folder}/handles.h"\n#include "sys/abi/histogram.h"\n'
            source += "int main(void) { return 0; }\n"
            self.compiled(source, "-Wall", "-Wextra", "-Wpedantic", "-Werror")

    def test_unchanged_header_keeps_its_time(self) -> None:
        self.headers(GOOD)
        file = self.folder / "out/server/handles.h"
        os.utime(file, (1, 1))
        self.headers(GOOD)
        self.assertEqual(file.stat().st_mtime, 1)


if __name__ == "__main__":
    unittest.main()
