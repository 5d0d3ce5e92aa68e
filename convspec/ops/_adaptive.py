"""What adaptive pooling shares: windows that divide each axis into a given number of parts, whatever its size.

Window i of o over n cells runs from ⌊i n / o⌋ to ⌈(i + 1) n / o⌉; where o does not divide n, neighbours overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import gcd
from typing import Any

from convspec.ir.attrs import PerAxis, per_axis
from convspec.ir.dims import Size
from convspec.ir.opdef import Cost, Window, attr
from convspec.ir.types import TensorType
from convspec.ops import _spatial as spatial
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Adaptive:
    """A number of windows for every spatial axis."""

    size: spatial.Axes = attr(PerAxis(), positional=True, doc="How many windows each spatial axis is divided into.")


def resolver(op: str) -> Any:
    def resolve(a: Adaptive, x: TensorType) -> Adaptive:
        return replace(a, size=per_axis("size", a.size, spatial.spatial_rank(op, x)))

    return resolve


def infer(a: Adaptive, x: TensorType) -> TensorType:
    return x.with_shape((*x.shape[:2], *a.size))


def bounds(n: int, outputs: int) -> list[tuple[int, int]]:
    """Start and end of every window."""
    return [(i * n // outputs, -(-(i + 1) * n // outputs)) for i in range(outputs)]


def cost(a: Adaptive, x: TensorType) -> Cost:
    """One operation for every cell of every window."""
    cells: Size = x.shape[0] * x.shape[1]
    for n, outputs in zip(x.spatial, a.size, strict=True):
        cells = cells * (sum(end - start for start, end in bounds(n, outputs)) if isinstance(n, int) else n)
    return Cost(flops=cells)


def receptive_field(a: Adaptive, x: TensorType) -> Window:
    """A window's largest extent; the whole axis where its size is not known."""
    extent: list[int | None] = []
    stride: list[tuple[int, int]] = []
    for n, outputs in zip(x.spatial, a.size, strict=True):
        if isinstance(n, int):
            extent.append(max(end - start for start, end in bounds(n, outputs)))
            stride.append((n // gcd(n, outputs), outputs // gcd(n, outputs)))
        else:
            extent.append(None)
            stride.append((1, 1))
    return Window(extent=tuple(extent), stride=tuple(stride), before=(0,) * len(a.size))


def equal_windows(a: Adaptive, x: TensorType) -> tuple[int, ...] | None:
    """The kernel of the ordinary pool that means the same, where every axis is known and divides evenly."""
    kernel = [n // o for n, o in zip(x.spatial, a.size, strict=True) if isinstance(n, int) and n % o == 0]
    return tuple(kernel) if len(kernel) == len(a.size) else None


SHAPE = "(N, C, n…) → (N, C, size…)"


def axes(sizes: Sequence[Any]) -> range:
    """Indices of the spatial axes of a canonical tensor."""
    return range(2, 2 + len(sizes))
