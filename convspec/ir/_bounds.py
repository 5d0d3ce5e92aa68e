"""Bounds of a size by interval arithmetic: quick, and sound, but blind to a name that stands in two places."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

from convspec.ir._form import Atom, Dim, Name, Size

Bound: TypeAlias = int | None
"""None is infinite: below as a lower bound, above as an upper one."""
Interval: TypeAlias = tuple[Bound, Bound]


def interval(size: Size) -> Interval:
    """A lower and an upper bound over all values of the names; not always the closest ones."""
    return (int(size), int(size)) if isinstance(size, int) else _interval(size)


@lru_cache(maxsize=1 << 14)
def _interval(dim: Dim) -> Interval:
    low: Bound = 0
    high: Bound = 0
    for monomial, coefficient in dim.terms:
        product: Interval = (1, 1)
        for atom in monomial:
            product = _times(product, _atom(atom))
        least, most = product if coefficient > 0 else (product[1], product[0])
        low = None if low is None or least is None else low + coefficient * least
        high = None if high is None or most is None else high + coefficient * most
    return low, high


def _atom(atom: Atom) -> Interval:
    if isinstance(atom, Name):
        return atom.minimum, None
    low, high = interval(atom.numerator)
    return None if low is None else low // atom.divisor, None if high is None else high // atom.divisor


def _times(a: Interval, b: Interval) -> Interval:
    """The interval of products."""
    if _at_least_zero(a) and _at_least_zero(b):
        return _scale(a[0], b[0]), _scale(a[1], b[1])
    if None in a or None in b:
        return None, None
    corners = [x * y for x in a for y in b if x is not None and y is not None]
    return min(corners), max(corners)


def _at_least_zero(a: Interval) -> bool:
    return a[0] is not None and a[0] >= 0


def _scale(x: Bound, y: Bound) -> Bound:
    if x == 0 or y == 0:
        return 0
    return None if x is None or y is None else x * y
