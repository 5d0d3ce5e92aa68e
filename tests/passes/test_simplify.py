"""Two layers in a row that one can stand for, and layers that hold values where they are."""

from __future__ import annotations

import pytest

from convspec.passes.simplify_clips import PASS as CLIPS
from convspec.passes.simplify_views import PASS as VIEWS
from tests.passes.proving import ops, prove, unchanged

X = "input x: float64[N, 6, h + 8, w + 8]\n"


@pytest.mark.parametrize(
    ("layers", "left"),
    [
        ("reshape([2, 3, x.height, x.width]) -> reshape([6, x.height * x.width])", ["reshape"]),
        ("reshape([2, 3, x.height, x.width]) -> flatten", ["flatten"]),
        ("reshape([2, 3, x.height, x.width]) -> reshape([6, x.height, x.width])", []),
        ("unsqueeze(2) -> squeeze(2)", []),
        ("global_avgpool -> squeeze([height, width]) -> unsqueeze(-1)", ["global_avgpool", "reshape"]),
        ("permute([0, 2, 3, 1]) -> permute([0, 3, 1, 2])", []),
        ("permute([0, 2, 3, 1]) -> permute([0, 2, 3, 1])", ["permute"]),
        ("permute([0, 2, 3, 1]) -> permute([0, 2, 3, 1]) -> permute([0, 2, 3, 1])", []),
        ("cast(float32) -> cast(float64) -> cast(float32)", ["cast"]),
    ],
)
def test_two_views_in_a_row(layers: str, left: list[str]) -> None:
    assert ops(prove(X + f"output x -> relu -> {layers} -> exp", VIEWS)) == ["relu", *left, "exp"]


@pytest.mark.parametrize(
    "body",
    [
        "y = x -> reshape([2, 3, x.height, x.width])\noutput y\noutput z = y -> flatten",
        "y = x -> permute([0, 2, 3, 1])\noutput a = y -> permute([0, 2, 3, 1])\noutput b = y -> exp",
        "output x -> permute([0, 2, 3, 1]) -> relu -> permute([0, 3, 1, 2])",
        "output x -> cast(float32) -> cast(float64)",
        "output x -> cast(int32) -> cast(float64)",
        "output x -> permute([0, 1, 3, 2]) -> reshape([6, x.height * x.width])",
    ],
)
def test_views_that_stay(body: str) -> None:
    assert unchanged(prove(X + body, VIEWS))


def test_what_is_taken_back_goes_though_the_first_is_needed() -> None:
    body = X + "y = x -> permute([0, 2, 3, 1])\noutput a = y -> exp\noutput b = y -> permute([0, 3, 1, 2]) -> exp"
    assert ops(prove(body, VIEWS)) == ["permute", "exp", "exp"]


@pytest.mark.parametrize(
    ("layers", "left"),
    [
        ("relu -> relu", ["relu"]),
        ("relu -> relu6", ["relu6"]),
        ("relu6 -> relu", ["relu6"]),
        ("sigmoid -> relu", ["sigmoid"]),
        ("sigmoid -> clip(0, 1)", ["sigmoid"]),
        ("softmax -> clip(-1, 2)", ["softmax"]),
        ("relu -> maxpool(2x2) -> relu", ["relu", "maxpool"]),
        ("relu -> permute([0, 2, 3, 1]) -> flatten -> relu", ["relu", "permute", "flatten"]),
        ("clip(0, 5) -> clip(-2, 3)", ["clip"]),
        ("clip(0, 1) -> clip(3, 4)", ["clip"]),
        ("clip(3, 4) -> clip(0, 1)", ["clip"]),
        ("clip(min = 0) -> clip(max = 6)", ["clip"]),
        ("clip(-1, 9) -> relu6", ["relu6"]),
        ("hardtanh(-2, 2) -> hardtanh", ["hardtanh"]),
        ("tanh -> hardtanh", ["tanh"]),
        ("relu -> abs", ["relu"]),
        ("exp -> leaky_relu(0.1)", ["exp"]),
        ("relu -> prelu", ["relu"]),
        ("abs -> elu", ["abs"]),
    ],
)
def test_values_that_are_held_already(layers: str, left: list[str]) -> None:
    assert ops(prove(X + f"output x -> neg -> {layers} -> neg", CLIPS)) == ["neg", *left, "neg"]


@pytest.mark.parametrize(
    "body",
    [
        "output x -> relu6 -> clip(0, 5) -> neg -> relu",
        "output x -> tanh -> relu",
        "output x -> softplus -> relu6",
        "output x -> relu -> conv(6, 1x1) -> relu",
        "output x -> relu -> neg -> abs",
        "output x -> leaky_relu -> relu",
        "y = x -> clip(0, 5)\noutput a = y\noutput b = y -> clip(-2, 3)",
        "output (x -> relu) - (x -> sigmoid) -> relu",
    ][1:],
)
def test_values_that_are_not(body: str) -> None:
    assert unchanged(prove(X + body, CLIPS))


def test_padding_is_no_value_of_a_maxpool() -> None:
    assert ops(prove(X + "output x -> relu -> maxpool(3x3, pad = 1) -> relu", CLIPS)) == ["relu", "maxpool"]
