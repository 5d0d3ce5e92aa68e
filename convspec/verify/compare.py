"""How far two arrays are apart, where they first differ, and what they look like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from convspec.ir.types import FLOATS, Array

GATES = {"float64": 1e-8, "float32": 1e-5, "float16": 1e-3, "bfloat16": 1e-2}
"""Scaled errors allowed, by the precision that was computed in."""
EXACT = 0.0
"""The gate of integers and bools."""
_PIECE = 1 << 17
"""Elements that are compared at a time: no second copy of a large tensor is made."""


def scaled_error(found: Array, expected: Array) -> float:
    """max|found - expected| / max|expected|; infinite where shapes differ, or NaNs and infinities stand in different places.

    Integers and bools: 0 where all are equal.
    """
    if found.shape != expected.shape:
        return float("inf")
    found, expected = found.reshape(-1), expected.reshape(-1)
    pieces = [slice(start, start + _PIECE) for start in range(0, expected.size, _PIECE)]
    apart = [_apart(found[piece].astype(np.float64), expected[piece].astype(np.float64)) for piece in pieces]
    scale = largest(expected)
    return max(apart, default=0.0) / (scale if scale > 0 else 1.0)


def _apart(found: Array, expected: Array) -> float:
    """max|found - expected|; infinite where what is not finite differs."""
    with np.errstate(invalid="ignore"):
        differences = np.abs(found - expected)
    far = float(differences.max())
    if np.isfinite(far):
        return far
    odd = ~np.isfinite(expected)
    if not np.array_equal(found[odd], expected[odd], equal_nan=True) or not np.isfinite(found[~odd]).all():
        return float("inf")
    return float(differences[~odd].max(initial=0.0))


def largest(array: Array) -> float:
    """max|array| over what is finite; 0 where nothing is."""
    if array.dtype.name not in FLOATS:
        array = array.astype(np.float64)
    if not array.size:
        return 0.0
    low, high = float(array.min()), float(array.max())
    if not np.isfinite(low) or not np.isfinite(high):
        finite = array[np.isfinite(array)]
        return largest(finite)
    return max(high, -low)


def worst(found: Mapping[str, Array], expected: Mapping[str, Array]) -> dict[str, float]:
    """The scaled error of every tensor by name, the largest first; what only one side has stands against zeros."""
    errors = {name: scaled_error(*pair(found, expected, name)) for name in dict.fromkeys((*expected, *found))}
    return dict(sorted(errors.items(), key=lambda item: -item[1]))


def pair(found: Mapping[str, Array], expected: Mapping[str, Array], name: str) -> tuple[Array, Array]:
    """Both tensors of a name; a missing one is zeros."""
    one = found[name] if name in found else np.zeros_like(expected[name])
    return one, expected[name] if name in expected else np.zeros_like(one)


@dataclass(frozen=True, slots=True)
class Summary:
    """An array in a few numbers, over its finite elements; None where there is none."""

    dtype: str
    shape: tuple[int, ...]
    least: float | None
    most: float | None
    mean: float | None

    def __str__(self) -> str:
        shape = f"{self.dtype}[{', '.join(map(str, self.shape))}]"
        if self.least is None:
            return f"{shape}, nothing finite"
        return f"{shape}, from {self.least:.6g} to {self.most:.6g}, mean {self.mean:.6g}"

    def to_json(self) -> dict[str, Any]:
        return {"dtype": self.dtype, "shape": list(self.shape), "min": self.least, "max": self.most, "mean": self.mean}


def summarise(array: Array) -> Summary:
    """The range and mean of an array."""
    wide = array.astype(np.float64)
    finite = wide[np.isfinite(wide)]
    if not finite.size:
        return Summary(array.dtype.name, array.shape, None, None, None)
    return Summary(array.dtype.name, array.shape, float(finite.min()), float(finite.max()), float(finite.mean()))


@dataclass(frozen=True, slots=True)
class Difference:
    """The first position, in row-major order, at which two arrays of one shape are further apart than allowed."""

    position: tuple[int, ...]
    found: float
    expected: float
    count: int
    """At how many positions they are."""

    def __str__(self) -> str:
        place = ", ".join(map(str, self.position))
        more = f", and at {self.count - 1:,} more" if self.count > 1 else ""
        return f"first at [{place}]: {self.found:.9g}, expected {self.expected:.9g}{more}"

    def to_json(self) -> dict[str, Any]:
        found, expected = (number if np.isfinite(number) else str(number) for number in (self.found, self.expected))
        return {"position": list(self.position), "found": found, "expected": expected, "count": self.count}


def first_difference(found: Array, expected: Array, gate: float) -> Difference | None:
    """Where they first differ; None where the shapes do, or nothing is apart by more than `gate` of the largest element."""
    if found.shape != expected.shape:
        return None
    a, b = found.astype(np.float64), expected.astype(np.float64)
    finite = np.isfinite(b)
    scale = np.abs(b[finite]).max() if finite.any() else 1.0
    with np.errstate(invalid="ignore"):
        apart = ~(np.abs(a - b) <= gate * (scale if scale > 0 else 1.0))
    apart &= ~((a == b) | (np.isnan(a) & np.isnan(b)))
    places = np.argwhere(apart)
    if not len(places):
        return None
    at = tuple(int(i) for i in places[0])
    return Difference(at, float(a[at]), float(b[at]), len(places))


def is_exact(dtype: str) -> bool:
    """Whether values of a dtype are compared exactly."""
    return dtype not in FLOATS


__all__ = [
    "EXACT",
    "GATES",
    "Difference",
    "Summary",
    "first_difference",
    "is_exact",
    "largest",
    "pair",
    "scaled_error",
    "summarise",
    "worst",
]
