#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What mkimage.py writes for other readers: handles.h for compilers, a graph for Graphviz.

Needs gcc; Graphviz looks at the graph too where it is installed. Runs by itself or with `python3 -m unittest`.
"""

import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from test_mkimage import GOOD, Case, mkimage_run  # noqa: E402
from test_mkimage_events import NEWS  # noqa: E402
from test_mkimage_objects import BASE, IRQS, ROBOT  # noqa: E402


class Headers(Case):
    """handles.h compiles and says what the text says."""

    def header(self, text: str, process: str) -> str:
        out = self.folder / "out"
        status, _, err = mkimage_run("headers", self.write("system.json5", text), "--out", out)
        self.assertEqual((status, err), (0, ""))
        body = (out / process / "handles.h").read_text(encoding="ascii")
        return body[body.index("#define PROCESS_NAME") :]

    def test_text(self) -> None:
        self.assertEqual(self.header(ROBOT, "driver"), """#define PROCESS_NAME "driver"

enum handle {
    HANDLE_GROUP = 0,
    HANDLE_LINES = 1,
    HANDLE_WORKER = 2,
    HANDLE_MAIN = 3,
    HANDLE_REQUESTS = 4,
    HANDLE_TIMES = 5,
    HANDLE_PROCESS = 6,
};

struct histogram; /* sys/abi/histogram.h */
#define HISTOGRAM_TIMES ((struct histogram *)0x1800000)

/* The signal (of sys/abi/signals.h) and the number of each interrupt. */
#define SIGNAL_RX (SIGNAL_INTERRUPT_A << 0)
#define INTERRUPT_RX 4
#define SIGNAL_TX (SIGNAL_INTERRUPT_A << 1)
#define INTERRUPT_TX 40

/* Just above the stack that the image has for a thread. */
#define THREAD_WORKER_STACK_TOP 0x1c04000ul
#define THREAD_MAIN_STACK_TOP 0x1c01000ul

/* Addresses in this process; of ports, the first port and how many. */
#define MAPPING_UART_START_ADDRESS 0x1e00000ul
#define MAPPING_UART_SIZE_BYTES 0x2000ul
#define MAPPING_TIMER_START_ADDRESS 0x1e03000ul
#define MAPPING_TIMER_SIZE_BYTES 0x1000ul
#define MAPPING_COM1_START_ADDRESS 0x3f8ul
#define MAPPING_COM1_SIZE_BYTES 0x8ul
#define MAPPING_HEAP_START_ADDRESS 0x1840000ul
#define MAPPING_HEAP_SIZE_BYTES 0x1388ul

/* The constants of its app. */
#define CONSTANT_RETRIES 3u
""")

    def test_older_form(self) -> None:
        """The objects of further threads come after those that are declared."""
        self.assertEqual(self.header(ROBOT, "keeper"), """#define PROCESS_NAME "keeper"

enum handle {
    HANDLE_WARD = 0,
    HANDLE_ASK = 1,
    HANDLE_BELL = 2,
    HANDLE_NIGHT_WATCH = 3,
    HANDLE_PROCESS = 4,
};

/* The signal (of sys/abi/signals.h) and the number of each interrupt. */
#define SIGNAL_RING (SIGNAL_INTERRUPT_A << 0)
#define INTERRUPT_RING 255

/* Just above the stack that the image has for a thread. */
#define THREAD_NIGHT_WATCH_STACK_TOP 0x2c04000ul

/* The constants of its app. */
#define CONSTANT_RETRIES 3u
""")

    def test_private_data_goes_where_there_is_room(self) -> None:
        """`first` asks for the page that `heap` would have, and is in its way."""
        first = f"{{ name: 'first', type: 'read_write_data', start_address: {BASE + 0x841000}, size_bytes: 1 }},\n"
        text = self.header(ROBOT.replace('{ name: "heap"', first + '{ name: "heap"'), "driver")
        self.assertIn("MAPPING_FIRST_START_ADDRESS 0x1841000ul\n", text)
        self.assertIn("MAPPING_HEAP_START_ADDRESS 0x1843000ul\n", text)

    def test_values_of_constants(self) -> None:
        """A compiler's opinion of each literal: its value and its type."""
        rows = (
            ("bool", "true", "1", "int"), ("bool", "false", "0", "int"),
            ("u8", "255", "255", "unsigned"), ("u16", "0xffff", "65535", "unsigned"),
            ("u32", "4294967295", "4294967295", "unsigned"), ("u64", str((1 << 64) - 1), "-1ul", "unsigned long"),
            ("usize", "7", "7", "unsigned long"), ("i8", "-128", "-128", "int"), ("i16", "5", "5", "int"),
            ("i32", "-2147483648", "INT_MIN", "int"), ("i64", "-9223372036854775808", "LONG_MIN", "long"),
            ("isize", "-2", "-2", "long"), ("char", "'é'", "233", "unsigned"),
            ("u128", str((1 << 128) - 2), "-(unsigned __int128)2", "unsigned __int128"),
            ("i128", str(-1 << 127), "(__int128)1 << 127", "__int128"), ("i128", "-3", "-3", "__int128"),
        )
        constants = "".join(f"{{ name: 'c{n}', type: '{row[0]}', value: {row[1]} }},\n" for n, row in enumerate(rows))
        constants += r"""{ name: "text", type: "string", value: "é\"\\?\n7\u0000" },"""
        self.header(ROBOT.replace('{ name: "retries", type: "u8", value: 3 },', constants), "keeper")
        checks = "".join(
            f"_Static_assert(CONSTANT_C{n} == {value} && _Generic(CONSTANT_C{n}, {kind}: 1, default: 0), \"{n}\");\n"
            for n, (_, _, value, kind) in enumerate(rows))
        program = self.compiled('#include "out/keeper/handles.h"\n#include <limits.h>\n#include <stdio.h>\n' + checks +
                                "int main(void) { fwrite(CONSTANT_TEXT, 1, sizeof CONSTANT_TEXT, stdout); }\n",
                                "-Wall", "-Wextra", "-Werror")
        said = subprocess.run([program], capture_output=True, check=True).stdout
        self.assertEqual(said, 'é"\\?\n7\0\0'.encode())

    def test_everything_compiles(self) -> None:
        for process in ("driver", "keeper"):
            self.header(ROBOT.replace('"retries", type: "u8"', '"retries", type: "i128"'), process)
            names = re.findall(r"^#define (\w+) ", (self.folder / f"out/{process}/handles.h").read_text(), re.MULTILINE)
            self.assertGreater(len(names), 4)
            uses = "".join(f"    (void)({name});\n" for name in names)
            source = f'#include "out/{process}/handles.h"\n#include "sys/abi/signals.h"\n'
            source += f"int main(void)\n{{\n{uses}    return HANDLE_PROCESS;\n}}\n"
            self.compiled(source, "-Wall", "-Wextra", "-Wpedantic", "-Werror")

    def test_interrupts_have_signals_that_exist(self) -> None:
        lines = ", ".join(f"{{ name: 'i{n}', number: {n} }}" for n in range(15))
        self.header(ROBOT.replace(IRQS, f"[{lines}]"), "driver")
        self.compiled('#include "out/driver/handles.h"\n#include "sys/abi/signals.h"\n'
                      "_Static_assert(SIGNAL_I0 == 1u << 16 && SIGNAL_I14 == 1u << 30, \"A to O\");\n"
                      "_Static_assert((SIGNAL_VALID & SIGNAL_I14) == SIGNAL_I14, \"valid\");\n"
                      "int main(void) { return 0; }\n")


