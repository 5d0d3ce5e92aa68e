"""What the page says that a unit sees: the numbers are those of `convspec.analysis.window`, for any unit, borders included."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from convspec.analysis.window import AxisWindow, seen_by_units, unit_windows
from convspec.draw.diagram import diagram
from convspec.draw.html.fields import encoded
from convspec.ir.dims import evaluate
from tests.draw.html.conftest import Open, net_of

PADDED = """
model Padded {
    input image: float32[N, 1, 8, 10]
    output image -> one: conv(2, 3x3, pad = 1) -> two: conv(2, 3x3, stride = 2, pad = 1)
}
"""
LINE = """
model Line {
    input sound: float32[N, 1, 40]
    output sound -> one: conv(2, 5, stride = 2) -> up: upsample(2) -> two: conv(1, 3, pad = 1, dilation = 2)
}
"""
VOLUME = """
model Volume {
    input scan: float32[N, 1, 6, 8, 10]
    output scan -> one: conv(2, 3x3x3, pad = 1) -> maxpool(2x2x2)
}
"""
PAIR = """
model Pair {
    input left: float32[N, 1, 8, 8]
    input right: float32[N, 1, 16, 16]
    a = left -> conv(2, 3x3, pad = 1)
    b = right -> conv(2, 3x3, stride = 2, pad = 1)
    output sum = a + b -> conv(1, 3x3)
    output other = b -> global_avgpool
}
"""
OPEN = """
model Open {
    input image: float32[N, 1, 4*h, 4*w]
    output image -> conv(2, 5x5, stride = 2, pad = 2) -> conv_transpose(1, 4x4, stride = 2, pad = 1)
}
"""


def choose(page: Page, layer: str) -> None:
    """The layer with an id, as a click on it would."""
    page.click("#unfold-all")
    page.locator(f'#stage [data-id="{layer}"]').dispatch_event("click")


def set_unit(page: Page, places: Sequence[int]) -> None:
    fields = page.locator("#details .unit input[type=number]")
    assert fields.count() == len(places)
    for at, place in enumerate(places):
        fields.nth(at).fill(str(place))
        fields.nth(at).dispatch_event("change")


def shown(page: Page) -> dict[str, list[dict[str, Any]]]:
    """What the page says, by input."""
    rows = page.eval_on_selector_all("#details [data-window]", "all => all.map(e => [e.dataset.input, e.dataset.window])")
    found: dict[str, list[dict[str, Any]]] = {}
    for name, window in rows:
        found.setdefault(name, []).append(json.loads(window))
    return found


def test_borders_and_padding_counted_by_hand(opened: Open) -> None:
    page = opened(PADDED)
    choose(page, "n0")
    set_unit(page, (0, 9))
    (windows,) = shown(page).values()
    assert [(each["cells"], each["before"], each["after"]) for each in windows] == [([0, 1], 1, 0), ([8, 9], 0, 1)]
    choose(page, "n1")
    set_unit(page, (1, 0))
    (windows,) = shown(page).values()
    assert [(each["cells"], each["before"], each["after"]) for each in windows] == [([0, 4], 0, 0), ([0, 2], 2, 0)]
    assert page.locator("#details .padding").count() == 1
    text = page.locator("#details .window-table").inner_text()
    assert "0 … 4" in text and "padding: 2 before" in text


ASK = """wanted => {
  const fields = JSON.parse(document.getElementById('data').textContent).fields;
  return wanted.map(([id, position]) => {
    document.querySelector(`#stage [data-id="${id}"]`).dispatchEvent(new MouseEvent('click', {bubbles: true}));
    const boxes = document.querySelectorAll('#details .unit input[type=number]');
    (fields.layers[id]?.units ?? []).forEach(([axis], at) => {
      boxes[at].value = position[axis - 1]; boxes[at].dispatchEvent(new Event('change')); });
    return [...document.querySelectorAll('#details [data-window]')].map(row => {
      const {cells, exact, before, after} = JSON.parse(row.dataset.window);
      return [row.dataset.input, cells, exact, before, after]; });
  });
}"""
"""What the page says of units at places (channel first): through clicks and fields, as a reader would."""


def places(shape: Sequence[int]) -> list[list[int]]:
    """First, last, middle and odd units."""
    rng = random.Random(str(shape))
    corners = [[0] * len(shape), [size - 1 for size in shape], [size // 2 for size in shape]]
    return [*corners, *([rng.randrange(size) for size in shape] for _ in range(3))]


def padding(axis: AxisWindow) -> tuple[int, int]:
    """Cells of padding, told only at a border that the unit sees."""
    before = axis.before if axis.low == 0 else 0
    return before or 0, (axis.after or 0) if axis.high == axis.size - 1 else 0


@pytest.mark.parametrize(
    ("spec", "model"),
    [
        (PADDED, None),
        (LINE, None),
        (VOLUME, None),
        (PAIR, None),
        (OPEN, None),
        ("zoo:unet", "UNet2D"),
        pytest.param("zoo:inception_v3", None, marks=pytest.mark.zoo),
    ],
)
def test_every_unit_says_what_python_says(opened: Open, spec: str, model: str | None) -> None:
    net = net_of(spec, model)
    graph = net.module.graph
    drawn = diagram(net.module)
    page = opened(spec, model)
    page.click("#unfold-all")
    there = set(page.eval_on_selector_all("#stage .row", "all => all.map(each => each.dataset.id)"))
    layers = [layer for layer in drawn.root.layers() if layer.id in there]
    seen = seen_by_units(graph, drawn.basis)
    ids = {each.value.name: f"in{index}" for index, each in enumerate(graph.inputs)}
    asked, wanted = [], []
    for layer in {*layers[:: max(1, len(layers) // 6)], layers[-1]}:
        value = layer.node.outputs[0]
        for position in places([evaluate(size, drawn.basis) for size in value.type.shape[1:]]):
            asked.append([layer.id, position])
            wanted.append(
                [
                    [ids[window.name], [axis.low, axis.high], axis.exact, *padding(axis)]
                    for window in unit_windows(graph, value, position, drawn.basis, seen[value])
                    for axis in window.axes
                ]
            )
    assert len(asked) >= 12
    assert page.evaluate(ASK, asked) == wanted


def test_pointer_and_slider_choose_a_unit(opened: Open) -> None:
    page = opened(PADDED)
    choose(page, "n1")
    picker = page.locator("#details .picker")
    picker.scroll_into_view_if_needed()
    box = picker.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] - 3, box["y"] + 3)
    fields = page.locator("#details .unit input[type=number]")
    assert [fields.nth(at).input_value() for at in (0, 1)] == ["0", "4"]
    page.locator("#details .unit input[type=range]").nth(1).focus()
    page.keyboard.press("ArrowLeft")
    assert fields.nth(1).input_value() == "3"
    expect(page).to_have_url(re.compile(r"unit=0\+3"))
    page.reload()  # the address has kept it
    page.wait_for_selector("html[data-ready]")
    assert [fields.nth(at).input_value() for at in (0, 1)] == ["0", "3"]


def test_the_window_is_drawn_to_scale(opened: Open) -> None:
    """In cells, the frame of what is seen is where the numbers say, measured on the input's own frame."""
    page = opened(PADDED)
    choose(page, "n1")
    set_unit(page, (1, 2))
    (windows,) = shown(page).values()
    drawn = page.evaluate(
        """() => { const box = name => document.querySelector(`#details .plane .${name}`).getBBox();
        const [input, window] = [box('input-edge'), box('window')]; const cell = input.width / 10;
        return [(window.y - input.y) / cell, (window.y - input.y + window.height) / cell,
                (window.x - input.x) / cell, (window.x - input.x + window.width) / cell]; }"""
    )
    wanted = [edge for each in windows for edge in (each["cells"][0], each["cells"][1] + 1)]
    assert drawn == pytest.approx(wanted, abs=0.01)


