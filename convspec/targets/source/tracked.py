"""Numbers that remember where they came from, so that a lowering computed with them says which expression to print.

A tracked number is equal to the plain one and counts like it; sums, differences, products and quotients of it stay tracked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Ref:
    """`what` names a source, ("attr", "filters") or ("channels", 0); `path` the position in it: (), (axis,) or (axis, side)."""

    what: tuple[str, Any]
    path: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """`left operator right`; a plain int is a constant."""

    operator: str
    left: Origin
    right: Origin


Origin: TypeAlias = Ref | Operation | int


class TrackedInt(int):
    """An int with an origin."""

    origin: Origin

    def __new__(cls, value: int, origin: Origin) -> TrackedInt:
        made = super().__new__(cls, value)
        made.origin = origin
        return made

    def __add__(self, other: Any) -> Any:
        return _operate("+", self, other, int.__add__(self, other)) if isinstance(other, int) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        return _operate("+", other, self, int.__radd__(self, other)) if isinstance(other, int) else NotImplemented

    def __sub__(self, other: Any) -> Any:
        return _operate("-", self, other, int.__sub__(self, other)) if isinstance(other, int) else NotImplemented

    def __rsub__(self, other: Any) -> Any:
        return _operate("-", other, self, int.__rsub__(self, other)) if isinstance(other, int) else NotImplemented

    def __mul__(self, other: Any) -> Any:
        return _operate("*", self, other, int.__mul__(self, other)) if isinstance(other, int) else NotImplemented

    def __rmul__(self, other: Any) -> Any:
        return _operate("*", other, self, int.__rmul__(self, other)) if isinstance(other, int) else NotImplemented

    def __floordiv__(self, other: Any) -> Any:
        return _operate("//", self, other, int.__floordiv__(self, other)) if isinstance(other, int) else NotImplemented

    __hash__ = int.__hash__


class TrackedFloat(float):
    """A float with an origin; arithmetic on it gives plain floats."""

    origin: Origin

    def __new__(cls, value: float, origin: Origin) -> TrackedFloat:
        made = super().__new__(cls, value)
        made.origin = origin
        return made


_NEUTRAL = {("+", 0): True, ("*", 1): True, ("-", 0): False, ("//", 1): False}
"""(operator, number) that changes nothing on the right; True where it changes nothing on the left either."""


def _operate(operator: str, left: Any, right: Any, value: int) -> TrackedInt:
    first, second = origin_of(left), origin_of(right)
    if isinstance(second, int) and (operator, second) in _NEUTRAL:
        return TrackedInt(value, first if first is not None else value)
    if isinstance(first, int) and _NEUTRAL.get((operator, first)):
        return TrackedInt(value, second if second is not None else value)
    return TrackedInt(value, Operation(operator, _or_value(first, left), _or_value(second, right)))


def _or_value(origin: Origin | None, number: int) -> Origin:
    return int(number) if origin is None else origin


def origin_of(number: Any) -> Origin | None:
    """Where a number came from; a plain int is its own origin, other plain values have none."""
    if isinstance(number, TrackedInt | TrackedFloat):
        return number.origin
    return int(number) if isinstance(number, int) and not isinstance(number, bool) else None


def track(value: Any, what: tuple[str, Any], path: tuple[int, ...] = ()) -> Any:
    """`value` with every number in it tracked; tuples keep their form, other values stay as they are."""
    if isinstance(value, tuple):
        return tuple(track(item, what, (*path, index)) for index, item in enumerate(value))
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return TrackedInt(value, Ref(what, path))
    if isinstance(value, float):
        return TrackedFloat(value, Ref(what, path))
    return value
