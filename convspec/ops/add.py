"""`a + b` of two tensors, or of a tensor and a plain number: the sum, element by element."""

from __future__ import annotations

import operator

from convspec.ir.dims import equal
from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import OpDef
from convspec.ir.types import FLOATS, INTEGERS, TensorType
from convspec.ops._elementwise import Sides, arithmetic, broadcast, broadcast_cost, operator_lowerings
from convspec.ops._shapes import is_one
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Add(Sides):
    """`a + b`: equal ranks; only axes of size 1 broadcast."""


NATIVE = operator_lowerings("+", "Add")


def to_keras(a: Add, *types: TensorType) -> Lowered:
    """Python's operator, in an order in which Keras on TensorFlow means it.

    Keras takes the second side for a bias, to be added along the channels or the first axis in space, where all of its sizes
    are 1 but one and that is the first side's size along either, whichever axis it stands for.
    """
    if len(types) == 1 or _is_sound(*types):
        return NATIVE["tensorflow"](a, *types)
    if _is_sound(*types[::-1]):
        return Call("+", (Arg(1), Arg(0)))
    return Call("-", (Arg(0), Call("neg", (Arg(1),))))


def _is_sound(x: TensorType, y: TensorType) -> bool:
    """Whether `y` is no such bias of `x`, or one that Keras adds as it should, whatever the symbolic sizes are."""
    if x.rank < 2 or all(same or is_one(n) for n, same in zip(x.shape, map(equal, x.shape, y.shape), strict=True)):
        return True  # y has the sum's shape
    known = [size for size in y.shape if isinstance(size, int) and size > 1]
    along_channels = isinstance(y.channels, int) and y.channels > 1 and bool(equal(x.channels, y.channels))
    return len(known) > 1 or along_channels or all(map(is_one, y.shape))


OP = OpDef(
    name="add",
    attrs=Add,
    summary="the sum of two tensors, or of a tensor and a number, element by element",
    inputs=("a", "b"),
    dtypes=(*FLOATS, *INTEGERS),
    infer=broadcast("+"),
    evaluate=arithmetic("+", operator.add),
    cost=broadcast_cost("+"),
    lower={**NATIVE, "tensorflow": to_keras},
    formula="y = a + b",
    shape="(N, C, n…), (N, C, n…) → (N, C, n…); axes of size 1 broadcast",
    source="",
    example="input image: float32[N, 3, 32, 32]\noutput image + 1",
)
