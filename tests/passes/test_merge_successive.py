"""Layers in a row become one where the borders stay exact and nothing gets more; elsewhere they stay."""

from __future__ import annotations

import pytest

from convspec.passes.merge_successive import PASS
from tests.passes.proving import ops, prove, unchanged

X = "input x: float64[N, 6, h + 12, w + 12]\n"


@pytest.mark.parametrize(
    "body",
    [
        "output x -> conv(6, 1x1) -> conv(4, 3x3)",
        "output x -> conv(6, 1x1, bias = false) -> conv(4, 3x3, pad = 1)",
        "output x -> conv(6, 1x1) -> conv(4, 3x3, pad = 1, pad_mode = reflect)",
        "output x -> conv(6, 1x1) -> conv(4, 3x3, pad = 1, pad_mode = replicate, bias = false)",
        "output x -> conv(6, 1x1) -> conv(4, 3x3, pad = 2, pad_mode = circular)",
        "output x -> conv(8, 3x3, pad = 1) -> conv(8, 1x1)",
        "output x -> conv(8, 3x3, pad = 1, pad_mode = reflect) -> conv(8, 1x1)",
        "output x -> conv(8, 3x3, pad = [[0, 2], [1, 3]], stride = 2, dilation = 2) -> conv(4, 1x1)",
        "output x -> conv(8, 3x3, pad = 1, bias = false) -> conv(8, 1x1, bias = false)",
        "output x -> conv(8, 3x3, pad = 1, groups = 2) -> conv(8, 1x1, groups = 2)",
        "output x -> conv(12, 3x3, pad = 1, groups = 6) -> conv(12, 1x1, groups = 6)",
        "output x -> depthwise_conv(1x1) -> depthwise_conv(3x3)",
        "output x -> depthwise_conv(1x1, bias = false) -> conv(6, 3x3, pad = 1)",
        "output x -> linear(6, axis = channels) -> linear(6, axis = channels)",
        "output x -> conv(6, 3x3) -> linear(6, axis = channels)",
        "output x -> conv(6, 1x1, bias = false) -> conv(6, 1x1, bias = false) -> conv(6, 1x1) -> conv(3, 3x3)",
        "output x -> conv(16, 1x1, stride = 2) -> conv(4, 1x1, stride = 2)",
    ],
)
def test_two_become_one(body: str) -> None:
    assert len(ops(prove(X + body, PASS))) == 1


def test_kernels_of_steps_and_strides_compose() -> None:
    # 1x3 and 3x1 over many channels: 9 cells for 6 channels where there were 6 for 64.
    body = "output x -> conv(64, 1x3, stride = [1, 2], pad = [0, 1]) -> conv(6, 3x1, stride = [2, 1], dilation = [2, 1])"
    found = prove(X + body, PASS)
    (node,) = found.module.graph.nodes
    assert (node.attrs.kernel, node.attrs.stride) == ((3, 3), (2, 2))
    assert (node.attrs.dilation, node.attrs.pad) == ((2, 1), ((0, 0), (1, 1)))


@pytest.mark.parametrize("size", ["4, 20", "4, 7, 7, 7", "4"])
def test_every_rank(size: str) -> None:
    layers = "linear(4) -> linear(3)" if size == "4" else "conv(4, 1) -> conv(3, 3)"
    assert len(ops(prove(f"input x: float64[N, {size}]\noutput x -> {layers}", PASS))) == 1


@pytest.mark.parametrize(
    "body",
    [
        # The border would be the first layer's bias and not zero.
        "output x -> conv(6, 1x1) -> conv(4, 3x3, pad = 1)",
        "output x -> conv(6, 1x1, bias = false) -> conv(4, 3x3, pad = 1, pad_mode = constant, pad_value = 1)",
        "output x -> conv(6, 3x3, pad = 1, bias = false) -> conv(4, 1x1, pad = 1)",
        "output x -> conv(6, 1x1, stride = 2, bias = false) -> conv(4, 3x3, pad = 1)",
        "output x -> conv(64, 3x3, bias = false) -> conv(1, 1x3, pad = [0, 1])",
        # More work.
        "output x -> conv(2, 1x1) -> conv(6, 3x3)",
        "output x -> conv(6, 3x3) -> conv(6, 3x3)",
        "output x -> depthwise_conv(3x3) -> conv(6, 1x1)",
        "output x -> conv(6, 1x1) -> depthwise_conv(3x3)",
        "output x -> conv(6, 1x1, groups = 2) -> conv(6, 1x1, groups = 3)",
        # Somebody else needs what lies between, or the weights.
        "y = x -> conv(6, 1x1)\noutput a = y -> conv(4, 1x1)\noutput b = y",
        "y = x -> conv(6, 1x1)\noutput a = y -> conv(4, 1x1)\noutput b = y -> relu",
        "layer c = conv(6, 1x1)\noutput a = x -> c -> conv(4, 1x1)\noutput b = x -> relu -> c",
        "layer c = conv(6, 1x1)\noutput x -> c -> c",
        "output x -> conv(6, 1x1) -> relu -> conv(6, 1x1)",
    ],
)
def test_they_stay(body: str) -> None:
    assert unchanged(prove(X + body, PASS))


def test_a_strided_second_makes_the_first_dear() -> None:
    # The first runs on four times as many cells, so that even a few more weights pay.
    assert unchanged(prove("input x: float64[N, 6, 16, 16]\noutput x -> conv(2, 1x1) -> conv(6, 1x1)", PASS))
    strided = "input x: float64[N, 6, 16, 16]\noutput x -> conv(2, 1x1) -> conv(6, 1x1, stride = 2)"
    assert ops(prove(strided, PASS)) == ["conv"]
