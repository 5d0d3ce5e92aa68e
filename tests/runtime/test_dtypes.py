"""Data of another element type goes in without a change in silence, or not at all."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from convspec.runtime.dtypes import NoExactForm, convert, dtype_name
from tests.runtime.helpers import array


@pytest.mark.parametrize(
    ("array", "wanted", "expected", "remark"),
    [
        (array("float32", [1.5]), "float32", array("float32", [1.5]), None),
        (array("float64", [1.5, np.inf]), "float32", array("float32", [1.5, np.inf]), None),
        (array("float64", [0.1]), "float32", array("float32", [0.1]), "float64 rounded to float32"),
        (array("float32", [0.1]), "float16", array("float16", [0.1]), "float32 rounded to float16"),
        (array("float32", [0.1]), "float64", array("float64", [np.float32(0.1)]), None),
        (array("float32", [1.0, 3.0]), "bfloat16", np.array([1, 3], ml_dtypes.bfloat16), None),
        (np.array([0.5], ml_dtypes.bfloat16), "float32", array("float32", [0.5]), None),
        (array("uint8", [0, 255]), "float32", array("float32", [0, 255]), None),
        (array("int64", [2**24]), "float32", array("float32", [2**24]), None),
        (array("int64", [-5, 7]), "int32", array("int32", [-5, 7]), None),
        (array("int64", [0, 255]), "uint8", array("uint8", [0, 255]), None),
        (np.array([1.5], ">f4"), "float32", array("float32", [1.5]), None),
        (np.array([True, False]), "bool", np.array([True, False]), None),
        (np.zeros((0, 3), np.int64), "float32", np.zeros((0, 3), np.float32), None),
    ],
)
def test_conversions(array: Any, wanted: str, expected: Any, remark: str | None) -> None:
    converted, said = convert(array, wanted)
    assert converted.dtype == expected.dtype
    assert converted.dtype.isnative
    np.testing.assert_array_equal(converted, expected)
    assert said == remark


@pytest.mark.parametrize(
    ("array", "wanted", "reason"),
    [
        (array("int64", [2**24 + 1]), "float32", "its int64 values 16777217 … 16777217 do not fit into float32, which holds "
         "-16777216 … 16777216"),
        (array("int64", [3, 256]), "uint8", "its int64 values 3 … 256 do not fit into uint8, which holds 0 … 255"),
        (array("int64", [-1]), "uint8", "its int64 values -1 … -1 do not fit into uint8, which holds 0 … 255"),
        (array("uint64", [2**63]), "int64", "its uint64 values 9223372036854775808 … 9223372036854775808 do not fit into "
         "int64, which holds -9223372036854775808 … 9223372036854775807"),
        (array("float64", [1e39, 0, -1e40]), "float32", "2 of its float64 values are too large for float32"),
        (array("float32", [7e4]), "float16", "1 of its float32 values are too large for float16"),
        (array("float32", [1.0]), "int32", "float32 does not go into int32 without changing values"),
        (np.array([True]), "float32", "bool does not go into float32 without changing values"),
        (array("uint8", [1]), "bool", "uint8 does not go into bool without changing values"),
        (array("complex64", [1]), "float32", "complex64 does not go into float32 without changing values"),
    ],
)  # fmt: skip
def test_what_would_change_values_is_refused(array: Any, wanted: str, reason: str) -> None:
    with pytest.raises(NoExactForm) as caught:
        convert(array, wanted)
    assert str(caught.value) == reason


def test_names_leave_out_the_byte_order() -> None:
    assert dtype_name(np.dtype(">f8")) == "float64"
    assert dtype_name(np.dtype("U3")) == "<U3"
