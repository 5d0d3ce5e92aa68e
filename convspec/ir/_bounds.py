"""Bounds of a size by its signs: quick, and sound, but blind to a name that stands in two places.

No name is negative, and the coefficients inside a reduced floor are positive; so every product of names and floors has a least
value, reached where all names are at their minimum, and no largest one.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import TypeAlias

from convspec.ir._form import Atom, Dim, Name, Size

Bound: TypeAlias = int | None
"""None is infinite: below as a lower bound, above as an upper one."""


def interval(size: Size) -> tuple[Bound, Bound]:
    """A lower and an upper bound over all values of the names; not always the closest ones."""
    return (int(size), int(size)) if isinstance(size, int) else _interval(size)


@lru_cache(maxsize=1 << 14)
def _interval(dim: Dim) -> tuple[Bound, Bound]:
    at_minima = sum(coefficient * prod(map(_least, monomial)) for monomial, coefficient in dim.terms)
    signs = {coefficient > 0 for monomial, coefficient in dim.terms if monomial}
    return at_minima if signs == {True} else None, at_minima if signs == {False} else None


def _least(atom: Atom) -> int:
    if isinstance(atom, Name):
        return atom.minimum
    least, _ = _interval(atom.numerator)
    assert least is not None, "a reduced floor has no negative coefficient"
    return least // atom.divisor
