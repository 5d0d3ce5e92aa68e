"""What no input reaches is computed once; what would be blown up, or is reached by an input, stays."""

from __future__ import annotations

import numpy as np
import pytest

from convspec import api
from convspec.passes.fold_constants import PASS
from convspec.passes.optimise import run_passes
from convspec.passes.remove_dead import PASS as DEAD
from convspec.weights.randomised import randomised
from tests.passes.proving import difference, ops, prove, spec, unchanged

X = """
input x: float64[N, 4, 6, 6]
layer p = parameter([1, 4, 6, 6], init = ones)
layer q = parameter([1, 4, 1, 1], init = ones)
"""


@pytest.mark.parametrize(
    "form",
    [
        "p -> sigmoid",
        "(p * 2 + 1) / 3",
        "p + q",
        "p -> conv(4, 3x3, pad = 1)",
        "p -> conv(4, 3x3, pad = 1) -> batchnorm -> relu",
        "p -> reshape([4, 36]) -> softmax -> reshape([4, 6, 6])",
        "p -> resize(3x3, mode = linear) -> resize(6x6)",
        "p -> mean([height, width])",
        "q -> tile([1, 6, 6])",
        "(p -> split(2))[0] -> tile([2, 1, 1])",
    ],
)
def test_what_no_input_reaches_is_stored(form: str) -> None:
    found = prove(X + f"output x + ({form})", PASS, DEAD)
    assert ops(found) == ["parameter", "add"]


def test_a_constant_that_others_read_too_stays_for_them() -> None:
    found = prove(X + "output a = x + (q -> exp)\noutput b = x * q", PASS, DEAD)
    assert sorted(ops(found)) == ["add", "mul", "parameter", "parameter"]


def test_an_output_may_be_a_constant() -> None:
    found = prove(X + "output x\noutput c = p -> exp", PASS, DEAD)
    assert ops(found) == ["parameter"]


def test_what_is_stored_is_not_trained() -> None:
    found = prove(X + "output x + (q -> exp)", PASS, DEAD)
    assert [p.trainable for p in found.module.graph.parameters().values()] == [False]


@pytest.mark.parametrize(
    "body",
    [
        # It would be blown up.
        "output (q -> tile([8, 6, 6])) + (x -> conv(32, 1x1))",
        "input z: float64[N, 4, h + 1, w + 1]\noutput z + (q -> expand(z, axes = batch))",
        "output x + p",
        "output (x + p) -> exp",
        "output x -> conv(4, 1x1)",
        # Integers are no stored tensors.
        "output x\noutput c = p -> cast(int32)",
    ],
)
def test_what_stays(body: str) -> None:
    assert unchanged(prove(X + body, PASS))


def test_what_is_not_finite_stays() -> None:
    net = api.loads(spec(X + "output x + (q -> log)"))
    weights = {name: np.zeros_like(array) for name, array in net.weights.items()}
    assert unchanged(run_passes(net.module, weights, (PASS,)))


def test_a_standardised_weight_is_stored() -> None:
    found = prove("input x: float64[N, 4, 9, 9]\noutput x -> ws_conv(6, 3x3, pad = 1, pad_mode = reflect, groups = 2)", PASS)
    assert ops(found) == ["conv"]


def test_a_standardised_weight_that_is_shared_stays() -> None:
    body = "input x: float64[N, 4, 9, 9]\nlayer c = ws_conv(4, 3x3)\noutput x -> c -> c"
    assert unchanged(prove(body, PASS))


def test_a_picture_of_integers_lends_a_constant_its_place_alone() -> None:
    text = (
        "input x: uint8[N, 4, 6, 6]\nlayer q = parameter([1, 4, 1, 1], init = ones)\noutput (x -> cast(float32)) + (q -> exp)"
    )
    net = api.loads(spec(text))
    weights = randomised(net.module.graph, 1)
    found = run_passes(net.module, weights, (PASS,))
    assert sorted(ops(found)) == ["add", "cast", "parameter"]
    assert difference(net.module, weights, found) < 1e-6
