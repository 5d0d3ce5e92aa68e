"""`maxout`: the greatest of every few neighbouring channels (Goodfellow et al. 2013).

Output channel c is the maximum of the input channels c * pieces … c * pieces + pieces - 1. Of equal values the first gets the
gradient.
"""

from __future__ import annotations

from convspec.ir.attrs import Integer
from convspec.ir.dims import equal
from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import AttrError, Cost, OpDef, ShapeError, attr
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import elements
from convspec.records import dataclass

_END = 2**63 - 1
_MOST_PIECES = 1_000
"""Each is a slice of its own on some targets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Maxout:
    """`conv(2 * 64, 3x3) -> maxout(2)` gives 64 channels."""

    pieces: int = attr(Integer(), positional=True, doc="How many neighbouring channels become one.")


def infer(a: Maxout, x: TensorType) -> TensorType:
    if x.rank < 2:
        raise ShapeError(f"`maxout` takes a tensor with channels, of rank 2 or more, not {x.rank}", inputs={0: str(x)})
    if a.pieces > _MOST_PIECES:
        raise AttrError(f"`pieces` is at most {_MOST_PIECES:,}, not {a.pieces:,}", "pieces")
    left = x.channels // a.pieces
    equality = equal(left * a.pieces, x.channels)
    message = f"{x.channels} channels cannot be divided into groups of {a.pieces}"
    if equality.verdict == "never":
        raise AttrError(message, "pieces")
    if not equality:
        raise ShapeError(message, "CNN045", inputs={0: str(x)}, equality=equality)
    return x.with_shape((x.shape[0], left, *x.spatial))


def cost(a: Maxout, x: TensorType) -> Cost:
    """A comparison for every piece but the first."""
    return Cost(flops=elements(x) // a.pieces * (a.pieces - 1))


def evaluate(a: Maxout, p: object, x: Array) -> Array:
    groups = x.reshape(len(x), -1, a.pieces, *x.shape[2:])
    greatest: Array = groups.max(2)
    return greatest


def to_torch(a: Maxout, x: TensorType) -> Lowered:
    return Call("helpers.maxout", (Arg(0), a.pieces))


def to_keras(a: Maxout, x: TensorType) -> Lowered:
    return Call("helpers.maxout", (Arg(0), a.pieces))


def to_onnx(a: Maxout, x: TensorType) -> Lowered:
    end, axes, steps = (Const((number,), "int64") for number in (_END, 1, a.pieces))
    return Call("Max", tuple(Call("Slice", (Arg(0), Const((i,), "int64"), end, axes, steps)) for i in range(a.pieces)))


OP = OpDef(
    name="maxout",
    attrs=Maxout,
    summary="the greatest of every few neighbouring channels",
    formula="y[n, c, i] = max over j = 0 … pieces − 1 of x[n, c · pieces + j, i]",
    shape="(N, C, n…) → (N, C / pieces, n…)",
    source="Goodfellow et al. 2013, arXiv:1302.4389",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(16, 3x3) -> maxout(2)",
    infer=infer,
    evaluate=evaluate,
    cost=cost,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
