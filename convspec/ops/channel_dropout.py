"""`channel_dropout`: in training sets whole channels to 0 at random and divides the others by 1 - rate (Tompson et al. 2015).

The choice is made for every channel of every example. Neighbouring cells of a channel are much alike, so that dropping single
ones, as `dropout` does, would take little away.
"""

from __future__ import annotations

from convspec.ir.attrs import Real
from convspec.ir.lowering import Apply, Arg, Lowered
from convspec.ir.opdef import OpDef, ShapeError, attr
from convspec.ir.types import Array, TensorType
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDropout:
    """`channel_dropout(0.2)`. The identity in inference."""

    rate: float = attr(
        Real(least=0, below=1), 0.5, positional=True, doc="The probability that a channel is set to 0 in training; below 1."
    )


def infer(a: ChannelDropout, x: TensorType) -> TensorType:
    if not 3 <= x.rank <= 5:
        message = (
            f"`channel_dropout` takes a tensor with batch, channels and one to three spatial axes, not one of rank {x.rank}"
        )
        hint = f"`dropout({a.rate:g})` does it on vectors" if x.rank == 2 else None
        raise ShapeError(message, inputs={0: str(x)}, hint=hint)
    return x


def evaluate(a: ChannelDropout, p: object, x: Array) -> Array:
    return x


def to_torch(a: ChannelDropout, x: TensorType) -> Lowered:
    return Apply(f"nn.Dropout{x.rank - 2}d", (a.rate,))


def to_keras(a: ChannelDropout, x: TensorType) -> Lowered:
    return Apply(f"layers.SpatialDropout{x.rank - 2}D", (a.rate,))


def to_onnx(a: ChannelDropout, x: TensorType) -> Lowered:
    return Arg(0)


OP = OpDef(
    name="channel_dropout",
    attrs=ChannelDropout,
    summary="sets whole channels to 0 at random in training; the identity in inference",
    infer=infer,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    training_only=True,
    formula="training: y[n, c, i] = m[n, c] x[n, c, i] / (1 − rate), m[n, c] = 0 with probability rate, else 1\n"
    "inference: y = x",
    shape="(N, C, n…) → (N, C, n…)",
    source="Tompson et al. 2015, arXiv:1411.4280",
    example="input image: float32[N, 3, 32, 32]\n"
    "output features = image -> conv(16, 3x3, pad = 1) -> relu -> channel_dropout(0.2) -> conv(8, 3x3)",
)
