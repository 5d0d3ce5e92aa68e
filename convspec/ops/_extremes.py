"""What `maximum` and `minimum` share: the greater, or the less, of two tensors or of a tensor and a plain number.

Two tensors that are equal share the gradient. Beside a number the tensor gets all of it, as in `clip`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from convspec.ir.attrs import Real
from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import AttrError, Cost, TargetName, attr, given
from convspec.ir.types import INTEGERS, Array, TensorType
from convspec.ops._elementwise import broadcast_pair, elements, number_of
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Extreme:
    """Two tensors, or a tensor and a number."""

    number: float | None = attr(Real(), None, positional=True, doc="A plain number in place of the second tensor.")
    given: tuple[str, ...] = given()


def extreme_type(name: str) -> Callable[..., TensorType]:
    """Shape rule: that of arithmetic."""

    def infer(a: Extreme, x: TensorType, y: TensorType | None = None) -> TensorType:
        if (y is None) == (a.number is None):
            given = "only one tensor" if y is None else "both"
            message = f"`{name}` takes a second tensor or a plain number, and is given {given}"
            raise AttrError(message, None if y is None else "number", "CNN041" if y is None else "CNN042")
        if y is not None:
            return broadcast_pair(name, x, y)
        number_of(name, "number", a.number or 0.0, x.dtype)
        return x

    return infer


def extreme_cost(name: str) -> Callable[..., Cost]:
    infer = extreme_type(name)

    def cost(a: Extreme, *types: TensorType) -> Cost:
        return Cost(flops=elements(infer(a, *types)))

    return cost


def _number(name: str, a: Extreme, dtype: str) -> int | float:
    assert a.number is not None, "infer has seen to it"
    return number_of(name, "number", a.number, dtype)


def extreme_reference(name: str) -> Callable[..., Array]:
    def evaluate(a: Extreme, p: object, *arrays: Array) -> Array:
        import numpy as np

        x = arrays[0]
        other = arrays[1] if len(arrays) == 2 else np.asarray(_number(name, a, x.dtype.name), x.dtype)
        result: Array = getattr(np, name)(x, other)
        return result

    return evaluate


def extreme_lowerings(name: str, bound: str, onnx: str) -> Mapping[TargetName, Callable[..., Lowered]]:
    """`bound` is the keyword of PyTorch's clamp that does it with a number."""

    def to_torch(a: Extreme, *types: TensorType) -> Lowered:
        if len(types) == 2:
            return Call(f"torch.{name}", (Arg(0), Arg(1)))
        return Call(".clamp", (Arg(0),), {bound: _number(name, a, types[0].dtype)})

    def to_keras(a: Extreme, *types: TensorType) -> Lowered:
        dtype = types[0].dtype
        second: Any = Arg(1) if len(types) == 2 else _number(name, a, dtype)
        shared = len(types) == 2 and dtype not in INTEGERS
        return Call(f"helpers.shared_{name}" if shared else f"ops.{name}", (Arg(0), second))

    def to_onnx(a: Extreme, *types: TensorType) -> Lowered:
        dtype = types[0].dtype
        second: Any = Arg(1) if len(types) == 2 else Const(_number(name, a, dtype), dtype)
        return Call(onnx, (Arg(0), second))

    return {"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx}
