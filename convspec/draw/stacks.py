"""Which neighbours of a group are alike: same layers, same shapes, same wiring.

They are a stack, drawn once with their number: each is fed by the one before, or all read the same and feed the same. Labels
may differ, and the weights are their own; a weight that one shares all must share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from convspec.draw.diagram import Diagram, Group, Stack
from convspec.ir.graph import Node, Value
from convspec.records import dataclass


@dataclass(slots=True, eq=False)
class _Look:
    """What is compared of a group."""

    signature: int
    reads: list[Value]
    """What comes from outside, each once, in the order of first use."""
    gives: dict[Value, int]
    """What its layers make, by their number."""
    weights: frozenset[str]
    group: Group


def find_stacks(drawn: Diagram, nodes: Sequence[Node]) -> None:
    """Note the stacks in every group of the diagram."""
    outside = _Outside(drawn, nodes)
    known: dict[tuple[object, ...], int] = {}
    for group in drawn.root.groups():
        looks = [_look(child, known) if isinstance(child, Group) else None for child in group.children]
        for place, look in enumerate(looks):
            outside.home.update(dict.fromkeys((layer.index for layer in look.group.layers()), ~place) if look else {})
        group.stacks = _runs(looks, outside)


class _Outside:
    """Which layers read each value, by their place in the order of execution; an output reads last of all."""

    def __init__(self, drawn: Diagram, nodes: Sequence[Node]) -> None:
        self.readers: dict[Value, list[int]] = {}
        self.home: dict[int, int] = {}
        """The group beside those looked at that a reader is in, as a negative number."""
        for index, node in enumerate(nodes):
            for value in node.inputs:
                self.readers.setdefault(value, []).append(index)
        ends = {terminal.id: index for index, terminal in enumerate(drawn.outputs, len(nodes))}
        for edge in drawn.edges:
            if edge.target in ends:
                self.readers.setdefault(edge.value, []).append(ends[edge.target])

    def only_in(self, value: Value, first: int, last: int) -> bool:
        """Whether nothing but layers `first` to `last` reads it."""
        return all(first <= reader <= last for reader in self.readers.get(value, ()))

    def of(self, look: _Look) -> list[set[int]]:
        """The readers of all that a group makes, but for its own layers: those in a group beside it by the group."""
        own = {layer.index for layer in look.group.layers()}
        return [
            {self.home.get(index, index) for index in self.readers.get(value, ()) if index not in own} for value in look.gives
        ]


def _look(group: Group, known: dict[tuple[object, ...], int]) -> _Look:
    reads: dict[Value, int] = {}
    gives: dict[Value, int] = {}
    parts: list[object] = []
    weights: set[str] = set()
    for layer in group.layers():
        node = layer.node
        wires = []
        for value in node.inputs:
            made = gives.get(value)
            wires.append(("in", made) if made is not None else ("out", reads.setdefault(value, len(reads))))
        for value in node.outputs:
            gives[value] = len(gives)
        shapes = tuple((kind.dtype, kind.shape) for kind in layer.outputs)
        stored = tuple((role, parameter.shape) for role, parameter in node.params.items())
        weights.update(parameter.name for parameter in node.params.values())
        parts.append((node.op.name, layer.text, shapes, stored, tuple(wires)))
    signature = known.setdefault((group.what == "block" and group.title, *parts), len(known))
    return _Look(signature, list(reads), gives, frozenset(weights), group)


_GoesOn: TypeAlias = Callable[[_Look, _Look, _Outside], bool]
"""Whether one that is alike goes on with a stack after the one before it."""


def _runs(looks: Sequence[_Look | None], outside: _Outside) -> list[Stack]:
    found = []
    start = 0
    while start < len(looks):
        chain, beside = _run(looks, start, _is_next, outside), _run(looks, start, _is_beside, outside)
        if max(chain, beside) > 1:
            found.append(Stack(start, max(chain, beside), parallel=beside > chain))
        start += max(chain, beside)
    return found


def _run(looks: Sequence[_Look | None], start: int, goes_on: _GoesOn, outside: _Outside) -> int:
    """How many from `start` on are alike and one after the other, or side by side."""
    first = before = looks[start]
    count = 1
    for other in looks[start + 1 :]:
        if first is None or before is None or other is None or not _alike(first, other) or not goes_on(before, other, outside):
            break
        before = other
        count += 1
    return count


def _alike(first: _Look, other: _Look) -> bool:
    if first.signature != other.signature:
        return False
    return first.weights == other.weights or not first.weights & other.weights


def _is_next(before: _Look, after: _Look, outside: _Outside) -> bool:
    return _chained(before, after) and _hidden(before, after, outside)


def _is_beside(before: _Look, after: _Look, outside: _Outside) -> bool:
    """Whether both read the same, and what each gives is read by the same."""
    return bool(before.reads) and before.reads == after.reads and outside.of(before) == outside.of(after)


def _chained(before: _Look, after: _Look) -> bool:
    """Whether `after` reads what `before` gives, and for the rest the same."""
    pairs = list(zip(before.reads, after.reads, strict=True))
    return any(new in before.gives for _, new in pairs) and all(new is old or new in before.gives for old, new in pairs)


def _hidden(before: _Look, after: _Look, outside: _Outside) -> bool:
    """Whether nothing else than the two reads what `before` gives."""
    layers = [*before.group.layers()], [*after.group.layers()]
    first, last = layers[0][0].index, layers[1][-1].index
    return all(outside.only_in(value, first, last) for value in before.gives)


def stacked(group: Group) -> Mapping[int, int]:
    """Where a stack begins, and how many children are in it."""
    return {stack.first: stack.count for stack in group.stacks}


__all__ = ["find_stacks", "stacked"]
