"""Resizing: which cells of its input an output sees along one axis, and with what weights. Positions are counted in integers.

Output i of m lies, over n cells, at (i + 1/2) n / m − 1/2 (cells are squares), or with `align_corners` at i (n − 1) / (m − 1)
(cells are points, and the outermost ones keep their place).
"""

from __future__ import annotations

from fractions import Fraction
from math import gcd, prod
from typing import Any

from convspec.ir.dims import Size
from convspec.ir.opdef import Cost, Window
from convspec.ir.types import Array, TensorType
from convspec.ops._elementwise import elements
from convspec.records import dataclass

MODES = ("nearest", "linear", "cubic")
TAPS = {"nearest": 1, "linear": 2, "cubic": 4}


@dataclass(frozen=True, slots=True)
class Resizing:
    """What is to be done. `factor`: as (numerator, denominator) per axis, where `sizes` follow from it."""

    mode: str
    sizes: tuple[Size, ...]
    align_corners: bool = False
    antialias: bool = False
    factor: tuple[tuple[int, int], ...] | None = None
    like: int | None = None
    """The number of the input tensor that has the sizes."""

    def is_identity(self, x: TensorType) -> bool:
        return x.spatial == self.sizes


def fraction(factor: float) -> tuple[int, int]:
    """A factor as the author meant it: the nearest fraction whose denominator is at most 1000."""
    found = Fraction(factor).limit_denominator(1000)
    return found.numerator, found.denominator


# ── positions and weights, for arrays as well as for tensors of an ONNX graph ────────────────────────────────


def taps(index: Any, n: Any, m: Any, how: Resizing) -> tuple[list[Any], Any, Any]:
    """The input cells that outputs `index` see, and how far they lie past the middle ones: numerator and denominator."""
    if how.mode == "nearest":
        return [index * n // m], None, None
    if how.align_corners:
        position, unit = index * (n - 1), _at_least_one(m - 1)
    else:
        position, unit = (index * 2 + 1) * n - m, m * 2
    if how.mode == "linear":
        position = position.clip(0, unit * (n - 1))
        left = position // unit
        return [left, (left + 1).clip(0, n - 1)], position - left * unit, unit
    past = position + unit  # no longer negative
    middle = past // unit - 1
    return [(middle + k).clip(0, n - 1) for k in (-1, 0, 1, 2)], past - (middle + 1) * unit, unit


def _at_least_one(count: Any) -> Any:
    return max(count, 1) if isinstance(count, int) else count.least(1)


def weights(mode: str, share: Any) -> list[Any]:
    """What the cells of `taps` are multiplied with; cubic: Keys's kernel with a = −0.75."""
    if mode == "linear":
        return [1 - share, share]
    return [_far(share + 1), _near(share), _near(1 - share), _far(2 - share)]


def _near(d: Any) -> Any:
    return (d * 1.25 - 2.25) * d * d + 1.0


def _far(d: Any) -> Any:
    return ((d * -0.75 + 3.75) * d - 6.0) * d + 3.0


# ── the reference ────────────────────────────────────────────────────────────────────────────────────────────


def evaluate(how: Resizing, x: Array) -> Array:
    """One matrix for each axis."""
    import numpy as np

    for axis, size in enumerate(how.sizes, 2):
        n, m = x.shape[axis], int(str(size))
        if n == m:
            continue
        if how.mode == "nearest":
            x = x.take(taps(np.arange(m), n, m, how)[0][0], axis)
            continue
        matrix = _filter(n, m, how.mode) if how.antialias else _interpolation(n, m, how)
        x = np.moveaxis(np.tensordot(x, matrix.astype(x.dtype), (axis, 1)), -1, axis)
    return x


def cells_read(how: Resizing, n: int, m: int) -> list[list[int]]:
    """For each of m outputs the cells, of n, whose weight is not zero."""
    import numpy as np

    if n == m:
        return [[index] for index in range(m)]
    if how.mode == "nearest":
        return [[int(cell)] for cell in taps(np.arange(m), n, m, how)[0][0]]
    matrix = _filter(n, m, how.mode) if how.antialias else _interpolation(n, m, how)
    return [np.flatnonzero(np.abs(row) > _NO_WEIGHT).tolist() for row in matrix]


_NO_WEIGHT = 1e-12


def _interpolation(n: int, m: int, how: Resizing) -> Array:
    """(m, n): the weights of the cells that each output sees; cells beyond the edge count as the outermost one."""
    import numpy as np

    cells, past, unit = taps(np.arange(m), n, m, how)
    matrix = np.zeros((m, n))
    for cell, weight in zip(cells, weights(how.mode, past / unit), strict=True):
        np.add.at(matrix, (np.arange(m), cell), weight)
    return matrix


def _filter(n: int, m: int, mode: str) -> Array:
    """(m, n): a triangle, or Keys's kernel with a = −0.5, as wide as an output is; without the cells beyond the edge, and
    then divided by the sum of what is left.
    """
    import numpy as np

    centres = 2 * np.arange(m)[:, None] + 1
    d = np.abs(m * (2 * np.arange(n) + 1) - n * centres) / (2 * max(n, m))
    if mode == "linear":
        matrix = np.maximum(1 - d, 0)
    else:
        near, far = (1.5 * d - 2.5) * d * d + 1, ((-0.5 * d + 2.5) * d - 4) * d + 2
        matrix = np.where(d < 1, near, np.where(d < 2, far, 0))
    return np.asarray(matrix / matrix.sum(1, keepdims=True))


# ── cost and receptive field ─────────────────────────────────────────────────────────────────────────────────


def cost(how: Resizing, x: TensorType, y: TensorType) -> Cost:
    """Every cell that an output sees, weighted and added; nearest: nothing."""
    if how.mode == "nearest":
        return Cost()
    seen = [reach(how, n, m) for n, m in zip(x.spatial, how.sizes, strict=True)]
    return Cost(flops=elements(y) * prod(cells for cells in seen if cells is not None))


def reach(how: Resizing, n: Size, m: Size) -> int | None:
    """How many cells an output sees along an axis; None: with `antialias`, where that depends on a symbolic size."""
    if n == m:
        return 1
    count = TAPS[how.mode]
    if not isinstance(n, int) or not isinstance(m, int):
        return None if how.antialias else count
    odd = n % m == 0 and n // m % 2 == 1 and not how.align_corners  # positions are cells
    if not how.antialias:
        return 1 if odd else count
    return count * n // m - odd if n % m == 0 else min(n, -(-count * max(n, m) // m) + 1)


def receptive_field(how: Resizing, x: TensorType) -> Window:
    """The cells that one output sees at most; the whole axis where the step depends on a symbolic size."""
    windows = [_window(how, axis, n, m) for axis, (n, m) in enumerate(zip(x.spatial, how.sizes, strict=True))]
    extent, stride, before = zip(*windows, strict=True)
    return Window(extent=extent, stride=stride, before=before)


def _window(how: Resizing, axis: int, n: Size, m: Size) -> tuple[int | None, tuple[int, int], int]:
    cells = reach(how, n, m)
    if n == m:
        return 1, (1, 1), 0
    if isinstance(n, int) and isinstance(m, int):
        step = (n // gcd(n, m), m // gcd(n, m))
    elif how.factor and how.factor[axis][1] == 1:
        step = (1, how.factor[axis][0])
    else:
        return None, (1, 1), 0
    if cells is None:
        return None, (1, 1), 0
    if how.mode == "nearest":
        return cells, step, 0
    middle = 0 if how.align_corners else (step[0] - step[1]) // (2 * step[1])  # of output 0, rounded down
    return cells, step, (cells - 1) // 2 - middle
