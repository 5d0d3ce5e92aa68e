"""Arrays are held against the declarations before they go in."""

from __future__ import annotations

import numpy as np
import pytest

from convspec.runtime.checks import check_arrays
from tests.runtime.helpers import array, codes, random, signature, told


def test_arrays_that_fit_pass_unchanged() -> None:
    array = random(2, 3, 4, 5)
    checked = check_arrays(signature("x: float32[N, 3, H, W]"), {"x": array})
    assert checked.arrays["x"] is array
    assert (checked.sizes, checked.notes) == ({"N": 2, "H": 4, "W": 5}, ())


def test_a_missing_batch_axis_is_added_and_said() -> None:
    array = random(3, 4, 5)
    checked = check_arrays(signature("x: float32[N, 3, H, W]"), {"x": array}, {"x": "a.npy"})
    np.testing.assert_array_equal(checked.arrays["x"], array[None])
    assert checked.notes == ("a.npy: a batch axis was added, N = 1",)


def test_a_batch_axis_is_not_added_where_the_batch_is_fixed() -> None:
    message = told(lambda: check_arrays(signature("x: float32[2, 3, 4]"), {"x": random(3, 4)}, {"x": "a.npy"}))
    assert message.splitlines() == [
        "error[CNN301]: a.npy, with a batch axis added, does not fit the input `x`: its shape is [1, 3, 4], declared "
        "float32[2, 3, 4]",
        "  = batch (axis 0): declared 2, found 1",
    ]


def test_rounding_is_said() -> None:
    checked = check_arrays(signature("x: float32[N, 1]"), {"x": array("float64", [[0.1]])}, {"x": "a.npy"})
    assert checked.notes == ("a.npy: float64 rounded to float32",)


def test_arrays_come_out_contiguous() -> None:
    turned = random(5, 3, 2).transpose(2, 1, 0)
    checked = check_arrays(signature("x: float32[N, 3, 5]"), {"x": turned})
    assert checked.arrays["x"].flags.c_contiguous
    np.testing.assert_array_equal(checked.arrays["x"], turned)


def test_nan_is_refused_and_infinity_is_not() -> None:
    array = random(2, 3, 4)
    array[1, 2, 3], array[1, 0, 0], array[0, 0, 0] = np.nan, np.nan, np.inf
    interface = signature("x: float32[N, 3, 4]")
    assert told(lambda: check_arrays(interface, {"x": array}, {"x": "a.npy"})) == (
        "error[CNN301]: a.npy holds 2 NaN, the first at [1, 0, 0], for the input `x`"
    )
    assert check_arrays(interface, {"x": np.full((1, 3, 4), -np.inf, np.float32)}).notes == ()


def test_the_wrong_dtype_is_refused_with_the_reason() -> None:
    message = told(lambda: check_arrays(signature("x: float32[N, 1]"), {"x": np.array([["a"]])}, {"x": "a.npy"}))
    assert message.splitlines() == [
        "error[CNN301]: a.npy does not fit the input `x`: it holds <U1, declared float32[N, 1]",
        "  = <U1 does not go into float32 without changing values",
    ]


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 3, 0)])
def test_empty_arrays_are_refused(shape: tuple[int, ...]) -> None:
    message = told(lambda: check_arrays(signature("x: float32[N, 3, L]"), {"x": np.zeros(shape, np.float32)}))
    assert message == f"error[CNN301]: the data is empty: its shape is [{', '.join(map(str, shape))}]"


def test_names_are_checked_first() -> None:
    interface = signature("left: float32[N, 3]", "right: float32[N, 3]")
    message = told(lambda: check_arrays(interface, {"lefd": random(1, 3)}))
    assert message.splitlines() == [
        "error[CNN302]: Net has no input `lefd`",
        "  = did you mean `left`?",
        "error[CNN302]: there is no data for the input `left` of Net",
        "  = give it with --input left=FILE",
        "error[CNN302]: there is no data for the input `right` of Net",
        "  = give it with --input right=FILE",
    ]
    far = told(lambda: check_arrays(interface, {"left": random(1, 3), "right": random(1, 3), "q": random(1, 3)}))
    assert far.endswith("  = the inputs are `left`, `right`")


def test_all_inputs_are_reported_at_once() -> None:
    interface = signature("a: float32[N, 3]", "b: float32[N, 4]", "c: float32[N, 5]")
    arrays = {"a": np.zeros((1, 3), np.complex64), "b": random(1, 9), "c": np.full((1, 5), np.nan, np.float32)}
    assert codes(lambda: check_arrays(interface, arrays)) == ["CNN301"] * 3
