"""Names of axes, axis attributes, and where Keras has an axis."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convspec.ir.opdef import AttrError
from convspec.ops._axes import Axes, Axis, axis_index, axis_indices, axis_name, keras_axis


def test_axes_are_named_by_rank() -> None:
    assert [axis_name(i, 2) for i in range(2)] == ["batch", "channels"]
    assert [axis_name(i, 3) for i in range(3)] == ["batch", "channels", "length"]
    assert [axis_name(i, 4) for i in range(4)] == ["batch", "channels", "height", "width"]
    assert [axis_name(i, 5) for i in range(5)] == ["batch", "channels", "depth", "height", "width"]
    assert axis_name(5, 6) == "axis 5"


@pytest.mark.parametrize("rank", [2, 3, 4, 5])
def test_keras_axes_are_where_channels_last_puts_them(rank: int) -> None:
    shape = tuple(range(10, 10 + rank))
    last = np.moveaxis(np.empty(shape), 1, -1).shape
    assert [last[keras_axis(index, rank)] for index in range(rank)] == list(shape)


@pytest.mark.parametrize(
    ("axis", "rank", "code", "message"),
    [
        ("depth", 4, "CNN045", "a tensor of rank 4 has no depth: its axes are batch, channels, height, width"),
        (0, 4, "CNN045", "`axis` cannot be the batch: no layer mixes the examples of a batch"),
        (-4, 4, "CNN045", "`axis` cannot be the batch: no layer mixes the examples of a batch"),
        (4, 4, "CNN044", "there is no axis 4: a tensor of rank 4 has the axes 0 to 3"),
        (-5, 4, "CNN044", "there is no axis -5: a tensor of rank 4 has the axes 0 to 3"),
    ],
)
def test_axes_that_are_not_there(axis: int | str, rank: int, code: str, message: str) -> None:
    with pytest.raises(AttrError) as caught:
        axis_index(axis, rank)
    assert (caught.value.code, caught.value.message, caught.value.attribute) == (code, message, "axis")


@pytest.mark.parametrize(
    ("value", "code"),
    [("batch", "CNN047"), ("hight", "CNN047"), (1.0, "CNN040"), (True, "CNN040"), ([1], "CNN040")],
)
def test_what_is_no_axis(value: Any, code: str) -> None:
    with pytest.raises(AttrError) as caught:
        Axis().convert("axis", value)
    assert caught.value.code == code


def test_lists_of_axes() -> None:
    assert Axes().convert("axes", "height") == ("height",)
    assert Axes().convert("axes", ["height", -1]) == ("height", -1)
    assert Axes(batch=True).convert("axes", ["batch", 2]) == ("batch", 2)
    assert axis_indices(("width", 2, -3), 4) == (3, 2, 1)
    assert [axis_indices((axis, 1), 3, batch=True) for axis in ("batch", 0, -3)] == [(0, 1)] * 3


@pytest.mark.parametrize(
    ("value", "code"), [([], "CNN040"), ([True], "CNN040"), (["batch"], "CNN047"), (["height", 1.5], "CNN040")]
)
def test_what_is_no_list_of_axes(value: Any, code: str) -> None:
    with pytest.raises(AttrError) as caught:
        Axes().convert("axes", value)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        (("width", 3), "`axes` names the width twice"),
        ((1, -3), "`axes` names the channels twice"),
        ((0,), "`axes` cannot be the batch: no layer mixes the examples of a batch"),
        (("depth",), "a tensor of rank 4 has no depth: its axes are batch, channels, height, width"),
    ],
)
def test_lists_of_axes_that_cannot_be(axes: tuple[int | str, ...], message: str) -> None:
    with pytest.raises(AttrError) as caught:
        axis_indices(axes, 4)
    assert caught.value.message == message
