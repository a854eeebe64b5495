# SPDX-License-Identifier: MIT
"""A system as a graph in the dot language of Graphviz: who calls, watches over and hears whom.

    mkimage.py graph SYSTEM.json5 | dot -Tsvg -o system.svg

Processes are boxes, channels arrows from the initiator to the handler, supervision is dashed, interrupts are
small circles. The event bus and the router are ellipses, for who subscribes, asks or serves. The same text gives the
same graph, line by line.
"""

from system import Object, Process, System


def system_graph(system: System, name: str) -> str:
    """The graph, named `name`."""
    lines = [f"digraph {_quoted(name)} {{", "    rankdir=LR;", "    node [shape=box];"]
    lines += [f"    p{number} [label={_quoted(_process_label(process))}];"
              for number, process in enumerate(system.processes)]
    objects = [item for process in system.processes for item in process.objects]
    for node, is_there in (("bus", any(item.subscription for item in objects)),
                           ("router", any(_is_routed(item) for item in objects))):
        lines += [f"    {node} [shape=ellipse];"] if is_there else []
    for number, process in enumerate(system.processes):
        for item in process.objects:
            lines += [f"    {line}" for line in _object_lines(system, number, item)]
    return "\n".join([*lines, "}"]) + "\n"


def _process_label(process: Process) -> str:
    """Name; CPU and the threads' priorities, the main thread's first."""
    priorities = ", ".join(str(thread.priority) for thread in process.threads)
    word = "priority" if len(process.threads) == 1 else "priorities"
    return f"{process.name}\ncpu {process.cpu}, {word} {priorities}"


def _is_routed(item: Object) -> bool:
    return item.module or item.type == "router"


def _object_lines(system: System, number: int, item: Object) -> list[str]:
    """The edges that an object stands for, from the side that acts."""
    if item.type == "channel_initiator" and item.peer:
        target, handle = item.peer
        other = system.processes[target].objects[handle].name
        label = item.name if item.name == other else f"{item.name} - {other}"
        return [f"p{number} -> p{target} [label={_quoted(label)}];"]
    if item.type == "process" and item.linked != number:
        return [f"p{number} -> p{item.linked} [label={_quoted(item.name)}, style=dashed];"]
    if item.subscription:
        return [f"bus -> p{number} [label={_quoted(item.name)}];"]
    if _is_routed(item):
        edge = f"router -> p{number}" if item.module else f"p{number} -> router"
        return [f"{edge} [label={_quoted(item.name)}];"]
    lines = []
    for line in item.interrupts:
        node = f"i{line.number}"
        lines.append(f'{node} [label="{line.number}", shape=circle, width=0.3, fixedsize=true, fontsize=9];')
        lines.append(f"{node} -> p{number} [label={_quoted(line.name)}];")
    return lines


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
