"""What changes nothing goes; what only looks so stays."""

from __future__ import annotations

import pytest

from convspec.passes.remove_identities import PASS
from tests.passes.proving import ops, prove, unchanged

X = "input x: float64[N, 4, h + 8, w + 8]\n"


def test_identity_and_dropout_go_wherever_they_stand() -> None:
    found = prove(
        """
        input x: float64[N, 3, 8, 8]
        output y = x -> identity -> conv(4, 3x3) -> dropout(0.5) -> relu -> channel_dropout(0.2) -> identity
        """,
        PASS,
    )
    assert ops(found) == ["conv", "relu"]
    assert [change.layers for change in found.report.changes] != []


def test_an_output_that_is_the_input_keeps_its_name() -> None:
    found = prove("input x: float64[N, 3]\noutput y = x -> identity\noutput z = x -> identity -> relu", PASS)
    assert [output.name for output in found.module.graph.outputs] == ["y", "z"]
    assert ops(found) == ["relu"]


@pytest.mark.parametrize(
    "layer",
    [
        "reshape([4, x.height, x.width])",
        "permute([0, 1, 2, 3])",
        "slice(0, axis = height)",
        "slice(axis = width, step = 1)",
        "pad(0)",
        "crop(0)",
        "crop(like = x)",
        "tile([1, 1, 1])",
        "resize(like = x, mode = linear)",
        "resize(like = x, mode = cubic)",
        "resize(like = x)",
        "resize(like = x, mode = linear, align_corners = true)",
        "upsample(1)",
        "upsample(1, mode = linear)",
        "avgpool(1x1)",
        "maxpool(1x1, stride = 1)",
        "channel_shuffle(1)",
        "channel_shuffle(4)",
        "roll(0, axis = height)",
        "roll([4, 0], axis = [channels, width])",
        "pixel_shuffle(1)",
        "space_to_depth(1)",
        "cast(float64)",
        "[it -> concat(it)]",
        "split(1)",
    ],
)
def test_layers_that_keep_all_as_it_is_go(layer: str) -> None:
    if layer.startswith("["):
        body = X + "output concat(x -> relu) -> exp"
    elif layer == "split(1)":
        body = X + "parts = (x -> relu) -> split(1)\noutput parts[0] -> exp"
    else:
        body = X + f"output x -> relu -> {layer} -> exp"
    assert ops(prove(body, PASS)) == ["relu", "exp"]


@pytest.mark.parametrize("form", ["y + 0", "0 + y", "y - 0", "y * 1", "1 * y", "y / 1", "y ** 1"])
def test_arithmetic_that_does_nothing_goes(form: str) -> None:
    assert ops(prove(X + f"y = x -> relu\noutput ({form}) -> exp", PASS)) == ["relu", "exp"]


@pytest.mark.parametrize(
    "body",
    [
        "input x: float64[N, 4, 1, 1]\noutput x -> relu -> global_avgpool -> exp",
        "input x: float64[N, 4, 1, 5]\noutput x -> relu -> mean(height) -> exp",
        "input x: float64[N, 4, 1, 5]\noutput x -> relu -> sum(height) -> exp",
        "input x: float64[N, 4, 7, 5]\noutput x -> relu -> adaptive_avgpool(7x5) -> exp",
        "input x: float64[N, 4, 1, 5]\noutput x -> relu -> reverse(axis = height) -> exp",
        "input x: float64[N, 4]\noutput x -> relu -> flatten -> exp",
        "input x: float64[2, 4]\noutput x -> relu -> expand(x, axes = []) -> exp",
    ][:-1],
)
def test_what_is_nothing_at_these_sizes_goes(body: str) -> None:
    assert ops(prove(body, PASS)) == ["relu", "exp"]


@pytest.mark.parametrize(
    "layer",
    [
        "permute([0, 1, 3, 2])",
        "slice(1, axis = height)",
        "maxpool(3x3, stride = 1, pad = 1)",
        "avgpool(1x1, stride = 2)",
        "roll(1, axis = height)",
        "reverse(axis = height)",
        "channel_shuffle(2)",
        "relu",
        "cast(float32) -> cast(float64)",
        "mean(channels)",
        "softmax",
    ],
)
def test_layers_that_do_something_stay(layer: str) -> None:
    assert unchanged(prove(X + f"output x -> {layer}", PASS))


@pytest.mark.parametrize("form", ["x - 1", "0 - x", "1 / x", "x + 1", "x * 0", "1 ** x", "x + x"])
def test_arithmetic_that_does_something_stays(form: str) -> None:
    assert unchanged(prove(X + f"output {form}", PASS))


def test_a_square_of_equal_sizes_is_still_turned() -> None:
    assert unchanged(prove("input x: float64[N, 4, 5, 5]\noutput x -> permute([0, 1, 3, 2])", PASS))


def test_a_cast_that_rounds_stays() -> None:
    assert unchanged(prove("input x: float64[N, 3]\noutput y = x -> cast(float32) -> cast(float64)", PASS))
