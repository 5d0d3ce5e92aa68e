"""1x1 layers go to the smaller side of a mean or an enlargement, where that changes nothing."""

from __future__ import annotations

import pytest

from convspec.passes.move_pointwise import PASS
from tests.passes.proving import ops, prove, unchanged

X = "input x: float64[N, 6, 2*h + 12, 2*w + 12]\n"
SMALL = "input x: float64[N, 6, 5, 7]\n"


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (X + "output x -> conv(4, 1x1) -> avgpool(2x2)", ["avgpool", "conv"]),
        (X + "output x -> conv(4, 1x1) -> avgpool(3x3, stride = 2)", ["avgpool", "conv"]),
        (X + "output x -> conv(4, 1x1, bias = false) -> avgpool(3x3, stride = 2, pad = 1)", ["avgpool", "conv"]),
        (X + "output x -> conv(4, 1x1) -> avgpool(3x3, stride = 2, pad = 1, count_pad = false)", ["avgpool", "conv"]),
        (SMALL + "output x -> conv(4, 1x1) -> avgpool(2x2, ceil = true)", ["avgpool", "conv"]),
        (X + "output x -> linear(4, axis = channels) -> global_avgpool", ["global_avgpool", "linear"]),
        (X + "output x -> conv(6, 1x1, groups = 3) -> global_avgpool -> flatten", ["global_avgpool", "conv", "flatten"]),
        (X + "output x -> depthwise_conv(1x1, 2) -> adaptive_avgpool(3x3)", ["adaptive_avgpool", "depthwise_conv"]),
        (X + "output x -> upsample(2) -> conv(4, 1x1)", ["conv", "upsample"]),
        (X + "output x -> upsample(2, mode = linear, align_corners = true) -> conv(4, 1x1)", ["conv", "upsample"]),
        (SMALL + "output x -> resize(11x13, mode = cubic) -> conv(4, 1x1)", ["conv", "resize"]),
        (
            SMALL + "input y: float64[N, 2, 9, 9]\noutput x -> resize(like = y, mode = linear) -> conv(4, 1x1)",
            ["conv", "resize"],
        ),
        (X + "output x -> upsample(3) -> linear(6, axis = channels)", ["linear", "upsample"]),
        (SMALL + "output x -> resize(10x14) -> conv(4, 1x1) -> upsample(2)", ["conv", "resize", "upsample"]),
        (SMALL + "output x -> resize(9x13) -> conv(4, 1x1) -> silu -> upsample(2)", ["conv", "resize", "silu", "upsample"]),
    ],
)
def test_it_moves(body: str, left: list[str]) -> None:
    found = prove(body, PASS)
    assert ops(found) == left
    assert found.report.after.work.stored == found.report.before.work.stored


def test_it_moves_through_several() -> None:
    found = prove(X + "output x -> upsample(2) -> upsample(2) -> conv(4, 1x1)", PASS)
    assert ops(found) == ["conv", "upsample", "upsample"]


def test_shared_weights_stay_shared() -> None:
    text = X + "layer c = conv(6, 1x1)\noutput a = x -> c -> avgpool(2x2)\noutput b = x -> relu -> c"
    found = prove(text, PASS)
    assert ops(found) == ["avgpool", "conv", "relu", "conv"]
    assert list(found.module.graph.parameters()) == ["c.weight", "c.bias"]


@pytest.mark.parametrize(
    "body",
    [
        X + "output x -> conv(4, 3x3, pad = 1) -> avgpool(2x2)",
        X + "output x -> conv(4, 1x1, stride = 2) -> avgpool(2x2)",
        X + "output x -> conv(4, 1x1, pad = 1) -> avgpool(2x2)",
        X + "output x -> conv(4, 1x1) -> avgpool(3x3, stride = 2, pad = 1)",
        X + "output x -> conv(4, 1x1) -> maxpool(2x2)",
        X + "output x -> conv(4, 1x1) -> relu -> avgpool(2x2)",
        X + "output x -> avgpool(2x2) -> conv(4, 1x1)",
        X + "y = x -> conv(4, 1x1)\noutput a = y -> avgpool(2x2)\noutput b = y",
        X + "y = x -> conv(4, 1x1)\noutput a = y -> avgpool(2x2)\noutput b = y -> relu",
        X + "output x -> upsample(2) -> conv(8, 1x1)",
        X + "output x -> upsample(2) -> conv(4, 3x3, pad = 1)",
        X + "y = x -> upsample(2)\noutput a = y -> conv(4, 1x1)\noutput b = y",
        SMALL + "output x -> resize(3x3) -> conv(4, 1x1)",
        # ONNX Runtime would leave its blocked layout for the second enlargement too.
        SMALL + "output x -> resize(9x13) -> conv(4, 1x1) -> upsample(2)",
        SMALL + "input y: float64[N, 4, 9, 13]\nz = x -> resize(9x13) -> conv(4, 1x1)\noutput z + y -> relu -> resize(18x26)",
        # Which is larger depends on the input.
        "input x: float64[N, 6, h, w]\ninput y: float64[N, 6, a, b]\noutput x -> resize(like = y) -> conv(4, 1x1)",
    ],
)
def test_it_stays(body: str) -> None:
    assert unchanged(prove(body, PASS))
