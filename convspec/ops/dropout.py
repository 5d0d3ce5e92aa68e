"""`dropout`: in training sets elements to 0 at random and divides the others by 1 - rate (Srivastava et al. 2014)."""

from __future__ import annotations

from convspec.ir.attrs import Real
from convspec.ir.lowering import Apply, Arg, Lowered
from convspec.ir.opdef import OpDef, attr
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import same_type
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropout:
    """`dropout(0.5)`. The identity in inference."""

    rate: float = attr(
        Real(least=0, below=1), 0.5, positional=True, doc="The probability that an element is set to 0 in training; below 1."
    )


def evaluate(a: Dropout, p: object, x: Array) -> Array:
    return x


def to_torch(a: Dropout, x: TensorType) -> Lowered:
    return Apply("nn.Dropout", (a.rate,))


def to_keras(a: Dropout, x: TensorType) -> Lowered:
    return Apply("layers.Dropout", (a.rate,))


def to_onnx(a: Dropout, x: TensorType) -> Lowered:
    return Arg(0)


OP = OpDef(
    name="dropout",
    attrs=Dropout,
    summary="sets elements to 0 at random in training; the identity in inference",
    infer=same_type,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    training_only=True,
    formula="y = x · m / (1 - rate) in training, m = 0 with probability rate, else 1\ny = x in inference",
    shape="(N, C, n…) → (N, C, n…)",
    source="Srivastava et al. 2014, JMLR 15",
    example="input image: float32[N, 3, 32, 32]\noutput image -> flatten -> dropout(0.2) -> linear(10)",
)
