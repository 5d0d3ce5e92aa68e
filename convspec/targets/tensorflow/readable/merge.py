"""One lowering for all moments: the trees laid over each other, with a hole wherever they hold constants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from convspec.ir.lowering import Apply, Arg, Args, Call
from convspec.targets.tensorflow.equivalents import DEFAULTS, ONE_FOR_ALL_AXES


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


def merge(trees: Sequence[Any], squash: bool = False) -> Any:
    """The tree that all `trees` are, with Holes for constants. Differ if their forms are not the same."""
    first = trees[0]
    match first:
        case Arg() | Args():
            if all(tree == first for tree in trees):
                return first
            raise Differ([repr(tree) for tree in trees])
        case Call():
            _same_head(trees)
            inside = _squashes(first.fn)
            return Call(first.fn, _columns([tree.args for tree in trees], inside), _keywords(trees, inside))
        case Apply():
            _same_head(trees)
            inside = _squashes(first.fn)
            inputs = _columns([tree.inputs for tree in trees], False)
            args = _columns([tree.args for tree in trees], inside)
            return Apply(first.fn, args, _keywords(trees, inside), inputs, first.weights)
        case tuple() | list() if _holds_tensors(first):
            return type(first)(_columns(trees, squash))
    if any(isinstance(tree, Arg | Args | Call | Apply) for tree in trees):
        raise Differ([type(tree).__name__ for tree in trees])
    return Hole(tuple(trees), squash)


def _same_head(trees: Sequence[Any]) -> None:
    heads = [f"{type(t).__name__} {getattr(t, 'fn', '')} {len(getattr(t, 'args', ()))}" for t in trees]
    if len(set(heads)) > 1:
        raise Differ(heads)


def _columns(rows: Sequence[Sequence[Any]], squash: bool) -> tuple[Any, ...]:
    if len({len(row) for row in rows}) > 1:
        raise Differ([str(len(row)) for row in rows])
    return tuple(merge(column, squash) for column in zip(*rows, strict=True))


def _keywords(trees: Sequence[Any], squash: bool) -> dict[str, Any]:
    """Keywords of all trees; where one leaves a keyword out, its default stands in."""
    usual = list(DEFAULTS.get(trees[0].fn, {}))
    names = dict.fromkeys(name for tree in trees for name in tree.kwargs)
    names = dict.fromkeys(sorted(names, key=lambda name: usual.index(name) if name in usual else len(usual)))
    return {name: merge([_given(tree, name) for tree in trees], squash) for name in names}


def _given(tree: Any, name: str) -> Any:
    if name in tree.kwargs:
        return tree.kwargs[name]
    if name == "strides" and "Pooling" in tree.fn:
        return tree.args[0]
    if name not in DEFAULTS.get(tree.fn, {}):
        raise Differ([f"without {name}"])
    return DEFAULTS[tree.fn][name]


def _squashes(fn: str) -> bool:
    return any(part in fn for part in ONE_FOR_ALL_AXES)


def _holds_tensors(part: Any) -> bool:
    if isinstance(part, tuple | list):
        return any(_holds_tensors(item) for item in part)
    return isinstance(part, Arg | Args | Call | Apply)
