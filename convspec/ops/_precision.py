"""Low precision: what sums or cancels is computed in float32 and rounded at the end.

`widened` gives a tensor in a type that is fit for it, `narrowed` the result in the type of the layer. For float32 and float64
both leave it as it is.
"""

from __future__ import annotations

from convspec.ir.lowering import Call, Lowered
from convspec.ops._dtypes import onnx_cast

LOW = ("float16", "bfloat16")


def torch_widened(x: Lowered, dtype: str) -> Lowered:
    return Call(".float", (x,)) if dtype in LOW else x


def torch_narrowed(y: Lowered, dtype: str) -> Lowered:
    return Call({"float16": ".half", "bfloat16": ".bfloat16"}[dtype], (y,)) if dtype in LOW else y


def keras_widened(x: Lowered, dtype: str) -> Lowered:
    return Call("ops.cast", (x, "float32")) if dtype in LOW else x


def keras_narrowed(y: Lowered, dtype: str) -> Lowered:
    return Call("ops.cast", (y, dtype)) if dtype in LOW else y


def onnx_widened(x: Lowered, dtype: str) -> tuple[Lowered, str]:
    """The tensor and the type that it has now, for constants beside it."""
    return (onnx_cast(x, "float32"), "float32") if dtype in LOW else (x, dtype)


def onnx_narrowed(y: Lowered, dtype: str) -> Lowered:
    return onnx_cast(y, dtype) if dtype in LOW else y
