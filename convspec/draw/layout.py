"""Places for everything in a scene, by Graphviz's `dot`, which comes with the wheels of pygraphviz.

Graphviz gets sizes and ids, no text: every box, header and label of a wire is as large as measured here, so that the places
do not depend on the fonts of a machine. One pixel is one of its points.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from convspec.diagnostics import error, fail
from convspec.draw.look import Direction
from convspec.draw.scene import Box, Frame, Point, Scene

MARGIN = 24.0
_SHEET = 5.0
"""How far the sheets of a stack stand out behind it."""
_INCH = 72.0


def lay_out(scene: Scene, direction: Direction = "down") -> None:
    """Give every box and open group its place, and every wire its course. Failure CNN303 without pygraphviz."""
    if find_spec("pygraphviz") is None:
        hint = "pip install 'convspec[draw]', or write .mmd, .dot or .html, which need nothing more"
        raise fail(error("CNN303", "pygraphviz, which lays the picture out, is not installed", hint=hint))
    import pygraphviz

    graph = pygraphviz.AGraph(string="\n".join(_source(scene, direction)))
    answer = json.loads(graph.draw(format="json0", prog="dot"))
    _take(scene, answer)


# ── what Graphviz is asked ───────────────────────────────────────────────────────────────────────────────────


def _source(scene: Scene, direction: Direction) -> Iterator[str]:
    rank = "TB" if direction == "down" else "LR"
    yield "digraph {"
    yield f'graph [rankdir={rank}, nodesep=0.3, ranksep=0.28, newrank=false, dpi=72, fontname="", labeljust=l, splines=spline]'
    yield 'node [shape=box, fixedsize=true, label="", margin=0]'
    yield "edge [arrowhead=normal, arrowsize=0.55]"
    yield from _inside(scene.root)
    order = {box.id: index for index, box in enumerate(scene.root.boxes())}
    for index, wire in enumerate(scene.wires):
        # What runs on to the next box is the trunk, and is drawn straight.
        weight = 12 if order[wire.target] - order[wire.source] == 1 else 1
        label = f", label={_space(wire.width, wire.height)}" if wire.text else ""
        yield f"{wire.source} -> {wire.target} [id={index}, weight={weight}{label}]"
    yield "}"


def _inside(frame: Frame) -> Iterator[str]:
    for child in frame.children:
        if isinstance(child, Box):
            room = _SHEET * min(child.times - 1, 2)
            yield f"{child.id} [width={(child.width + room) / _INCH:.4f}, height={(child.height + room) / _INCH:.4f}]"
        else:
            margin = 12 + _SHEET * min(child.times - 1, 2)
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
        room = _SHEET * min(box.times - 1, 2)
        box.x, box.y = x - (box.width + room) / 2, top - y - (box.height + room) / 2
    for frame in scene.root.frames():
        left, low, far, high = map(float, objects[f"cluster_{frame.id}"]["bb"].split(","))
        frame.x, frame.y, frame.width, frame.height = left, top - high, far - left, high - low
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
