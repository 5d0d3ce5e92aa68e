"""`concat` and `split`: every axis, symbolic sizes, and every way in which tensors do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convspec.ir.dims import symbol
from convspec.ir.lowering import Arg, Args, Call, Const
from convspec.ir.opdef import AttrError, OpDef, ShapeError
from convspec.ir.types import TensorType
from convspec.ops import find
from convspec.ops.concat import Concat
from convspec.ops.split import Split
from tests.ops.arrays import open_axes, smooth
from tests.ops.harness import check, convert

N, H, W = symbol("N"), symbol("H"), symbol("W")


def op(name: str) -> OpDef:
    found = find(name)
    assert found is not None
    return found


def floats(*shape: Any) -> TensorType:
    return TensorType("float32", shape)


# ── concat ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("rank", "axis"), [(2, "channels"), (3, "channels"), (3, "length"), (4, "channels"), (4, 2), (4, -1), (5, 1), (5, "depth")]
)
def test_concat_of_tensors_of_different_sizes(rank: int, axis: int | str) -> None:
    index = {"channels": 1, "length": 2, "depth": 2}.get(str(axis), axis)
    assert isinstance(index, int)
    x = smooth(rank)
    wider = np.concatenate([smooth(rank, 1), smooth(rank, 2)], index)
    case = check("concat", {"axis": axis}, x, wider, x * 2, free=open_axes(rank))
    assert case.output_shapes[0][index] == 4 * x.shape[index]


def test_concat_of_one_tensor() -> None:
    check("concat", {}, smooth(4))


def test_concat_of_integers_and_bools() -> None:
    x = np.arange(12).reshape(2, 3, 2)
    check("concat", {}, x, x)
    check("concat", {}, x > 3, x > 5)


def test_concat_adds_symbolic_sizes() -> None:
    assert str(op("concat").infer(Concat(axis=2), floats(N, 3, H), floats(N, 3, 2 * H))) == "float32[N, 3, 3*H]"
    assert str(op("concat").infer(Concat(axis=1), floats(N, 3, H), floats(N, 5, H))) == "float32[N, 8, H]"


def test_concat_reads_as_a_person_writes() -> None:
    x = floats(N, 3, 8, 8)
    lower = op("concat").lower
    assert lower["pytorch"](Concat(axis=1), x, x) == Call("torch.cat", (Args(), 1))
    assert lower["tensorflow"](Concat(axis=1), x, x) == Call("layers.concatenate", (Args(),))
    assert lower["tensorflow"](Concat(axis=3), x, x) == Call("layers.concatenate", (Args(),), {"axis": 2})


def concat_error(*types: TensorType, axis: int = 1) -> ShapeError:
    with pytest.raises(ShapeError) as caught:
        op("concat").infer(Concat(axis=axis), *types)
    return caught.value


def test_concat_of_sizes_that_differ() -> None:
    found = concat_error(floats(N, 3, 8, 8), floats(N, 5, 8, 8), floats(N, 3, 8, 7))
    assert (found.code, found.message) == ("CNN031", "the tensors of `concat` differ in width")
    assert found.inputs == {0: "width 8", 2: "width 7"}


def test_concat_of_sizes_that_differ_perhaps() -> None:
    found = concat_error(floats(N, 3, 2 * (H // 2), 8), floats(N, 3, H, 8))
    assert found.inputs == {0: "height 2*(H // 2)", 1: "height H"}
    assert found.equality is not None
    assert found.equality.condition == "H is even"


def test_concat_of_ranks_and_dtypes_that_differ() -> None:
    ranks = concat_error(floats(N, 3, 8), floats(N, 3))
    assert (ranks.code, ranks.message) == ("CNN030", "`concat` needs tensors of one rank, not of 3 and 2")
    dtypes = concat_error(floats(N, 3), TensorType("int64", (N, 3)))
    assert (dtypes.code, dtypes.message) == ("CNN037", "the tensors of `concat` differ in dtype")


# ── split ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("rank", "parts", "axis"),
    [
        (2, 3, "channels"),
        (2, [1, 3, 2], "channels"),
        (3, 3, "channels"),
        (3, 2, "length"),
        (4, [2, 1], "channels"),
        (4, 2, "height"),
        (4, 1, -1),
        (5, 2, "width"),
        (5, [1, 2], 1),
    ],
)
def test_split(rank: int, parts: int | list[int], axis: int | str) -> None:
    case = check("split", {"parts": parts, "axis": axis}, smooth(rank), free=open_axes(rank))
    assert len(case.output_shapes) == (parts if isinstance(parts, int) else len(parts))


def test_split_by_sizes_along_space() -> None:
    check("split", {"parts": [1, 3], "axis": "height"}, smooth(4))


def test_split_undoes_concat() -> None:
    case = check("split", {"parts": [1, 2]}, smooth(4))
    parts = case.op.evaluate(case.attrs, {}, case.arrays[0])
    np.testing.assert_array_equal(np.concatenate(parts, 1), case.arrays[0])


def test_split_of_integers() -> None:
    check("split", {"parts": 3}, np.arange(12).reshape(2, 3, 2))


def test_split_of_symbolic_sizes() -> None:
    inferred = op("split").infer(Split(parts=2, axis=2), floats(N, 3, 6 * H))
    assert isinstance(inferred, tuple)
    assert list(map(str, inferred)) == ["float32[N, 3, 3*H]"] * 2
    symbolic = op("split").lower["onnx"](Split(parts=2, axis=2), floats(N, 3, 6 * H))
    assert symbolic == Call("Split", (Arg(0),), {"axis": 2, "num_outputs": 2})
    known = op("split").lower["onnx"](Split(parts=2, axis=1), floats(N, 4, H))
    assert known == Call("Split", (Arg(0), Const((2, 2), "int64")), {"axis": 1})


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (2, "channels 3 cannot be split into 2 equal parts"),
        (4, "channels 3 cannot be split into 4 equal parts"),
        ((2, 2), "channels 3 cannot be split into 2 + 2 = 4"),
        ((1, 1), "channels 3 cannot be split into 1 + 1 = 2"),
    ],
)
def test_split_that_leaves_something_over(parts: int | tuple[int, ...], message: str) -> None:
    with pytest.raises(AttrError) as caught:
        op("split").infer(Split(parts=parts, axis=1), floats(N, 3, H))
    assert (caught.value.code, caught.value.message, caught.value.attribute) == ("CNN045", message, "parts")


def test_split_that_perhaps_leaves_something_over() -> None:
    with pytest.raises(ShapeError) as caught:
        op("split").infer(Split(parts=2, axis=2), floats(N, 3, H))
    assert (caught.value.code, caught.value.message) == (
        "CNN045",
        "length H cannot be split into 2 equal parts",
    )
    assert caught.value.equality is not None
    assert caught.value.equality.condition == "H is even"


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (0, "`parts` must be at least 1, not 0"),
        ([2, 0], "`parts` must be at least 1, not 0"),
        ([], "`parts` takes a number of equal parts or a list of sizes, not a list of 0"),
        ("two", '`parts` takes a number of equal parts or a list of sizes, not the string "two"'),
    ],
)
def test_parts_that_cannot_be(parts: Any, message: str) -> None:
    with pytest.raises(AttrError) as caught:
        convert(op("split"), {"parts": parts})
    assert caught.value.message == message
