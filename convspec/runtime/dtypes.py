"""How data of another element type goes into a declared one: never with a change in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convspec.ir.types import FLOATS, Array
from convspec.weights.dtypes import numpy_dtype

if TYPE_CHECKING:
    import numpy as np


def dtype_name(dtype: np.dtype[Any]) -> str:
    """How messages name a NumPy dtype: `float64`, without its byte order."""
    return dtype.newbyteorder("=").name if dtype.kind in "biufcV" else str(dtype)


class NoExactForm(Exception):
    """Data cannot go into the wanted dtype; the message says why, as the end of a sentence."""


def convert(array: Array, wanted: str) -> tuple[Array, str | None]:
    """`array` in the dtype called `wanted`, and a remark where values were rounded.

    Nothing changes in silence: an integer goes into another integer type or into a float if every value is kept exactly;
    a float goes into a narrower float by rounding to the nearest, with a remark; all else is NoExactForm.
    """
    target = numpy_dtype(wanted)
    if array.dtype == target:
        return array, None
    if array.dtype.newbyteorder("=") == target:
        return array.astype(target), None
    found = dtype_name(array.dtype)
    is_float = array.dtype.kind == "f" or found == "bfloat16"
    if is_float and wanted in FLOATS:
        return _float_to_float(array, target, found, wanted)
    if array.dtype.kind in "iu" and wanted != "bool":
        return _integer_to(array, target, found, wanted), None
    raise NoExactForm(f"{found} does not go into {wanted} without changing values")


def _float_to_float(array: Array, target: np.dtype[Any], found: str, wanted: str) -> tuple[Array, str | None]:
    import numpy as np

    with np.errstate(over="ignore"):
        converted = array.astype(target)
    overflow = np.isfinite(array.astype(np.float64)) & ~np.isfinite(converted.astype(np.float64))
    if overflow.any():
        raise NoExactForm(f"{int(overflow.sum())} of its {found} values are too large for {wanted}")
    exact = np.array_equal(converted.astype(array.dtype), array, equal_nan=True)
    return converted, None if exact else f"{found} rounded to {wanted}"


def _integer_to(array: Array, target: np.dtype[Any], found: str, wanted: str) -> Array:
    """Each value exactly, or NoExactForm. 2**63 and beyond are compared as integers, never through floats."""
    import numpy as np

    if array.size == 0:
        return array.astype(target)
    low, high = int(array.min()), int(array.max())
    least, most = (int(np.iinfo(target).min), int(np.iinfo(target).max)) if target.kind in "iu" else _exact_integers(wanted)
    if least <= low and high <= most:
        return array.astype(target)
    raise NoExactForm(f"its {found} values {low} … {high} do not fit into {wanted}, which holds {least} … {most}")


def _exact_integers(wanted: str) -> tuple[int, int]:
    """The range in which a float type holds every integer: 2 to the number of its significand bits."""
    bits = {"float64": 53, "float32": 24, "float16": 11, "bfloat16": 8}[wanted]
    return -(2**bits), 2**bits
