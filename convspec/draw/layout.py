"""Places for everything in a scene, by Graphviz's `dot`, which comes with the wheels of pygraphviz.

Graphviz gets sizes and ids, no text: every box, header and label of a wire is as large as measured here, so that the places
do not depend on the fonts of a machine. One pixel is one of its points.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from math import hypot
from threading import Lock
from typing import Any

from convspec.diagnostics import error, fail
from convspec.draw.look import Direction
from convspec.draw.scene import Box, Frame, Point, Scene, sheets

MARGIN = 24.0
_SHEET = 5.0
"""How far the sheets of a stack stand out behind it."""
_INCH = 72.0
_ONE_AT_A_TIME = Lock()
"""Graphviz keeps its state for the whole process."""


def lay_out(scene: Scene, direction: Direction = "down") -> None:
    """Give every box and open group its place, and every wire its course. Failure CNN303 without pygraphviz."""
    if find_spec("pygraphviz") is None:
        hint = "pip install 'convspec[draw]', or write .mmd, .dot or .html, which need nothing more"
        raise fail(error("CNN303", "pygraphviz, which lays the picture out, is not installed", hint=hint))
    import pygraphviz

    spans = _spans(scene)
    graph = pygraphviz.AGraph(string="\n".join(_source(scene, spans, direction)))
    with _ONE_AT_A_TIME, _quiet():
        answer = json.loads(graph.draw(format="json0", prog="dot"))
    _take(scene, answer)
    _by_hand(scene, direction)
    if is_dense(spans):
        _label(scene, direction)


@contextmanager
def _quiet() -> Iterator[None]:
    """Graphviz writes to stderr that a large graph takes long; that is no diagnostic of ours, and cannot be turned off."""
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # there is no stderr
        yield
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


# ── what Graphviz is asked ───────────────────────────────────────────────────────────────────────────────────


def _source(scene: Scene, spans: list[int], direction: Direction) -> Iterator[str]:
    """The graph, without the wires that are drawn by hand. A wire's span is how many boxes further it leads."""
    down, dense = direction == "down", is_dense(spans)
    # In a dense picture room for labels would double its ranks, and every rank that a long wire passes costs time.
    large = dense or sum(1 for _ in scene.root.boxes()) > _LARGE
    effort = "nslimit=1, nslimit1=1, mclimit=0.05, " if large else ""
    effort += "splines=line, " if sum(span > _FAR for span in spans) > _FAR else ""
    gap = 1.2 if dense and not down else 0.28
    yield "digraph {"
    yield f"graph [rankdir={'TB' if down else 'LR'}, {effort}nodesep=0.3, ranksep={gap}, dpi=72, labeljust=l]"
    yield 'node [shape=box, fixedsize=true, label="", margin=0]'
    yield "edge [arrowhead=normal, arrowsize=0.55]"
    yield from _inside(scene.root)
    longest, trunk = _longest(spans), _trunk(scene, spans)
    for index, wire in enumerate(scene.wires):
        if spans[index] > longest:
            continue
        weight = 12 if index in trunk else 1
        label = f", label={_space(wire.width, wire.height)}" if wire.text and not dense else ""
        yield f"{wire.source} -> {wire.target} [id={index}, weight={weight}{label}]"
    yield "}"


def _trunk(scene: Scene, spans: list[int]) -> set[int]:
    """The wires to be drawn straight: those to the next box, where all others at both ends pass by, as shortcuts do.

    Where a network parts into branches, none of them is the trunk: they are set evenly on both sides.
    """
    leaving: dict[str, list[str]] = {}
    entering: dict[str, list[str]] = {}
    for wire in scene.wires:
        leaving.setdefault(wire.source, []).append(wire.target)
        entering.setdefault(wire.target, []).append(wire.source)
    return {
        index
        for index, wire in enumerate(scene.wires)
        if spans[index] == 1
        and all(len(entering[other]) > 1 for other in leaving[wire.source] if other != wire.target)
        and all(len(leaving[other]) > 1 for other in entering[wire.target] if other != wire.source)
    }


_DENSE, _LARGE, _FAR, _MOST = 6000, 300, 60, 1_500_000
"""Boxes passed by all wires in a dense picture; boxes in a large one; a far wire's span; and the sum of the squares
of spans that Graphviz can be given."""


def is_dense(spans: list[int]) -> bool:
    """Whether the wires pass so many boxes in all that the layout has to be cheaper."""
    return sum(spans) > _DENSE


