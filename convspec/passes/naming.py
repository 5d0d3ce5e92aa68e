"""Labels after passes: two layers with different stored tensors never have one label, nor two tensors one name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from convspec.ir.graph import Graph, Node, Parameter


@dataclass(slots=True)
class Named:
    """Nodes with labels of their own, and which stored tensor each renamed one was."""

    nodes: list[Node] = field(default_factory=list)
    _origins: dict[Parameter, Parameter] = field(default_factory=dict)
    _tensors: dict[str, Parameter] = field(default_factory=dict)
    _layers: dict[str, tuple[Parameter, ...]] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)
    """By label, the number to try next, so that many layers of one label are not all tried again."""

    def origin(self, parameter: Parameter) -> Parameter:
        """The tensor that a renamed one was, or itself."""
        return self._origins.get(parameter, parameter)

    def add(self, node: Node) -> None:
        """Take in a node, with a number behind its label where that stands for something else already."""
        own = tuple(node.params.values())
        if own and self._taken(node.path, own):
            node = self._relabelled(node)
            own = tuple(node.params.values())
        if own:
            self._layers[node.path] = own
        self._tensors.update((parameter.name, parameter) for parameter in own)
        self.nodes.append(node)

    def _taken(self, path: str, own: tuple[Parameter, ...]) -> bool:
        return self._layers.get(path, own) != own or any(self._tensors.get(p.name, p) is not p for p in own)

    def _relabelled(self, node: Node) -> Node:
        number = self._numbers.get(node.path, 2)
        while self._in_use(node, f"{node.path}_{number}"):
            number += 1
        self._numbers[node.path] = number
        path = f"{node.path}_{number}"
        params = {role: replace(p, name=_name(path, role)) for role, p in node.params.items()}
        self._origins.update((params[role], parameter) for role, parameter in node.params.items())
        return replace(node, params=params, path=path)

    def _in_use(self, node: Node, path: str) -> bool:
        return path in self._layers or any(_name(path, role) in self._tensors for role in node.params)


def _name(path: str, role: str) -> str:
    return f"{path}.{role}" if role else path


def with_own_names(nodes: Iterable[Node]) -> Named:
    """The nodes in order; of two layers of one label the first keeps it."""
    named = Named()
    for node in nodes:
        named.add(node)
    return named


def check_order(graph: Graph) -> None:
    """AssertionError where a node reads, or the network gives out, what nothing has made by then."""
    made = {item.value for item in graph.inputs}
    for node in graph.nodes:
        missing = [value.name for value in node.inputs if value not in made]
        if missing:
            raise AssertionError(f"{node.op.name} at {node.path} reads {missing} before they are made")
        made.update(node.outputs)
    lost = [output.name for output in graph.outputs if output.value not in made]
    if lost:
        raise AssertionError(f"nothing makes the outputs {lost}")


__all__ = ["Named", "check_order", "with_own_names"]
