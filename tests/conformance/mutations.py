"""Small mistakes put into lowerings: a padding side, a dilation, the order of a stored tensor's axes, an epsilon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from typing import Any

from convspec.ir.lowering import Apply, Call, Weight
from convspec.ir.opdef import OpDef, TargetName

Mutator = Callable[[Any], Any]
"""From a part of a lowering to the part with the mistake, or the very same part where it has no place for it."""

_DILATIONS = ("dilation", "dilations", "dilation_rate")
_EPSILONS = ("eps", "epsilon")


def pads(part: Any) -> Any:
    """Cells before and after exchanged, where they differ."""
    match part:
        case Call(kwargs={"pads": tuple() as found}) if not part.fn.startswith("."):
            half = len(found) // 2
            return _unless_equal(part, {"pads": (*found[half:], *found[:half])})
        case Call(fn="F.pad", args=(source, tuple() as found, *rest)):
            flipped = tuple(found[index ^ 1] for index in range(len(found)))
            return part if flipped == found else replace(part, args=(source, flipped, *rest))
        case Apply(args=(found,)) if "ZeroPadding" in part.fn and isinstance(found, tuple | list):
            flipped = _swapped_pairs(found)
            return part if flipped == found else replace(part, args=(flipped,))
    return part


def _swapped_pairs(found: Any) -> Any:
    if all(isinstance(item, int) for item in found):
        return tuple(found[::-1]) if len(found) == 2 else found
    return type(found)(tuple(item[::-1]) if isinstance(item, tuple | list) else item for item in found)


def dilation(part: Any) -> Any:
    """One more or less, so that the window still fits."""
    if isinstance(part, Call | Apply):
        for name in _DILATIONS:
            if name in part.kwargs:
                found = part.kwargs[name]
                numbers = found if isinstance(found, tuple | list) else (found,)
                changed = tuple(max(1, number - 1) for number in numbers)
                return _unless_equal(part, {name: changed if isinstance(found, tuple | list) else changed[0]})
    return part


def permutation(part: Any) -> Any:
    """The last two axes of a stored tensor exchanged."""
    if isinstance(part, Weight) and part.permute is not None and len(part.permute) > 1:
        *first, a, b = part.permute
        return replace(part, permute=(*first, b, a))
    return part


def epsilon(part: Any) -> Any:
    """Much larger."""
    if isinstance(part, Call | Apply):
        for name in _EPSILONS:
            if name in part.kwargs:
                return replace(part, kwargs={**part.kwargs, name: part.kwargs[name] * 3 + 1e-3})
    return part


MUTATORS: dict[str, Mutator] = {"pads": pads, "dilation": dilation, "permutation": permutation, "epsilon": epsilon}


def _unless_equal(part: Any, changes: dict[str, Any]) -> Any:
    changed = {**part.kwargs, **changes}
    return part if changed == part.kwargs else replace(part, kwargs=changed)


def mutated(tree: Any, mutator: Mutator) -> Any:
    """The tree with the mistake in every place that has room for it."""
    if isinstance(tree, tuple | list):
        return type(tree)(mutated(item, mutator) for item in tree)
    if isinstance(tree, dict):
        return {key: mutated(item, mutator) for key, item in tree.items()}
    if is_dataclass(tree) and not isinstance(tree, type):
        inner = {f.name: mutated(getattr(tree, f.name), mutator) for f in fields(tree) if f.name not in ("fn", "role", "dtype")}
        return mutator(replace(tree, **inner))
    return tree


@contextmanager
def broken(op: OpDef, target: TargetName, mutator: Mutator) -> Iterator[None]:
    """The op with the mistake in its lowering for `target`."""
    right = op.lower[target]
    assert isinstance(op.lower, dict)
    op.lower[target] = lambda *args: mutated(right(*args), mutator)
    try:
        yield
    finally:
        op.lower[target] = right


__all__ = ["MUTATORS", "broken", "mutated"]
