"""What part of the input a unit of each tensor sees: size, jump and place of its receptive field, per spatial axis.

Unit i of a tensor depends on input cells from i*jump + low to i*jump + high, whatever way leads there: where branches meet,
it is the hull of what they see (Araujo, Norris and Sim 2019). Cells on padding count as if they were there: the size is that
of a unit far from every border. Tensors put side by side along a space axis count as if each began at 0.

Where nothing enlarges, size and place are exact for every unit. Upsampling and transposed convolution step by parts of a cell:
jumps and places are then exact fractions of the coordinates, while a single unit sees whole cells of the coarse tensor, and so
up to one of those more or less than the size says.

An axis is seen as a whole (`None`) after global pooling, after flattening an axis longer than 1, where an axis of size 1 is
broadcast, where branches with different jumps meet, because there what a unit sees grows with its place, and where axes are
made into others. A learned constant sees nothing, and adds nothing to what is seen beside it.

A row of indices, (N, length), is an axis of space once each index has become a vector.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import reduce
from itertools import zip_longest
from math import ceil, inf
from typing import TypeAlias

from convspec.analysis.reads import is_read
from convspec.ir.graph import Graph, Node, Value
from convspec.ir.opdef import Window
from convspec.ir.types import TensorType
from convspec.records import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """Input cells i*jump + low … i*jump + high of one axis, in units of input cells."""

    jump: Fraction
    low: Fraction
    high: Fraction

    @property
    def size(self) -> int:
        """How many cells, rounded up."""
        return ceil(self.high - self.low) + 1

    @property
    def offset(self) -> Fraction:
        """The input coordinate of the centre that unit 0 sees; cell 0 has its centre at 0."""
        return (self.low + self.high) / 2


Fields: TypeAlias = tuple[Field | None, ...]
"""One per spatial axis; None for a whole axis."""

_ITSELF = Field(Fraction(1), Fraction(0), Fraction(0))


def receptive_fields(graph: Graph, least: bool = False, only: Value | None = None) -> dict[Value, Fields]:
    """The receptive field of every value of a graph: over all ways that lead there or, with `least`, over the narrowest.

    With `only` it is what is seen of that input: what comes from others sees nothing, and has no axes.
    The narrowest way is the one whose field is smallest: through a residual network the shortcuts. What every way sees, it
    sees too, so a unit's field lies between both.
    """
    join = _narrower if least else _join
    fields: dict[Value, Fields] = {}
    inputs = [graph_input.value for graph_input in graph.inputs]
    for value in inputs:
        fields[value] = (_ITSELF,) * max(0, value.type.rank - 2) if only in (None, value) else ()
    rows = set(index_rows(graph))
    for node in graph.nodes:
        seen = () if node.op.anchored else _through(node, fields, join)
        if _looks_up(node):
            seen = (_ITSELF if node.inputs[0] in rows else None,) if only in (None, node.inputs[0]) else seen
        for output in node.outputs:
            fields[output] = _fitted(seen, output.type)
    return fields


def index_rows(graph: Graph) -> list[Value]:
    """The inputs of rank 2 that are rows of indices: a layer looks up a vector for each."""
    read = {node.inputs[0] for node in graph.nodes if _looks_up(node)}
    return [graph_input.value for graph_input in graph.inputs if graph_input.value in read]


def _looks_up(node: Node) -> bool:
    return node.op.indices is not None and node.input_types[0].rank == 2 and node.output_types[0].rank == 3


def _fitted(seen: Fields, tensor_type: TensorType) -> Fields:
    """One field for each axis: those of other axes say nothing of new ones. A vector keeps what its features see."""
    axes = tensor_type.rank - 2
    return (None,) * axes if seen and 0 < axes != len(seen) else seen


def _through(node: Node, fields: Mapping[Value, Fields], join: Callable[[Fields, Fields], Fields]) -> Fields:
    window = node.op.receptive_field(node.attrs, *node.input_types) if node.op.receptive_field is not None else None
    read = [value for source, value in enumerate(node.inputs) if is_read(node, source)]
    inputs = [fields[value] for value in read]
    if len(inputs) > 1:
        inputs = [_stretched(value.type, node.output_types[0], fields[value]) for value in read]
    seen = reduce(join, inputs)
    if window is not None:
        return tuple(_slide(field, window, axis) for axis, field in enumerate(seen))
    if node.output_types[0].rank < node.input_types[0].rank:
        return _collapsed(node.input_types[0], seen)
    return seen


def _stretched(source: TensorType, target: TensorType, fields: Fields) -> Fields:
    """A size of 1 that is broadcast over an axis: every unit sees what the one saw, so it is no field that moves."""
    if source.rank != target.rank or not fields:
        return fields
    stretched = [_is_one(a) and not _is_one(b) for a, b in zip(source.spatial, target.spatial, strict=True)]
    return tuple(None if one else field for one, field in zip_longest(stretched, fields))


def _is_one(size: object) -> bool:
    return isinstance(size, int) and size == 1


def _join(a: Fields, b: Fields) -> Fields:
    """The hull. An input without axes of its own (a vector) adds nothing to what is seen of the other's."""
    if len(a) != len(b):
        return max(a, b, key=len)
    return tuple(_hull(x, y) for x, y in zip(a, b, strict=True))


