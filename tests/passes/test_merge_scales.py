"""Scales in a row become one; what normalises an input goes into the first layer as far as its padding lets it."""

from __future__ import annotations

import numpy as np
import pytest

from convspec import api
from convspec.passes import optimise
from convspec.passes.fold_inputs import PASS as INPUTS
from convspec.passes.fold_scales import PASS as SCALES
from convspec.passes.merge_scales import PASS
from convspec.passes.optimise import run_passes
from convspec.runtime.reference import evaluate
from convspec.verify.inputs import draw
from convspec.weights.randomised import randomised
from tests.passes.proving import difference, ops, prove, spec, unchanged

X = "input x: float64[N, 3, h + 8, w + 8]\n"
IMAGENET = "normalize(mean = [0.4, 0.5, 0.6], std = [0.2, 0.3, 0.1])"


@pytest.mark.parametrize(
    ("form", "left"),
    [
        ("(x + 1) - 1", []),
        ("(x * 4) / 4", []),
        ("-(-x)", []),
        ("x + 1 + 2 + 3", ["add"]),
        ("x * 2 / 3 * 4", ["mul"]),
        ("((x / 255) - 0.5) / 0.25", ["mul", "add"]),
        ("(x -> batchnorm) -> batchnorm", ["batchnorm"]),
        ("((x -> batchnorm(scale = false)) * 2 + 1)", ["batchnorm"]),
        ("1 - (1 - x)", []),
    ],
)
def test_rows_become_short(form: str, left: list[str]) -> None:
    found = prove(X + f"output ({form}) -> relu", PASS)
    assert ops(found) == [*left, "relu"]


@pytest.mark.parametrize(
    "body",
    [
        "output (x * 2 + 1) -> relu",
        "output (x * 2 -> relu) * 3",
        "output 1 / (1 / x)",
        "output x -> batchnorm",
        "y = x + 1\noutput a = y\noutput b = y + 2",
        "y = x + 1\noutput a = y -> relu\noutput b = y + 2",
        "output (x * 2 + 1) -> conv(4, 3x3, pad = 1, pad_mode = constant, pad_value = 2)",
        "output (x * 0 + 1) -> conv(4, 3x3, pad = 1)",
        "layer c = conv(3, 3x3, pad = 1)\noutput (x * 2 + 1) -> c -> c",
    ],
)
def test_rows_that_stay(body: str) -> None:
    assert unchanged(prove(X + body, PASS))


@pytest.mark.parametrize(
    "layer", ["conv(4, 3x3, pad = 1)", "depthwise_conv(3x3, pad = same)", "separable_conv(4, 3x3, pad = 1)"]
)
@pytest.mark.parametrize("form", [f"(x -> {IMAGENET})", "(x / 255 - 0.5)", "(-x + 1)"])
def test_before_a_padded_convolution_the_shift_alone_stays(form: str, layer: str) -> None:
    found = prove(X + f"output {form} -> {layer}", PASS)
    assert [op for op in ops(found) if op != "parameter"] == ["add", layer.partition("(")[0]]


def test_a_normalisation_that_nothing_takes_in_is_two_operations() -> None:
    found = prove(X + f"output x -> {IMAGENET} -> relu", PASS)
    assert [op for op in ops(found) if op != "parameter"] == ["mul", "add", "relu"]


@pytest.mark.parametrize(
    ("layers", "left"),
    [
        (f"{IMAGENET} -> conv(4, 3x3)", ["cast", "conv"]),
        (f"{IMAGENET} -> conv(4, 3x3, pad = 1)", ["cast", "add", "conv"]),
        ("normalize(scale = 255) -> conv(4, 3x3, pad = 1)", ["cast", "conv"]),
        (f"{IMAGENET} -> relu", ["normalize", "relu"]),
    ],
)
def test_pixels_are_cast_and_the_rest_is_folded(layers: str, left: list[str]) -> None:
    net = api.loads(spec(f"input x: uint8[N, 3, 9, 9]\noutput x -> {layers}"))
    weights = randomised(net.module.graph, 1)
    found = run_passes(net.module, weights, (INPUTS, SCALES, PASS))
    assert [op for op in ops(found) if op != "parameter"] == left
    assert difference(net.module, weights, found) < 1e-6  # the weights are stored in float32


@pytest.mark.parametrize(
    "body",
    [
        f"y = x -> {IMAGENET}\noutput a = y\noutput b = y -> conv(4, 3x3)",
        f"y = x -> {IMAGENET}\noutput (y -> conv(4, 3x3)) + (y -> conv(4, 3x3))",
        f"layer c = conv(3, 1x1)\noutput x -> {IMAGENET} -> c -> c",
    ],
)
def test_pixels_that_others_read_normalised_stay(body: str) -> None:
    net = api.loads(spec("input x: uint8[N, 3, 9, 9]\n" + body))
    assert unchanged(run_passes(net.module, net.weights, (INPUTS,)))


@pytest.mark.parametrize(
    ("layer", "folds"),
    [
        ("separable_conv(4, 3x3, multiplier = 2)", True),
        ("separable_conv(4, 3x3, pad = 1)", False),
        ("conv_transpose(4, 3x3, stride = 2)", False),
    ],
)
def test_a_shift_goes_into_separable_convolutions_without_padding(layer: str, folds: bool) -> None:
    assert unchanged(prove(X + f"output ((x -> relu) + 1) -> {layer}", SCALES)) != folds


@pytest.mark.parametrize(
    "layer",
    ["separable_conv(4, 3x3, pad = 1)", "conv_transpose(6, 3x3, stride = 2, groups = 3)", "deform_conv(o, 4, 3x3, pad = 1)"],
)
def test_a_scale_goes_into_every_layer_after(layer: str) -> None:
    found = prove(X + f"o = x -> conv(18, 3x3, pad = 1)\noutput ((x -> relu) * 3) -> {layer}", SCALES)
    assert "mul" not in ops(found)


def test_an_offset_made_of_the_same_tensor_is_not_scaled() -> None:
    body = "input x: float64[N, 18, 9, 9]\ny = (x -> tanh) * 3\noutput y -> deform_conv(y, 4, 3x3, pad = 1)"
    assert unchanged(prove(body, SCALES))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_stay_where_they_are(bad: float) -> None:
    body = (
        "layer g = parameter([1, 3, 1, 1], init = ones)\noutput (x * g * 2 + 1) -> batchnorm -> conv(4, 3x3, pad = 1) -> relu"
    )
    net = api.loads(spec("input x: float64[2, 3, 9, 9]\n" + body))
    weights = randomised(net.module.graph, 1)
    arrays = draw(net.module.graph, {})
    for name, array in weights.items():
        spoilt = {**weights, name: np.where(np.arange(array.size).reshape(array.shape) == 1, bad, array).astype(array.dtype)}
        found = optimise(net.module, spoilt, 1)
        expected = evaluate(net.module.graph, spoilt, arrays).outputs
        outputs = evaluate(found.module.graph, found.weights, arrays).outputs
        for output, values in expected.items():
            np.testing.assert_allclose(outputs[output], values, rtol=1e-9, atol=1e-9)
