"""Symbolic sizes. (Interface first; the normal form and proofs are being written.)"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias


class Dim:
    """An exact integer expression over named sizes."""

    def __add__(self, other: Size) -> Size:
        raise NotImplementedError

    def __radd__(self, other: Size) -> Size:
        raise NotImplementedError

    def __sub__(self, other: Size) -> Size:
        raise NotImplementedError

    def __rsub__(self, other: Size) -> Size:
        raise NotImplementedError

    def __mul__(self, other: Size) -> Size:
        raise NotImplementedError

    def __rmul__(self, other: Size) -> Size:
        raise NotImplementedError

    def __neg__(self) -> Size:
        raise NotImplementedError

    def __floordiv__(self, other: Size) -> Size:
        raise NotImplementedError

    def __mod__(self, other: Size) -> Size:
        raise NotImplementedError


Size: TypeAlias = int | Dim


@dataclass(frozen=True, slots=True)
class Equality:
    """Whether two sizes are equal: for all values of their names, for none, or for some."""

    verdict: str  # "always", "never", "sometimes"
    hint: str | None = None
    """For "sometimes": when they agree and what to declare."""

    def __bool__(self) -> bool:
        return self.verdict == "always"


def symbol(name: str, minimum: int = 1) -> Dim:
    raise NotImplementedError


def equal(a: Size, b: Size) -> Equality:
    if isinstance(a, int) and isinstance(b, int):
        return Equality("always" if a == b else "never")
    raise NotImplementedError


def at_least(a: Size, b: Size) -> bool | None:
    """Whether a >= b: True for all values of the names, False for none, None if it depends or cannot be decided."""
    if isinstance(a, int) and isinstance(b, int):
        return a >= b
    raise NotImplementedError


def maximum(a: Size, b: Size) -> Size:
    if isinstance(a, int) and isinstance(b, int):
        return max(a, b)
    raise NotImplementedError


def minimum(a: Size, b: Size) -> Size:
    if isinstance(a, int) and isinstance(b, int):
        return min(a, b)
    raise NotImplementedError


def evaluate(size: Size, values: Mapping[str, int]) -> int:
    """The size for given values of its names."""
    if isinstance(size, int):
        return size
    raise NotImplementedError


def symbols(size: Size) -> frozenset[str]:
    """The names in a size."""
    return frozenset()
