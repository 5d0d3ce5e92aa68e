"""One lowering for all moments: the trees laid over each other, with a hole wherever they hold constants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from convspec.ir.lowering import Apply, Arg, Args, Call


class Differ(Exception):
    """Trees of different form. `keys` tells them apart, in their order."""

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__("lowerings of different form")
        self.keys = tuple(keys)


@dataclass(frozen=True, slots=True, eq=False)
class Hole:
    """A constant at every moment. `squash`: an integer stands for that number on every axis here."""

    values: tuple[Any, ...]
    squash: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """What a framework lets its callers leave out, and how it reads what they write."""

    defaults: Mapping[str, Mapping[str, Any]]
    """Function → keyword → what it is where a call leaves it out."""
    one_for_all_axes: Sequence[str]
    """Functions with these in their names read an integer as that number for every axis."""
    other_default: Callable[[Any, str], Any]
    """What a call leaves out that no table says. KeyError where the keyword may not be left out."""
    order: Callable[[str], Sequence[str]]
    """In which order a person writes the keywords of a function."""

    def squashes(self, fn: str) -> bool:
        """Whether an integer stands for that number on every axis in the arguments of `fn`."""
        return any(part in fn for part in self.one_for_all_axes)

    def given(self, call: Call | Apply, name: str) -> Any:
        """The keyword of a call, written or not. Differ where it may not be left out."""
        if name in call.kwargs:
            return call.kwargs[name]
        defaults = self.defaults.get(call.fn, {})
        try:
            return defaults[name] if name in defaults else self.other_default(call, name)
        except KeyError:
            raise Differ([f"without {name}"]) from None


def merge(trees: Sequence[Any], rules: Rules, squash: bool = False) -> Any:
    """The tree that all `trees` are, with Holes for constants. Differ if their forms are not the same."""
    first = trees[0]
    match first:
        case Arg() | Args():
            if all(tree == first for tree in trees):
                return first
            raise Differ([repr(tree) for tree in trees])
        case Call():
            _same_head(trees)
            inside = rules.squashes(first.fn)
            args = _columns([tree.args for tree in trees], rules, inside)
            return Call(first.fn, args, _keywords(trees, rules, inside))
        case Apply():
            _same_head(trees)
            inside = rules.squashes(first.fn)
            inputs = _columns([tree.inputs for tree in trees], rules, False)
            args = _columns([tree.args for tree in trees], rules, inside)
            return Apply(first.fn, args, _keywords(trees, rules, inside), inputs, first.weights, first.kept)
        case tuple() | list() if _holds_tensors(first):
            return type(first)(_columns(trees, rules, squash))
    if any(isinstance(tree, Arg | Args | Call | Apply) for tree in trees):
        raise Differ([type(tree).__name__ for tree in trees])
    return Hole(tuple(trees), squash)


def _same_head(trees: Sequence[Any]) -> None:
    heads = [f"{type(t).__name__} {getattr(t, 'fn', '')} {len(getattr(t, 'args', ()))} {getattr(t, 'kept', '')}" for t in trees]
    if len(set(heads)) > 1:
        raise Differ(heads)


def _columns(rows: Sequence[Sequence[Any]], rules: Rules, squash: bool) -> tuple[Any, ...]:
    if len({len(row) for row in rows}) > 1:
        raise Differ([str(len(row)) for row in rows])
    return tuple(merge(column, rules, squash) for column in zip(*rows, strict=True))


def _keywords(trees: Sequence[Call | Apply], rules: Rules, squash: bool) -> dict[str, Any]:
    """Keywords of all trees; where one leaves a keyword out, its default stands in."""
    names = dict.fromkeys(name for tree in trees for name in tree.kwargs)
    usual = [name for name in rules.order(trees[0].fn) if name in names]
    ordered = [*usual, *(name for name in names if name not in usual)]
    return {name: merge(_column(trees, name, rules), rules, squash) for name in ordered}


def _column(trees: Sequence[Call | Apply], name: str, rules: Rules) -> list[Any]:
    try:
        return [rules.given(tree, name) for tree in trees]
    except Differ:
        raise Differ([f"{name} {'written' if name in tree.kwargs else 'left out'}" for tree in trees]) from None


def _holds_tensors(part: Any) -> bool:
    if isinstance(part, tuple | list):
        return any(_holds_tensors(item) for item in part)
    return isinstance(part, Arg | Args | Call | Apply)
