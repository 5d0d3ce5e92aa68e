"""How much memory activations take: the peak over the layers of a network run in inference, one layer after the other.

Convention. A tensor takes its elements times the bytes of its type, from the layer that makes it to the last that reads it;
inputs from the start to their last use, outputs of the network to the end. While a layer runs, its inputs and its outputs
are there together: nothing is computed in place. Dropout passes its input on and takes nothing. Weights, workspace and the
padding of allocators are not counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from convspec.ir.dims import DimError, Size, at_least, maximum, substitute
from convspec.ir.graph import Graph, Value
from convspec.ir.types import TensorType

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
    for live in _live_bytes(graph, known):
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


def _live_bytes(graph: Graph, sizes: Mapping[str, int]) -> Iterator[Size]:
    """The bytes alive while each node runs."""
    storage, last_use = _lifetimes(graph)
    live: Size = 0
    alive: set[Value] = set()

    def born(values: Iterator[Value]) -> Size:
        total: Size = 0
        for value in values:
            if storage[value] is value and value not in alive:
                alive.add(value)
                total = total + substitute(tensor_bytes(value.type), sizes)
        return total

    live = live + born(graph_input.value for graph_input in graph.inputs)
    yield live
    for index, node in enumerate(graph.nodes):
        live = live + born(iter(node.outputs))
        yield live
        for value in {storage[value] for value in (*node.inputs, *node.outputs)}:
            if value in alive and last_use.get(value, -1) <= index:
                alive.discard(value)
                live = live - substitute(tensor_bytes(value.type), sizes)


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
