"""Which values symbolic sizes get: the smallest that are declared, and some others, as long as the network stays quick."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from convspec.analysis.cost import node_cost
from convspec.ir import dims
from convspec.ir.dims import Size
from convspec.ir.graph import Graph, Node

QUICK, QUICK_TRAINING = 4e9, 1.5e9
"""Floating-point operations of a forward pass that are still quick: in float32, and in float64 with all that goes back."""
_ELEMENT = 200
"""What it costs to write an element, in operations."""
ENOUGH = 8
"""Values per channel on which a batch norm is well-conditioned: of two values it makes -1 and 1, whatever they are."""


def for_outputs(graph: Graph) -> list[dict[str, int]]:
    """Two or three choices where sizes are symbolic: the smallest with batch 1, and uneven larger ones with batch 2 and 3."""
    least = _least(graph)
    if not least:
        return [{}]
    least = _apart(graph, least)
    found = [least]
    for batch, steps in ((2, ((1, 2), (0, 1))), (3, ((7, 9), (3, 2)))):
        options = [_grown(graph, least, batch, step) for step in steps]
        quick = [sizes for sizes in options if sizes not in found and work(graph, sizes) <= QUICK]
        found += quick[:1]
    if len(found) == 1:
        larger = _grown(graph, least, 2, (0, 0))
        found += [larger] if larger != least else []
    return found


def for_gradients(graph: Graph) -> dict[str, int]:
    """One choice for float64: a batch of 3 or 2 on sizes above the smallest, smaller where that takes too long."""
    least = _least(graph)
    options = [_grown(graph, least, batch, step) for batch, step in ((3, (2, 3)), (3, (1, 1)), (2, (1, 1)), (2, (0, 0)))]
    sound = [sizes for sizes in options if (fewest_values(graph, sizes) or ENOUGH) >= ENOUGH] or options
    return next((sizes for sizes in sound if work(graph, sizes) <= QUICK_TRAINING), sound[-1])


def work(graph: Graph, sizes: Mapping[str, int]) -> int:
    """Floating-point operations of a forward pass, and for each element that is written as many as take about that time."""
    total = 0
    for node in graph.nodes:
        total += dims.evaluate(node_cost(node).flops, sizes)
        total += sum(_ELEMENT * prod(dims.evaluate(size, sizes) for size in of.shape) for of in node.output_types)
    return total


def lonely_norm(graph: Graph, sizes: Mapping[str, int]) -> str | None:
    """The label of a batch norm that would see one value per channel, which it cannot train on; None where there is none."""
    return next((node.path for node in graph.nodes if _values(node, sizes) == 1), None)


def fewest_values(graph: Graph, sizes: Mapping[str, int]) -> int | None:
    """The fewest values per channel that a batch norm sees; None where there is no batch norm."""
    counts = [count for node in graph.nodes if (count := _values(node, sizes)) is not None]
    return min(counts, default=None)


def _apart(graph: Graph, least: Mapping[str, int]) -> dict[str, int]:
    """`least`, larger where a norm would see one value: its own mean, which PyTorch refuses and others make noise of."""
    found, most = dict(least), 3
    for step in range(1, most + 1):
        if not any(_normed(node, found) == 1 for node in graph.nodes):
            break
        found = _grown(graph, least, 1, (step, step))
    return found


def _normed(node: Node, sizes: Mapping[str, int]) -> int | None:
    """The values of one example that a norm without running statistics takes the mean of; None for another layer."""
    shape = [dims.evaluate(size, sizes) for size in node.input_types[0].shape]
    match node.op.name:
        case "layernorm":
            return int(prod(shape[axis] for axis in node.attrs.axes))
        case "groupnorm":
            return prod(shape[1:]) // int(node.attrs.groups)
        case "instancenorm":
            return prod(shape[2:])
    return None


def _values(node: Node, sizes: Mapping[str, int]) -> int | None:
    """The values per channel that a batch norm sees; None for another layer."""
    if node.op.name != "batchnorm":
        return None
    count = 1
    for axis, size in enumerate(node.input_types[0].shape):
        count *= 1 if axis == 1 else dims.evaluate(size, sizes)
    return count


def _least(graph: Graph) -> dict[str, int]:
    """Every symbolic size at the smallest value that is declared for it."""
    found: dict[str, int] = {}
    for item in graph.inputs:
        for size in item.value.type.shape:
            for name, least in dims.minima(size).items():
                found[name] = max(least, found.get(name, 0))
    return {name: _positive(graph, name, least) for name, least in found.items()}


def _positive(graph: Graph, name: str, least: int) -> int:
    """A size that may be 0 by itself is raised to 1 where an axis is that size."""
    bare = any(isinstance(size, dims.Dim) and str(size) == name for size in _axes(graph))
    return max(1, least) if bare else least


def _axes(graph: Graph) -> list[Size]:
    return [size for item in graph.inputs for size in item.value.type.shape]


def _grown(graph: Graph, least: Mapping[str, int], batch: int, steps: tuple[int, int]) -> dict[str, int]:
    """`least` with a batch of at least `batch`, the other sizes larger by one step and the other in turn."""
    first = {name for item in graph.inputs if item.value.type.shape for name in dims.symbols(item.value.type.shape[0])}
    found = {}
    others = 0
    for name, value in least.items():
        if name in first:
            found[name] = max(batch, value)
        else:
            found[name] = value + steps[others % 2]
            others += 1
    return found


__all__ = ["QUICK", "QUICK_TRAINING", "fewest_values", "for_gradients", "for_outputs", "lonely_norm", "work"]
