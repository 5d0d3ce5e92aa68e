"""When two sizes agree, in words and as a declaration: `H is even`, and 2*h in the place of H."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from math import prod

from convspec.ir._bounds import interval
from convspec.ir._form import Dim, Name, Size, build, intern_name
from convspec.ir._residues import Case, Cases
from convspec.records import dataclass

_MOST_LISTED = 3


@dataclass(frozen=True, slots=True)
class Condition:
    """`text` is sufficient for equality; so is replacing names as `substitution` says."""

    text: str
    substitution: Mapping[str, Size]


@dataclass(frozen=True, slots=True)
class _Residues:
    """A name is one of `residues` modulo `modulus`."""

    name: str
    residues: frozenset[int]
    modulus: int


def condition(difference: Dim, cases: Cases, taken: Collection[str]) -> Condition | None:
    """When `difference`, whose cases are given, is 0; None if there is no simple answer."""
    zeros = [case for case in cases.cases if case.vanishes]
    if zeros:
        return _residue_condition(cases, zeros, taken)
    if len(cases.names) == 1:
        return _points(cases)
    return _solved(difference)


def _residue_condition(cases: Cases, zeros: list[Case], taken: Collection[str]) -> Condition:
    found = {tuple(x % modulus for x, modulus in zip(case.start, cases.moduli, strict=True)) for case in zeros}
    columns = [set(column) for column in zip(*found, strict=True)]
    if prod(map(len, columns)) != len(found):  # the names depend on each other: choose one residue each
        columns = [{x} for x in min(found)]
    names = zip(cases.names, columns, cases.moduli, strict=True)
    parts = [_reduced(name, residues, modulus) for name, residues, modulus in names]
    parts = [part for part in parts if part.modulus > 1]
    minima = dict(zip(cases.names, cases.cases[0].start, strict=True))
    substitution: dict[str, Size] = {}
    for part in parts:
        fresh = _fresh(part.name, {*taken, *cases.names} | {other.name.lower() for other in parts if other is not part})
        residue = min(part.residues)
        minimum = max(1, -((residue - minima[part.name]) // part.modulus))
        substitution[part.name] = build([((intern_name(fresh, minimum),), part.modulus), ((), residue)])
    return Condition(" and ".join(map(_phrase, parts)), substitution)


def _reduced(name: str, residues: Iterable[int], modulus: int) -> _Residues:
    """The same set with the smallest modulus; a set with no short description shrinks to its smallest residue."""
    residues = frozenset(residues)
    for divisor in range(1, modulus + 1):
        if modulus % divisor == 0 and {(x + divisor) % modulus for x in residues} == residues:
            residues, modulus = frozenset(x % divisor for x in residues), divisor
            break
    if len(residues) > _MOST_LISTED and modulus - len(residues) != 1:
        residues = frozenset((min(residues),))
    return _Residues(name, residues, modulus)


def _fresh(name: str, taken: Collection[str]) -> str:
    """A name for the multiple: `h` for `H`; the name itself where that is taken."""
    lower = name.lower()
    return name if lower in taken else lower


def _phrase(part: _Residues) -> str:
    name, residues, modulus = part.name, part.residues, part.modulus
    if modulus == 2:
        return f"{name} is {'odd' if 1 in residues else 'even'}"
    missing = set(range(modulus)) - residues
    if len(missing) == 1:
        return f"{name} is not {_all_multiples(modulus, *missing)}"
    if len(residues) == 1:
        return f"{name} is {_all_multiples(modulus, *residues)}"
    return f"{name} is {_either(_multiple(modulus, x) for x in sorted(residues))}"


def _all_multiples(modulus: int, residue: int) -> str:
    return _multiple(modulus, residue) if residue else f"a multiple of {modulus:,}"


def _multiple(modulus: int, residue: int) -> str:
    return f"{modulus}*q + {residue}" if residue else f"{modulus}*q"


def _either(items: Iterable[str]) -> str:
    return " or ".join(items)


def _points(cases: Cases) -> Condition | None:
    """`H is 7`: where the only name stands for single numbers."""
    found = sorted(x for case in cases.cases for x in _roots(case, cases.moduli[0]))
    if not 1 <= len(found) <= _MOST_LISTED:
        return None
    (name,) = cases.names
    return Condition(f"{name} is {_either(map(str, found))}", {name: found[0]})


def _roots(case: Case, modulus: int) -> list[int]:
    """Where a case that is linear and not 0 for all t is 0."""
    first, slope, *higher = (*case.differences, 0, 0)
    if slope == 0 or any(higher) or first % slope or -first // slope < 0:
        return []
    return [case.start[0] + modulus * (-first // slope)]


def _solved(difference: Dim) -> Condition | None:
    """`W is 2*H`: where one name alone makes up the difference to the rest."""
    for monomial, coefficient in reversed(difference.terms):
        if len(monomial) != 1 or abs(coefficient) != 1 or not isinstance(monomial[0], Name):
            continue
        name = monomial[0]
        rest = build(term for term in difference.terms if term[0] != monomial)
        other = rest * -coefficient
        low = interval(other)[0]
        if isinstance(other, Dim) and name.text not in other.names and low is not None and low >= name.minimum:
            return Condition(f"{name.text} is {other}", {name.text: other})
    return None


__all__ = ["Condition", "condition"]
