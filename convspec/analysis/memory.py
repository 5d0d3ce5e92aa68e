"""How much memory activations take: the peak over the layers of a network run in inference, one layer after the other.

Convention. A tensor takes its elements times the bytes of its type, from the layer that makes it to the last that reads it;
inputs from the start to their last use, outputs of the network to the end. While a layer runs, its inputs and its outputs
are there together: nothing is computed in place. Dropout passes its input on and takes nothing. Weights, workspace and the
padding of allocators are not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import gcd
from typing import Any, TypeAlias

from convspec.ir.dims import DimError, Size, at_least, maximum, substitute
from convspec.ir.graph import Graph, Value
from convspec.ir.types import TensorType
from convspec.records import dataclass

_Part: TypeAlias = "tuple[Any, ...]"

_BYTES = {
    "float64": 8,
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "int64": 8,
    "int32": 4,
    "uint8": 1,
    "bool": 1,
}
_MOST_PEAKS = 16


def bytes_of(dtype: str) -> int:
    """Bytes of one element."""
    return _BYTES[dtype]


def tensor_bytes(tensor_type: TensorType) -> Size:
    """Bytes of one tensor."""
    size: Size = _BYTES[tensor_type.dtype]
    for extent in tensor_type.shape:
        size = size * extent
    return size


def activation_memory(graph: Graph, sizes: Mapping[str, int] | None = None) -> Size:
    """The peak in bytes, at given values of some or all symbolic sizes.

    Raises DimError where it depends on the sizes left open which layer is the peak.
    """
    known = sizes or {}
    peaks: list[Size] = []
    for live in _largest(_live_bytes(graph, known)):
        if any(at_least(peak, live) for peak in peaks):
            continue
        peaks = [peak for peak in peaks if not at_least(live, peak)]
        peaks.append(live)
        if len(peaks) > _MOST_PEAKS:
            break
    result: Size = 0
    for peak in peaks:
        result = maximum(result, peak)
    return result


def _largest(lives: Iterator[_Live]) -> Iterator[Size]:
    """Sums that no other sum has as a part of it; to prove the others smaller takes long where floors differ."""
    found: list[_Live] = []
    for live in lives:
        if any(_holds(other.parts, live.parts) for other in found):
            continue
        found = [other for other in found if not _holds(live.parts, other.parts)]
        found.append(live)
    return iter([live.total for live in found])


def _holds(whole: Mapping[_Part, int], part: Mapping[_Part, int]) -> bool:
    return all(whole.get(each, 0) >= times for each, times in part.items())


@dataclass(frozen=True, slots=True)
class _Live:
    """What is alive at one time: in all, and how often each part. A part is a size without its numeric factor."""

    total: Size
    parts: Mapping[_Part, int]


def _part(size: Size) -> tuple[_Part, int]:
    """A size, which is never negative, as a part and how often it is there."""
    if isinstance(size, int):
        return (), size
    times = gcd(*(factor for _, factor in size.terms))
    return tuple((monomial, factor // times) for monomial, factor in size.terms), times


def _live_bytes(graph: Graph, sizes: Mapping[str, int]) -> Iterator[_Live]:
    """The bytes alive while each node runs."""
    storage, last_use = _lifetimes(graph)
    alive: dict[Value, Size] = {}
    total: Size = 0
    parts: dict[_Part, int] = {}

    def change(size: Size, sign: int) -> None:
        nonlocal total
        total = total + sign * size
        part, times = _part(size)
        parts[part] = parts.get(part, 0) + sign * times

    def born(values: Iterable[Value]) -> _Live:
        for value in values:
            if storage[value] is value and value not in alive:
                alive[value] = substitute(tensor_bytes(value.type), sizes)
                change(alive[value], 1)
        return _Live(total, dict(parts))

    yield born(graph_input.value for graph_input in graph.inputs)
    for index, node in enumerate(graph.nodes):
        yield born(node.outputs)
        for value in {storage[value] for value in (*node.inputs, *node.outputs)}:
            if value in alive and last_use.get(value, -1) <= index:
                change(alive.pop(value), -1)


def _lifetimes(graph: Graph) -> tuple[dict[Value, Value], dict[Value, int]]:
    """Which value's storage each value lies in, and the index of the last node that reads a storage."""
    storage = {graph_input.value: graph_input.value for graph_input in graph.inputs}
    last_use: dict[Value, int] = {}
    for index, node in enumerate(graph.nodes):
        for value in node.inputs:
            last_use[storage[value]] = index
        for value in node.outputs:
            storage[value] = storage[node.inputs[0]] if node.op.training_only else value
    for output in graph.outputs:
        last_use[storage[output.value]] = len(graph.nodes)
    return storage, last_use


__all__ = ["DimError", "activation_memory", "bytes_of", "tensor_bytes"]
