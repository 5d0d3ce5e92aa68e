"""Errors, gates and excuses."""

from __future__ import annotations

import math

import numpy as np
import pytest

from convspec.ir.types import Array
from convspec.verify.compare import first_difference, scaled_error, summarise, worst
from convspec.verify.precision import gates_of, judge
from tests.verify.helpers import module


def array(*numbers: float) -> Array:
    return np.array(numbers)


def test_the_error_is_scaled_by_the_largest_expected_element() -> None:
    assert scaled_error(array(1, 9), array(1, 10)) == pytest.approx(0.1)
    assert scaled_error(array(0, 0.5), array(0, 0)) == 0.5
    assert scaled_error(array(1), array(1, 2)) == math.inf
    assert scaled_error(array(1, math.nan), array(1, 2)) == math.inf
    assert scaled_error(array(1, math.nan), array(1, math.nan)) == 0
    assert scaled_error(array(1, math.inf), array(1, -math.inf)) == math.inf
    assert scaled_error(np.array([True, False]), np.array([True, True])) == 1
    assert scaled_error(np.zeros((0, 3)), np.zeros((0, 3))) == 0


def test_what_one_side_lacks_stands_against_zeros() -> None:
    assert worst({"a": array(1)}, {"b": array(2), "a": array(1)}) == {"b": 1.0, "a": 0.0}
    assert worst({"c": array(0, 0)}, {}) == {"c": 0.0}


def test_the_first_difference_is_told_with_both_numbers() -> None:
    found, expected = np.zeros((2, 3)), np.zeros((2, 3))
    expected[0, 0], found[0, 0] = 10, 10
    found[1, 0], found[1, 2] = 1e-4, -7
    difference = first_difference(found, expected, 1e-3)
    assert difference is not None
    assert (difference.position, difference.found, difference.expected, difference.count) == ((1, 2), -7.0, 0.0, 1)
    assert str(difference) == "first at [1, 2]: -7, expected 0"
    assert first_difference(found, found, 0.0) is None
    assert first_difference(array(1), array(1, 2), 0.0) is None
    beside = first_difference(array(1, math.nan), array(1, 2), 1e-3)
    assert beside is not None and beside.position == (1,) and beside.to_json()["found"] == "nan"


def test_a_summary_tells_range_and_mean() -> None:
    assert str(summarise(np.array([[1.0, 3.0]], np.float32))) == "float32[1, 2], from 1 to 3, mean 2"
    assert str(summarise(array(math.nan))) == "float64[1], nothing finite"


def _judge(found: float, moved: float, gate: float = 1e-5) -> tuple[str, str | None]:
    told = judge({"y": array(1 + found)}, {"y": array(1)}, lambda name: gate, lambda: {"y": moved})
    return told.status, told.note or None


def test_an_excuse_is_told_and_never_reaches_further_than_the_movement() -> None:
    assert _judge(1e-6, 0.0) == ("pass", None)
    assert _judge(1e-4, 0.0) == ("fail", None)
    assert _judge(1e-4, 1e-7) == ("fail", None), "a well-conditioned value"
    status, note = _judge(1e-4, 1e-4)
    assert status == "excused" and note is not None and "y (error 1.0e-04, moves by 1.0e-04)" in note
    assert _judge(1e-2, 1e-5) == ("fail", None), "an error far above what the value moves by"
    assert _judge(math.nan, 1.0) == ("fail", None)
    assert _judge(1.0, 1.0, gate=0.0) == ("fail", None), "integers are exact"


def test_the_gate_follows_the_coarsest_float_on_the_way() -> None:
    text = "model G {\n    input x: float32[N, 3]\n    input h: float16[N, 3]\n    input i: int32[N, 3]\n"
    text += "    output a = x -> relu\n    output b = h -> relu\n    output c = i + 1\n}\n"
    graph = module(text).graph
    gates = gates_of(graph)
    assert [gates[output.value] for output in graph.outputs] == [1e-5, 1e-3, 0.0]


LAYER = {"a.weight": array(2.0, -1.0), "a.bias": array(1e-12), "b.bias": array(3.0)}


def _gradients(bias: float) -> tuple[str, str | None, float, str]:
    told = judge(LAYER | {"a.bias": array(bias)}, LAYER, lambda name: 1e-8, lambda: {}, lambda name: ("a.weight", "a.bias"))
    return told.status, told.tensor, told.error, told.note


def test_a_gradient_that_is_zero_but_for_rounding_is_compared_on_the_scale_of_its_layer() -> None:
    status, _, error, note = _gradients(-3e-12)
    assert status == "pass" and error == pytest.approx(2e-12)
    assert "0 but for rounding" in note and "a.bias" in note and "b.bias" not in note
    assert _gradients(1e-6)[:2] == ("fail", "a.bias"), "one side alone is zero"
    assert _gradients(math.nan)[0] == "fail"
    alone = judge({"b": array(1e-12)}, {"b": array(2e-12)}, lambda name: 1e-8, lambda: {}, lambda name: ("b",))
    assert alone.status == "fail", "nothing in its layer says on what scale it is zero"


def test_what_is_large_is_compared_throughout_and_in_any_layout() -> None:
    expected = np.random.default_rng(0).standard_normal((700, 600))
    found = expected.T.copy().T
    assert scaled_error(found, expected) == 0
    found[-1, -1] += 1
    assert scaled_error(found, expected) == pytest.approx(1 / np.abs(expected).max())
    found[0, 0] = expected[0, 0] = math.inf
    assert scaled_error(found, expected) == pytest.approx(1 / np.abs(expected[np.isfinite(expected)]).max())
    found[5, 5] = math.nan
    assert scaled_error(found, expected) == math.inf