def test_lines_volumes_and_several_inputs_are_drawn(opened: Open) -> None:
    page = opened(VOLUME)
    choose(page, "n0")
    assert page.locator("#details .plane").count() == 3
    page = opened(LINE)
    choose(page, "n2")
    assert page.locator("#details .plane").count() == 1 and page.locator("#details .signal").count() == 1
    page = opened(PAIR)
    choose(page, "n3")
    assert page.locator("#details .field h4").all_inner_texts() == ["left", "right"]
    choose(page, "n0")
    assert page.locator("#details .field h4").all_inner_texts() == ["left"]


def test_tables_hold_what_was_put_in() -> None:
    """Whatever moves, evenly or not: decoded as the page's `cellsOf` does it."""
    rng = np.random.default_rng(0)
    cells = np.arange(400)
    for low in (
        cells,
        cells // 2,
        np.maximum(0, 3 * cells - 7),
        rng.integers(0, 50, 400),
        cells % 8,
        cells[:1],
        cells[:3] // 2,
    ):
        high = low + rng.integers(0, 2) * 3
        empty = rng.random(len(low)) < 0.1 * rng.integers(0, 2)
        table = encoded(np.where(empty, 2**62, low), np.where(empty, -1, high))
        assert table is not None
        for at in range(len(low)):
            parts = table["parts"]
            place = at // len(parts)
            start, first, step_first, last, step_last = [run for run in parts[at % len(parts)] if run[0] <= place][-1]
            found = (first + (place - start) * step_first, last + (place - start) * step_last)
            assert found == ((0, -1) if empty[at] else (low[at], high[at]))


def test_tables_of_what_moves_evenly_are_short() -> None:
    cells = np.arange(100_000)
    assert len(json.dumps(encoded(cells, cells + 3))) < 60
    assert len(json.dumps(encoded(cells // 2, cells // 2 + 1))) < 80
    assert encoded(np.random.default_rng(0).integers(0, 9**9, 24_000), np.full(24_000, 9**9)) is None
