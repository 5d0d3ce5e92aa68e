"""What elementwise ops share: the shape rule of one tensor, the broadcast of two, and one operation per element."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from convspec.ir.attrs import Real
from convspec.ir.dims import Size, equal, together
from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import AttrError, Cost, ShapeError, TargetName, attr
from convspec.ir.types import INTEGERS, Array, TensorType
from convspec.ops._axes import axis_name
from convspec.records import dataclass


def same_type(attrs: object, x: TensorType) -> TensorType:
    """Shape rule of a layer that changes values only."""
    return x


def elements(x: TensorType) -> Size:
    """The number of elements of a tensor."""
    product: Size = 1
    for size in x.shape:
        product = product * size
    return product


def one_flop_each(attrs: object, x: TensorType) -> Cost:
    """Cost of a layer that does one operation per element."""
    return Cost(flops=elements(x))


# ── two sides: + - * / ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The plain number of `2 * x` (left) or `x / 255` (right). With both None the op takes two tensors."""

    left: float | None = attr(Real(), None, doc="A plain number on the left, in place of the first tensor.")
    right: float | None = attr(Real(), None, doc="A plain number on the right, in place of the second tensor.")


def broadcast(symbol: str) -> Callable[..., TensorType]:
    """Shape rule of `a symbol b`: equal ranks and dtypes, and only axes of size 1 broadcast."""

    def infer(a: Sides, x: TensorType, y: TensorType | None = None) -> TensorType:
        if y is None:
            _number(symbol, a, x.dtype)
            return x
        return broadcast_pair(symbol, x, y)

    return infer


def broadcast_pair(symbol: str, x: TensorType, y: TensorType, at: tuple[int, int] = (0, 1)) -> TensorType:
    """The type of two tensors together; `at`: which inputs of the op they are."""
    if x.rank != y.rank:
        raise ShapeError(
            f"`{symbol}` needs two tensors of one rank, not of {x.rank} and {y.rank}",
            inputs={at[0]: str(x), at[1]: str(y)},
            hint=_rank_hint(x, y),
        )
    if x.dtype != y.dtype:
        raise ShapeError(f"the two sides of `{symbol}` differ in dtype", "CNN037", inputs={at[0]: str(x), at[1]: str(y)})
    return x.with_shape(tuple(_axis_size(symbol, x, y, index, at) for index in range(x.rank)))


def _axis_size(symbol: str, x: TensorType, y: TensorType, index: int, at: tuple[int, int]) -> Size:
    left, right = x.shape[index], y.shape[index]
    for one, other in ((left, right), (right, left)):
        if isinstance(one, int) and one == 1:
            return other
    if not equal(left, right):
        # What to declare should settle the axes that follow too, not only the first that differs.
        equality = together(equal(*sizes) for sizes in zip(x.shape[index:], y.shape[index:], strict=True) if 1 not in sizes)
        axis = axis_name(index, x.rank)
        raise ShapeError(
            f"the two sides of `{symbol}` differ in {axis}",
            "CNN031",
            inputs={at[0]: f"{axis} {left}", at[1]: f"{axis} {right}"},
            equality=equality,
        )
    return left


def _rank_hint(x: TensorType, y: TensorType) -> str | None:
    if 2 in (x.rank, y.rank):
        return "keep axes of size 1 instead of flattening: global_avgpool does, and `linear(…, axis = channels)` works on them"
    return None


_EXACT = 2**53 - 1  # plain numbers are floats here, which hold every integer up to this
_RANGES = {"int32": (-(2**31), 2**31 - 1), "int64": (-_EXACT, _EXACT), "uint8": (0, 255)}


def _number(symbol: str, a: Sides, dtype: str) -> int | float:
    """The plain number as the source would have it: an int where it is whole, checked against an integer dtype."""
    side = "left" if a.left is not None else "right"
    value = a.left if a.left is not None else a.right
    assert value is not None, "an operator with one tensor has a number on its other side"
    if symbol == "/" and side == "right" and value == 0:
        raise AttrError("a tensor is divided by 0", side)
    return number_of(symbol, side, value, dtype)


def number_of(symbol: str, side: str, value: float, dtype: str) -> int | float:
    """The number of attribute `side` beside a tensor of `dtype`: an int where it is whole, and in the range of integers."""
    if not math.isfinite(value):
        raise AttrError(f"the number beside `{symbol}` must be finite, not {value}", side)
    if dtype == "bool":
        raise AttrError(f"`{symbol}` of a tensor of bool takes another tensor, not a number", side, "CNN037")
    if dtype not in INTEGERS:
        return int(value) if value == int(value) and abs(value) <= _EXACT else value
    low, high = _RANGES[dtype]
    if value != int(value) or not low <= value <= high:
        wanted = f"a whole number from {low} to {high}"
        raise AttrError(f"`{symbol}` of a tensor of {dtype} takes {wanted}, not {value:g}", side, "CNN037")
    return int(value)


def both(symbol: str, a: Sides, dtype: str, tensors: tuple[Any, ...]) -> tuple[Any, Any]:
    """The left and the right side, a plain number among them put in its place."""
    if len(tensors) == 2:
        return tensors[0], tensors[1]
    number = _number(symbol, a, dtype)
    return (number, tensors[0]) if a.left is not None else (tensors[0], number)


def arithmetic(symbol: str, compute: Callable[[Any, Any], Any]) -> Callable[..., Array]:
    """The reference of an operator."""

    def evaluate(a: Sides, p: object, *arrays: Array) -> Array:
        result: Array = compute(*both(symbol, a, arrays[0].dtype.name, arrays))
        return result

    return evaluate


def operator_lowerings(symbol: str, onnx: str) -> Mapping[TargetName, Callable[..., Lowered]]:
    """The Python operator on PyTorch and Keras, the op type on ONNX."""

    def native(a: Sides, *types: TensorType) -> Lowered:
        return Call(symbol, both(symbol, a, types[0].dtype, tuple(Arg(i) for i in range(len(types)))))

    def to_onnx(a: Sides, *types: TensorType) -> Lowered:
        dtype = types[0].dtype
        sides = both(symbol, a, dtype, tuple(Arg(i) for i in range(len(types))))
        return Call(onnx, tuple(side if isinstance(side, Arg) else Const(side, dtype) for side in sides))

    return {"pytorch": native, "tensorflow": native, "onnx": to_onnx}


def broadcast_cost(symbol: str) -> Callable[..., Cost]:
    """One operation per element of the result."""
    infer = broadcast(symbol)

    def cost(a: Sides, *types: TensorType) -> Cost:
        return Cost(flops=elements(infer(a, *types)))

    return cost
