"""Symbolic sizes: exact integer expressions over names, in normal form, with proofs of equality and order.

A size is an int or a Dim: an integer polynomial over names (`N`, `h`) and floors (`P // m`). Most questions are settled by the
normal form alone (`_form.py`): output sizes of ResNets on `32*h`, of U-Nets on `16*h`, of a 3x3 with padding beside a 1x1, both
with stride 2, on plain `H`, become the same object. What is left is settled by the residue method (`_residues.py`): every name
H is split as H0 + L*t, one case for each H0 below the modulus L, and in each case the size is a polynomial in t without floors.

Why the answer is complete: a polynomial that vanishes for all t >= 0 is zero in every coefficient, so `equal` says "always"
exactly if every case is zero, and the zero cases are the residues for which two sizes agree. "never" is said only with a
proof (sign or common divisor, which between them decide linear cases in one name); a polynomial of higher degree may vanish
at single points that nobody can list in general, and then the answer is "sometimes". Above 4,096 cases, or where the work
would take over a second, only interval bounds (`_bounds.py`) speak.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from dataclasses import replace as replace_fields
from functools import lru_cache
from typing import Literal, TypeAlias

from convspec.ir._bounds import interval
from convspec.ir._conditions import condition
from convspec.ir._form import Dim, DimError, Name, Size, build, intern_name, replace, value
from convspec.ir._residues import Cases, cases_of
from convspec.records import dataclass

Verdict: TypeAlias = Literal["always", "never", "sometimes"]


@dataclass(frozen=True, slots=True)
class Equality:
    """Whether two sizes are equal: for all values of their names, for none, or for some or perhaps some. True if always."""

    verdict: Verdict
    hint: str | None = None
    """For "sometimes", where that is known: when they agree and what to declare."""
    condition: str = ""
    """When they agree: `H is even`, `H is 4*q + 1`, `H is 7`, `W is 2*H`; empty if not known.

    It is sufficient, and not always necessary."""
    substitution: Mapping[str, Size] = field(default_factory=dict)
    """What to declare in the place of each name, so that they always agree: {"H": 2*h}."""

    def __bool__(self) -> bool:
        return self.verdict == "always"


_ALWAYS, _NEVER = Equality("always"), Equality("never")


def symbol(name: str, minimum: int = 1) -> Dim:
    """The size called `name`: any integer from `minimum` on, which is at least 0. One name has one minimum in a network."""
    if minimum < 0:
        raise ValueError(f"the minimum of the size {name} is {minimum}, below 0")
    made = build([((intern_name(name, minimum),), 1)])
    assert isinstance(made, Dim)
    return made


def equal(a: Size, b: Size, taken: frozenset[str] = frozenset()) -> Equality:
    """Whether a == b. New names in the substitution are lower-case letters that are not in `taken`."""
    if a is b:
        return _ALWAYS
    try:
        difference = a - b
    except DimError:
        return Equality("sometimes")
    if isinstance(difference, int):
        return _NEVER if difference else _ALWAYS
    return _vanishes(difference, taken | symbols(a) | symbols(b))


@lru_cache(maxsize=1 << 12)
def _vanishes(difference: Dim, taken: frozenset[str]) -> Equality:
    if _outside_zero(difference):
        return _NEVER
    cases = cases_of(difference)
    if cases is None:
        return Equality("sometimes")
    if all(case.vanishes for case in cases.cases):
        return _ALWAYS
    if all(case.never_zero for case in cases.cases):
        return _NEVER
    found = condition(difference, cases, taken)
    if found is None:
        # A linear polynomial in one name that is zero nowhere has been called "never", or has been listed.
        return Equality("sometimes")
    declared = " and ".join(f"{name} as {size}" for name, size in found.substitution.items())
    return Equality("sometimes", f"these agree when {found.text}: declare {declared}", found.text, found.substitution)


def together(equalities: Iterable[Equality]) -> Equality:
    """One verdict on several pairs of sizes, such as all axes of two tensors.

    The condition and the hint are those of the first pair that does not always agree; the substitution makes all of them agree
    at once, as far as no name would need two replacements.
    """
    open_pairs = [equality for equality in equalities if not equality]
    if not open_pairs:
        return _ALWAYS
    if any(equality.verdict == "never" for equality in open_pairs):
        return _NEVER
    substitution: dict[str, Size] = {}
    for equality in open_pairs:
        if all(substitution.get(name, size) is size for name, size in equality.substitution.items()):
            substitution |= equality.substitution
    return replace_fields(open_pairs[0], substitution=substitution)


def _outside_zero(size: Size) -> bool:
    low, high = interval(size)
    return (low is not None and low > 0) or (high is not None and high < 0)


def at_least(a: Size, b: Size) -> bool | None:
    """Whether a >= b: True for all values of the names, False for none, None if it depends or cannot be decided."""
    if a is b:
        return True
    try:
        difference = a - b
    except DimError:
        return None
    if isinstance(difference, int):
        return difference >= 0
    return _is_not_negative(difference)


@lru_cache(maxsize=1 << 12)
def _is_not_negative(difference: Dim) -> bool | None:
    low, high = interval(difference)
    if low is not None and low >= 0:
        return True
    if high is not None and high < 0:
        return False
    cases = cases_of(difference)
    if cases is None:
        return None
    if all(case.differences[0] >= 0 and case.never_below_start for case in cases.cases):
        return True
    if all(case.differences[0] < 0 and case.never_above_start for case in cases.cases):
        return False
    return None


def maximum(a: Size, b: Size) -> Size:
    """The larger size. Raises DimError where that depends on the names."""
    return _chosen(a, b, "larger", first=at_least(a, b), second=at_least(b, a))


def minimum(a: Size, b: Size) -> Size:
    """The smaller size. Raises DimError where that depends on the names."""
    return _chosen(a, b, "smaller", first=at_least(b, a), second=at_least(a, b))


def _chosen(a: Size, b: Size, which: str, first: bool | None, second: bool | None) -> Size:
    if first or second is False:
        return a
    if second or first is False:
        return b
    raise DimError(
        f"whether {a} or {b} is {which} depends on the sizes", "declare the input's sizes as multiples or with a bound"
    )


def lower_bound(size: Size) -> int | None:
    """A bound that no value goes below: the least value where the cases tell it, else by intervals; None if there is none."""
    if isinstance(size, int):
        return size
    cases = cases_of(size)
    if cases is not None and all(case.never_below_start for case in cases.cases):
        return min(case.differences[0] for case in cases.cases)
    return interval(size)[0]


def upper_bound(size: Size) -> int | None:
    """A bound that no value goes above, as `lower_bound`."""
    if isinstance(size, int):
        return size
    cases = cases_of(size)
    if cases is not None and all(case.never_above_start for case in cases.cases):
        return max(case.differences[0] for case in cases.cases)
    return interval(size)[1]


def bound_needed(a: Size, b: Size) -> tuple[str, int] | None:
    """The smallest n such that a >= b whenever the only name in them is at least n: ("H", 75) for `declare H >= 75`.

    None where there are several names, or no such n, or it cannot be told.
    """
    difference = a - b
    if isinstance(difference, int) or len(difference.names) > 1:
        return None
    cases = cases_of(difference)
    if cases is None or cases.degrees != (1,):
        return None
    if any(slope < 0 or (slope == 0 and first < 0) for first, slope in (case.differences for case in cases.cases)):
        return None
    return cases.names[0], _last_negative(cases) + 1


def _last_negative(cases: Cases) -> int:
    """The largest value of the only name at which a rising case is below 0, or the name's minimum - 1."""
    last = cases.cases[0].start[0] - 1
    for case in cases.cases:
        first, slope = case.differences
        if first < 0:
            last = max(last, case.start[0] + cases.moduli[0] * ((-first - 1) // slope))
    return last


def evaluate(size: Size, values: Mapping[str, int]) -> int:
    """The size for given values of its names. Raises DimError if one is missing."""
    if isinstance(size, int):
        return size
    missing = size.names.difference(values)
    if missing:
        raise DimError(f"{size} needs a value for {' and '.join(sorted(missing))}")
    return value(size, values)


def substitute(size: Size, replacements: Mapping[str, Size]) -> Size:
    """The size with names replaced, all at once."""
    return replace(size, replacements)


def symbols(size: Size) -> frozenset[str]:
    """The names in a size."""
    return size.names if isinstance(size, Dim) else frozenset()


def minima(size: Size) -> dict[str, int]:
    """Each name in a size and the least value declared for it."""
    if isinstance(size, int):
        return {}
    found: dict[str, int] = {}
    for monomial, _ in size.terms:
        for atom in monomial:
            inner = {atom.text: atom.minimum} if isinstance(atom, Name) else minima(atom.numerator)
            for name, least in inner.items():
                found[name] = max(least, found.get(name, least))
    return found


__all__ = [
    "Dim",
    "DimError",
    "Equality",
    "Size",
    "at_least",
    "bound_needed",
    "equal",
    "evaluate",
    "lower_bound",
    "maximum",
    "minima",
    "minimum",
    "substitute",
    "symbol",
    "symbols",
    "together",
    "upper_bound",
]
