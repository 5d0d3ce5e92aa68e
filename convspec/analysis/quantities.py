"""The quantities that assertions speak of, for a network or for the part of it below a label path, at given sizes."""

from __future__ import annotations

from collections.abc import Mapping

from convspec.analysis.cost import below, parameters_of, total_cost
from convspec.analysis.memory import activation_memory
from convspec.ir.attrs import Extent
from convspec.ir.dims import Size, substitute
from convspec.ir.graph import Graph, GraphInput, GraphOutput

QUANTITIES = ("params", "macs", "flops", "activation_memory", "receptive_field")


class NoSpaceError(Exception):
    """A receptive field was asked for, and no input has an axis of space."""


class FieldSize(int):
    """A receptive field: as a number, that of the largest axis; `axes` has one per axis."""

    axes: Extent

    @classmethod
    def of(cls, axes: Extent) -> FieldSize:
        made = cls(max(axes))
        made.axes = axes
        return made

    def __str__(self) -> str:
        return str(self.axes)


def quantity(name: str, graph: Graph, sizes: Mapping[str, int]) -> Size:
    """The quantity for given values of some or all symbolic sizes; symbolic where it depends on the others.

    Raises NoSpaceError, and DimError where it depends on them in a way that no expression says.
    """
    match name:
        case "params":
            return parameters_of(graph.nodes).learnable
        case "macs":
            return total_cost(graph.nodes, sizes).macs
        case "flops":
            return total_cost(graph.nodes, sizes).flops
        case "activation_memory":
            return activation_memory(graph, sizes)
        case "receptive_field":
            return _receptive_field(graph, sizes)
    raise ValueError(f"no quantity is called {name}")


def _receptive_field(graph: Graph, sizes: Mapping[str, int]) -> Size:
    """A FieldSize; the input's size where an axis is seen as a whole and that size is not known yet."""
    from convspec.analysis.receptive_field import index_rows, trunk_field

    fields, rows = trunk_field(graph), index_rows(graph)
    types = [(value.type, value in rows) for value in (graph_input.value for graph_input in graph.inputs)]
    spaces = [found.shape[1:] if is_row else found.spatial for found, is_row in types]
    space = next((space for space in spaces if fields and len(space) == len(fields)), None)
    if space is None:
        raise NoSpaceError
    axes = []
    for whole, field in zip(space, fields, strict=True):
        size = field.size if field is not None else substitute(whole, sizes)
        if not isinstance(size, int):
            return size
        axes.append(size)
    return FieldSize.of(Extent(axes))


def part(graph: Graph, path: str) -> Graph:
    """What lies below a label path, as a graph of its own whose inputs are what it reads from outside."""
    if not path:
        return graph
    nodes = below(graph, path)
    inside = set(nodes)
    made = {value for node in nodes for value in node.outputs}
    read = dict.fromkeys(value for node in nodes for value in node.inputs if value not in made)
    outside = {value for node in graph.nodes if node not in inside for value in node.inputs}
    outside |= {output.value for output in graph.outputs}
    first = next(iter(nodes)).span if nodes else None
    if first is None:
        return Graph(graph.name, "")
    inputs = [GraphInput(value, None, "", first) for value in read]
    outputs = [GraphOutput(value.name, value, first) for node in nodes for value in node.outputs if value in outside]
    return Graph(graph.name, "", inputs, outputs, nodes)
