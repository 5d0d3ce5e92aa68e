"""What of a diagram can be seen: groups open or folded, layers in columns, and the wires between them, with their sizes.

A column is a layer with those that follow it, change no shape and are read by nothing else: batch norm, activation, dropout.
Places are given later, by `layout`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import Literal, TypeAlias

from convspec.draw.diagram import Diagram, Group, Layer, Stack, Terminal
from convspec.draw.words import shape_text
from convspec.records import dataclass

Point: TypeAlias = tuple[float, float]


@dataclass(slots=True, eq=False)
class Line:
    """One line of text: `text` from the left, `note` muted at the right."""

    text: str
    note: str = ""
    strong: bool = False
    muted: bool = False


@dataclass(slots=True, eq=False)
class Row:
    """A layer in a column, or all of a folded group. `top` is below the top of its box."""

    id: str
    lines: list[Line]
    tip: str
    weight: float
    top: float = 0
    height: float = 0


@dataclass(slots=True, eq=False)
class Box:
    """What is drawn as one rectangle. `x` and `y` are its upper left corner."""

    id: str
    kind: Literal["layers", "group", "input", "output"]
    parts: list[Group | Layer | Terminal]
    """The layers of a column, a folded group, or a terminal."""
    stack: Stack | None = None
    """What its folded group stands for."""
    factor: int = 1
    """How often it stands in the network, by the stacks around it and its own."""
    group: Group | None = None
    """The open group of which a column is all there is: it is the head of the column, in place of a frame around it."""
    last: Group | None = None
    """The last of a stack."""
    rows: list[Row] = field(default_factory=list)
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0


def sheets(stack: Stack | None) -> int:
    """How many outlines are drawn behind a stack: one for each of its others, and no more than two."""
    return 0 if stack is None else min(stack.count - 1, 2)


@dataclass(slots=True, eq=False)
class Frame:
    """A group that is open."""

    id: str
    group: Group
    children: list[Frame | Box]
    stack: Stack | None = None
    factor: int = 1
    last: Group | None = None
    header: list[Line] = field(default_factory=list)
    tip: str = ""
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0
    header_width: float = 0
    header_height: float = 0

    def boxes(self) -> Iterator[Box]:
        """Every box below, in order."""
        for child in self.children:
            if isinstance(child, Box):
                yield child
            else:
                yield from child.boxes()

    def frames(self) -> Iterator[Frame]:
        """Every open group below, outer ones first, without this one."""
        for child in self.children:
            if isinstance(child, Frame):
                yield child
                yield from child.frames()


@dataclass(slots=True, eq=False)
class Wire:
    """From a box to a box. `points` are those of cubic Bézier curves: a start, then three for each curve."""

    source: str
    target: str
    shapes: list[str]
    """What flows along it."""
    text: str = ""
    """What is written beside it; nothing where another wire from the same box says it."""
    points: list[Point] = field(default_factory=list)
    tip: Point = (0, 0)
    """Where its arrow ends, on the border of the target."""
    place: Point | None = None
    """The middle of the text."""
    width: float = 0
    height: float = 0


@dataclass(slots=True, eq=False)
class Scene:
    """All that is drawn. `root` is the network itself and has no border."""

    diagram: Diagram
    root: Frame
    wires: list[Wire]
    width: float = 0
    height: float = 0


def watch(drawn: Diagram, depth: int | None = None, unroll: bool = False) -> Scene:
    """What is seen with `depth` levels of groups open; with None as many as leave a picture that can be taken in."""
    if depth is not None:
        return _Watcher(drawn, depth, unroll).scene()
    best = _Watcher(drawn, 0, unroll).scene()
    for more in range(1, levels(drawn.root) + 1):
        scene = _Watcher(drawn, more, unroll).scene()
        if sum(1 for _ in scene.root.boxes()) > MOST_BOXES:
            break
        best = scene
    return best


MOST_BOXES = 42


def is_passing(group: Group) -> bool:
    """Whether a group is no level of its own: the turn of a loop that holds groups. It is never folded."""
    return group.what == "turn" and any(isinstance(child, Group) for child in group.children)


def levels(group: Group) -> int:
    """How many levels of groups are below one."""
    deepest = 0
    pending = [(group, 0)]
    while pending:
        each, level = pending.pop()
        deepest = max(deepest, level)
        inner = [child for child in each.children if isinstance(child, Group)]
        pending += [(child, level + (not is_passing(child))) for child in inner]
    return deepest


def _compact(frame: Frame) -> Frame | Box:
    """A frame around nothing but one column becomes the head of it."""
    only = frame.children[0] if len(frame.children) == 1 else None
    if not isinstance(only, Box) or only.kind != "layers" or only.group is not None:
        return frame
    only.group, only.stack = frame.group, frame.stack
    return only


class _Watcher:
    def __init__(self, drawn: Diagram, depth: int, unroll: bool) -> None:
        self.drawn, self.depth, self.unroll = drawn, depth, unroll
        self.seen: dict[str, str] = {}
        """The box that stands for each layer."""
        self.turns: dict[str, dict[str, int]] = {}
        """The stacks that a layer stands in, and which of their members it is of."""
        self.parallel: set[str] = set()
        """Stacks side by side."""
        self.readers: dict[object, int] = {}
        for edge in drawn.edges:
            self.readers[edge.value] = self.readers.get(edge.value, 0) + (not edge.anchor)

    def scene(self) -> Scene:
        root = self.frame(self.drawn.root, 0, None, 1)
        ends = [Box(each.id, "input", [each]) for each in self.drawn.inputs]
        last = [Box(each.id, "output", [each]) for each in self.drawn.outputs]
        self.seen.update({box.id: box.id for box in (*ends, *last)})
        root.children = [*ends, *root.children, *last]
        return Scene(self.drawn, root, self.wires())

    def frame(self, group: Group, level: int, stack: Stack | None, factor: int) -> Frame:
        children: list[Frame | Box] = []
        stacks = {} if self.unroll else {each.first: each for each in group.stacks}
        at = 0
        while at < len(group.children):
            child, here = group.children[at], stacks.get(at)
            count = here.count if here is not None else 1
            if isinstance(child, Layer):
                self.add_layer(children, child, factor)
            else:
                members = [each for each in group.children[at : at + count] if isinstance(each, Group)]
                children.append(self.shown(child, level, here, factor * count))
                if here is not None:
                    children[-1].last = members[-1]
                    self.stand_in(members)
                    if here.parallel:
                        self.parallel.add(members[0].id)
            at += count
        return Frame(group.id, group, children, stack, factor)

    def add_layer(self, children: list[Frame | Box], layer: Layer, factor: int) -> None:
        """Put a layer below the one before it, or into a box of its own."""
        last = children[-1] if children else None
        if isinstance(last, Box) and last.kind == "layers" and last.group is None and self.follows(last.parts[-1], layer):
            last.parts.append(layer)
        else:
            last = Box(layer.id, "layers", [layer], factor=factor)
            children.append(last)
        self.seen[layer.id] = last.id

    def follows(self, before: Group | Layer | Terminal, layer: Layer) -> bool:
        if not isinstance(before, Layer):
            return False
        node = layer.node
        if len(node.inputs) != 1 or len(layer.outputs) != 1 or node.op.receptive_field is not None:
            return False
        value = node.inputs[0]
        plain = layer.numbers.weights["macs"] == 0 and layer.outputs[0].shape == layer.inputs[0].shape
        return plain and len(before.outputs) == 1 and value is before.node.outputs[0] and self.readers[value] == 1

    def shown(self, group: Group, level: int, stack: Stack | None, factor: int) -> Frame | Box:
        passing = is_passing(group)
        if level < self.depth or passing:
            return _compact(self.frame(group, level + (not passing), stack, factor))
        self.seen.update((layer.id, group.id) for layer in group.layers())
        return Box(group.id, "group", [group], stack, factor)

    def stand_in(self, members: list[Group]) -> None:
        """The first member stands for the others, layer by layer."""
        first = [layer.id for layer in members[0].layers()]
        stack = members[0].id
        for index, member in enumerate(members):
            for stand, layer in zip(first, member.layers(), strict=True):
                self.seen[layer.id] = self.seen[stand]
                self.turns[layer.id] = {**self.turns.get(stand, {}), stack: index}

    def wires(self) -> list[Wire]:
        """Edges between boxes, each pair of boxes once."""
        found: dict[tuple[str, str], Wire] = {}
        values: dict[tuple[str, str], set[object]] = {}
        for edge in self.drawn.edges:
            source, target = self.seen[edge.source], self.seen[edge.target]
            if edge.anchor or source == target or self.next_turn(edge.source, edge.target):
                continue
            new = (source, target) not in found
            wire = found.setdefault((source, target), Wire(source, target, []))
            known = values.setdefault((source, target), set())
            if edge.value not in known and (new or not self.beside(edge.source)):
                known.add(edge.value)
                wire.shapes.append(shape_text(edge.type))
        return list(found.values())

    def next_turn(self, source: str, target: str) -> bool:
        """Whether an edge goes from one member of a stack to the next, or is one that its first member shows already."""
        there = self.turns.get(target, {})
        return any(stack in there and (index, there[stack]) != (0, 0) for stack, index in self.turns.get(source, {}).items())

    def beside(self, source: str) -> bool:
        """Whether another member of a stack side by side shows already what a layer gives."""
        return any(index > 0 and stack in self.parallel for stack, index in self.turns.get(source, {}).items())
