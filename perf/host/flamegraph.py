# SPDX-License-Identifier: MIT
"""A flame graph as one SVG file that needs nothing else: folded stacks in, text out, equal text for equal stacks.

The root is at the bottom. A frame is as wide as the samples that have it, its callees stand on it, in order of their
names. Colours say what a frame is: a process, its code, the vDSO's way into the kernel, the kernel, idling. A tooltip
(<title>) has the name, the samples and their share of all.
"""
import zlib
from dataclasses import dataclass, field
from html import escape

import folded

WIDTH, MARGIN, ROW, FONT = 1200, 12, 18, 12
CHARACTER = 7.0  # how wide one of the font is
TOP, BOTTOM = 56, 44
NARROWEST = 0.15  # a frame of fewer pixels is left out; its parent's width still has it
TEXT_NARROWEST = 3  # characters
KINDS = {  # what a colour stands for: hue, saturation, lightness of the middle
    "process": (48, 85, 62),
    "user code": (24, 85, 62),
    "kernel": (210, 60, 66),
    "idle": (0, 0, 78),
}
STYLE = """
text { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #1b1b1b; }
.title { font-size: 17px; font-weight: 600; }
.note { font-size: 12px; fill: #555; }
.frame rect { stroke: #fff; stroke-width: 0.6; }
.frame text { font-size: 12px; pointer-events: none; }
.frame:hover rect { stroke: #000; stroke-width: 1.2; }
"""


@dataclass
class Node:
    """One frame with all that it called."""

    name: str
    samples: int = 0
    children: dict[str, "Node"] = field(default_factory=dict)

    def depth(self) -> int:
        """Rows from here up."""
        deepest, row = 0, [self]
        while row:
            deepest, row = deepest + 1, [child for node in row for child in node.children.values()]
        return deepest


def tree(text: str) -> Node:
    """The stacks as one tree. Raises ValueError for a line that is none."""
    root = Node("all")
    for frames, count in folded.read(text):
        node = root
        node.samples += count
        for name in frames:
            node = node.children.setdefault(name, Node(name))
            node.samples += count
    return root


def kind_of(name: str, level: int, idle: bool) -> str:
    """Which of KINDS a frame is."""
    if idle or level == 0:
        return "idle"
    if name.endswith(folded.KERNEL_MARK):
        return "kernel"
    return "process" if level == 1 else "user code"


def colour(name: str, kind: str) -> str:
    """Of a frame: its kind's, somewhat lighter or darker by the name, the same everywhere."""
    hue, saturation, lightness = KINDS[kind]
    shift = zlib.crc32(name.encode()) % 13 - 6
    return f"hsl({hue + shift if saturation else hue},{saturation}%,{lightness + shift}%)"


def fitted(name: str, width: float) -> str:
    """As much of a name as fits; nothing if that is next to nothing."""
    room = int((width - 6) / CHARACTER)
    if len(name) <= room:
        return name
    return name[: room - 2] + ".." if room >= TEXT_NARROWEST + 2 else ""


def shown(name: str) -> str:
    """A name without the kernel's mark, which the colour says."""
    return name.removesuffix(folded.KERNEL_MARK)


def number(value: float) -> str:
    """Two digits behind the point at most."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


class Picture:
    """The frames as SVG elements."""

    def __init__(self, root: Node):
        self.root = root
        self.height = TOP + root.depth() * ROW + BOTTOM
        self.scale = (WIDTH - 2 * MARGIN) / max(root.samples, 1)
        self.elements: list[str] = []
        self.draw_all()

    def draw_all(self) -> None:
        """Every frame, parents first; no recursion, since chains may be deep."""
        waiting = [(self.root, 0, 0, False)]
        while waiting:
            node, level, start, idle = waiting.pop()
            if node.samples * self.scale < NARROWEST:
                continue
            idle = idle or (level == 1 and node.name == folded.IDLE)
            self.draw(node, level, start, idle)
            for child in sorted(node.children.values(), key=lambda child: child.name):
                waiting.append((child, level + 1, start, idle))
                start += child.samples

    def draw(self, node: Node, level: int, start: int, idle: bool) -> None:
        """One frame."""
        x, width = MARGIN + start * self.scale, node.samples * self.scale
        y = self.height - BOTTOM - (level + 1) * ROW
        name, share = shown(node.name), 100 * node.samples / max(self.root.samples, 1)
        kind = kind_of(node.name, level, idle)
        title = escape(f"{name} ({kind}): {node.samples} samples, {share:.2f} %")
        box = f'<rect x="{number(x)}" y="{y}" width="{number(width)}" height="{ROW}" rx="1.5" fill="{colour(name, kind)}"/>'
        text = escape(fitted(name, width))
        label = f'<text x="{number(x + 3)}" y="{y + ROW - 5}">{text}</text>' if text else ""
        self.elements.append(f'<g class="frame"><title>{title}</title>{box}{label}</g>')


def legend(y: int) -> list[str]:
    """What the colours mean, on one line."""
    found, x = [], MARGIN
    for kind, (hue, saturation, lightness) in KINDS.items():
        found.append(f'<rect x="{x}" y="{y - 10}" width="12" height="12" rx="2" fill="hsl({hue},{saturation}%,{lightness}%)"/>')
        found.append(f'<text class="note" x="{x + 17}" y="{y}">{kind}</text>')
        x += 40 + int(len(kind) * CHARACTER)
    return found


def svg(folded_text: str, title: str = "Flame graph", note: str = "") -> str:
    """The picture of folded stacks. `note`: a line under the title, such as where the samples come from. Raises
    ValueError for a line that is no folded stack."""
    root = tree(folded_text)
    picture = Picture(root)
    under = f"{root.samples} samples" + (f"; {note}" if note else "")
    head = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {picture.height}" width="{WIDTH}"'
        f' height="{picture.height}">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{picture.height}" fill="#fcfcfa"/>',
        f'<text class="title" x="{MARGIN}" y="26">{escape(title)}</text>',
        f'<text class="note" x="{MARGIN}" y="44">{escape(under)}</text>',
    ]
    return "\n".join([*head, *picture.elements, *legend(picture.height - 16), "</svg>", ""])
