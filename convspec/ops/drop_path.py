"""`drop_path`: in training sets a whole example to 0 at random and divides the others by 1 - rate (Huang et al. 2016).

It stands at the end of a residual branch, `x + (x -> … -> drop_path(0.1))`: now and then an example skips the branch, as if
the network were less deep (stochastic depth).
"""

from __future__ import annotations

from convspec.ir.attrs import Real
from convspec.ir.lowering import Apply, Arg, Lowered
from convspec.ir.opdef import OpDef, ShapeError, attr
from convspec.ir.types import Array, TensorType
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DropPath:
    """`drop_path(0.1)`. The identity in inference."""

    rate: float = attr(
        Real(least=0, below=1), 0.5, positional=True, doc="The probability that an example is set to 0 in training; below 1."
    )


def infer(a: DropPath, x: TensorType) -> TensorType:
    if x.rank < 2:
        raise ShapeError(f"`drop_path` takes a tensor of rank 2 or more, not {x.rank}", inputs={0: str(x)})
    return x


def evaluate(a: DropPath, p: object, x: Array) -> Array:
    return x


def to_torch(a: DropPath, x: TensorType) -> Lowered:
    return Apply("helpers.DropPath", (a.rate,))


def to_keras(a: DropPath, x: TensorType) -> Lowered:
    """Dropout with one draw an example; a size of None is the input's own."""
    return Apply("layers.Dropout", (a.rate,), {"noise_shape": (None, *(1,) * (x.rank - 1))})


def to_onnx(a: DropPath, x: TensorType) -> Lowered:
    return Arg(0)


OP = OpDef(
    name="drop_path",
    attrs=DropPath,
    summary="sets whole examples to 0 at random in training (stochastic depth); the identity in inference",
    infer=infer,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    training_only=True,
    formula="training: y[n, …] = m[n] x[n, …] / (1 − rate), m[n] = 0 with probability rate, else 1\ninference: y = x",
    shape="(N, C, n…) → (N, C, n…)",
    source="Huang et al. 2016, arXiv:1603.09382",
    example="input image: float32[N, 16, 8, 8]\n"
    "output features = image + (image -> conv(16, 3x3, pad = 1) -> relu -> drop_path(0.1))",
)
