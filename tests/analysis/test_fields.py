"""`convspec rf`: units as they are named, tables and windows in words, the effective field and its pictures."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

import convspec
from convspec import Failure
from convspec.analysis.field_report import drawing, field_table, fields_json, window_lines, windows_json
from convspec.analysis.places import find_unit
from convspec.analysis.receptive_field import receptive_fields, show
from convspec.analysis.window import AxisWindow, unit_windows
from convspec.api import Net
from convspec.cli.app import app
from convspec.field import Effective, effective_field
from convspec.field.heat import HEAD, SIDE, panels, to_png, to_svg

BOXES = "model B {\n    input x: float32[N, 1, 21, 21]\n    output x -> a: conv(1, 3x3, bias = false)%s\n}\n"
RESIDUAL = """model R {
    input x: float32[N, 4, H >= 8, 12]
    y = x -> stem: conv(4, 3x3, pad = 1)
    z = y -> a: conv(4, 3x3, pad = 1) -> b: conv(4, 3x3, pad = 1)
    output both = y + z -> last: conv(2, 1x1) -> pool: global_avgpool -> flatten
}
"""


def _boxes(depth: int) -> Net:
    """Convolutions of 3x3 whose weights are all one."""
    more = "".join(f" -> a{number}: conv(1, 3x3, bias = false)" for number in range(1, depth))
    net = convspec.loads(BOXES % more)
    ones = {name: np.ones_like(array) for name, array in net.weights.items()}
    return Net(net.module, ones)


def _field(net: Net, at: str, **sizes: int) -> Effective:
    (field,) = effective_field(net, find_unit(net.module.graph, at, sizes), sizes, 3)
    return field


# ── places ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "space"),
    [
        ("stem[0,0]", (0, 0)),
        (" stem [ -1 , 3 ] ", (9, 3)),
        ("stem", (5, 6)),
        ("last[-10,-12]", (0, 0)),
        ("x[9,11]", (9, 11)),
        ("both[0]", None),
        ("stem[1,2,3]", None),
        ("stem[10,0]", None),
        ("stem[0,-13]", None),
        ("stem[]", None),
        ("stem[1;2]", None),
        ("stem[1.5,2]", None),
        ("stem[٣,0]", None),
        ("nowhere", None),
        ("", None),
        ("[0,0]", None),
        ("stem[0,0", None),
        ("stem[0][1]", None),
        ("stem\n[0,0]\n", (0, 0)),
    ],
)
def test_places(text: str, space: tuple[int, ...] | None) -> None:
    graph = convspec.loads(RESIDUAL).module.graph
    if space is not None:
        assert find_unit(graph, text, {"N": 1, "H": 10}).space == space
        return
    with pytest.raises(Failure) as caught:
        find_unit(graph, text, {"N": 1, "H": 10})
    (found,) = caught.value.diagnostics
    assert found.code == "CNN401"
    assert found.hint


def test_the_end_of_a_label_is_a_hint() -> None:
    graph = convspec.load("zoo:resnet18").module.graph
    with pytest.raises(Failure, match=r"no layer `0\.conv2`") as caught:
        find_unit(graph, "0.conv2", {"h": 2, "w": 2})
    assert caught.value.diagnostics[0].hint == "did you mean layer1.0.conv2, layer2.0.conv2, layer3.0.conv2, layer4.0.conv2?"


def test_python_asks_a_network() -> None:
    net = convspec.loads(RESIDUAL)
    assert show(net.receptive_field()["last"]) == "7x7"
    (window,) = net.receptive_field("b[0,11]", {"H": 8})
    assert [(axis.low, axis.high, axis.before, axis.after) for axis in window.axes] == [(0, 3, 3, 0), (8, 11, 0, 3)]
    with pytest.raises(Failure, match="the size H needs a value"):
        net.receptive_field("b[0,11]")


# ── tables ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_shortcut_is_the_narrowest_way() -> None:
    """By hand: 3 for the stem, 2 more for each of the two convolutions; the shortcut goes round both."""
    table = field_table(convspec.loads(RESIDUAL).module.graph)
    rows = {row[0]: row[3:] for row in table.rows}
    assert rows["b"] == ("7x7", "1", "0", "7x7")
    assert rows["last"] == ("7x7", "1", "0", "3x3")
    assert rows["pool"] == ("all", "-", "-", "all")
    assert "flatten1" not in rows


def test_resnet18_by_hand() -> None:
    """7 with stride 2, a pool of 3 with stride 2; then 2 blocks of 2 convolutions; a shortcut is nothing, or 1x1."""
    graph = convspec.load("zoo:resnet18").module.graph
    widest, narrowest = receptive_fields(graph), receptive_fields(graph, least=True)
    last = next(value for value in widest if value.name == "layer4.1.act2")
    assert (show(widest[last]), show(narrowest[last])) == ("435x435", "11x11")
    assert [field.jump for field in widest[last] if field] == [32, 32]


def test_what_is_cropped_like_another_is_not_seen_through_it() -> None:
    text = "model M {\n    input x: float32[1, 1, 12]\n    y = x -> conv(1, 5)\n    output c = x -> crop(like = y)\n}\n"
    graph = convspec.loads(text).module.graph
    (field,) = receptive_fields(graph)[graph.outputs[0].value]
    assert field is not None
    assert (field.size, int(field.offset)) == (1, 2)


def test_the_table_as_data() -> None:
    found = fields_json(convspec.loads(RESIDUAL).module.graph)
    assert found[0]["receptive_field"] == [{"size": 3, "jump": "1", "offset": "0"}] * 2
    assert next(row for row in found if row["label"] == "pool")["receptive_field"] == [None, None]


# ── windows ──────────────────────────────────────────────────────────────────────────────────────────────────


def _lines(text: str, at: str, **sizes: int) -> list[str]:
    graph = convspec.loads(text).module.graph
    unit = find_unit(graph, at, sizes)
    return list(window_lines(unit, unit_windows(graph, unit.value, unit.position, sizes), sizes))


def test_a_corner_in_words_and_drawn() -> None:
    assert _lines(RESIDUAL, "b[0,11]", N=1, H=8) == [
        "b[0, 11] of float32[1, 4, 8, 12] at N = 1, H = 8",
        "",
        "  x: 4x4 of 8x12: rows 0 to 3 (and 3 of padding above), columns 8 to 11 (and 3 of padding right)",
        "",
        *["          ░░░░░░░"] * 3,
        *["  ········████░░░"] * 4,
        *["  ············"] * 4,
        "  ",
        "  █ seen, ░ padding",
    ]


def test_a_single_cell_and_three_axes() -> None:
    text = (
        "model M {\n    input x: float32[N, 1, 4, 4, 4]\n    output x -> c: conv(1, 3x1x1, pad = [[1, 1], [0, 0], [0, 0]])\n}\n"
    )
    assert _lines(text, "c[3,0,2]", N=1)[2:] == [
        "  x: 2x1x1 of 4x4x4: planes 2 to 3 (and 1 of padding behind), row 0, column 2"
    ]


def test_padding_between_dilated_cells_counts() -> None:
    """Unit 1 reads -1, 1 and 3."""
    text = "model M {\n    input x: float32[N, 1, 9]\n    output x -> c: conv(1, 3, dilation = 2, pad = 2)\n}\n"
    assert "cells 1 to 3 (and 1 of padding before)" in _lines(text, "c[1]", N=1)[2]


def test_nothing_is_padding_where_no_layer_pads() -> None:
    net = convspec.load("zoo:unet", "UNet2D", {"pad": 0})
    graph, sizes = net.module.graph, {"N": 1, "h": 4, "w": 4}
    unit = find_unit(graph, "logits", sizes)
    (window,) = unit_windows(graph, unit.value, unit.position, sizes)
    assert [(axis.before, axis.after) for axis in window.axes] == [(0, 0), (0, 0)]


def test_wide_inputs_are_drawn_small() -> None:
    rows, columns = AxisWindow(7, 7, 5000, 900, 0, True), AxisWindow(0, 99_999, 100_000, 0, 3, True)
    lines = list(drawing((rows, columns)))
    assert len(lines) <= 20
    assert max(map(len, lines)) <= 40
    assert any("█" in line for line in lines)


def test_windows_as_data() -> None:
    net = convspec.loads(RESIDUAL)
    unit = find_unit(net.module.graph, "a[0,0]", {"N": 1, "H": 8})
    windows = unit_windows(net.module.graph, unit.value, unit.position, {"N": 1, "H": 8})
    assert json.loads(json.dumps(windows_json(unit, windows, {"H": 8})))["inputs"] == [
        {
            "name": "x",
            "axes": [
                {"first": 0, "last": 2, "size": 8, "padding": [2, 0], "exact": True},
                {"first": 0, "last": 2, "size": 12, "padding": [2, 0], "exact": True},
            ],
        }
    ]


# ── the effective field ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_boxes_make_a_binomial_like_map(depth: int) -> None:
    """The gradient of a stack of boxes is the box convolved with itself, whatever the input."""
    row = np.ones(1)
    for _ in range(depth):
        row = np.convolve(row, np.ones(3))
    kernel = np.outer(row, row) / row.sum() ** 2
    field = _field(_boxes(depth), "a" if depth == 1 else f"a{depth - 1}", N=1)
    (rows, columns) = field.window.axes
    assert np.allclose(field.map[rows.low : rows.high + 1, columns.low : columns.high + 1], kernel)
    assert field.inside == pytest.approx(1)
    assert field.map.sum() == pytest.approx(1)
    assert field.spread == pytest.approx((np.sqrt(depth * 2 / 3),) * 2)  # the variance of a box of 3 is 2/3
    smallest = next(
        r for r in range(depth + 1) if kernel[depth - r : depth + r + 1, depth - r : depth + r + 1].sum() >= 0.95 - 1e-12
    )
    assert field.held == (2 * smallest + 1,) * 2


def test_the_seed_decides_and_95_percent_lie_within_the_window() -> None:
    text = (
        "model M {\n    input x: float32[N, 1, 14, 9]\n    output x -> conv(3, 4x3) -> tanh -> c: conv(2, 3x2, stride = 2)\n}\n"
    )
    net = convspec.loads(text)
    unit = find_unit(net.module.graph, "c[0,1]", {"N": 1})
    one, again, other = (effective_field(net, unit, {"N": 1}, 4, seed)[0] for seed in (0, 0, 1))
    assert np.array_equal(one.map, again.map)
    assert not np.array_equal(one.map, other.map)
    for (low, high), axis in zip(one.held_box, one.window.axes, strict=True):
        assert axis.low <= low <= high <= axis.high


def test_indices_have_no_gradient() -> None:
    text = "model M {\n    input x: int64[N, 9]\n    output x -> embedding(5, 4) -> c: conv(2, 3)\n}\n"
    with pytest.raises(Failure, match="sees no input of real numbers"):
        _field(convspec.loads(text), "c", N=1)


# ── pictures ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_window_in_pixels() -> None:
    """21 cells are 320 pixels; the middle unit of 5 boxes sees cells 5 to 15."""
    for panel in panels(_field(_boxes(5), "a4", N=1)):
        assert panel.frame == pytest.approx((0, 0, SIDE, SIDE))
        assert panel.window == panel.reach == pytest.approx((5 * SIDE / 21, 5 * SIDE / 21, 16 * SIDE / 21, 16 * SIDE / 21))


def test_padding_makes_the_panel_larger_than_the_input() -> None:
    net = convspec.loads(RESIDUAL)
    panel, _ = panels(_field(net, "b[0,0]", N=1, H=12))
    cell = SIDE / 15
    assert panel.frame == pytest.approx((3 * cell, 3 * cell, SIDE, SIDE))
    assert panel.reach == pytest.approx((0, 0, 7 * cell, 7 * cell))
    assert panel.window == pytest.approx((3 * cell, 3 * cell, 7 * cell, 7 * cell))


def test_png_and_svg_show_one_size_and_escape_names(tmp_path: Path) -> None:
    text = "model M {\n    input x: float32[N, 1, 9, 7]\n    output x -> c: conv(1, 3x3)\n}\n"
    plain = _field(convspec.loads(text), "c", N=1)
    field = replace(plain, unit=replace(plain.unit, name='<b>&"ü'))
    svg = ElementTree.fromstring(to_svg(field, Image.new("L", (3, 3))))
    (tmp_path / "a.png").write_bytes(to_png(field))
    with Image.open(tmp_path / "a.png") as picture:
        assert (str(picture.width), str(picture.height)) == (svg.get("width"), svg.get("height"))
        assert picture.height == HEAD + SIDE + 56
    title = svg.find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert title.text is not None
    assert title.text.startswith('<b>&"ü[')


@pytest.mark.parametrize("sizes", [(30,), (4, 5, 6)])
def test_one_and_three_axes_have_pictures(sizes: tuple[int, ...]) -> None:
    kernel = "x".join("3" * len(sizes))
    shape = ", ".join(map(str, sizes))
    text = f"model M {{\n    input x: float32[N, 1, {shape}]\n    output x -> c: conv(1, {kernel}, pad = 1)\n}}\n"
    field = _field(convspec.loads(text), "c", N=1)
    assert field.inside == pytest.approx(1)
    ElementTree.fromstring(to_svg(field))


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.cnn").write_text(RESIDUAL)
    (tmp_path / "flat.cnn").write_text("model F {\n    input x: float32[N, 4]\n    output x -> linear(3)\n}\n")
    return "net.cnn"


def _rf(*args: str) -> Result:
    found = CliRunner().invoke(app, ["rf", *args])
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found


def test_the_table_in_every_format(spec: str) -> None:
    assert "narrowest way" in _rf(spec).output
    assert _rf(spec, "--format", "csv").output.startswith("label,layer,")
    assert _rf(spec, "--format", "markdown").output.startswith("| label")
    assert json.loads(_rf(spec, "--format", "json").output)["name"] == "R"


def test_the_table_at_sizes(spec: str) -> None:
    open_sizes, fixed = (
        json.loads(_rf(spec, *more, "--format", "json").output)["layers"] for more in ([], ["--sizes", "H=20"])
    )
    assert open_sizes[0]["output"] == "float32[N, 4, H, 12]"
    assert fixed[0]["output"] == "float32[N, 4, 20, 12]"
    assert [each["receptive_field"] for each in fixed] == [each["receptive_field"] for each in open_sizes]


def test_windows_of_several_units(spec: str) -> None:
    found = _rf(spec, "--at", "stem[0,0]", "--at", "a", "--sizes", "H=9")
    assert re.findall(r"^\S+\[.*?\] of", found.output, re.MULTILINE) == ["stem[0, 0] of", "a[4, 6] of"]
    assert len(json.loads(_rf(spec, "--at", "stem", "--at", "a", "--format", "json").output)) == 2


def test_an_effective_field_and_its_map(spec: str) -> None:
    found = _rf(spec, "--effective", "--at", "a", "--sizes", "H=9", "--samples", "2", "-o", "f.svg", "--format", "json")
    data: Any = json.loads(found.stdout)[0]
    assert np.shape(data["map"]) == (9, 12)
    assert Path("f.svg").read_text().startswith("<svg")


@pytest.mark.parametrize(
    "args",
    [
        ("net.cnn", "--at", "nowhere"),
        ("net.cnn", "--at", "stem", "--format", "csv"),
        ("net.cnn", "-o", "a.png"),
        ("net.cnn", "--picture", "a.png"),
        ("net.cnn", "--effective", "--at", "stem", "-o", "a.gif"),
        ("net.cnn", "--effective", "--at", "stem", "--at", "a", "-o", "a.png"),
        ("net.cnn", "--effective", "--at", "stem", "-o", "a.png", "--picture", "net.cnn"),
        ("net.cnn", "--effective", "--at", "stem", "-o", "no/where/a.png"),
        ("net.cnn", "--at", "stem", "--sizes", "H=7"),
        ("net.cnn", "--at", "stem", "--sizes", "Q=7"),
        ("flat.cnn",),
        ("flat.cnn", "--at", "x"),
        ("flat.cnn", "--effective"),
    ],
)
def test_mistakes_are_named(spec: str, args: tuple[str, ...]) -> None:
    found = _rf(*args)
    assert found.exit_code != 0
    assert re.search(r"error\[CNN\d+\]", found.output)
    assert not list(Path().glob("a.*"))
