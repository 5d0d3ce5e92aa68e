"""The residue method: a size in floors, taken apart into finitely many polynomials without any.

Let L be the least common multiple of the nested denominators over a name H. On H = H0 + L*t, with t = 0, 1, 2, …, every floor
is a polynomial in t, since each denominator divides what t is multiplied by; so the size itself is one. H0 = minimum …
minimum + L - 1 covers all values of H. A polynomial of degree d is given by its values at t = 0 … d, that is by its forward
differences c there: p(t) = sum of c[k] * binomial(t, k). As the binomials are integers, never negative, and independent,

- p vanishes for all t exactly if all c are 0;
- p has the sign of c[0] everywhere if no other c has the opposite sign;
- p is never 0 if the other c have a common divisor that does not divide c[0].

Several names give a product of such cases and of such binomials.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from math import gcd, lcm, prod

from convspec.ir._form import Dim, Floor, Monomial, Name, value
from convspec.records import dataclass

MOST_CASES = 4096
_MOST_WORK = 4_000_000
"""Values computed, times the weight of the size: about a second."""


@dataclass(frozen=True, slots=True)
class Case:
    """The names at `start` plus multiples of their moduli. `differences[0]` is the value at the start."""

    start: tuple[int, ...]
    differences: tuple[int, ...]

    @property
    def vanishes(self) -> bool:
        return not any(self.differences)

    @property
    def never_below_start(self) -> bool:
        return min(self.differences[1:], default=0) >= 0

    @property
    def never_above_start(self) -> bool:
        return max(self.differences[1:], default=0) <= 0

    @property
    def never_zero(self) -> bool:
        """Proven not to be 0 anywhere; False if it is 0 somewhere or that is not known."""
        first, common = self.differences[0], gcd(*self.differences[1:])
        if (first > 0 and self.never_below_start) or (first < 0 and self.never_above_start):
            return True
        return common != 0 and first % common != 0


@dataclass(frozen=True, slots=True)
class Cases:
    """All cases of a size. `names`, `moduli` and each case's `start` have one order."""

    names: tuple[str, ...]
    moduli: tuple[int, ...]
    degrees: tuple[int, ...]
    cases: tuple[Case, ...]


@dataclass(slots=True)
class _Facts:
    """What is said of one name."""

    minimum: int = 0
    modulus: int = 1
    degree: int = 0


@lru_cache(maxsize=1 << 10)
def cases_of(dim: Dim) -> Cases | None:
    """The cases of a size, or None if there are too many."""
    facts: dict[str, _Facts] = {}
    _collect(dim, 1, facts)
    names = tuple(sorted(facts))
    moduli = tuple(facts[name].modulus for name in names)
    degrees = tuple(facts[name].degree for name in names)
    if prod(moduli) > MOST_CASES:
        return None
    if prod(moduli) * prod(degree + 1 for degree in degrees) * dim.weight > _MOST_WORK:
        return None
    starts = product(*(range(facts[name].minimum, facts[name].minimum + facts[name].modulus) for name in names))
    cases = tuple(Case(start, _differences(dim, names, start, moduli, degrees)) for start in starts)
    return Cases(names, moduli, degrees, cases)


def _collect(dim: Dim, modulus: int, facts: dict[str, _Facts]) -> None:
    """Find each name's minimum, its modulus if `dim` is to be known modulo `modulus`, and its degree."""
    for monomial, _ in dim.terms:
        for atom in monomial:
            if isinstance(atom, Floor):
                _collect(atom.numerator, modulus * atom.divisor, facts)
            else:
                fact = facts.setdefault(atom.text, _Facts(atom.minimum))
                fact.minimum = max(fact.minimum, atom.minimum)
                fact.modulus = lcm(fact.modulus, modulus)
    for name, degree in degrees_of(dim).items():
        facts[name].degree = max(facts[name].degree, degree)


def degrees_of(dim: Dim) -> dict[str, int]:
    """The degree in each name, a floor counting as its numerator."""
    found: dict[str, int] = {}
    for monomial, _ in dim.terms:
        for name, degree in _degrees(monomial).items():
            found[name] = max(found.get(name, 0), degree)
    return found


def _degrees(monomial: Monomial) -> dict[str, int]:
    found: dict[str, int] = {}
    for atom in monomial:
        inner = {atom.text: 1} if isinstance(atom, Name) else degrees_of(atom.numerator)
        for name, degree in inner.items():
            found[name] = found.get(name, 0) + degree
    return found


def _differences(
    dim: Dim, names: Sequence[str], start: Sequence[int], moduli: Sequence[int], degrees: Sequence[int]
) -> tuple[int, ...]:
    """Forward differences at `start`, of every order up to `degrees`, the last name's order running fastest."""
    axes = [
        [first + modulus * t for t in range(degree + 1)] for first, modulus, degree in zip(start, moduli, degrees, strict=True)
    ]
    values = [value(dim, dict(zip(names, point, strict=True))) for point in product(*axes)]
    step = len(values)
    for degree in degrees:
        block, step = step, step // (degree + 1)
        for order in range(degree):
            for index in range(len(values) - 1, -1, -1):
                if index % block // step > order:
                    values[index] -= values[index - step]
    return tuple(values)
