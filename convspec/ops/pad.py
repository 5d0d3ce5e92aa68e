"""`pad`: a constant around the spatial axes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from convspec.ir.attrs import Pads, Real, pads_per_axis
from convspec.ir.lowering import Arg, Lowered
from convspec.ir.opdef import OpDef, Window, attr
from convspec.ir.types import Array, TensorType
from convspec.ops import _spatial as spatial
from convspec.ops import _spatial_targets as write


@dataclass(frozen=True, slots=True, kw_only=True)
class Pad:
    """`pad(1)`, `pad([[0, 1], [0, 1]], value = 0.5)`."""

    amount: spatial.Padding = attr(Pads(words=()), positional=True, doc="Cells before and after each spatial axis.")
    value: float = attr(Real(), 0.0, doc="What the new cells hold.")


def resolve(a: Pad, x: TensorType) -> Pad:
    return replace(a, amount=pads_per_axis("amount", a.amount, spatial.spatial_rank("pad", x)))


def infer(a: Pad, x: TensorType) -> TensorType:
    sizes = tuple(lo + n + hi for n, (lo, hi) in zip(x.spatial, a.amount, strict=True))
    return x.with_shape((*x.shape[:2], *sizes))


def receptive_field(a: Pad, x: TensorType) -> Window:
    rank = len(a.amount)
    return Window(extent=(1,) * rank, stride=((1, 1),) * rank, before=write.befores(a.amount))


def evaluate(a: Pad, p: object, x: Array) -> Array:
    return spatial.padded(x, a.amount, a.value)


def to_torch(a: Pad, x: TensorType) -> Lowered:
    return write.torch_pad(Arg(0), a.amount, a.value)


def to_keras(a: Pad, x: TensorType) -> Lowered:
    return write.keras_pad(Arg(0), a.amount, a.value)


def to_onnx(a: Pad, x: TensorType) -> Lowered:
    return write.onnx_pad(Arg(0), a.amount, x.dtype, a.value)


OP = OpDef(
    name="pad",
    attrs=Pad,
    summary="A constant around the spatial axes",
    resolve=resolve,
    infer=infer,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
