"""The dtypes of convspec as NumPy and safetensors name them."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

_SAFETENSORS = {
    "float32": "F32", "float64": "F64", "float16": "F16", "bfloat16": "BF16",
    "int32": "I32", "int64": "I64", "uint8": "U8", "bool": "BOOL",
    "int8": "I8", "int16": "I16", "uint16": "U16", "uint32": "U32", "uint64": "U64",
}  # fmt: skip
_EIGHT_BITS = ("F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ")
_NAMES = {stored: name for name, stored in _SAFETENSORS.items()}


def numpy_dtype(name: str) -> np.dtype[Any]:
    """`float32`, `bfloat16`, … as a NumPy dtype (bfloat16 from ml_dtypes)."""
    return np.dtype(ml_dtypes.bfloat16) if name == "bfloat16" else np.dtype(name)


def to_safetensors(name: str) -> str:
    """`float32` → `F32`."""
    return _SAFETENSORS[name]


def from_safetensors(stored: str) -> str:
    """`F32` → `float32`; a dtype that convspec does not have keeps its own name."""
    return _NAMES.get(stored, stored)


def bytes_of(name: str) -> int | None:
    """How many bytes a number takes, of any dtype that a weights file may hold; None where it is not known here."""
    if name in _EIGHT_BITS:
        return 1
    try:
        return numpy_dtype(name).itemsize
    except TypeError:
        return None
