"""Element types as the targets' lowerings name them."""

from __future__ import annotations

from typing import Any

from convspec.ir.lowering import Call

ONNX_TYPES = {"float32": 1, "uint8": 2, "int32": 6, "int64": 7, "bool": 9, "float16": 10, "float64": 11, "bfloat16": 16}
"""TensorProto.DataType by dtype."""


def onnx_cast(x: Any, dtype: str) -> Call:
    """`x` as elements of `dtype`."""
    return Call("Cast", (x,), {"to": ONNX_TYPES[dtype]})
