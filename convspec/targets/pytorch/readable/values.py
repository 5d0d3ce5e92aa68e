"""What the walk computes with: expressions for both methods, moments of the trace, and the ways in which it can fail."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from convspec.elaborate.module import Application, Turns
from convspec.ir.graph import Value
from convspec.targets.source.code import Code

Scope: TypeAlias = Literal["init", "fwd"]


@dataclass(frozen=True, slots=True)
class Val:
    """A value as expressions: `init` in `__init__`, `fwd` in `forward`. None: it cannot be said there.

    In `init` a tensor is its number of channels, and a list of tensors the list of those.
    """

    init: Code | None
    fwd: Code | None
    many: bool = False
    """Whether it is a list."""
    items: tuple[Val, ...] | None = None
    """The elements of a list, where they are known one by one."""
    function: bool = False
    """Whether the last call in `fwd` is of a plain function, not of a layer."""
    depth: int = 0
    """How many calls are nested in `fwd`, for breaking lines."""

    def named(self, fwd: Code) -> Val:
        """The same value under a name in `forward`."""
        return replace(self, fwd=fwd, depth=0, items=None)


@dataclass(frozen=True, slots=True)
class Moment:
    """One application of the block in one turn of the loops around, and what its names are bound to just then."""

    application: Application
    turns: Turns
    names: Mapping[str, Any]


class Unsayable(Exception):
    """The walk has no words for something."""


class Varied(Unsayable):
    """Something differs between moments in a way that one text cannot say. `keys` tells the moments apart, in their order."""

    def __init__(self, what: str, moments: Sequence[Moment], keys: Sequence[Hashable]) -> None:
        super().__init__(what)
        self.moments, self.keys = tuple(moments), tuple(keys)


class NotSequential(Unsayable):
    """A chain that nn.Sequential cannot hold; it is printed stage by stage instead."""


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = _Unknown()


def shadow(value: Any) -> Any:
    """What stands for a value in `__init__`: a tensor's channels; lists element by element. UNKNOWN where there is none."""
    if isinstance(value, Value):
        shape = value.type.shape
        return shape[1] if len(shape) > 1 else UNKNOWN
    if isinstance(value, list):
        return [shadow(item) for item in value]
    return value


def holds_tensors(value: Any) -> bool:
    """Whether a value is a tensor or a list with one in it."""
    if isinstance(value, list):
        return any(holds_tensors(item) for item in value)
    return isinstance(value, Value)


def same(a: Any, b: Any) -> bool:
    """Equality that tells 1, 1.0 and True apart and lists and tuples not."""
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    kinds = [bool if isinstance(v, bool) else int if isinstance(v, int) else type(v) for v in (a, b)]
    return kinds[0] is kinds[1] and bool(a == b)


def frozen(value: Any) -> Hashable:
    """A hashable that is equal for values that are the same."""
    if isinstance(value, list | tuple):
        return tuple(frozen(item) for item in value)
    if isinstance(value, Hashable):
        return type(value).__name__ if not isinstance(value, int | float | str | None) else (_kind(value), value)
    return repr(value)


def _kind(value: Any) -> str:
    return "bool" if isinstance(value, bool) else "int" if isinstance(value, int) else type(value).__name__
