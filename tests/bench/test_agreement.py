"""Whether subjects compute the same."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from convspec.bench.agreement import TOLERANCE, agreement, allowed, reference_of
from convspec.bench.plan import Source, Subject

SOURCE = Source("net.cnn")


def subject(precision: str, tf32: bool = False, against: bool = False) -> Subject:
    return Subject(SOURCE, "pytorch", precision=precision, tf32=tf32, against=against)


def test_the_finest_is_the_measure_and_another_tools_file_never_where_there_is_one() -> None:
    half, full, other = subject("fp16"), subject("fp32"), subject("fp32", against=True)
    assert reference_of([other, half, full]) == full
    assert reference_of([other, half]) == half
    assert reference_of([other]) == other
    assert reference_of([subject("fp32", tf32=True), full]) == full


def test_the_coarser_of_two_says_what_is_allowed() -> None:
    assert (
        allowed(subject("bf16"), subject("fp32"), None) == TOLERANCE["bf16"] == allowed(subject("fp32"), subject("bf16"), None)
    )
    assert allowed(subject("fp32"), subject("fp32", tf32=True), None) == TOLERANCE["tf32"]
    assert allowed(subject("bf16"), subject("fp32"), 1e-9) == 1e-9


def test_a_network_that_is_declared_coarse_is_compared_so() -> None:
    one = subject("fp32")
    assert allowed(one, one, None, {"float32", "int64"}) == TOLERANCE["fp32"]
    assert allowed(one, one, None, {"float32", "bfloat16"}) == TOLERANCE["bf16"]
    assert allowed(subject("bf16"), one, None, {"float16"}) == TOLERANCE["bf16"]


def test_the_worst_output_decides_on_its_own_scale() -> None:
    expected = {"a": np.array([1000.0, 1.0]), "b": np.array([0.001, 0.0])}
    found = agreement({"a": np.array([1000.5, 1.0]), "b": np.array([0.001, 0.0001])}, expected, "one", 0.01)
    assert found.output == "b" and found.error == pytest.approx(0.1) and not found.holds
    assert agreement(expected, expected, "one", 0.0).holds


@pytest.mark.parametrize("wrong", [np.array([1.0, np.nan]), np.array([1.0, np.inf]), np.array([[1.0, 2.0]]), np.array([1.0])])
def test_other_shapes_and_numbers_that_are_none_never_agree(wrong: np.ndarray) -> None:
    found = agreement({"a": wrong}, {"a": np.array([1.0, 2.0])}, "one", 1e9)
    assert found.error == inf and not found.holds and found.to_json()["error"] is None


def test_integers_are_equal_or_not() -> None:
    one, other = {"a": np.array([1, 1_000_000])}, {"a": np.array([2, 1_000_000])}
    assert agreement(one, one, "", 0.1).holds and not agreement(other, one, "", 0.1).holds


def test_outputs_of_other_names_are_taken_in_order() -> None:
    expected = {"logits": np.ones(3), "boxes": np.zeros(4)}
    assert agreement({"o1": np.ones(3), "o2": np.zeros(4)}, expected, "one", 0.0).holds
    assert not agreement({"o1": np.zeros(4), "o2": np.ones(3)}, expected, "one", 0.5).holds
    assert not agreement({"logits": np.ones(3)}, expected, "one", 0.5).holds
