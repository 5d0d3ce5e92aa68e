"""The normal form of a symbolic size: an integer polynomial over names and floors.

A Dim is a sum of terms, each an integer times a product of atoms; an atom is a name or a floor `P // m`, where P is again
a Dim and m an integer above 1. Atoms and Dims are interned: equal structure is one object, so that comparing and hashing cost
nothing. Results without a name in them become plain ints.

A floor is reduced when it is made, by identities that hold for all integers (m, a, b > 0, R any integer):

- `(m*Q + R) // m` is `Q + R // m`, so that every coefficient left inside lies in 0 … m - 1;
- `(g*Q + r) // (g*m)` is `(Q + r // g) // m`;
- `((P // a) + R) // b` is `(P + a*R) // (a*b)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import gcd
from threading import Lock
from typing import Any, TypeAlias
from weakref import WeakValueDictionary

from convspec.records import dataclass

LARGEST_WEIGHT = 10_000
"""How many parts an expression may have, counted as it would be printed."""
LARGEST_DEPTH = 64
"""How deep floors may nest."""
LARGEST_DEGREE = 64
"""How many factors a product may have."""
_LARGEST_PRODUCT = 100_000
_INTEGER_BITS = 64
_CACHE = 1 << 16


class DimError(Exception):
    """A size that cannot be formed or decided: division by a symbolic size, a maximum that depends on the sizes, …"""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


@dataclass(frozen=True, slots=True, eq=False, repr=False, weakref_slot=True)
class Name:
    """A named size: any integer from `minimum` on."""

    text: str
    minimum: int

    @property
    def key(self) -> str:
        return self.text

    @property
    def names(self) -> frozenset[str]:
        return frozenset((self.text,))

    def __reduce__(self) -> tuple[Any, ...]:
        return intern_name, (self.text, self.minimum)


@dataclass(frozen=True, slots=True, eq=False, repr=False, weakref_slot=True)
class Floor:
    """`numerator // divisor`, reduced."""

    numerator: Dim
    divisor: int
    key: str
    """Its text, which also orders atoms."""

    @property
    def names(self) -> frozenset[str]:
        return self.numerator.names

    def __reduce__(self) -> tuple[Any, ...]:
        return _intern_floor, (self.numerator, self.divisor)


Atom: TypeAlias = Name | Floor
Monomial: TypeAlias = tuple[Atom, ...]
"""A product of atoms in the order of their keys, a power as repetition; empty for the constant."""
Term: TypeAlias = tuple[Monomial, int]


@dataclass(frozen=True, slots=True, eq=False, repr=False, weakref_slot=True)
class Dim:
    """An exact integer expression over named sizes. Two Dims are equal in form exactly if they are one object."""

    terms: tuple[Term, ...]
    """In order of falling degree; no coefficient is 0."""
    names: frozenset[str]
    weight: int
    depth: int

    def __add__(self, other: Size) -> Size:
        return _sum(self, other) if isinstance(other, (int, Dim)) else NotImplemented

    def __radd__(self, other: Size) -> Size:
        return self.__add__(other)

    def __sub__(self, other: Size) -> Size:
        return _difference(self, other) if isinstance(other, (int, Dim)) else NotImplemented

    def __rsub__(self, other: Size) -> Size:
        return _difference(other, self) if isinstance(other, int) else NotImplemented

    def __mul__(self, other: Size) -> Size:
        return _product(self, other) if isinstance(other, (int, Dim)) else NotImplemented

    def __rmul__(self, other: Size) -> Size:
        return self.__mul__(other)

    def __neg__(self) -> Size:
        return _product(self, -1)

    def __pow__(self, exponent: int) -> Size:
        if not isinstance(exponent, int):
            return NotImplemented
        if not 0 <= exponent <= LARGEST_DEGREE:
            raise DimError(f"the symbolic size {self} can be raised to powers from 0 to {LARGEST_DEGREE}, not to {exponent}")
        result: Size = 1
        for _ in range(exponent):
            result = result * self
        return result

    def __floordiv__(self, other: Size) -> Size:
        """`self // other`, rounded down. Raises DimError unless `other` is an integer above 0."""
        if not isinstance(other, (int, Dim)):
            return NotImplemented
        return _floor(self, _divisor(self, other))

    def __rfloordiv__(self, other: Size) -> Size:
        raise DimError(f"{other} cannot be divided by the symbolic size {self}")

    def __truediv__(self, other: Size) -> Size:
        """`self / other` where that is a whole number by form (`32*h / 4`); otherwise DimError."""
        quotient = self // other
        if quotient * other is not self:
            raise DimError(f"{self} is not a multiple of {other} for all sizes", "use `//` to round down")
        return quotient

    def __rtruediv__(self, other: Size) -> Size:
        return self.__rfloordiv__(other)

    def __mod__(self, other: Size) -> Size:
        """`self - (self // other) * other`: never negative."""
        quotient = self // other
        return self - quotient * other

    def __rmod__(self, other: Size) -> Size:
        return self.__rfloordiv__(other)

    def __str__(self) -> str:
        from convspec.ir._text import text

        return text(self)

    def __repr__(self) -> str:
        return f"<{self}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return build, (self.terms,)


Size: TypeAlias = int | Dim

_names: WeakValueDictionary[tuple[str, int], Name] = WeakValueDictionary()
_floors: WeakValueDictionary[tuple[Dim, int], Floor] = WeakValueDictionary()
_dims: WeakValueDictionary[tuple[Term, ...], Dim] = WeakValueDictionary()
_interning = Lock()


def intern_name(text: str, minimum: int) -> Name:
    with _interning:
        return _names.setdefault((text, minimum), Name(text, minimum))


def _intern_floor(numerator: Dim, divisor: int) -> Floor:
    found = _floors.get((numerator, divisor))
    if found is None:
        from convspec.ir._text import floor_text

        made = Floor(numerator, divisor, floor_text(numerator, divisor))
        with _interning:
            found = _floors.setdefault((numerator, divisor), made)
    return found


def _rank(term: Term) -> tuple[int, list[str]]:
    monomial, _ = term
    return -len(monomial), [atom.key for atom in monomial]


def build(terms: Iterable[Term]) -> Size:
    """The sum of terms whose monomials all differ. Raises DimError if it is too large to work with."""
    kept = tuple(sorted(((monomial, coefficient) for monomial, coefficient in terms if coefficient), key=_rank))
    if not kept:
        return 0
    if len(kept) == 1 and not kept[0][0]:
        return kept[0][1]
    found = _dims.get(kept)
    if found is None:
        made = _measured(kept)
        with _interning:
            found = _dims.setdefault(kept, made)
    return found


def _measured(terms: tuple[Term, ...]) -> Dim:
    """A new Dim, unless it is past a limit."""
    weight, depth, names = len(terms), 0, set[str]()
    for monomial, coefficient in terms:
        weight += len(monomial)
        for atom in monomial:
            names |= atom.names
            if isinstance(atom, Floor):
                weight += atom.numerator.weight
                depth = max(depth, atom.numerator.depth + 1)
        if abs(coefficient).bit_length() > _INTEGER_BITS:
            raise DimError(f"a symbolic size has a number larger than {_INTEGER_BITS} bits in it")
        if len(monomial) > LARGEST_DEGREE:
            raise DimError(f"a symbolic size multiplies more than {LARGEST_DEGREE} sizes")
    if weight > LARGEST_WEIGHT or depth > LARGEST_DEPTH:
        raise DimError("a symbolic size has become too long to work with", "declare inputs as multiples, such as 32*h")
    return Dim(terms, frozenset(names), weight, depth)


def terms_of(size: Size) -> tuple[Term, ...]:
    if isinstance(size, Dim):
        return size.terms
    # int(): an int may come in as a subclass that remembers its source expression, which must not enter the caches.
    return (((), int(size)),) if size else ()


@lru_cache(maxsize=_CACHE)
def _sum(a: Size, b: Size) -> Size:
    total = dict(terms_of(a))
    for monomial, coefficient in terms_of(b):
        total[monomial] = total.get(monomial, 0) + coefficient
    return build(total.items())


@lru_cache(maxsize=_CACHE)
def _difference(a: Size, b: Size) -> Size:
    total = dict(terms_of(a))
    for monomial, coefficient in terms_of(b):
        total[monomial] = total.get(monomial, 0) - coefficient
    return build(total.items())


@lru_cache(maxsize=_CACHE)
def _product(a: Size, b: Size) -> Size:
    left, right = terms_of(a), terms_of(b)
    if len(left) * len(right) > _LARGEST_PRODUCT:
        raise DimError("a product of symbolic sizes has become too long to work with")
    total: dict[Monomial, int] = {}
    for left_atoms, x in left:
        for right_atoms, y in right:
            monomial = tuple(sorted(left_atoms + right_atoms, key=lambda atom: atom.key))
            total[monomial] = total.get(monomial, 0) + x * y
    return build(total.items())


def _divisor(numerator: Dim, divisor: Size) -> int:
    if isinstance(divisor, Dim):
        raise DimError(f"{numerator} cannot be divided by the symbolic size {divisor}")
    if divisor <= 0:
        raise DimError(f"{numerator} can only be divided by an integer above 0, not by {divisor}")
    return int(divisor)


@lru_cache(maxsize=_CACHE)
def _floor(size: Size, divisor: int) -> Size:
    """`size // divisor` in normal form, for a divisor above 0."""
    if isinstance(size, int):
        return size // divisor
    pulled = build((monomial, coefficient // divisor) for monomial, coefficient in size.terms)
    rest = [(monomial, coefficient % divisor) for monomial, coefficient in size.terms]
    return pulled + _proper_floor([term for term in rest if term[1]], divisor)


def _proper_floor(terms: list[Term], divisor: int) -> Size:
    """The floor of terms whose coefficients lie in 1 … divisor - 1."""
    common = gcd(divisor, *(coefficient for monomial, coefficient in terms if monomial))
    if common == divisor:  # only a constant below the divisor is left
        return 0
    terms = [(monomial, coefficient // common) for monomial, coefficient in terms]
    divisor //= common
    floors = [term for term in terms if any(isinstance(atom, Floor) for atom in term[0])]
    if len(floors) == 1 and floors[0][1] == 1 and len(floors[0][0]) == 1:
        inner = floors[0][0][0]
        assert isinstance(inner, Floor)
        others = build(term for term in terms if term is not floors[0])
        return _floor(inner.numerator + others * inner.divisor, inner.divisor * divisor)
    numerator = build(terms)
    assert isinstance(numerator, Dim)
    return build([((_intern_floor(numerator, divisor),), 1)])


def value(size: Size, values: Mapping[str, int]) -> int:
    """The size for given values of its names."""
    if isinstance(size, int):
        return size
    total = 0
    for monomial, coefficient in size.terms:
        product = coefficient
        for atom in monomial:
            product *= values[atom.text] if isinstance(atom, Name) else value(atom.numerator, values) // atom.divisor
        total += product
    return total


def replace(size: Size, replacements: Mapping[str, Size]) -> Size:
    """The size with names replaced, all at once, and brought to normal form."""
    if isinstance(size, int) or size.names.isdisjoint(replacements):
        return size
    total: Size = 0
    for monomial, coefficient in size.terms:
        product: Size = coefficient
        for atom in monomial:
            product = product * _replaced(atom, replacements)
        total = total + product
    return total


def _replaced(atom: Atom, replacements: Mapping[str, Size]) -> Size:
    if isinstance(atom, Floor):
        return replace(atom.numerator, replacements) // atom.divisor
    return replacements[atom.text] if atom.text in replacements else build([((atom,), 1)])
