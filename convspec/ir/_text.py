"""How a symbolic size is written: `2*(H // 2)`, `(H + 1) // 2`, `32*h`, `H*W - 1`; the same on every run."""

from __future__ import annotations

from convspec.ir._form import Atom, Dim, Floor, Monomial, Term


def text(dim: Dim) -> str:
    """Positive terms first, so that no minus leads where it need not; the constant last."""
    positive = [term for term in dim.terms if term[0] and term[1] > 0]
    negative = [term for term in dim.terms if term[0] and term[1] < 0]
    constant = [term for term in dim.terms if not term[0]]
    ordered = positive + negative + constant
    if not positive and constant and constant[0][1] > 0:
        ordered = constant + negative
    written = "".join(_signed(term, leads=place == 0) for place, term in enumerate(ordered))
    return written[3:] if written.startswith(" + ") else "-" + written[3:]


def floor_text(numerator: Dim, divisor: int) -> str:
    one_term = len(numerator.terms) == 1
    return f"{numerator} // {divisor}" if one_term else f"({numerator}) // {divisor}"


def _signed(term: Term, leads: bool) -> str:
    monomial, coefficient = term
    sign = " - " if coefficient < 0 else " + "
    size = abs(coefficient)
    if not monomial:
        return f"{sign}{size}"
    if size == 1 and len(monomial) == 1 and (coefficient > 0 or not leads):
        return sign + monomial[0].key  # `//` binds tighter than + and -, but not than a leading minus
    factors = _factors(monomial)
    return sign + "*".join(factors if size == 1 else [str(size), *factors])


def _factors(monomial: Monomial) -> list[str]:
    powers: dict[Atom, int] = {}
    for atom in monomial:
        powers[atom] = powers.get(atom, 0) + 1
    return [_factor(atom) + (f"**{power}" if power > 1 else "") for atom, power in powers.items()]


def _factor(atom: Atom) -> str:
    return f"({atom.key})" if isinstance(atom, Floor) else atom.key
