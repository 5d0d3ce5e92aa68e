"""How a tensor came to its size: the layers on its way that changed it, for messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convspec.elaborate.channels_last import channels_first
from convspec.ir.graph import Graph, Value
from convspec.ir.types import TensorType
from convspec.records import dataclass

_SHOWN = 8
_TOO_SMALL, _UNEQUAL = "CNN032", "CNN031"


@dataclass(frozen=True, slots=True)
class _Step:
    """A tensor on the way, named after the layer or input that made it, and its sizes in space."""

    name: str
    space: str


def size_notes(code: str, graph: Graph, tensors: Sequence[Value]) -> tuple[str, ...]:
    """Notes for an error about the space that tensors have left, or in which they differ; none for other errors.

    `28x28 became 4x4 on the way: image 28x28, c1 24x24, …`; of tensors that differ, from where their ways part.
    """
    if code not in (_TOO_SMALL, _UNEQUAL) or not tensors:
        return ()
    ways = [_way(graph, tensor) for tensor in (tensors[:1] if code == _TOO_SMALL else tensors)]
    if code == _UNEQUAL and len({way[-1].space for way in ways}) < 2:
        return ()  # they differ in something else
    common = 0
    while len(ways) > 1 and len({tuple(way[: common + 1]) for way in ways}) == 1:
        common += 1
    parted = [way[max(0, common - 1) :] for way in ways]
    return (
        *dict.fromkeys(_told(way) for way in parted if len(way) > 1),
        *(_channels_last(graph) if code == _TOO_SMALL else ()),
    )


def _channels_last(graph: Graph) -> Iterator[str]:
    for each in graph.inputs:
        meant = channels_first(each.value.type)
        if meant is not None:
            yield f"channels come second: `{each.value.name}` is declared as {each.value.type}, is {meant} meant?"


def _way(graph: Graph, tensor: Value) -> list[_Step]:
    """From an input to `tensor`, along the first tensors of the layers: what changed the sizes."""
    makers = graph.producers()
    steps: list[_Step] = []
    value = tensor
    while (node := makers.get(value)) is not None and node.inputs:
        source = node.inputs[0]
        if source.type.spatial != value.type.spatial:
            steps.append(_Step(node.path, _space(value.type)))
        value = source
    steps.append(_Step(value.name, _space(value.type)))
    return steps[::-1]


def _told(way: Sequence[_Step]) -> str:
    shown = [f"{step.name} {step.space}" for step in way]
    if len(shown) > _SHOWN:
        shown = [*shown[:2], "…", *shown[3 - _SHOWN :]]
    return f"{way[0].space} became {way[-1].space} on the way: {', '.join(shown)}"


def _space(tensor_type: TensorType) -> str:
    """`7x7`; a size that is an expression stands in parentheses and has no spaces: `(2*h)x(2*w)`."""
    sizes = [str(size).replace(" ", "") for size in tensor_type.spatial]
    return "x".join(size if size.isalnum() else f"({size})" for size in sizes) or "no space"
