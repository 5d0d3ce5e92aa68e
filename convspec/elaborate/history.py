"""How a tensor came to its size: the layers on its way that changed it, for messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convspec.ir.graph import Graph, Node, Value
from convspec.ir.types import TensorType

_SHOWN = 8
_SPATIAL_FAILURES = ("CNN032",)


def size_notes(code: str, graph: Graph, tensor: Value) -> tuple[str, ...]:
    """`28x28 became 4x4 on the way: image 28x28, c1 24x24, …`, for an error about the space a tensor has left.

    Nothing where the code is of another kind, or no layer changed anything.
    """
    if code not in _SPATIAL_FAILURES:
        return ()
    steps = list(_steps(graph, tensor))[::-1]
    if len(steps) < 2:
        return ()
    first, last = steps[0].rpartition(" ")[2], steps[-1].rpartition(" ")[2]
    return (f"{first} became {last} on the way: {', '.join(_shortened(steps))}",)


def _steps(graph: Graph, tensor: Value) -> Iterator[str]:
    """From `tensor` back to an input, along the first tensors of the layers, what changed the size and what it made of it."""
    makers: dict[Value, Node] = graph.producers()
    value = tensor
    while (node := makers.get(value)) is not None and node.inputs:
        source = node.inputs[0]
        if source.type.spatial != value.type.spatial:
            yield f"{node.path} {_space(value.type)}"
        value = source
    yield f"{value.name} {_space(value.type)}"


def _space(tensor_type: TensorType) -> str:
    """`7x7`; sizes that are expressions stand apart: `(2*h)x(2*w)`, and so have no spaces."""
    sizes = [str(size).replace(" ", "") for size in tensor_type.spatial]
    return "x".join(size if size.isalnum() else f"({size})" for size in sizes) or "no space"


def _shortened(steps: Sequence[str]) -> list[str]:
    if len(steps) <= _SHOWN:
        return list(steps)
    return [*steps[:2], "…", *steps[3 - _SHOWN :]]
