"""`x ** y` of two tensors, or of a tensor and a plain number: the power, element by element.

NaN where the base is below 0 and the exponent not whole; 1 where the exponent is 0. As a base a plain number is above 0.
"""

from __future__ import annotations

from collections.abc import Callable

from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import AttrError, OpDef
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import Sides, both, broadcast, broadcast_cost, operator_lowerings
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pow(Sides):
    """`x ** 2`, `2 ** x`, `x ** y`: equal ranks; only axes of size 1 broadcast."""


_type: Callable[..., TensorType] = broadcast("**")
_NATIVE = operator_lowerings("**", "Pow")


def infer(a: Pow, *types: TensorType) -> TensorType:
    if a.left is not None and not a.left > 0:
        raise AttrError(f"a plain number with a tensor as its exponent must be above 0, not {a.left:g}", "left")
    return _type(a, *types)


def evaluate(a: Pow, p: object, *arrays: Array) -> Array:
    import numpy as np

    base, exponent = both("**", a, arrays[0].dtype.name, arrays)
    y: Array = np.power(base, exponent, dtype=arrays[0].dtype)
    return y


def to_keras(a: Pow, *types: TensorType) -> Lowered:
    """The gradient of Keras's power to the base is NaN at 0 ** 0, and the one to the exponent 0 for bases below 0."""
    if len(types) == 2:
        return Call("helpers.power", (Arg(0), Arg(1)))
    return Call("ops.ones_like", (Arg(0),)) if a.right == 0 else _NATIVE["tensorflow"](a, *types)


OP = OpDef(
    name="pow",
    attrs=Pow,
    summary="A power of two tensors, or of a tensor and a number, element by element",
    inputs=("a", "b"),
    infer=infer,
    evaluate=evaluate,
    cost=broadcast_cost("**"),
    lower={**_NATIVE, "tensorflow": to_keras},
    formula="y = aᵇ",
    shape="(N, C, n…), (N, C, n…) → (N, C, n…); axes of size 1 broadcast",
    source="",
    example="input image: float32[N, 3, 32, 32]\noutput image ** 2",
)
