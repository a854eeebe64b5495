#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What mkimage.py makes of event subscriptions, routers and modules, and what it refuses.

Each text differs from NEWS in one place. Runs by itself or with `python3 -m unittest`.
"""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from test_mkimage import mkimage_run  # noqa: E402
from test_mkimage_objects import Marked  # noqa: E402

NEWS = """{
  apps: [{
    name: "news",
    processes: [
      {
        name: "reader",
        objects: [
          { name: "life", type: "event_subscription", topics: ["process", "shutdown"], depth: 8, priority: 0 },
          { name: "alarms", type: "event_subscription", topics: ["custom", "tick"], names: ["fire", "water-level"] },
          { name: "ask", type: "router" },
        ],
        threads: [{ name: "main" }],
      },
      {
        name: "server",
        objects: [
          { name: "echo", type: "channel_handler", module: true },
          { name: "plain", type: "channel_handler", module: false },
          { name: "everything", type: "event_subscription", topics: ["all"] },
        ],
        threads: [{ name: "main" }],
      },
      {
        name: "client",
        objects: [
          { name: "call", type: "channel_initiator", handler_process: "server", handler_object_name: "plain" },
        ],
        threads: [{ name: "main" }],
      },
    ],
  }],
}
"""
ALARMS = 'topics: ["custom", "tick"], names: ["fire", "water-level"]'
TOPICS = ("all, bad_origin, cpu_hotplug, custom, interrupt, memory, memory_pressure, process, process_created, "
          "process_exited, shutdown, system, tick, timer, timer_expired")


class Subscriptions(Marked):
    """Topics, names and numbers of event subscriptions."""

    text = NEWS

    def test_good_text_is_accepted(self) -> None:
        self.assertEqual(self.check(NEWS), [])

    def test_shape(self) -> None:
        self.refused('["all"]', "▸[]", "'topics' is empty; it must have at least 1")
        self.refused('["all"]', "▸'all'", "'topics' must be a list, not the string 'all'")
        self.refused('["all"]', "[▸7]", "a topic must be a string, not 7")
        self.refused('{ name: "everything", type: "event_subscription", topics: ["all"] }',
                     '▸{ name: "everything", type: "event_subscription" }',
                     "an event_subscription needs the key 'topics'")
        self.refused('["all"]', '["all"], ▸topic: 1', "unknown key 'topic' in an event_subscription; did you mean "
                     "'topics'? valid keys: depth, name, names, priority, topics, type")
        self.refused("depth: 8", "depth: ▸0", "'depth' is 0; it must be at least 1")
        self.refused("depth: 8", "depth: ▸4097", "'depth' is 4097; it must be at most 4096")
        self.refused("priority: 0", "priority: ▸256", "'priority' is 256; it must be at most 255")
        self.refused("priority: 0", "priority: ▸-1", "'priority' is -1; it must be at least 0")
        self.accepted("depth: 8, priority: 0", "depth: 4096, priority: 255")

    def test_topics(self) -> None:
        self.refused('"shutdown"', '▸"shut down"',
                     f"unknown topic 'shut down'; did you mean 'shutdown'? valid topics: {TOPICS}")
        self.refused('"shutdown"', '▸"process"', "topic 'process' is given twice")
        self.accepted('"shutdown"', '"process_exited"')  # within another is no mistake

    def test_names(self) -> None:
        self.refused(ALARMS, ALARMS.replace('"custom", ', "").replace('["fire', '▸["fire'),
                     "'names' are those of custom events, and 'custom' is not among the topics")
        line = '{ name: "alarms", type: "event_subscription", ' + ALARMS
        self.refused(line, "▸" + line[: line.index(", names")], "topic 'custom' needs 'names': which custom events")
        self.refused('["all"]', '["all"], names: ▸["x"]', "these topics are all there are, with custom events of every "
                     "name; 'names' cannot choose among them")
        self.refused('"water-level"', '▸"fire"', "event name 'fire' is given twice")
        rule = "an event's name is printable ASCII without blanks, and not empty"
        for bad in ("", "a b", "é", "a\\n"):
            self.refused('"water-level"', f'▸"{bad}"', rule)
        self.refused('"water-level"', f'▸"{"x" * 32}"',
                     f"an event's name has at most 31 bytes; '{'x' * 32}' has 32")
        self.accepted('"water-level"', f'"{"x" * 31}"')
        eight = ", ".join(f'"n{number}"' for number in range(8))
        self.accepted('"fire", "water-level"', eight)
        self.refused('"fire", "water-level"', eight + ', ▸"n8"', "'names' has 9 members; at most 8 fit")

    def test_names_that_c_could_not_tell_apart(self) -> None:
        self.refused('"water-level"', '▸"FIRE"', "event names 'alarms_fire' and 'alarms_FIRE' in process 'reader' would "
                     "both be EVENT_NAME_ALARMS_FIRE")

    def test_header(self) -> None:
        out = self.folder / "out"
        self.assertEqual(mkimage_run("headers", self.write("system.json5", NEWS), "--out", out), (0, "", ""))
        text = (out / "reader/handles.h").read_text(encoding="ascii")
        self.assertIn("\n#define EVENT_NAME_ALARMS_FIRE 0\n#define EVENT_NAME_ALARMS_WATER_LEVEL 1\n", text)
        self.assertIn("    HANDLE_LIFE = 0,\n    HANDLE_ALARMS = 1,\n    HANDLE_ASK = 2,\n", text)
        self.assertNotIn("EVENT_NAME", (out / "server/handles.h").read_text(encoding="ascii"))


class Modules(Marked):
    """Handlers whose initiator is the kernel, and routers."""

    text = NEWS
    module = '{ name: "echo", type: "channel_handler", module: true }'

    def test_shape(self) -> None:
        self.refused("module: true", "module: ▸1", "'module' must be true or false, not 1")
        self.refused('type: "router"', 'type: "router", ▸module: true',
                     "unknown key 'module' in a router; valid keys: name, type")

    def test_initiator(self) -> None:
        self.refused('handler_object_name: "plain"', 'handler_object_name: "plain" },\n{ name: "e", type: '
                     '"channel_initiator", handler_process: "server", handler_object_name: ▸"echo"',
                     "handler 'echo' of process 'server' is a module: the kernel is its initiator")

    def test_names(self) -> None:
        self.refused('name: "echo"', 'name: ▸"an echo"',
                     "a module's name has no blanks; requests to 'an echo' could not be told from others")
        call = '{ name: "call", type'
        self.refused(call, self.module.replace('"echo"', '▸"echo"') + ", " + call,
                     "module 'echo' is there already, of process 'server', in line 17")
        self.accepted(call, self.module.replace('"echo"', '"Echo"') + ", " + call)

    def test_too_many(self) -> None:
        more = ", ".join(self.module.replace("echo", f"echo{number}") for number in range(31))
        self.accepted(self.module, self.module + ", " + more)
        file = self.write("system.json5", NEWS.replace(self.module, self.module + ",\n" + more[: more.index("}") + 1]))
        self.assertEqual(mkimage_run("--abi", self.small_abi("IMAGE_MODULES_MAX", 1), "check", file),
                         (1, "", f"{file}:18:1: the system has 2 modules; at most 1 fit\n"))


if __name__ == "__main__":
    unittest.main()