GRAPH = """digraph "system" {
    rankdir=LR;
    node [shape=box];
    p0 [label="driver\\ncpu 1, priorities 15, 3"];
    p1 [label="keeper\\ncpu 0, priorities 20, 15"];
    i4 [label="4", shape=circle, width=0.3, fixedsize=true, fontsize=9];
    i4 -> p0 [label="rx"];
    i40 [label="40", shape=circle, width=0.3, fixedsize=true, fontsize=9];
    i40 -> p0 [label="tx"];
    p1 -> p0 [label="ward", style=dashed];
    p1 -> p0 [label="ask - requests"];
    i255 [label="255", shape=circle, width=0.3, fixedsize=true, fontsize=9];
    i255 -> p1 [label="ring"];
}
"""
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_STATEMENT = re.compile(
    rf"(?P<from>\w+)(?: -> (?P<to>\w+))? \[(?P<attributes>\w+=(?:[\w.]+|{_QUOTED})(?:, \w+=(?:[\w.]+|{_QUOTED}))*)\];")


class Graph(Case):
    """What Graphviz gets to read."""

    def graph(self, text: str, name: str = "system.json5") -> str:
        status, out, err = mkimage_run("graph", self.write(name, text))
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(mkimage_run("graph", self.folder / name), (0, out, ""))
        self.read_as_dot(out)
        return out

    def read_as_dot(self, text: str) -> None:
        """Refuses what is not dot: by our own grammar of it, and by Graphviz if it is there."""
        first, *body, last = text.splitlines()
        self.assertRegex(first, rf"^digraph {_QUOTED} {{$")
        self.assertEqual((body[0], last), ("    rankdir=LR;", "}"))
        nodes = {"node"}
        for line in body[1:]:
            statement = _STATEMENT.fullmatch(line.strip())
            self.assertIsNotNone(statement, line)
            if statement["to"]:
                self.assertLessEqual({statement["from"], statement["to"]}, nodes, line)
            else:
                self.assertNotIn(statement["from"], nodes - {"node"}, line)
                nodes.add(statement["from"])
        if shutil.which("dot"):
            subprocess.run(["dot", "-Tplain"], input=text, text=True, capture_output=True, check=True)

    def test_text(self) -> None:
        self.assertEqual(self.graph(ROBOT), GRAPH)

    def test_channel_with_one_name_at_both_ends(self) -> None:
        text = self.graph(GOOD.replace('"call"', '"IPC"'))
        self.assertIn('    p1 -> p0 [label="IPC"];\n', text)

    def test_bus_and_router(self) -> None:
        text = self.graph(NEWS)
        self.assertEqual(text[text.index("    bus") :], """    bus [shape=ellipse];
    router [shape=ellipse];
    bus -> p0 [label="life"];
    bus -> p0 [label="alarms"];
    p0 -> router [label="ask"];
    router -> p1 [label="echo"];
    bus -> p1 [label="everything"];
    p2 -> p1 [label="call - plain"];
}
""")

    def test_odd_names(self) -> None:
        text = self.graph(ROBOT.replace('name: "driver"', 'name: "a\\"b\\\\n"').replace('"driver"', '"a\\"b\\\\n"'),
                          'odd "name".json5')
        self.assertIn('digraph "odd \\"name\\"" {\n', text)
        self.assertIn('p0 [label="a\\"b\\\\n\\ncpu 1, ', text)

    def test_refused_text_has_no_graph(self) -> None:
        file = self.write("system.json5", "{ apps: [] }")
        self.assertEqual(mkimage_run("graph", file), (1, "", f"{file}:1:1: the system has no process\n"))


if __name__ == "__main__":
    unittest.main()
