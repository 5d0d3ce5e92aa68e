"""What is computed twice is computed once, and what nobody needs not at all."""

from __future__ import annotations

import numpy as np
import pytest

from convspec import api
from convspec.passes.merge_common import PASS as COMMON
from convspec.passes.optimise import run_passes
from convspec.passes.remove_dead import PASS as DEAD
from tests.passes.proving import ops, prove, spec, unchanged

X = "input x: float64[N, 4, h + 8, w + 8]\ninput z: float64[N, 4, h + 8, w + 8]\n"


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("output (x -> relu) + (x -> relu)", ["relu", "add"]),
        ("output (x -> relu -> exp) + (x -> relu -> exp)", ["relu", "exp", "add"]),
        ("output (x + z) * (z + x)", ["add", "mul"]),
        ("layer c = conv(4, 1x1)\noutput (x -> c) + (x -> c)", ["conv", "add"]),
        ("output a = x -> relu\noutput b = x -> relu", ["relu"]),
        ("a, b = x -> split(2)\nc, d = x -> split(2)\noutput concat(a, b, c, d)", ["split", "concat"]),
        ("layer p = parameter([1, 4, 1, 1])\noutput (x + p) * (z + p)", ["parameter", "add", "add", "mul"]),
        ("output (x -> maxpool(2x2)) + (x -> maxpool(2x2, stride = 2))", ["maxpool", "add"]),
    ],
)
def test_the_same_twice_is_computed_once(body: str, left: list[str]) -> None:
    assert sorted(ops(prove(X + body, COMMON))) == sorted(left)


@pytest.mark.parametrize(
    "body",
    [
        "output (x -> relu) + (z -> relu)",
        "output (x - z) * (z - x)",
        "output (x -> conv(4, 1x1)) + (x -> conv(4, 1x1))",
        "output (x -> clip(0, 1)) + (x -> clip(0, 2))",
        "output (x * 0.0) + (x * -0.0)",
        "output (x -> dropout(0.5)) + (x -> dropout(0.5))",
        "output (x -> maxpool(2x2)) + (x -> avgpool(2x2))",
        "output (x * 2) + (x / 2)",
        "output (x - 1) + (1 - x)",
    ],
)
def test_what_differs_stays(body: str) -> None:
    assert unchanged(prove(X + body, COMMON))


def test_stored_tensors_of_equal_bytes_are_one() -> None:
    net = api.loads(spec(X + "output (x -> a: conv(4, 1x1)) + (x -> b: conv(4, 1x1)) * (x -> c: conv(4, 1x1))"))
    weights = dict(net.weights)
    weights["c.weight"], weights["c.bias"] = weights["a.weight"].copy(), weights["a.bias"].copy()
    found = run_passes(net.module, weights, (COMMON,))
    assert ops(found) == ["conv", "conv", "mul", "add"]
    assert set(found.weights) == {"a.weight", "a.bias", "b.weight", "b.bias"}
    weights["c.bias"][0] = np.nextafter(weights["c.bias"][0], 1)
    assert unchanged(run_passes(net.module, weights, (COMMON,)))


def test_both_names_of_one_result_stay() -> None:
    found = prove(X + "output a = x -> relu\noutput b = x -> relu", COMMON)
    assert [output.name for output in found.module.graph.outputs] == ["a", "b"]


def test_what_nobody_needs_goes_with_its_weights() -> None:
    found = prove(X + "y = x -> conv(8, 3x3) -> batchnorm -> relu\noutput z -> exp", DEAD)
    assert ops(found) == ["exp"]
    assert found.weights == {}
    assert [item.value.name for item in found.module.graph.inputs] == ["x", "z"]


def test_one_output_of_several_is_need_enough() -> None:
    assert unchanged(prove(X + "a, b = x -> split(2)\noutput b -> exp", DEAD))


def test_a_learned_tensor_keeps_nothing_alive() -> None:
    body = X + "y = x -> conv(8, 3x3)\nlayer p = parameter([1, 4, 1, 1])\noutput z + p"
    assert ops(prove(body, DEAD)) == ["parameter", "add"]
