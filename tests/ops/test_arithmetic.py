"""+ - * / of tensors and of a tensor and a number: broadcasting, integers, symbolic sizes, every error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convspec.ir.dims import symbol
from convspec.ir.lowering import Arg, Call
from convspec.ir.opdef import AttrError, ShapeError
from convspec.ir.types import TensorType
from convspec.ops import find
from convspec.ops.add import Add
from tests.ops.arrays import SHAPES, open_axes, smooth
from tests.ops.harness import check, convert, prepare, reference

OPS = ["add", "sub", "mul", "div"]
SYMBOLS = {"add": "+", "sub": "-", "mul": "*", "div": "/"}


@pytest.mark.parametrize(
    ("name", "y"), [("add", [5.0, -1.0]), ("sub", [-1.0, -3.0]), ("mul", [6.0, -2.0]), ("div", [2 / 3, -2.0])]
)
def test_the_reference_has_values_known_by_hand(name: str, y: list[float]) -> None:
    case = prepare(name, {}, [[[2.0, -2.0]], [[3.0, 1.0]]])
    np.testing.assert_allclose(reference(case)[0], [y], rtol=1e-15)


@pytest.mark.parametrize("rank", [2, 3, 4, 5])
@pytest.mark.parametrize("name", OPS)
def test_two_tensors(name: str, rank: int) -> None:
    check(name, {}, smooth(rank), 2 + np.abs(smooth(rank, 1)), free=open_axes(rank))


@pytest.mark.parametrize("rank", [2, 3, 4, 5])
@pytest.mark.parametrize("name", ["sub", "div"])
def test_axes_of_size_one_broadcast_on_either_side(name: str, rank: int) -> None:
    """Each tensor has size 1 on every second axis: together they fill the shape."""
    even, odd = [tuple(1 if axis % 2 == side else size for axis, size in enumerate(SHAPES[rank])) for side in (0, 1)]
    rng = np.random.default_rng(3)
    case = check(name, {}, rng.normal(size=even), 2 + rng.random(size=odd), free=open_axes(rank))
    assert case.output_shapes == (SHAPES[rank],)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("name", OPS)
def test_a_number_on_either_side(name: str, side: str) -> None:
    check(name, {side: 0.1}, 2 + np.abs(smooth(4)))


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
@pytest.mark.parametrize("name", ["add", "sub", "mul"])
def test_integers(name: str, dtype: str) -> None:
    x = np.arange(7, 13, dtype=dtype).reshape(2, 3)
    check(name, {}, x, np.full((2, 1), 3, dtype))
    check(name, {"right": 2}, x)
    check(name, {"left": 100}, x)


def test_integers_can_be_negated() -> None:
    check("neg", {}, np.arange(-3, 3, dtype="int64").reshape(2, 3))


def test_lowerings_read_as_a_person_writes() -> None:
    op = find("sub")
    assert op is not None
    x = TensorType("float32", (1, 2))
    assert op.lower["pytorch"](Add(), x, x) == Call("-", (Arg(0), Arg(1)))
    assert op.lower["tensorflow"](Add(left=2.0), x) == Call("-", (2, Arg(0)))
    assert repr(op.lower["pytorch"](Add(left=0.5), x)) == repr(Call("-", (0.5, Arg(0))))
    assert repr(op.lower["pytorch"](Add(right=2.0), x)) == repr(Call("-", (Arg(0), 2))), "written as an integer"
    assert op.lower["pytorch"](Add(right=2.0), TensorType("int64", (1, 2))) == Call("-", (Arg(0), 2))


N, H = symbol("N"), symbol("H")


def error(name: str, *types: TensorType, **numbers: float) -> ShapeError | AttrError:
    op = find(name)
    assert op is not None
    try:
        op.infer(op.attrs(**numbers), *types)
    except (ShapeError, AttrError) as problem:
        return problem
    raise AssertionError(f"{name} took {types} and {numbers}")


def floats(*shape: Any) -> TensorType:
    return TensorType("float32", shape)


def test_sizes_that_differ() -> None:
    found = error("add", floats(N, 64, 2 * (H // 2), 8), floats(N, 64, H, 8))
    assert isinstance(found, ShapeError)
    assert (found.code, found.message) == ("CNN031", "the two sides of `+` differ in height")
    assert found.inputs == {0: "height 2*(H // 2)", 1: "height H"}
    assert found.equality is not None
    assert (found.equality.verdict, found.equality.condition) == ("sometimes", "H is even")


@pytest.mark.parametrize(
    ("left", "right", "axis"),
    [
        ((2, 3), (4, 3), "batch"),
        ((N, 3), (N, 4), "channels"),
        ((N, 3, 5), (N, 3, 6), "length"),
        ((N, 3, 5, 5), (N, 3, 5, 6), "width"),
        ((N, 3, 4, 5, 5), (N, 3, 5, 5, 5), "depth"),
    ],
)
def test_the_axis_that_differs_is_named(left: tuple[Any, ...], right: tuple[Any, ...], axis: str) -> None:
    found = error("mul", floats(*left), floats(*right))
    assert found.message == f"the two sides of `*` differ in {axis}"
    assert isinstance(found, ShapeError)
    assert list(found.inputs) == [0, 1]


def test_ranks_that_differ() -> None:
    found = error("mul", floats(N, 64, 8, 8), floats(N, 64))
    assert isinstance(found, ShapeError)
    assert (found.code, found.message) == ("CNN030", "`*` needs two tensors of one rank, not of 4 and 2")
    assert found.inputs == {0: "float32[N, 64, 8, 8]", 1: "float32[N, 64]"}
    assert found.hint is not None
    assert "instead of flattening" in found.hint
    assert error("mul", floats(N, 64, 8, 8), floats(N, 64, 8)).hint is None


def test_dtypes_that_differ() -> None:
    found = error("add", floats(N, 64), TensorType("int64", (N, 64)))
    assert isinstance(found, ShapeError)
    assert (found.code, found.message) == ("CNN037", "the two sides of `+` differ in dtype")


@pytest.mark.parametrize(
    ("name", "dtype", "numbers", "code", "message"),
    [
        ("div", "float32", {"right": 0.0}, "CNN045", "a tensor is divided by 0"),
        ("add", "float32", {"right": float("inf")}, "CNN045", "the number beside `+` must be finite, not inf"),
        ("add", "int64", {"left": float("nan")}, "CNN045", "the number beside `+` must be finite, not nan"),
        ("add", "uint8", {"right": 0.5}, "CNN037", "`+` of a tensor of uint8 takes a whole number from 0 to 255, not 0.5"),
        (
            "sub",
            "int64",
            {"right": 2.0**53},
            "CNN037",
            "`-` of a tensor of int64 takes a whole number from -9007199254740991 to 9007199254740991, not 9.0072e+15",
        ),
        ("mul", "uint8", {"left": 256.0}, "CNN037", "`*` of a tensor of uint8 takes a whole number from 0 to 255, not 256"),
    ],
)
def test_numbers_that_do_not_fit(name: str, dtype: str, numbers: dict[str, float], code: str, message: str) -> None:
    found = error(name, TensorType(dtype, (N, 2)), **numbers)
    assert (found.code, found.message) == (code, message)
    assert isinstance(found, AttrError)
    assert found.attribute in numbers


def test_a_number_is_read_as_one() -> None:
    op = find("add")
    assert op is not None
    assert convert(op, {"left": 2}).left == 2.0
    with pytest.raises(AttrError, match="`left` takes a number"):
        convert(op, {"left": "two"})


@pytest.mark.parametrize("name", OPS)
def test_cost_is_one_operation_for_each_element_of_the_result(name: str) -> None:
    op = find(name)
    assert op is not None
    assert op.cost is not None
    assert op.cost(op.attrs(), floats(2, 3, 1), floats(2, 1, 5)).flops == 30
    assert op.cost(op.attrs(left=1.0), floats(N, 3, 2)).flops == 6 * N
