"""A pad goes into the layer that reads it where that pads alike, and stays elsewhere."""

from __future__ import annotations

import pytest

from convspec.passes.fold_pads import PASS
from tests.passes.proving import ops, prove, unchanged

X = "input x: float64[N, 4, h + 8, w + 8]\n"


@pytest.mark.parametrize(
    ("layers", "left"),
    [
        ("pad(1) -> conv(4, 3x3)", "conv"),
        ("pad([[0, 1], [2, 0]]) -> conv(4, 3x3, stride = 2)", "conv"),
        ("pad(1) -> conv(4, 5x5, pad = 1)", "conv"),
        ("pad(1, value = 2) -> conv(4, 3x3)", "conv"),
        ("pad(1, value = 2) -> conv(4, 5x5, pad = 1, pad_mode = constant, pad_value = 2)", "conv"),
        ("pad(1, mode = zeros) -> conv(4, 5x5, pad = 1, pad_mode = constant)", "conv"),
        ("pad(2, mode = reflect) -> conv(4, 3x3)", "conv"),
        ("pad(2, mode = circular) -> depthwise_conv(3x3)", "depthwise_conv"),
        ("pad(1, mode = replicate) -> conv(4, 5x5, pad = 1, pad_mode = replicate)", "conv"),
        ("pad(1) -> separable_conv(4, 3x3)", "separable_conv"),
        ("pad(1) -> ws_conv(4, 3x3)", "ws_conv"),
        ("pad(1) -> avgpool(3x3, stride = 2)", "avgpool"),
        ("pad(1) -> avgpool(3x3, stride = 1, pad = 1)", "avgpool"),
        ("pad(1) -> pad(2)", "pad"),
        ("pad(1, mode = replicate) -> pad([[1, 0], [0, 2]], mode = replicate)", "pad"),
    ],
)
def test_a_pad_goes_into_its_reader(layers: str, left: str) -> None:
    assert ops(prove(X + f"output x -> {layers}", PASS)) == [left]


@pytest.mark.parametrize("pad", ["pad(1)", "pad([[0, 1], [0, 1]])", "pad(1, value = -3)"])
def test_a_number_that_never_wins_goes_into_a_maxpool(pad: str) -> None:
    assert ops(prove(X + f"output x -> relu -> {pad} -> maxpool(3x3, stride = 2)", PASS)) == ["relu", "maxpool"]


@pytest.mark.parametrize(
    "body",
    [
        "output x -> pad(1) -> maxpool(3x3, stride = 2)",
        "output x -> relu -> pad(1, value = 1) -> maxpool(3x3, stride = 2)",
        "output x -> relu -> pad(1, mode = reflect) -> maxpool(3x3, stride = 2)",
        "output x -> pad(1) -> conv(4, 3x3, pad = 1, pad_mode = reflect)",
        "output x -> pad(1, mode = reflect) -> conv(4, 3x3, pad = 1)",
        "output x -> pad(1, mode = reflect) -> conv(4, 3x3, pad = 1, pad_mode = reflect)",
        "output x -> pad(1, value = 2) -> conv(4, 3x3, pad = 1)",
        "output x -> pad(1) -> avgpool(3x3, count_pad = false)",
        "output x -> pad(1, value = 1) -> avgpool(3x3)",
        "output x -> pad(1) -> relu",
        "output x -> pad(1) -> conv_transpose(4, 3x3)",
        "y = x -> pad(1)\noutput a = y -> conv(4, 3x3)\noutput b = y",
        "y = x -> pad(1)\noutput a = y -> conv(4, 3x3)\noutput b = y -> conv(4, 3x3)",
        "layer c = conv(4, 3x3)\noutput a = x -> pad(1) -> c\noutput b = x -> c",
    ],
)
def test_a_pad_stays(body: str) -> None:
    assert unchanged(prove(X + body, PASS))


@pytest.mark.parametrize("layer", ["maxpool(3x3, stride = 2, ceil = true)", "avgpool(3x3, stride = 2, ceil = true)"])
def test_a_pad_stays_before_windows_that_reach_past_the_end(layer: str) -> None:
    assert unchanged(prove(f"input x: float64[N, 4, 8, 8]\ny = x -> relu\noutput y -> pad(1) -> {layer}", PASS))


def test_a_pad_that_would_fill_a_window_stays() -> None:
    assert unchanged(prove("input x: float64[N, 4, 8, 8]\ny = x -> relu\noutput y -> pad(3) -> maxpool(2x2)", PASS))


def test_places_of_the_largest_count_from_the_padded_tensor() -> None:
    body = "input x: float64[N, 4, 8, 8]\nv, i = x -> relu -> pad(1) -> maxpool(2x2, indices = true)\noutput v\noutput i"
    assert unchanged(prove(body, PASS))
