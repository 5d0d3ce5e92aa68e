"""Nothing overlaps, everything stays inside, every wire ends where it should: on scenes, and on the SVG as it is read."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, seed, settings

from convspec import api
from convspec.diagnostics import Failure
from convspec.draw.diagram import Stack, diagram
from convspec.draw.layout import lay_out
from convspec.draw.lettering import letter
from convspec.draw.look import Look
from convspec.draw.render import draw
from convspec.draw.scene import Box, Frame, Scene, watch
from convspec.elaborate.module import Module
from tests.draw.networks import ALL, module
from tests.fuzz.checks import Network
from tests.fuzz.specs import Spec, specs

LOOKS = (Look(), Look(depth=0), Look(depth=99, direction="right"), Look(depth=99, unroll=True))
_SVG = "{http://www.w3.org/2000/svg}"
_NEAR = 0.6
"""Numbers are written with two decimals, and Graphviz rounds sizes."""

Area = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def laid_out(of: Module, look: Look) -> Scene:
    scene = watch(diagram(of), look.depth, look.unroll)
    letter(scene, look.colour)
    lay_out(scene, look.direction)
    return scene


def area(thing: Box | Frame) -> Area:
    return thing.x, thing.y, thing.x + thing.width, thing.y + thing.height


def inside(inner: Area, outer: Area, near: float = _NEAR) -> bool:
    low = inner[0] >= outer[0] - near and inner[1] >= outer[1] - near
    return low and inner[2] <= outer[2] + near and inner[3] <= outer[3] + near


def overlap(a: Area, b: Area, near: float = _NEAR) -> bool:
    return min(a[2], b[2]) - max(a[0], b[0]) > near and min(a[3], b[3]) - max(a[1], b[1]) > near


def check_scene(scene: Scene) -> None:
    whole = (0.0, 0.0, scene.width, scene.height)
    # Graphviz gives six digits: beyond a hundred thousand pixels places are rounded to ten.
    near = _NEAR if max(whole) < 90_000 else 10
    for frame in (scene.root, *scene.root.frames()):
        for a, b in combinations(frame.children, 2):
            assert not overlap(area(a), area(b), near), f"{a.id} lies over {b.id}"
        for child in frame.children:
            assert inside(area(child), whole if frame is scene.root else area(frame), near), f"{child.id} leaves {frame.id}"
            if frame is not scene.root:  # nor does anything stand on the head of its group
                head = (frame.x, frame.y, frame.x + frame.header_width, frame.y + frame.header_height + 4)
                assert not overlap(area(child), head, near), f"{child.id} lies on the head of {frame.id}"
    boxes = {box.id: box for box in scene.root.boxes()}
    for wire in scene.wires:
        assert on_border(wire.points[0], boxes[wire.source], near), f"{wire.source} → {wire.target} begins elsewhere"
        assert on_border(wire.tip, boxes[wire.target], near), f"{wire.source} → {wire.target} ends elsewhere"
        assert len(wire.points) % 3 == 1
    labels = [
        (wire.place[0] - wire.width / 2 + 4, wire.place[1] - wire.height / 2 + 1.5,
         wire.place[0] + wire.width / 2 - 4, wire.place[1] + wire.height / 2 - 1.5)
        for wire in scene.wires
        if wire.place is not None
    ]  # fmt: skip
    for label in labels:
        assert inside(label, whole, near)
        assert not any(overlap(label, area(box), near) for box in boxes.values()), "a shape is written on a box"
    assert not any(overlap(a, b, near) for a, b in combinations(labels, 2)), "two shapes are written over each other"


def on_border(point: tuple[float, float], box: Box, near: float = _NEAR) -> bool:
    """Within a pixel of it; the sheets of a stack stand out by ten."""
    x, y = point
    left, top, right, bottom = area(box)
    edge = near + 0.9
    out = edge + (0 if box.stack is None else 5 * min(box.stack.count - 1, 2))
    close = left - edge <= x <= right + out and top - edge <= y <= bottom + out
    return close and (min(abs(x - left), abs(y - top)) <= edge or x >= right - edge or y >= bottom - edge)


def check_svg(picture: str) -> None:
    root = ET.fromstring(picture)
    for group in root.iter(f"{_SVG}g"):
        if group.get("class") in ("row", "input", "output"):
            check_row(group)


def check_row(group: ET.Element) -> None:
    """Text stays in its row, and two texts of it are apart."""
    shape = next(child for child in group if child.tag in (f"{_SVG}path", f"{_SVG}rect"))
    room = area_of(shape)
    found = list(texts(group))
    for text in found:
        assert inside(text, room), ET.tostring(group, "unicode")
    for a, b in combinations(found, 2):
        assert not overlap(a, b), ET.tostring(group, "unicode")


def area_of(shape: ET.Element) -> Area:
    if shape.tag == f"{_SVG}rect":
        x, y, wide, high = (float(shape.attrib[name]) for name in ("x", "y", "width", "height"))
        return x, y, x + wide, y + high
    found = re.fullmatch(
        r"M([-\d.]+) ([-\d.]+)a([\d.]+) [\d.]+ 0 0 1 [-\d.]+ [-\d.]+h([\d.]+)a[^v]*v([\d.]+)a([\d.]+) .*", shape.attrib["d"]
    )
    assert found is not None, shape.attrib["d"]
    x, y, upper, wide, high, lower = map(float, found.groups())
    return x, y - upper, x + wide + 2 * upper, y - upper + high + upper + lower


def texts(root: ET.Element) -> Iterator[Area]:
    """The area of each text: as wide as it says; three quarters of its size above the base line, a quarter below."""
    for text in root.iter(f"{_SVG}text"):
        x, y, wide = (float(text.attrib[name]) for name in ("x", "y", "textLength"))
        classes = text.get("class", "").split()
        size = 10 if "small" in classes else 17 if "name" in classes else 12
        left = x - wide * {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor", "start")]
        yield left, y - 0.75 * size, left + wide, y + 0.25 * size


@pytest.mark.parametrize("name", ALL)
def test_nothing_overlaps(name: str) -> None:
    of = module(name)
    check_scene(laid_out(of, LOOKS[0]))
    check_svg(str(draw(of, "svg", LOOKS[1])))


@pytest.mark.parametrize("name", ["residual", "unet", "zoo:googlenet", "zoo:resnet50", "zoo:siamese"])
@pytest.mark.parametrize("look", LOOKS[2:])
def test_nothing_overlaps_where_all_is_open(name: str, look: Look) -> None:
    check_scene(laid_out(module(name), look))


@seed(7)
@settings(max_examples=12, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(spec=specs())
def test_nothing_overlaps_in_random_networks(spec: Spec) -> None:
    try:
        of = Network(spec).module
    except Failure:
        return
    check_scene(laid_out(of, LOOKS[3]))
    check_svg(str(draw(of, "svg")))


@pytest.mark.zoo
def test_nothing_overlaps_in_the_whole_zoo() -> None:
    from convspec.zoo import networks

    for network in networks():
        of = api.load(network.library, network.name).module
        for look in LOOKS[:3]:
            check_scene(laid_out(of, look))


def test_every_layer_is_seen_once_where_all_is_open() -> None:
    of = module("zoo:googlenet")
    root = ET.fromstring(str(draw(of, "svg", Look(depth=99, unroll=True))))
    rows = [group.get("data-id") for group in root.iter(f"{_SVG}g") if group.get("class") == "row"]
    layers = [row for row in rows if row and row.startswith("n")]
    assert sorted(layers) == sorted(f"n{index}" for index in range(len(of.graph.nodes)))


def test_a_folded_group_hides_its_layers_and_keeps_its_wires() -> None:
    scene = laid_out(module("residual"), Look(depth=0))
    assert [box.id for box in scene.root.boxes()] == ["in0", "n0", "g1", "n20", "out0"]
    assert [(wire.source, wire.target) for wire in scene.wires] == [("in0", "n0"), ("n0", "g1"), ("g1", "n20"), ("n20", "out0")]
    assert [wire.text for wire in scene.wires] == ["3×8h×8w", "8×8h×8w", "8×8h×8w", "2×8h×8w"]


def test_a_stack_is_drawn_once_with_its_number() -> None:
    scene = laid_out(module("residual"), Look(depth=1))
    (box,) = (box for box in scene.root.boxes() if box.stack is not None)
    assert (box.id, box.stack, box.rows[0].lines[0].note) == ("g2", Stack(0, 3), "0 … 2")
    assert len(list(laid_out(module("residual"), Look(depth=1, unroll=True)).root.boxes())) == 4 + 3
    picture = str(draw(module("residual"), "svg", Look(depth=1)))
    assert "×3</text>" in picture


def test_branches_side_by_side_are_drawn_once_with_one_wire_to_each_reader() -> None:
    scene = laid_out(module("parallel"), Look(depth=0))
    assert [(wire.source, wire.target, wire.text) for wire in scene.wires] == [
        ("in0", "g1", "4×8×8"),
        ("g1", "g5", "4×8×8"),
        ("g5", "g6", "4×8×8"),
        ("g6", "n21", "3×6×6"),
        ("n21", "out0", "9×6×6"),
    ]
    opened = laid_out(module("parallel"), Look(depth=1))
    adds = [layer.id for layer in scene.diagram.root.layers() if layer.node.op.name == "add"]
    assert [wire.target for wire in opened.wires if wire.source == "n2"] == adds  # the second convolution of the experts
    picture = str(draw(module("parallel"), "svg", Look(depth=0)))
    assert "4 in parallel</text>" in picture and "4 alike, side by side; each has:" in picture


def test_unfolding_one_level_shows_the_shortcut() -> None:
    scene = laid_out(module("residual"), Look(depth=2))
    pairs = {(wire.source, wire.target) for wire in scene.wires}
    assert ("n0", "n6") in pairs  # from the stem past the block's convolutions to its addition
    assert ("n2", "n5") in pairs


def test_the_checks_can_fail() -> None:
    scene = laid_out(module("residual"), Look())
    first, second = list(scene.root.boxes())[:2]
    second.y = first.y
    with pytest.raises(AssertionError, match="lies over"):
        check_scene(scene)
    picture = str(draw(module("residual"), "svg"))
    wider = re.sub(r'textLength="[\d.]+"', 'textLength="999"', picture)
    with pytest.raises(AssertionError):
        check_svg(wider)


def test_large_networks_are_drawn() -> None:
    """A thousand layers, all shown; and one whose layers all lead to the last, which no layout takes as it is."""
    chain = "y = y -> conv(4, 3x3, pad = 1) -> relu\n y = (y -> conv(4, 3x3, pad = 1)) + y"
    text = "model M {\n input x: float32[1, 4, 8, 8]\n y = x\n for i in 0..%d { %s }\n output y\n}\n"
    scene = laid_out(api.loads(text % (250, chain)).module, LOOKS[3])
    assert sum(len(box.parts) for box in scene.root.boxes()) == 1000 + 2
    check_scene(laid_out(api.loads(text % (60, chain)).module, LOOKS[3]))
    gathered = "y = y -> conv(4, 3x3, pad = 1)\n ys = ys + [y]"
    dense = text.replace("y = x", "y = x\n ys = []").replace("output y", "output z = concat(ys)")
    scene = laid_out(api.loads(dense % (180, gathered)).module, LOOKS[3])
    assert len(list(scene.root.boxes())) == 183
    boxes = {box.id: box for box in scene.root.boxes()}
    for wire in scene.wires:
        assert on_border(wire.tip, boxes[wire.target])
