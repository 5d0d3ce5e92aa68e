"""Volumes are to scale: measured on the SVG."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import combinations, pairwise

import pytest

from convspec import api
from convspec.diagnostics import Failure
from convspec.draw.chain import chain
from convspec.draw.diagram import diagram
from convspec.draw.look import Look
from convspec.draw.render import draw
from tests.draw.test_geometry import overlap, texts

_SVG = "{http://www.w3.org/2000/svg}"
VOLUMES = Look(style="volumes")
TEXT = """model V {
    input image: float32[N, 4, 64, 32]
    output image -> c1: conv(8, 5x3, pad = same) -> batchnorm -> relu -> maxpool(2x2) -> c2: conv(16, 3x3, pad = 1)
        -> flatten -> f1: linear(1000) -> relu -> f2: linear(500)
}
"""


def picture(text: str = TEXT, look: Look = VOLUMES) -> ET.Element:
    return ET.fromstring(str(draw(api.loads(text).module, "svg", look)))


def sides(root: ET.Element) -> list[tuple[float, float, float]]:
    """Thickness, height and depth (to the right) of each volume; a bar has no depth."""
    found = []
    for group in root.iter(f"{_SVG}g"):
        if group.get("class") != "volume":
            continue
        bar = group.find(f"{_SVG}rect")
        if bar is not None:
            found.append((float(bar.attrib["width"]), float(bar.attrib["height"]), 0.0))
            continue
        edges = [path.attrib["d"] for path in group.iter(f"{_SVG}path") if path.get("class") == "edge"]
        corners = [[tuple(map(float, pair.split(","))) for pair in re.split("[MLz]", edge) if pair] for edge in edges]
        front = corners[0]
        depth = corners[1][1][0] - corners[1][0][0] if len(corners) > 1 else 0.0
        found.append((front[1][0] - front[0][0], front[2][1] - front[1][1], depth))
    return found


def test_sides_are_to_scale() -> None:
    steps = chain(diagram(api.loads(TEXT).module))
    extents = [step.extents for step in steps]
    assert extents == [(4, 64, 32), (8, 64, 32), (8, 32, 16), (16, 32, 16), (16 * 32 * 16,), (1000,), (500,)]
    seen = sides(picture())
    boxes, bars = seen[:4], seen[4:]
    for (channels, high, wide), (thick, tall, deep) in zip(extents[:4], boxes, strict=True):
        assert thick / boxes[0][0] == pytest.approx(channels / 4, rel=0.01)
        assert tall / boxes[0][1] == pytest.approx(high / 64, rel=0.01)
        assert deep / boxes[0][2] == pytest.approx(wide / 32, rel=0.02)
    assert bars[1][1] / bars[0][1] == pytest.approx(1000 / 8192, rel=0.01)
    assert bars[2][1] / bars[1][1] == pytest.approx(0.5, rel=0.02)


def test_a_window_is_to_scale_on_its_input() -> None:
    root = picture()
    windows = [path.attrib["d"] for path in root.iter(f"{_SVG}path") if path.get("class") == "window"]
    assert len(windows) == 3  # two convolutions and the pool
    corners = [tuple(map(float, pair.split(","))) for pair in re.split("[MLz]", windows[0]) if pair]
    _, tall, deep = sides(root)[0]
    assert corners[2][1] - corners[1][1] == pytest.approx(tall * 5 / 64, abs=0.05)
    assert corners[1][0] - corners[0][0] == pytest.approx(deep * 3 / 32, abs=0.05)


def test_it_says_what_it_shows() -> None:
    said = [text.text or "" for text in picture().iter(f"{_SVG}text")]
    for wanted in (
        "4@64×32",
        "8@32×16",
        "8,192",
        "1,000",
        "c1",
        "conv 5×3",
        "batchnorm",
        "maxpool 2×2 /2",
        "flatten",
    ):
        assert wanted in said, wanted
    assert any("to scale" in each for each in said)
    logs = [text.text or "" for text in picture(look=Look(style="volumes", log=True)).iter(f"{_SVG}text")]
    assert any("as logarithms" in each for each in logs)


def test_open_sizes_are_said() -> None:
    text = TEXT.replace("64, 32]", "8*h, 8*w]").partition("-> flatten")[0] + "\n}\n"
    said = " ".join(text.text or "" for text in picture(text).iter(f"{_SVG}text"))
    assert "at h = 28, w = 28" in said and "4@224×224" in said


@pytest.mark.parametrize("name", ["lenet5", "alexnet", "vgg16", "basset", "c3d", "darknet19", "nin"])
@pytest.mark.parametrize("log", [False, True])
def test_captions_are_apart(name: str, log: bool) -> None:
    module = api.load(f"zoo:{name}").module
    root = ET.fromstring(str(draw(module, "svg", Look(style="volumes", log=log))))
    groups = [group for group in root if group.tag == f"{_SVG}g"]
    for group in groups:
        found = list(texts(group))
        assert not any(overlap(a, b) for a, b in combinations(found, 2)), name
    volumes = [group for group in root.iter(f"{_SVG}g") if group.get("class") == "volume"]
    lefts = [min(map(float, re.findall(r"[M ](-?[\d.]+),", path.attrib["d"])), default=0) for path in
             (group.find(f"{_SVG}path") for group in volumes) if path is not None]  # fmt: skip
    assert all(a < b for a, b in pairwise(lefts))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("zoo:resnet18", "without branches"),
        ("zoo:siamese", "one input and one output; this has 2 inputs and 1 output"),
        ("zoo:ssd300", "one input and one output"),
    ],
)
def test_what_cannot_be_shown_is_said(name: str, why: str) -> None:
    with pytest.raises(Failure, match=why) as raised:
        draw(api.load(name).module, "svg", VOLUMES)
    (diagnostic,) = raised.value.diagnostics
    assert (diagnostic.code, diagnostic.hint) == ("CNN401", "--style blocks draws any network")


def test_a_long_network_is_too_long() -> None:
    text = "model M {\n input x: float32[1, 4, 99, 99]\n for i in 0..45 { x = x -> conv(4, 3x3) }\n output x\n}\n"
    with pytest.raises(Failure, match="at most 40 tensors, and this network has 46"):
        draw(api.loads(text).module, "svg", VOLUMES)


def test_a_network_that_passes_its_input_on() -> None:
    text = "model Passed {\n    input x: float32[N, 4]\n    output x\n}\n"
    assert sides(picture(text))[0][2] == 0
