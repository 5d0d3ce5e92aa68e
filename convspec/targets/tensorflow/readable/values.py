"""What the walk computes with: expressions, moments of the trace, and the ways in which it can fail."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from convspec.elaborate.module import Application, Turns
from convspec.ir.graph import Value
from convspec.targets.source.code import Code
from convspec.targets.tensorflow.validate import sizes


@dataclass(frozen=True, slots=True)
class Val:
    """A value as an expression. `depth`: how many calls on tensors are nested in it, for breaking lines."""

    code: Code
    tensors: bool = False
    """Whether it is a tensor or a list that holds tensors."""
    many: bool = False
    """Whether it is a list."""
    depth: int = 0
    items: tuple[Code, ...] | None = None
    """The elements of a list that is written out."""

    def named(self, name: Code) -> Val:
        """The same value under a name."""
        return replace(self, code=name, depth=0)


@dataclass(frozen=True, slots=True)
class Moment:
    """One application of the block in one turn of the loops around, and what its names are bound to just then."""

    application: Application
    turns: Turns
    names: Mapping[str, Any]

    def event(self, site: Any) -> Any:
        """What happened at a site, or None."""
        return self.application.events.get((site, self.turns))


class Unsayable(Exception):
    """The walk has no words for something."""


class Varied(Unsayable):
    """Something differs between moments in a way that one text cannot say. `keys` tells the moments apart, in their order."""

    def __init__(self, what: str, moments: Sequence[Moment], keys: Sequence[Hashable]) -> None:
        super().__init__(what)
        self.moments, self.keys = tuple(moments), tuple(keys)
        self.loops: tuple[Any, ...] = ()
        """The loops around the place, outermost first; whoever writes the function fills them in."""


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Any = _Unknown()


@dataclass(frozen=True, slots=True)
class Stand:
    """Stands for a tensor where an expression is tried out: its shape as Keras knows it."""

    shape: tuple[int | None, ...]


def stand_in(value: Any) -> Any:
    """A compile-time value with its tensors as Keras sees them; UNKNOWN for what generated code has no value for."""
    if isinstance(value, Value):
        return Stand(sizes(value))
    if isinstance(value, list):
        items = [stand_in(item) for item in value]
        return UNKNOWN if any(item is UNKNOWN for item in items) else items
    if value is None or isinstance(value, bool | int | float | str | tuple):
        return value
    return UNKNOWN


def holds_tensors(value: Any) -> bool:
    """Whether a value is a tensor or a list with one in it."""
    if isinstance(value, list):
        return any(holds_tensors(item) for item in value)
    return isinstance(value, Value)


def same(a: Any, b: Any) -> bool:
    """Equality that tells 1, 1.0 and True apart, and lists and tuples not."""
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return _kind(a) is _kind(b) and bool(a == b)


def _kind(value: Any) -> type:
    if isinstance(value, bool):
        return bool
    return int if isinstance(value, int) else float if isinstance(value, float) else type(value)


def frozen(value: Any) -> Hashable:
    """A hashable that is equal for values that are the same."""
    if isinstance(value, list | tuple):
        return tuple(frozen(item) for item in value)
    return (_kind(value).__name__, value) if isinstance(value, int | float | str | None) else repr(value)
