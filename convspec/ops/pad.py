"""`pad`: new cells around the spatial axes, which hold a constant or cells of the input.

To take cells away use a crop: an amount is never negative.
"""

from __future__ import annotations

from dataclasses import replace

from convspec.ir.attrs import Pads, Real, pads_per_axis
from convspec.ir.lowering import Arg, Lowered
from convspec.ir.opdef import OpDef, Window, attr
from convspec.ir.types import Array, TensorType
from convspec.ops import _padding as padding
from convspec.ops import _spatial as spatial
from convspec.ops import _spatial_targets as write
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pad:
    """`pad(1)`, `pad([[0, 1], [0, 1]], value = 0.5)`, `pad(2, mode = reflect)`."""

    amount: spatial.Padding = attr(Pads(words=()), positional=True, doc="Cells before and after each spatial axis.")
    mode: str = attr(
        padding.MODE,
        "constant",
        doc=(
            "What the new cells hold: `constant`, which is `value`; `zeros`; `reflect` mirrors the input without repeating "
            "its edge, and needs more cells than it adds; `replicate` repeats the edge; `circular` goes on at the other "
            "end, and needs as many cells as it adds."
        ),
    )
    value: float = attr(Real(), 0.0, doc="The number that the new cells hold with `mode = constant`.")


def resolve(a: Pad, x: TensorType) -> Pad:
    amount = pads_per_axis("amount", a.amount, spatial.spatial_rank("pad", x))
    padding.check_mode(a.mode, a.value, x, amount, "mode", "value")
    return replace(a, amount=amount)


def infer(a: Pad, x: TensorType) -> TensorType:
    sizes = tuple(lo + n + hi for n, (lo, hi) in zip(x.spatial, a.amount, strict=True))
    return x.with_shape((*x.shape[:2], *sizes))


def receptive_field(a: Pad, x: TensorType) -> Window:
    rank = len(a.amount)
    return Window(extent=(1,) * rank, stride=((1, 1),) * rank, before=write.befores(a.amount))


def evaluate(a: Pad, p: object, x: Array) -> Array:
    return padding.padded(x, a.amount, a.mode, a.value)


def to_torch(a: Pad, x: TensorType) -> Lowered:
    return padding.to_torch(Arg(0), a.amount, a.mode, a.value)


def to_keras(a: Pad, x: TensorType) -> Lowered:
    return padding.to_keras(Arg(0), a.amount, a.mode, a.value)


def to_onnx(a: Pad, x: TensorType) -> Lowered:
    return padding.to_onnx(Arg(0), a.amount, a.mode, x.dtype, a.value)


OP = OpDef(
    name="pad",
    attrs=Pad,
    summary="New cells around the spatial axes",
    resolve=resolve,
    infer=infer,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula=(
        "y[n, c, i…] = x[n, c, s(i − before)…], where s(k) = k inside the input, and outside it\n"
        "constant: y = value; reflect: s(k) = −k before, 2(n − 1) − k after\n"
        "replicate: s(k) = 0 before, n − 1 after; circular: s(k) = k mod n"
    ),
    shape="(N, C, n…) → (N, C, before + n + after…)",
    source="",
    example="input image: float32[N, 3, 64, 64]\noutput image -> pad(2, mode = reflect)",
)
