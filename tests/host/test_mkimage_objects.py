#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What mkimage.py makes of threads, interrupts, process objects, mappings and constants, and what it refuses.

Each text differs from ROBOT in one place. Runs by itself or with `python3 -m unittest`.
"""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

# The first import makes the modules of mkimage.py known.
from test_mkimage import ROOT, Case, mkimage_run  # noqa: E402, I001

from abi import Abi  # noqa: E402

ROBOT = """{
  apps: [{
    name: "robot",
    constants: [
      { name: "retries", type: "u8", value: 3 },
    ],
    processes: [
      {
        name: "driver", cpu: 1,
        memory_mappings: [
          { name: "uart", type: "device", start_address: 0xfee00000, size_bytes: 0x2000 },
          { name: "timer", type: "device", start_address: 0xfed00000, size_bytes: 0x1000 },
          { name: "com1", type: "ports", start_address: 0x3f8, size_bytes: 8 },
          { name: "heap", type: "read_write_data", start_address: 0, size_bytes: 5000 },
        ],
        objects: [
          { name: "group", type: "wait_group" },
          { name: "lines", type: "interrupt", irqs: [{ name: "rx", number: 4 }, { name: "tx", number: 40 }] },
          { name: "worker", type: "thread", priority: "Level3", stack_size_bytes: 8192 },
          { name: "main", type: "thread", main_thread: true },
          { name: "requests", type: "channel_handler" },
          { name: "times", type: "histogram" },
        ],
      },
      {
        name: "keeper",
        objects: [
          { name: "ward", type: "process", linked_process: "driver" },
          { name: "ask", type: "channel_initiator", handler_process: "driver", handler_object_name: "requests" },
          { name: "bell", type: "interrupt", irqs: [{ name: "ring", number: 255 }] },
        ],
        threads: [{ name: "main", priority: 20 }, { name: "Night watch", stack_size_bytes: 4097 }],
      },
    ],
  }],
}
"""
# The driver is process 0.
BASE = 0x1000000
TWO_THREADS = """{ name: "worker", type: "thread", priority: "Level3", stack_size_bytes: 8192 },
          { name: "main", type: "thread", main_thread: true }"""
HEAP = "start_address: 0, size_bytes: 5000"
IRQS = '[{ name: "rx", number: 4 }, { name: "tx", number: 40 }]'


class Marked(Case):
    """Expected places are marked in the text itself."""

    text = ROBOT

    def refused(self, old: str, new: str, *expected: str) -> None:
        """ROBOT with `old` replaced by `new` gives these messages, in order, one at each `▸` of `new`."""
        self.assertEqual(self.text.count(old), 1, old)
        before, *parts = self.text.replace(old, new).split("▸")
        self.assertEqual(len(parts), len(expected))
        lines, text = [], before
        for message, part in zip(expected, parts):
            lines.append(f"{text.count(chr(10)) + 1}:{len(text.rpartition(chr(10))[2]) + 1}: {message}")
            text += part
        self.assertEqual(self.check(text), lines)

    def accepted(self, old: str, new: str) -> None:
        self.refused(old, new)


class Threads(Marked):
    """Which is the main thread, and what becomes a handle."""

    def test_good_text_is_accepted(self) -> None:
        self.assertEqual(self.check(ROBOT), [])

    def test_main_thread(self) -> None:
        none = "process 'driver' has 2 threads; give one of them main_thread: true"
        self.refused(TWO_THREADS, "▸" + TWO_THREADS.replace(", main_thread: true", ""), none)
        self.refused(TWO_THREADS, "▸" + TWO_THREADS.replace("true", "false"), none)
        self.refused(", main_thread: true", ", main_thread: true }, { name: 'b', type: 'thread', main_thread: ▸true",
                     "process 'driver' has its main thread already, 'main' in line 20")
        self.refused("main_thread: true", "main_thread: ▸1", "'main_thread' must be true or false, not 1")

    def test_one_thread_is_the_main_thread(self) -> None:
        for more in ("", ", main_thread: false", ", main_thread: true"):
            self.accepted(TWO_THREADS, f"{{ name: 'main', type: 'thread'{more} }}")

    def test_one_form_at_a_time(self) -> None:
        self.refused('threads: [{ name: "main", priority', "threads: [{ name: 'x' }] }, {\nname: 'third', objects: "
                     "[{ name: 'y', type: ▸'thread' }], threads: [{ name: \"main\", priority",
                     "process 'third' has a list of threads and thread objects; use one form")

    def test_names_in_a_list(self) -> None:
        self.refused('"Night watch"', '▸"main"',
                     "thread name 'main' is used twice in process 'keeper', first in line 32")
        self.refused('"Night watch"', '▸"Ask"',
                     "thread 'Ask' in process 'keeper' would be HANDLE_ASK, as is object 'ask'")
        self.refused('"Night watch"', '▸"process"',
                     "thread 'process' in process 'keeper' would be HANDLE_PROCESS, as is the process itself")
        self.refused('"Night watch", stack_size_bytes: 4097 }', '"a b" }, { name: ▸"A_B" }',
                     "thread 'A_B' in process 'keeper' would be HANDLE_A_B, as is object 'A_B'")
        self.accepted('"main", priority', '"ask", priority')  # the main thread of a list has no handle

    def test_names_of_objects(self) -> None:
        self.refused('"worker"', '▸"group"',
                     "object name 'group' is used twice in process 'driver', first in line 17")
        self.refused('"worker"', '▸"GROUP"',
                     "objects 'group' and 'GROUP' in process 'driver' would both be HANDLE_GROUP")

    def test_priorities(self) -> None:
        valid = "valid are 0 to 31 and 'Level0' to 'Level31'"
        self.refused('"Level3"', '▸"Level32"', f"'priority' is 'Level32'; {valid}")
        self.refused("priority: 20", "priority: ▸32", f"'priority' is 32; {valid}")

    def test_stacks(self) -> None:
        self.refused("8192", "▸1048577", "'stack_size_bytes' is 1048577; it must be at most 1048576")
        most = TWO_THREADS.replace("8192", "1048576").replace("true", "true, stack_size_bytes: 1044480")
        self.accepted(TWO_THREADS, most)
        self.refused(TWO_THREADS, "▸" + most.replace("1044480", "1044481"),
                     "the stacks of process 'driver' do not fit into 2097152 bytes, an unmapped page after each")

    def test_too_many_in_the_system(self) -> None:
        file = self.write("system.json5", ROBOT)
        for limit, most, message in (
            ("IMAGE_THREADS_MAX", 3, "32:51: the system has 4 threads; at most 3 fit"),
            ("IMAGE_DEVICES_MAX", 2, "13:11: the system has 3 devices; at most 2 fit"),
            ("IMAGE_OBJECTS_MAX", 8, "29:11: the system has 12 objects; at most 8 fit"),
        ):
            result = mkimage_run("--abi", self.small_abi(limit, most), "check", file)
            self.assertEqual(result, (1, "", f"{file}:{message}\n"))


class Interrupts(Marked):
    """Each number once, each name once in its process."""

    def test_shape(self) -> None:
        lines = '{ name: "lines", type: "interrupt", irqs: ' + IRQS
        self.refused(lines, "▸" + lines.replace(", irqs: " + IRQS, ""), "an interrupt object needs the key 'irqs'")
        self.refused(IRQS, "▸[]", "'irqs' is empty; it must have at least 1")
        self.refused(IRQS, "▸7", "'irqs' must be a list, not 7")
        self.refused(IRQS, '[▸{ name: "rx" }, ▸{ number: 4 }]',
                     "an interrupt needs the key 'number'", "an interrupt needs the key 'name'")
        self.refused("number: 40", "number: 40, ▸x: 1", "unknown key 'x' in an interrupt; valid keys: name, number")
        self.refused("number: 255", "number: ▸256", "'number' is 256; it must be at most 255")
        self.refused("number: 255", "number: ▸-1", "'number' is -1; it must be at least 0")
        self.refused("number: 255", "number: ▸'x'", "'number' must be an integer, not the string 'x'")
        self.refused("number: 255", "number: ▸1.5", "'number' must be an integer, not 1.5")

    def test_as_many_as_there_are_signals(self) -> None:
        lines = [f"{{ name: 'i{n}', number: {n} }}" for n in range(16)]
        self.accepted(IRQS, f"[{', '.join(lines[:15])}]")
        self.refused(IRQS, f"[{', '.join(lines[:15])}, ▸{lines[15]}]", "'irqs' has 16 members; at most 15 fit")

    def test_names(self) -> None:
        self.refused('"tx"', '▸"rx"', "interrupt name 'rx' is used twice in process 'driver', first in line 18")
        self.refused('"tx"', '▸"RX"', "interrupts 'rx' and 'RX' in process 'driver' would both be SIGNAL_RX")
        self.refused('"tx"', '▸"readable"',
                     "an interrupt cannot be named 'readable': SIGNAL_READABLE is taken by the ABI")
        self.refused('"tx"', '▸"interrupt_a"',
                     "an interrupt cannot be named 'interrupt_a': SIGNAL_INTERRUPT_A is taken by the ABI")
        self.refused('"tx"', '▸""', "'name' is empty")
        self.refused('type: "histogram"', "type: 'interrupt', irqs: [{ name: ▸'rx', number: 6 }]",
                     "interrupt name 'rx' is used twice in process 'driver', first in line 18")
        self.accepted('"ring"', '"rx"')  # in another process

    def test_numbers(self) -> None:
        self.refused("number: 40", "number: ▸4",
                     "interrupt 4 is given already: to 'rx' of object 'lines' of process 'driver', in line 18")
        self.refused("number: 255", "number: ▸40",
                     "interrupt 40 is given already: to 'tx' of object 'lines' of process 'driver', in line 18")

    def test_numbers_of_the_kernel(self) -> None:
        text = ROBOT.replace("{\n", '{ kernel: { interrupt_table: { table: {\n "40": "tick", x: "y" } } },\n', 1)
        self.assertEqual(self.check(text), ["19:103: interrupt 40 is the kernel's, by its 'interrupt_table' in line 2"])
        for other in ("7", "{ interrupt_table: [] }", "{ interrupt_table: { table: 1 } }"):
            lines = self.check(ROBOT.replace("{\n", "{ kernel: " + other + ",\n", 1))
            self.assertEqual([line for line in lines if "interrupt" in line], [])


class Supervision(Marked):
    """A process has at most one supervisor."""

    def test_shape(self) -> None:
        self.refused('{ name: "ward", type: "process", linked_process: "driver"', '▸{ name: "ward", type: "process"',
                     "a process object needs the key 'linked_process'")
        self.refused('linked_process: "driver"', "linked_process: ▸1", "'linked_process' must be a string, not 1")
        self.refused('type: "wait_group"', 'type: "wait_group", ▸x: 1',
                     "unknown key 'x' in a wait_group; valid keys: name, type")

    def test_links(self) -> None:
        self.refused('linked_process: "driver"', 'linked_process: ▸"diver"',
                     "there is no process 'diver'; did you mean 'driver'? valid processes: driver, keeper")
        self.refused('linked_process: "driver"', 'linked_process: ▸"keeper"',
                     "process 'keeper' cannot be linked to itself; its own object is HANDLE_PROCESS")
        ward = '{ name: "ward", type: "process", linked_process: "driver" }'
        self.refused(ward, ward + ", { name: 'w', type: 'process', linked_process: ▸'driver' }",
                     "process 'driver' is linked to object 'ward' of process 'keeper' already; "
                     "a process has at most one supervisor")

    def test_both_ways_and_across_processors(self) -> None:
        self.accepted('type: "wait_group"', "type: 'process', linked_process: 'keeper'")


class Mappings(Marked):
    """Device memory, ports and private data."""

    def test_shape(self) -> None:
        valid = "valid types: device, ports, read_only_executable, read_write_data"
        self.refused('"ports"', '▸"port"', f"unknown mapping type 'port'; did you mean 'ports'? {valid}")
        self.refused('"ports"', "▸7", f"unknown mapping type '7'; {valid}")
        self.refused('{ name: "com1", type: "ports", start_address: 0x3f8, size_bytes: 8 }',
                     '▸{ name: "com1", type: "ports", start_address: 0x3f8 }', "a mapping needs the key 'size_bytes'")
        self.refused("size_bytes: 8 }", "size_bytes: ▸0 }", "'size_bytes' is 0; it must be at least 1")
        self.refused("0x3f8", "▸-1", "'start_address' is -1; it must be at least 0")
        self.refused("0x3f8", "▸18446744073709551616",
                     "'start_address' is 18446744073709551616; it must be at most 18446744073709551615")
        self.refused('"ports"', '▸"read_only_executable"',
                     "a process executes nothing but its own program: 'read_only_executable' is not mapped")

    def test_names(self) -> None:
        self.refused('"timer"', '▸"uart"', "mapping name 'uart' is used twice in process 'driver', first in line 11")
        self.refused('"timer"', '▸"UART"',
                     "mappings 'uart' and 'UART' in process 'driver' would both be MAPPING_UART_START_ADDRESS")
        self.refused('"timer"', '▸"tïmer"', "'name' may only hold printable ASCII characters")

    def test_device_memory_is_made_of_pages(self) -> None:
        self.refused("0xfed00000", "▸0xfed00200",
                     "'start_address' of device memory is 0xfed00200; it must be a multiple of 0x1000")
        self.refused("0x1000", "▸0x200", "'size_bytes' of device memory is 0x200; it must be a multiple of 0x1000")

    def test_physical_addresses(self) -> None:
        self.accepted("0xfed00000", "0xffffffffff000")
        self.refused("0xfed00000", "▸0x10000000000000",
                     "device memory ends at 0x10000000001000; physical addresses end at 0x10000000000000")

    def test_overlaps(self) -> None:
        self.refused("0xfed00000", "▸0xfee01000",
                     "mapping 'timer' overlaps mapping 'uart' of the same process, in line 11")
        self.accepted("0xfed00000", "0xfee02000")
        self.refused("0x1000 }", "0x1000 }, "
                     "{ name: 'all', type: 'device', start_address: ▸0xfecff000, size_bytes: 0x2000 }",
                     "mapping 'all' overlaps mapping 'timer' of the same process, in line 12")
        second = "size_bytes: 8 }, { name: 'com2', type: 'ports', start_address: ▸0x3ff, size_bytes: 1 }"
        self.refused("size_bytes: 8 }", second,
                     "mapping 'com2' overlaps mapping 'com1' of the same process, in line 13")
        self.accepted("size_bytes: 8 }", second.replace("▸0x3ff", "0x400"))

    def test_two_processes_may_share_a_device(self) -> None:
        self.accepted('name: "keeper",', 'name: "keeper", memory_mappings: [{ name: "uart", type: "device", '
                      'start_address: 0xfee00000, size_bytes: 0x2000 }],')

    def test_ports(self) -> None:
        self.accepted("0x3f8", "0xfff8")
        self.refused("0x3f8", "▸0xfff9", "the ports 0xfff9 to 0x10000 do not exist; the last one is 0xffff")
        self.refused("0x3f8", "▸0x10000", "the ports 0x10000 to 0x10007 do not exist; the last one is 0xffff")

    def test_device_memory_that_does_not_fit(self) -> None:
        room = "the device mappings of process 'driver' do not fit into 2097152 bytes, an unmapped page after each"
        timer = '{ name: "timer", type: "device", start_address: 0xfed00000, size_bytes: 0x1000 }'
        for size in ("0x1fd000", "0x10000000000"):
            self.refused(timer, "▸" + timer.replace("0x1000", size).replace("0xfed00000", "0x100000000"), room)
        self.accepted(timer, timer.replace("0x1000", "0x1fc000").replace("0xfed00000", "0x100000000"))

    def test_address_of_private_data(self) -> None:
        stack = "the stack of thread '{}', or the unmapped page below it,"
        for start, message in (
            (BASE + 8, "'start_address' of private data is 0x1000008; it must be a multiple of 0x1000"),
            (BASE + 0x83E000, "mapping 'heap' overlaps histogram 'times' at 0x1800000 to 0x183f000"),
            (BASE + 0xBFE000, f"mapping 'heap' overlaps {stack.format('main')} at 0x1c00000 to 0x1c01000"),
            (BASE + 0xC00000, f"mapping 'heap' overlaps {stack.format('main')} at 0x1c00000 to 0x1c01000"),
            (BASE + 0xC03000, f"mapping 'heap' overlaps {stack.format('worker')} at 0x1c02000 to 0x1c04000"),
            (BASE + 0xDFF000, "mapping 'heap' overlaps mapping 'uart' at 0x1e00000 to 0x1e02000"),
        ):
            self.refused(HEAP, HEAP.replace("address: 0", f"address: ▸{start}"), message)
        for start in (BASE, BASE + 0x400000, BASE + 0x83F000, BASE + 0xBFD000, BASE + 0xF00000, 2 * BASE - 0x2000):
            self.accepted(HEAP, HEAP.replace("address: 0", f"address: {start}"))
        self.refused(HEAP, HEAP.replace("address: 0", f"address: {2 * BASE - 4096}").replace("5000", "▸5000"),
                     "mapping 'heap' ends at 0x2001000; the slot of its process ends at 0x2000000")

    def test_address_of_private_data_that_is_ignored(self) -> None:
        for start in (1, BASE - 4096, 2 * BASE):
            self.refused(HEAP, HEAP.replace("start_address: 0", f"▸start_address: {start}"),
                         "note: 'start_address' is ignored: it is not in the slot of process 'driver'")

    def test_private_data_that_does_not_fit(self) -> None:
        room = 0x400000 - 0x1000 - 0x40000  # what a histogram leaves
        self.accepted("size_bytes: 5000", f"size_bytes: {room}")
        self.refused("size_bytes: 5000", f"size_bytes: ▸{room + 1}",
                     "mapping 'heap' does not fit: histograms and private data of process 'driver' have "
                     "4190208 bytes, an unmapped page after each")


class Constants(Marked):
    """Types and their ranges."""

    def constant(self, kind: str, value: str, *expected: str) -> None:
        self.refused('type: "u8", value: 3', f'type: "{kind}", value: {value}', *expected)

    def test_shape(self) -> None:
        types = "bool, char, i128, i16, i32, i64, i8, isize, string, u128, u16, u32, u64, u8, usize"
        self.refused('"u8"', '▸"strin"',
                     f"unknown constant type 'strin'; did you mean 'string'? valid types: {types}")
        retries = '{ name: "retries", type: "u8", value: 3 }'
        self.refused(retries, "▸{ name: 'retries', type: 'u8' }", "a constant needs the key 'value'")
        self.refused(", value: 3", ", value: 3, ▸x: 1",
                     "unknown key 'x' in a constant; valid keys: name, type, value")
        self.refused(retries, "▸1", "a constant must be an object, not 1")

    def test_names(self) -> None:
        self.refused("value: 3 },", "value: 3 },\n{ name: ▸'retries', type: 'i8', value: 3 }",
                     "constant name 'retries' is used twice in app 'robot', first in line 5")
        self.refused("value: 3 },", "value: 3 },\n{ name: ▸'Retries', type: 'i8', value: 3 }",
                     "constants 'retries' and 'Retries' in app 'robot' would both be CONSTANT_RETRIES")
        self.refused('"retries"', '▸""', "'name' is empty")

    def test_ranges(self) -> None:
        for kind, bits in (("8", 8), ("16", 16), ("32", 32), ("64", 64), ("128", 128), ("size", 64)):
            for letter, lowest, highest in (("u", 0, (1 << bits) - 1), ("i", -1 << bits - 1, (1 << bits - 1) - 1)):
                name = letter + kind
                self.constant(name, str(lowest))
                self.constant(name, hex(highest))
                for bad in (lowest - 1, highest + 1):
                    self.constant(name, f"▸{bad}", f"'value' is {bad}; type {name} holds {lowest} to {highest}")

    def test_values(self) -> None:
        for kind, good in (("u8", "2e1"), ("bool", "true"), ("string", "''"), ("char", "'é'"), ("char", "'\\0'")):
            self.constant(kind, good)
        half = "'value' has half of a surrogate pair, which is no character"
        for kind, bad, message in (
            ("u8", "1.5", "'value' must be an integer, not 1.5"),
            ("u8", "true", "'value' must be an integer, not true"),
            ("u8", "'3'", "'value' must be an integer, not the string '3'"),
            ("u8", "Infinity", "'value' must be an integer, not Infinity"),
            ("u8", "NaN", "'value' must be an integer, not NaN"),
            ("u128", "1e20", "'value' is written with an exponent and too large to be exact that way"),
            ("bool", "1", "'value' must be true or false, not 1"),
            ("string", "null", "'value' must be a string, not null"),
            ("string", "'\\ud800'", half),
            ("char", "'ab'", "'value' must be a string of one character, not the string 'ab'"),
            ("char", "''", "'value' must be a string of one character, not the string ''"),
            ("char", "97", "'value' must be a string of one character, not 97"),
            ("char", "'\\udfff'", half),
        ):
            self.constant(kind, f"▸{bad}", message)


class Slots(unittest.TestCase):
    """What slot.py and the kernel's headers must agree on."""

    def test_order_of_the_parts(self) -> None:
        abi = Abi(ROOT / "sys/abi")
        places = [0, abi["USER_HISTOGRAM_OFFSET"], abi["USER_STACK_OFFSET"], abi["USER_DEVICE_OFFSET"],
                  abi["USER_PROCESS_STRIDE"]]
        self.assertEqual(places, sorted(places))
        self.assertEqual([place % abi["USER_PAGE_SIZE"] for place in places], [0] * 5)


if __name__ == "__main__":
    unittest.main()
