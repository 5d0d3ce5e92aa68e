"""Layers side by side in a concat become one; those that go different ways, or differ in anything, stay."""

from __future__ import annotations

import pytest

from convspec.passes.merge_siblings import PASS
from tests.passes.proving import ops, prove, unchanged

X = "input x: float64[N, 6, h + 8, w + 8]\n"


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("output concat(x -> conv(4, 1x1), x -> conv(8, 1x1))", ["conv"]),
        ("output concat(x -> conv(4, 1x1, bias = false), x -> conv(8, 1x1), x -> conv(4, 1x1))", ["conv"]),
        ("output concat(x -> conv(4, 1x1) -> relu, x -> conv(8, 1x1) -> relu)", ["conv", "relu"]),
        (
            "output concat(x -> conv(4, 3x3, stride = 2, pad = 1) -> silu -> tanh, x -> conv(4, 3x3, stride = 2, pad = 1)"
            " -> silu -> tanh)",
            ["conv", "silu", "tanh"],
        ),
        ("output concat(x -> linear(4, axis = channels), x -> linear(4, axis = channels))", ["linear"]),
        ("output concat(x, x -> conv(4, 1x1), x -> conv(8, 1x1), x)", ["conv", "concat"]),
        ("output concat(x -> conv(4, 1x1), x -> conv(8, 1x1), x -> conv(8, 3x3, pad = 1))", ["conv", "concat", "conv"]),
        (
            "output concat(x -> conv(4, 1x1), x -> conv(4, 1x1), x -> conv(4, 3x3, pad = 1), x -> conv(4, 3x3, pad = 1))",
            ["concat", "conv", "conv"],
        ),
        (
            "output concat(x -> conv(4, 3x3, pad = 1, pad_mode = reflect), x -> conv(4, 3x3, pad = 1, pad_mode = reflect))",
            ["conv"],
        ),
    ],
)
def test_neighbours_become_one(body: str, left: list[str]) -> None:
    assert sorted(ops(prove(X + body, PASS))) == sorted(left)


def test_vectors_too() -> None:
    assert ops(prove("input x: float64[N, 6]\noutput concat(x -> linear(4), x -> linear(3))", PASS, target="pytorch")) == [
        "linear"
    ]


@pytest.mark.parametrize(
    "body",
    [
        "output concat(x -> conv(4, 1x1), x -> conv(4, 3x3, pad = 1))",
        "output concat(x -> conv(4, 3x3, pad = 1), x -> conv(4, 3x3, pad = [[0, 2], [1, 1]]))",
        "output concat(x -> conv(4, 3x3, pad = 1), x -> conv(4, 3x3, pad = 1, pad_mode = reflect))",
        "output concat(x -> conv(4, 3x3, pad = 2, dilation = 2), x -> conv(4, 5x5, pad = 2))",
        "output concat(x -> conv(4, 1x1), x -> relu -> conv(4, 1x1))",
        "output concat(x -> conv(6, 1x1, groups = 2), x -> conv(6, 1x1, groups = 2))",
        "output concat(x -> depthwise_conv(1x1), x -> depthwise_conv(1x1))",
        "output concat(x -> conv(4, 1x1) -> relu, x -> conv(4, 1x1))",
        "output concat(x -> conv(4, 1x1) -> relu, x -> conv(4, 1x1) -> silu)",
        "output concat(x -> conv(4, 1x1) -> leaky_relu(0.1), x -> conv(4, 1x1) -> leaky_relu(0.2))",
        "output concat(x -> conv(4, 1x1), x, x -> conv(4, 1x1))",
        "output concat(x -> conv(4, 1x1), x -> conv(4, 1x1), axis = height)",
        "a = x -> conv(4, 1x1)\noutput concat(a, a)",
        "a = x -> conv(4, 1x1)\noutput concat(a, x -> conv(4, 1x1))\noutput b = a",
        "a = x -> conv(4, 1x1)\noutput concat(a -> relu, x -> conv(4, 1x1) -> relu)\noutput b = a -> tanh",
        "layer c = conv(4, 1x1)\noutput concat(x -> c, x -> conv(4, 1x1))\noutput b = x -> relu -> c",
        # 4 filters have the blocked layout of ONNX Runtime, 7 would not.
        "output concat(x -> conv(4, 1x1), x -> conv(3, 1x1))",
        # Cut into parts again it would be slower.
        "output (x -> conv(4, 1x1) -> relu -> conv(4, 3x3)) + (x -> conv(4, 1x1) -> relu -> conv(4, 3x3))",
    ],
)
def test_they_stay(body: str) -> None:
    assert unchanged(prove(X + body, PASS))


def test_odd_widths_merge_where_no_layout_is_lost() -> None:
    body = "output concat(x -> conv(4, 1x1), x -> conv(3, 1x1))"
    assert ops(prove(X + body, PASS, target="pytorch")) == ["conv"]
    assert ops(prove(X + "output concat(x -> conv(5, 1x1), x -> conv(3, 1x1))", PASS)) == ["conv"]
