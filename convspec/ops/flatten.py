"""`flatten`: (N, C, space) to (N, features), the channel varying slowest, the last spatial axis fastest."""

from __future__ import annotations

from convspec.ir.dims import Size
from convspec.ir.lowering import Apply, Arg, Call, Lowered
from convspec.ir.opdef import OpDef, ShapeError
from convspec.ir.types import DTYPES, Array, TensorType
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Flatten:
    """`flatten` takes nothing."""


def infer(a: Flatten, x: TensorType) -> TensorType:
    if x.rank < 2:
        raise ShapeError(f"`flatten` takes a tensor of rank 2 or more, not {x.rank}", inputs={0: str(x)})
    features: Size = 1
    for size in x.shape[1:]:
        features = features * size
    return x.with_shape((x.shape[0], features))


def evaluate(a: Flatten, p: object, x: Array) -> Array:
    return x.reshape(len(x), -1)


def to_torch(a: Flatten, x: TensorType) -> Lowered:
    return Call(".flatten", (Arg(0), 1))


def to_keras(a: Flatten, x: TensorType) -> Lowered:
    """Canonical order. Where a `linear` follows, the target leaves the Permute out and permutes the weight instead."""
    if all(isinstance(size, int) and size == 1 for size in x.spatial):
        return Apply("layers.Flatten")
    rank = x.rank
    channels_first = Apply("layers.Permute", ((rank - 1, *range(1, rank - 1)),))  # Permute counts from 1, without the batch
    return Apply("layers.Flatten", inputs=(channels_first,))


def to_onnx(a: Flatten, x: TensorType) -> Lowered:
    return Call("Flatten", (Arg(0),))


OP = OpDef(
    name="flatten",
    attrs=Flatten,
    summary="(N, C, space) to (N, features) in canonical order",
    dtypes=DTYPES,
    infer=infer,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, (c · H + h) · W + w] = x[n, c, h, w]",
    shape="(N, C, n…) → (N, C · n…)",
    source="",
    example="input image: float32[N, 1, 28, 28]\noutput scores = image -> flatten -> linear(10)",
)
