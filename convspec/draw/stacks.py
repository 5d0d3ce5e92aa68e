"""Which neighbours of a group are alike: same layers, same shapes, same wiring, each fed by the one before.

They are a stack, drawn once with their number. Labels may differ, and the weights are their own; a weight that one shares all
must share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
        group.stacks = _runs(looks, outside)


class _Outside:
    """Which layers read each value, by their place in the order of execution; an output reads last of all."""

    def __init__(self, drawn: Diagram, nodes: Sequence[Node]) -> None:
        self.readers: dict[Value, list[int]] = {}
        for index, node in enumerate(nodes):
            for value in node.inputs:
                self.readers.setdefault(value, []).append(index)
        ids = {edge.target for edge in drawn.edges} & {terminal.id for terminal in drawn.outputs}
        for edge in drawn.edges:
            if edge.target in ids:
                self.readers.setdefault(edge.value, []).append(len(nodes))

    def only_in(self, value: Value, first: int, last: int) -> bool:
        """Whether nothing but layers `first` to `last` reads it."""
        return all(first <= reader <= last for reader in self.readers.get(value, ()))


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


def _runs(looks: Sequence[_Look | None], outside: _Outside) -> list[Stack]:
    found = []
    start = 0
    while start < len(looks):
        end = start + 1
        first = looks[start]
        while first is not None and end < len(looks) and _follows(first, looks[end - 1], looks[end], outside):
            end += 1
        if end - start > 1:
            found.append(Stack(start, end - start))
        start = end
    return found


def _follows(first: _Look, before: _Look | None, after: _Look | None, outside: _Outside) -> bool:
    if before is None or after is None or after.signature != first.signature:
        return False
    if first.weights != after.weights and first.weights & after.weights:
        return False
    return _chained(before, after) and _hidden(before, after, outside)


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
