# SPDX-License-Identifier: MIT
"""Event subscriptions and modules: what a process hears of the kernel's event bus, and what it serves to its router."""

import re
from typing import Any

from abi import Abi
from json5_position import Path
from system import EventName, Object, Process, Subscription, System, Text, hint

DEPTH_DEFAULT = 64
PRIORITY_DEFAULT = 128


def subscription_read(text: Text, item: Object, value: dict[str, Any], abi: Abi) -> Subscription:
    """What the subscription `item` asks for; what is wrong with it is told to `text`."""
    topics = _topics(text, item.path, value["topics"], abi)
    priority, depth = int(value.get("priority", PRIORITY_DEFAULT)), int(value.get("depth", DEPTH_DEFAULT))
    names = [EventName(f"{item.name}_{name}", item.path + ("names", number), name)
             for number, name in enumerate(value.get("names", []))]
    _check_names(text, item.path, names, topics, abi)
    return Subscription(topics, priority, depth, names)


def _topics(text: Text, path: Path, words: list[str], abi: Abi) -> int:
    """The words' kinds, as the bits of TOPIC_* in sys/abi/event.h."""
    topics = 0
    for number, word in enumerate(words):
        at = path + ("topics", number)
        if word not in abi.topics:
            text.error(at, f"unknown topic '{word}'{hint(word, abi.topics, 'topics')}")
        elif word in words[:number]:
            text.error(at, f"topic '{word}' is given twice")
        topics |= abi.topics.get(word, 0)
    return topics


def _check_names(text: Text, path: Path, names: list[EventName], topics: int, abi: Abi) -> None:
    """Custom events are chosen by name, if they are and if not everything is."""
    all_topics, custom = abi.topics["all"], abi.topics["custom"]
    if names and topics == all_topics:
        text.error(path + ("names",), "these topics are all there are, with custom events of every name; "
                   "'names' cannot choose among them")
    elif names and not topics & custom:
        text.error(path + ("names",), "'names' are those of custom events, and 'custom' is not among the topics")
    elif not names and topics & custom and topics != all_topics:
        text.error(path, "topic 'custom' needs 'names': which custom events")
    for number, name in enumerate(names):
        _check_word(text, name.path, "an event's name", name.text, abi)
        if name.text in (other.text for other in names[:number]):
            text.error(name.path, f"event name '{name.text}' is given twice")


def _check_word(text: Text, path: Path, what: str, word: str, abi: Abi) -> None:
    """A name that the kernel knows by a number: sys/image.c, name_fits_bus."""
    most = abi["IMAGE_NAME_BYTES"] - 1
    if not re.fullmatch(r"[!-~]+", word):
        text.error(path, f"{what} is printable ASCII without blanks, and not empty")
    elif len(word) > most:
        text.error(path, f"{what} has at most {most} bytes; '{word}' has {len(word)}")


def modules_check(system: System, text: Text, abi: Abi) -> None:
    """The names of modules are the router's, of all processes together."""
    first: dict[str, tuple[Process, Object]] = {}
    modules = [(process, item) for process in system.processes for item in process.objects if item.module]
    for process, item in modules:
        owner, other = first.setdefault(item.name, (process, item))
        if " " in item.name:
            text.error(item.path + ("name",), f"a module's name has no blanks; requests to '{item.name}' could not "
                       "be told from others")
        if other is not item:
            line = text.line(other.path + ("name",))
            message = f"module '{item.name}' is there already, of process '{owner.name}', in line {line}"
            text.error(item.path + ("name",), message)
    most = abi["IMAGE_MODULES_MAX"]
    if len(modules) > most:
        text.error(modules[most][1].path, f"the system has {len(modules)} modules; at most {most} fit")