def _longest(spans: list[int]) -> int:
    """The longest span that is given to Graphviz: all together are not more than it can take."""
    left = _MOST
    for span in sorted(spans):
        left -= span * span
        if left < 0:
            return span - 1
    return max(spans, default=0)


def _spans(scene: Scene) -> list[int]:
    order = {box.id: index for index, box in enumerate(scene.root.boxes())}
    return [order[wire.target] - order[wire.source] for wire in scene.wires]


def _inside(frame: Frame) -> Iterator[str]:
    for child in frame.children:
        if isinstance(child, Box):
            room = _SHEET * sheets(child.stack)
            yield f"{child.id} [width={(child.width + room) / _INCH:.4f}, height={(child.height + room) / _INCH:.4f}]"
        else:
            margin = 12 + _SHEET * sheets(child.stack)
            yield f"subgraph cluster_{child.id} {{"
            yield f"graph [margin={margin}, label={_space(child.header_width, child.header_height)}]"
            yield from _inside(child)
            yield "}"


def _space(width: float, height: float) -> str:
    """An empty label of that size."""
    size = f'FIXEDSIZE="TRUE" WIDTH="{width:.0f}" HEIGHT="{height:.0f}"'
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="0" CELLSPACING="0" {size}><TR><TD></TD></TR></TABLE>>'


# ── what it answers ──────────────────────────────────────────────────────────────────────────────────────────


def _take(scene: Scene, answer: dict[str, Any]) -> None:
    _, _, right, top = map(float, answer["bb"].split(","))
    scene.width, scene.height = right, top
    objects = {each["name"]: each for each in answer.get("objects", [])}
    for box in scene.root.boxes():
        x, y = map(float, objects[box.id]["pos"].split(","))
        room = _SHEET * sheets(box.stack)
        box.x, box.y = x - (box.width + room) / 2, top - y - (box.height + room) / 2
    for frame in scene.root.frames():
        left, low, far, high = map(float, objects[f"cluster_{frame.id}"]["bb"].split(","))
        frame.x, frame.y, frame.width, frame.height = left, top - high, far - left, high - low
    # Graphviz gives five digits: in a picture of more than a hundred thousand pixels its own size is less than what is in it.
    things: list[Box | Frame] = [*scene.root.boxes(), *scene.root.frames()]
    scene.width = max([scene.width, *(thing.x + thing.width for thing in things)])
    scene.height = max([scene.height, *(thing.y + thing.height for thing in things)])
    for edge in answer.get("edges", []):
        wire = scene.wires[int(edge["id"])]
        tip, *points = edge["pos"].split(" ")
        wire.tip = _point(tip.removeprefix("e,"), top)
        wire.points = [_point(text, top) for text in points]
        if "lp" in edge:
            wire.place = _point(edge["lp"], top)


def _point(text: str, top: float) -> Point:
    x, y = map(float, text.split(","))
    return x, top - y


def _by_hand(scene: Scene, direction: Direction) -> None:
    """Wires that were not given to Graphviz: straight, from the end of a box to the beginning of another, behind the others."""
    boxes = {box.id: box for box in scene.root.boxes()}
    for wire in scene.wires:
        if wire.points:
            continue
        source, target = boxes[wire.source], boxes[wire.target]
        if direction == "down":
            start = (source.x + source.width / 2, source.y + source.height)
            wire.tip = (target.x + target.width / 2, target.y)
        else:
            start = (source.x + source.width, source.y + source.height / 2)
            wire.tip = (target.x, target.y + target.height / 2)
        dx, dy = wire.tip[0] - start[0], wire.tip[1] - start[1]
        short = 1 - 6 / max(6.0, hypot(dx, dy))
        end = (start[0] + dx * short, start[1] + dy * short)
        wire.points = [start, start, end, end]


def _label(scene: Scene, direction: Direction) -> None:
    """Labels in the gap behind the box that a wire comes from, where one fits in: above all else they are to be read."""
    boxes = {box.id: box for box in scene.root.boxes()}
    taken: set[str] = set()
    for wire in scene.wires:
        box = boxes[wire.source]
        room = box.width if direction == "down" else _INCH
        if not wire.text or wire.source in taken or wire.width > room:
            wire.text = ""
            continue
        taken.add(wire.source)
        if direction == "down":
            wire.place = (box.x + box.width / 2, box.y + box.height + 1 + wire.height / 2)
        else:
            wire.place = (box.x + box.width + 4 + wire.width / 2, box.y + box.height / 2)