def _narrower(a: Fields, b: Fields) -> Fields:
    """The smaller field of each axis; an input without axes of its own sees everything, and is no narrow way."""
    if len(a) != len(b):
        return max(a, b, key=len)
    return tuple(min((x, y), key=_extent) for x, y in zip(a, b, strict=True))


def _extent(field: Field | None) -> float:
    return inf if field is None else field.size


def _hull(a: Field | None, b: Field | None) -> Field | None:
    if a is None or b is None or a.jump != b.jump:
        return None
    return Field(a.jump, min(a.low, b.low), max(a.high, b.high))


def _slide(field: Field | None, window: Window, axis: int) -> Field | None:
    """Unit i of the output sees units i*stride - before … i*stride - before + extent - 1 of the input."""
    if axis >= len(window.extent):
        return field
    extent = window.extent[axis]
    if field is None or extent is None:
        return None
    stride, before = Fraction(*window.stride[axis]), window.before[axis]
    return Field(stride * field.jump, field.low - before * field.jump, field.high + (extent - 1 - before) * field.jump)


def _collapsed(source: TensorType, fields: Fields) -> Fields:
    """Space is folded into the features: a feature still sees what the only unit of an axis saw."""
    if not fields:
        return ()
    sizes: Sequence[object] = source.spatial if source.spatial else (1,) * len(fields)
    return tuple(field if _is_one(size) else None for field, size in zip(fields, sizes, strict=True))


def trunk_field(graph: Graph) -> Fields:
    """The receptive field of the network: the largest, per axis, over its outputs.

    Where an output has no space left (after global pooling or flattening), it is that of the last tensors that had; None
    where those see a whole axis already, as after squeeze-and-excitation.
    """
    fields, producers = receptive_fields(graph), graph.producers()
    pending, seen = [output.value for output in graph.outputs], set[Value]()
    found: list[Fields] = []
    while pending:
        value = pending.pop()
        if value in seen:
            continue
        seen.add(value)
        node = producers.get(value)
        if node is not None and None in fields[value] and all(map(_is_one, value.type.spatial)):
            pending.extend(node.inputs)
        else:
            found.append(fields[value])
    return reduce(_larger, found, ())


def _larger(a: Fields, b: Fields) -> Fields:
    if len(a) != len(b):
        return max(a, b, key=len)
    return tuple(None if x is None or y is None else max(x, y, key=lambda field: field.size) for x, y in zip(a, b, strict=True))


def show(fields: Iterable[Field | None]) -> str:
    """`427x427`, `all` for a whole axis, `-` where there is no space."""
    found = list(fields)
    if found and all(field is None for field in found):
        return "all"
    return "x".join("all" if field is None else str(field.size) for field in found) or "-"
