"""`where`: the elements of one tensor where a condition is true, those of another where it is false.

The gradient of what is not taken is 0. One of the two may be a plain number, which is given by name.
"""

from __future__ import annotations

from typing import Any

from convspec.ir.attrs import Real
from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import AttrError, Cost, OpDef, ShapeError, attr, given
from convspec.ir.types import DTYPES, Array, TensorType
from convspec.ops._dtypes import onnx_cast
from convspec.ops._elementwise import broadcast_pair, elements, number_of
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """`where(x > 0, a, b)`, `where(mask, x, right = 0)`, `where(mask, left = 0, b = x)`; only axes of size 1 broadcast."""

    left: float | None = attr(Real(), None, doc="A plain number in place of `a`, for where the condition is true.")
    right: float | None = attr(Real(), None, doc="A plain number in place of `b`, for where the condition is false.")
    given: tuple[str, ...] = given()


def infer(a: Where, *types: TensorType) -> TensorType:
    condition, *values = types
    if condition.dtype != "bool":
        message = f"the condition of `where` is a tensor of bool, not of {condition.dtype}"
        raise ShapeError(message, "CNN037", inputs={0: str(condition)}, hint="compare it: `x > 0`")
    for attribute, name, number in (("left", "a", a.left), ("right", "b", a.right)):
        if name in a.given and number is not None:
            hint = "a tensor for where the condition is false is named: `b = …`" if name == "a" else None
            raise AttrError(f"`where` is given both the tensor `{name}` and `{attribute}`", attribute, "CNN042", hint)
        if name not in a.given and number is None:
            raise AttrError(f"`where` needs the tensor `{name}` or the number `{attribute}`", None, "CNN041")
    if not values:
        hint = "`cast` turns a condition into 0 and 1"
        raise AttrError("`where` needs a tensor beside its condition, and both values are numbers", "left", "CNN048", hint)
    for number, attribute in ((a.left, "left"), (a.right, "right")):
        if number is not None:
            number_of("where", attribute, number, values[0].dtype)
    value = broadcast_pair("where", values[0], values[1], (1, 2)) if len(values) == 2 else values[0]
    mask = TensorType(value.dtype, condition.shape)
    return broadcast_pair("where", mask, value)


def _sides(a: Where, dtype: str, values: tuple[Any, ...]) -> tuple[Any, Any]:
    """What stands for true and for false; the numbers as the source would have them."""
    if len(values) == 2:
        return values[0], values[1]
    if a.left is not None:
        return number_of("where", "left", a.left, dtype), values[0]
    assert a.right is not None, "infer has seen to it"
    return values[0], number_of("where", "right", a.right, dtype)


def evaluate(a: Where, p: object, condition: Array, *values: Array) -> Array:
    import numpy as np

    y: Array = np.where(condition, *_sides(a, values[0].dtype.name, values)).astype(values[0].dtype)
    return y


def _call(fn: str, a: Where, types: tuple[TensorType, ...]) -> Call:
    return Call(fn, (Arg(0), *_sides(a, types[1].dtype, tuple(Arg(i) for i in range(1, len(types))))))


def to_torch(a: Where, *types: TensorType) -> Lowered:
    return _call("torch.where", a, types)


def to_keras(a: Where, *types: TensorType) -> Lowered:
    return _call("ops.where", a, types)


def to_onnx(a: Where, *types: TensorType) -> Lowered:
    dtype = types[1].dtype
    condition, *sides = _call("Where", a, types).args
    if dtype == "bool":  # for which ONNX Runtime has no kernel
        return onnx_cast(Call("Where", (condition, *(onnx_cast(side, "uint8") for side in sides))), "bool")
    return Call("Where", (condition, *(side if isinstance(side, Arg) else Const(side, dtype) for side in sides)))


def cost(a: Where, *types: TensorType) -> Cost:
    return Cost(flops=elements(infer(a, *types)))


OP = OpDef(
    name="where",
    attrs=Where,
    summary="One tensor where a condition is true, another where it is false",
    inputs=("condition", "a?", "b?"),
    dtypes=DTYPES,
    infer=infer,
    evaluate=evaluate,
    cost=cost,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y = a where the condition is true, b where it is false",
    shape="(N, C, n…), (N, C, n…), (N, C, n…) → (N, C, n…); axes of size 1 broadcast",
    source="",
    example="input image: float32[N, 3, 32, 32]\noutput where(image > 0, image, 0.1 * image)",
)
