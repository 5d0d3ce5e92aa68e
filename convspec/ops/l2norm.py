"""`l2norm`: every vector divided by its Euclidean length, so that its length is 1.

A vector shorter than `eps` is divided by `eps`: the zero vector stays zero.
"""

from __future__ import annotations

from dataclasses import replace

from convspec.ir.attrs import Real
from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import Cost, OpDef, Window, attr
from convspec.ir.types import Array, TensorType
from convspec.ops import _norm as norm
from convspec.ops import _precision as precision
from convspec.ops._elementwise import elements, same_type
from convspec.ops._shapes import seen_whole
from convspec.ops._spatial_targets import given
from convspec.records import dataclass

EPS = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class L2norm:
    """`l2norm`, `l2norm(axes = [height, width])`."""

    axes: tuple[int | str, ...] = attr(
        norm.NormAxes(), ("channels",), doc="What makes up a vector: `channels`, `all`, an axis, or a list of axes."
    )
    eps: float = attr(
        Real(least=1e-18),
        EPS,
        doc="The least divisor; at least 1e-18, since float32 cannot hold the squares of smaller lengths.",
    )


def resolve(a: L2norm, x: TensorType) -> L2norm:
    return replace(a, axes=norm.norm_axes("l2norm", a.axes, x))


def _axes(a: L2norm) -> norm.Axes:
    return tuple(int(axis) for axis in a.axes)


def cost(a: L2norm, x: TensorType) -> Cost:
    """The square and its sum, the quotient."""
    return Cost(flops=3 * elements(x))


def receptive_field(a: L2norm, x: TensorType) -> Window | None:
    return seen_whole(_axes(a), x.rank)


def evaluate(a: L2norm, p: object, x: Array) -> Array:
    import numpy as np

    y: Array = x / np.maximum(np.sqrt((x * x).sum(_axes(a), keepdims=True)), a.eps)
    return y


def to_torch(a: L2norm, x: TensorType) -> Lowered:
    """F.normalize, which in float16 has no room for eps."""
    arguments = given(dim=(norm.one_or_all(_axes(a)), 1), eps=(a.eps, EPS))
    y = Call("F.normalize", (precision.torch_widened(Arg(0), x.dtype),), arguments)
    return precision.torch_narrowed(y, x.dtype)


def to_keras(a: L2norm, x: TensorType) -> Lowered:
    """A helper: the gradient of ops.normalize is not that of the length, and NaN at 0."""
    kwargs = {**norm.keras_axis_argument(_axes(a), x.rank), **given(epsilon=(a.eps, EPS))}
    return Call("helpers.l2_normalize", (Arg(0),), kwargs)


def to_onnx(a: L2norm, x: TensorType) -> Lowered:
    wide, dtype = precision.onnx_widened(Arg(0), x.dtype)
    length = Call("ReduceL2", (wide, Const(_axes(a), "int64")), {"keepdims": 1})
    return precision.onnx_narrowed(Call("Div", (wide, Call("Max", (length, Const(a.eps, dtype))))), x.dtype)


OP = OpDef(
    name="l2norm",
    attrs=L2norm,
    summary="the channels of every position divided by their Euclidean length",
    formula="y = x / max(√(Σ x²), eps)\nΣ: over `axes`",
    shape="(N, C, n…) → (N, C, n…)",
    example="input image: float32[N, 3, 32, 32]\noutput image -> conv(64, 3x3) -> global_avgpool -> flatten -> l2norm",
    resolve=resolve,
    infer=same_type,
    evaluate=evaluate,
    cost=cost,
    receptive_field=receptive_field,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
