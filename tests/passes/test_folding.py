"""Batch norms, scales and shifts go into a neighbour's weights, and stay where that would change anything."""

from __future__ import annotations

import numpy as np
import pytest

from convspec import api
from convspec.passes.fold_batchnorm import PASS as BATCHNORM
from convspec.passes.fold_scales import PASS as SCALES
from convspec.passes.optimise import run_passes
from convspec.runtime.reference import evaluate
from tests.passes.proving import ops, prove, unchanged

INPUT = "input x: float64[N, 4, 9, 9]\n"

BEFORE = {
    "conv": "conv(6, 3x3, pad = 1)",
    "conv without bias": "conv(6, 3x3, bias = false)",
    "grouped": "conv(8, 3x3, groups = 2, stride = 2, dilation = 2, pad = 2)",
    "reflecting": "conv(6, 3x3, pad = 1, pad_mode = reflect)",
    "padded with 2": "conv(6, 3x3, pad = 1, pad_mode = constant, pad_value = 2)",
    "depthwise": "depthwise_conv(3x3, 2, pad = 1)",
    "separable": "separable_conv(6, 3x3, pad = 1)",
    "transposed": "conv_transpose(6, 3x3, stride = 2)",
    "transposed in groups": "conv_transpose(6, 3x3, stride = 2, groups = 2, bias = false)",
    "1x1 linear": "linear(6, axis = channels)",
    "linear": "flatten -> linear(6)",
}


@pytest.mark.parametrize("layer", BEFORE.values(), ids=BEFORE)
@pytest.mark.parametrize("norm", ["batchnorm", "batchnorm(scale = false, eps = 1e-3)"])
def test_a_batchnorm_goes_into_the_layer_before(layer: str, norm: str) -> None:
    found = prove(f"{INPUT}output y = x -> {layer} -> {norm} -> relu", BATCHNORM)
    assert "batchnorm" not in ops(found)
    assert found.report.changes[0].layers[-1].startswith("batchnorm")


AFTER = {
    "conv": ("conv(6, 3x3)", True),
    "grouped": ("conv(8, 3x3, groups = 2, stride = 2, bias = false)", True),
    "depthwise": ("depthwise_conv(3x3, 2)", True),
    "linear": ("linear(6, axis = channels)", True),
    "reflecting": ("conv(6, 3x3, pad = 1, pad_mode = reflect)", True),
    "replicating": ("conv(6, 3x3, pad = 2, pad_mode = replicate)", True),
    "circular": ("conv(6, 3x3, pad = 1, pad_mode = circular)", True),
    "padded": ("conv(6, 3x3, pad = 1)", False),
    "padded on one side": ("conv(6, 3x3, pad = [[0, 0], [0, 1]])", False),
    "padded with 2": ("conv(6, 3x3, pad = 1, pad_mode = constant, pad_value = 2)", False),
    "depthwise, padded": ("depthwise_conv(3x3, pad = same)", False),
    "transposed": ("conv_transpose(6, 3x3)", False),
    "standardised": ("ws_conv(6, 3x3)", False),
}


@pytest.mark.parametrize(("layer", "folds"), AFTER.values(), ids=AFTER)
def test_a_batchnorm_goes_into_the_layer_after_where_no_border_forbids_it(layer: str, folds: bool) -> None:
    found = prove(f"{INPUT}output y = x -> relu -> batchnorm -> {layer}", BATCHNORM)
    assert ("batchnorm" not in ops(found)) == folds


def test_weights_that_are_standardised_are_left_alone() -> None:
    assert unchanged(prove(f"{INPUT}output y = x -> ws_conv(6, 3x3) -> batchnorm", BATCHNORM))


def test_a_pure_scale_passes_through_zeros_at_the_border_and_nothing_else() -> None:
    zeros = prove(f"{INPUT}output y = (x -> relu) * 3 -> conv(6, 3x3, pad = 1)", SCALES)
    assert ops(zeros) == ["relu", "conv"]
    twos = f"{INPUT}output y = (x -> relu) * 3 -> conv(6, 3x3, pad = 1, pad_mode = constant, pad_value = 2)"
    assert unchanged(prove(twos, SCALES))


@pytest.mark.parametrize(
    "form",
    ["y * 2.5", "2.5 * y", "y / 4", "y + 1.5", "1.5 + y", "y - 2", "2 - y", "-y", "y * g", "g * y", "y / g", "y + g", "g - y"],
)
def test_every_form_of_arithmetic_with_a_constant(form: str) -> None:
    body = f"{INPUT}layer g = parameter([1, 6, 1, 1], init = ones)\ny = x -> conv(6, 3x3, pad = 1)\noutput z = {form}"
    found = prove(body, SCALES)
    assert [op for op in ops(found) if op != "parameter"] == ["conv"]


@pytest.mark.parametrize("form", ["1 / y", "g / y", "y + h", "y * w", "y * y"])
def test_what_is_no_scale_of_channels_stays(form: str) -> None:
    body = f"""{INPUT}
    layer g = parameter([1, 6, 1, 1], init = ones)
    layer h = parameter([1, 1, 9, 9], init = ones)
    layer w = parameter([1, 6, 1, 9], init = ones)
    y = x -> conv(6, 3x3, pad = 1)
    output z = {form}
    """
    assert unchanged(prove(body, SCALES))


