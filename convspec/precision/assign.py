"""Which layer computes in low precision, such that few casts stand between layers."""

from __future__ import annotations

from collections.abc import Mapping

from convspec.ir.graph import Graph, Node, Value
from convspec.ir.types import FLOATS
from convspec.precision.policy import Kind


def assign(graph: Graph, kinds: Mapping[Node, Kind]) -> set[Node]:
    """The layers in low precision: all heavy ones, and of those that follow the ones where that saves casts, or costs none.

    One pass forward, where a layer takes the precision of most of its inputs, then one backward and one forward, where it
    changes if that takes casts away. Linear in the number of layers.
    """
    found = _Assignment(graph, kinds)
    for node in graph.nodes:
        if kinds[node] == "heavy" or (kinds[node] == "follows" and found.mostly_low(node)):
            found.low.add(node)
    for node in (*reversed(graph.nodes), *graph.nodes):
        if kinds[node] == "follows" and found.casts(node, node not in found.low) < found.casts(node, node in found.low):
            found.low ^= {node}
    return found.low


class _Assignment:
    def __init__(self, graph: Graph, kinds: Mapping[Node, Kind]) -> None:
        self.producers, self.users = graph.producers(), graph.uses()
        self.outputs = {output.value for output in graph.outputs}
        self.low: set[Node] = set()

    def is_low(self, value: Value) -> bool:
        producer = self.producers.get(value)
        return producer is not None and producer in self.low

    def mostly_low(self, node: Node) -> bool:
        """Whether at least half of what a layer reads comes in low precision."""
        read = _floats(node.inputs)
        return bool(read) and 2 * sum(map(self.is_low, read)) >= len(read)

    def casts(self, node: Node, low: bool) -> int:
        """How many casts stand around a layer if it is in low precision, or if it is not."""
        before = sum(self.is_low(value) != low and not self._shared(value, node, low) for value in _floats(node.inputs))
        return before + sum(self._read_otherwise(value, low) for value in _floats(node.outputs))

    def _shared(self, value: Value, node: Node, low: bool) -> bool:
        """Whether the cast of a value is there anyway, for another layer."""
        others = [user for user in self.users.get(value, ()) if user is not node]
        return any((user in self.low) == low for user in others) or (not low and value in self.outputs)

    def _read_otherwise(self, value: Value, low: bool) -> bool:
        return (low and value in self.outputs) or any((user in self.low) != low for user in self.users.get(value, ()))


def _floats(values: tuple[Value, ...]) -> list[Value]:
    return [value for value in dict.fromkeys(values) if value.type.dtype in FLOATS]


__all__ = ["assign"]