def test_a_tensor_that_broadcasts_the_layers_output_stays() -> None:
    body = f"{INPUT}layer g = parameter([1, 6, 1, 1], init = ones)\noutput z = (x -> conv(1, 3x3)) * g"
    assert unchanged(prove(body, SCALES))


def test_layer_scale_that_hangs_on_the_layer_before_is_folded() -> None:
    body = f"""{INPUT}
    y = x -> linear(6, axis = channels)
    layer gamma = parameter([1, 6, 1, 1], init = ones)
    output z = (x -> conv(6, 1x1)) + y * gamma
    """
    assert sorted(ops(prove(body, SCALES))) == ["add", "conv", "linear"]


def test_normalize_after_an_input_goes_into_a_convolution_without_padding() -> None:
    body = """input x: float64[N, 3, 9, 9]
    output y = x -> normalize(mean = [0.4, 0.5, 0.6], std = [0.2, 0.3, 0.1]) -> conv(4, 3x3{})"""
    assert ops(prove(body.format(""), SCALES)) == ["conv"]
    assert unchanged(prove(body.format(", pad = 1"), SCALES))


def test_what_others_read_stays() -> None:
    assert unchanged(prove(f"{INPUT}y = x -> conv(6, 3x3)\noutput y\noutput z = y -> batchnorm", BATCHNORM))
    assert unchanged(prove(f"{INPUT}y = x -> conv(6, 3x3)\noutput z = (y -> batchnorm) + (y -> relu)", BATCHNORM))
    both = f"{INPUT}y = x -> relu -> batchnorm\noutput z = concat(y -> conv(2, 1x1), y -> conv(3, 1x1))"
    assert unchanged(prove(both, BATCHNORM))


def test_shared_weights_stay() -> None:
    body = f"{INPUT}layer c = conv(4, 3x3, pad = 1)\noutput y = x -> c -> batchnorm -> relu -> c"
    assert unchanged(prove(body, BATCHNORM))


def test_one_batchnorm_used_twice_is_folded_into_both_layers() -> None:
    body = f"{INPUT}layer n = batchnorm\noutput y = x -> conv(4, 3x3) -> n -> relu -> conv(4, 3x3) -> n"
    assert ops(prove(body, BATCHNORM)) == ["conv", "relu", "conv"]


def test_chains_fold_to_one_layer() -> None:
    body = f"{INPUT}output y = ((x -> conv(6, 3x3, pad = 1) -> batchnorm) * 2 + 1 -> batchnorm) / 3"
    assert ops(prove(body, BATCHNORM, SCALES)) == ["conv"]


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_every_number_of_axes(rank: int) -> None:
    sizes, kernel = ", ".join(["7"] * rank), "x".join(["3"] * rank)
    body = f"input x: float64[N, 4, {sizes}]\noutput y = x -> conv(6, {kernel}, pad = 1) -> batchnorm"
    assert ops(prove(body, BATCHNORM)) == ["conv"]


@pytest.mark.parametrize("role", ["running_var", "weight", "bias", "running_mean"])
def test_numbers_that_are_not_finite_are_left_where_they_are(role: str) -> None:
    net = api.loads("model T {\n" + INPUT + "output y = x -> conv(4, 3x3) -> n: batchnorm\n}")
    weights = dict(net.weights)
    weights[f"n.{role}"] = np.array([1.0, np.nan, np.inf, 2.0], weights[f"n.{role}"].dtype)
    found = run_passes(net.module, weights, (BATCHNORM,))
    assert unchanged(found)


def test_a_fold_beyond_float32_is_not_made() -> None:
    net = api.loads("model T {\ninput x: float32[N, 2, 5, 5]\noutput y = x -> c: conv(2, 3x3) -> n: batchnorm\n}")
    weights = {name: array.copy() for name, array in net.weights.items()}
    weights["c.weight"] *= np.float32(1e30)
    weights["n.weight"] *= np.float32(1e30)
    assert unchanged(run_passes(net.module, weights, (BATCHNORM,)))


def test_a_tiny_variance_is_folded_with_its_eps() -> None:
    net = api.loads("model T {\n" + INPUT + "output y = x -> conv(4, 3x3) -> n: batchnorm\n}")
    weights = dict(net.weights)
    weights["n.running_var"] = np.zeros(4, weights["n.running_var"].dtype)
    found = run_passes(net.module, weights, (BATCHNORM,))
    x = np.random.default_rng(0).normal(size=(2, 4, 9, 9))
    expected = evaluate(net.module.graph, weights, {"x": x}).outputs["y"]
    np.testing.assert_allclose(evaluate(found.module.graph, found.weights, {"x": x}).outputs["y"], expected, rtol=1e-9)


def test_labels_stay_and_unused_ones_go() -> None:
    found = prove(f"{INPUT}output y = x -> c: conv(6, 3x3, bias = false) -> n: batchnorm", BATCHNORM)
    assert set(found.weights) == {"c.weight", "c.bias"}
    assert [change.layers for change in found.report.changes] == [("c", "n")]
