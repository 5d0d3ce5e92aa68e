"""The least time that a network can take on a device, layer by layer: the roofline.

A layer computes and moves data at the same time, and is not done before both are: it takes at least
max(flops / peak flops a second, bytes / peak bytes a second). The roofline time of a network is the sum over its layers.

Convention. Layers are those of the flat graph, with what works on each element alone (activations, batch norm, additions,
dropout) drawn into the layer before it, as runtimes do. A layer reads each input and each of its weights once and writes what
others read once; nothing stays in a cache from one layer to the next. flops are those of `convspec summary`: twice the MACs,
each cell of a kernel counted, and the other operations. Bytes are those of the precision that was asked for; tensors that are
no float32 keep their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from convspec.analysis.cost import node_cost
from convspec.bench.peaks import Peaks
from convspec.ir import dims
from convspec.ir.graph import Graph, Node, Parameter, Value

POINTWISE = frozenset({
    "abs", "add", "batchnorm", "cast", "celu", "channel_dropout", "clip", "div", "drop_path", "dropout", "elu", "equal",
    "exp", "gelu", "greater", "greater_equal", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "less", "less_equal",
    "log", "logical_and", "logical_not", "logical_or", "logsigmoid", "maximum", "minimum", "mish", "mul", "neg",
    "normalize", "not_equal", "pow", "prelu", "relu", "relu6", "selu", "sigmoid", "silu", "softplus", "softsign", "sqrt",
    "sub", "tanh", "threshold", "where",
})  # fmt: skip
"""Layers that make each element from the elements at its own place; they are drawn into the layer before them."""
VIEWS = frozenset({"flatten", "identity", "reshape", "squeeze", "unsqueeze"})
"""Layers that look at the same bytes in another shape, and move none."""
PARTIAL = frozenset({"crop", "embedding", "slice", "split"})
"""Layers that read no more than they write."""

ELEMENT_BYTES = {"fp32": 4, "tf32": 4, "fp16": 2, "bf16": 2, "int8": 1}
"""Bytes of an element that the spec declares as float32, by the precision it is computed in."""
_DECLARED = {"float64": 8, "float16": 2, "bfloat16": 2, "int64": 8, "int32": 4, "uint8": 1, "bool": 1}


@dataclass(frozen=True, slots=True)
class Layer:
    """What one layer computes and moves at given sizes, with the pointwise layers that are drawn into it."""

    path: str
    op: str
    flops: int
    bytes: int

    def seconds(self, peaks: Peaks) -> float:
        """The least time on a device with these peaks."""
        return max(self.flops / peaks.flops, self.bytes / peaks.bandwidth)

    @property
    def intensity(self) -> float:
        """Flops for each byte that is moved; infinite where none is."""
        return self.flops / self.bytes if self.bytes else float("inf")


@dataclass(frozen=True, slots=True)
class Work:
    """The layers of a network at given sizes and one precision."""

    layers: tuple[Layer, ...]
    precision: str

    @property
    def flops(self) -> int:
        return sum(layer.flops for layer in self.layers)

    @property
    def bytes(self) -> int:
        return sum(layer.bytes for layer in self.layers)

    @property
    def intensity(self) -> float:
        """Flops a byte of the network as a whole."""
        return self.flops / self.bytes if self.bytes else float("inf")

    def seconds(self, peaks: Peaks) -> float:
        """The roofline: the least time for the whole network, one layer after the other."""
        return sum(layer.seconds(peaks) for layer in self.layers)

    def memory_bound(self, peaks: Peaks) -> float:
        """The share of that time that is spent in layers which wait for memory, from 0 to 1."""
        waiting = sum(layer.seconds(peaks) for layer in self.layers if layer.intensity < peaks.ridge)
        whole = self.seconds(peaks)
        return waiting / whole if whole else 0.0


def work_of(graph: Graph, sizes: Mapping[str, int], precision: str = "fp32") -> Work:
    """What each layer computes and moves. `sizes` has a value for every symbolic size."""
    outside = _Outside(graph)
    layers = [_layer(group, outside, sizes, precision) for group in groups(graph)]
    return Work(tuple(layer for layer in layers if layer.flops or layer.bytes), precision)


def groups(graph: Graph) -> list[list[Node]]:
    """The nodes, each pointwise one or view with the layer that it is drawn into; layers in order of their first node.

    It goes to the layer of that input which starts last: all its other inputs are there by then. So no layer waits for one
    that waits for it.
    """
    found: list[list[Node]] = []
    home: dict[Value, int] = {}
    for node in graph.nodes:
        homes = [home[value] for value in node.inputs if value in home]
        if homes and (node.op.name in POINTWISE or node.op.name in VIEWS or node.op.training_only):
            place = max(homes)
            found[place].append(node)
        else:
            place = len(found)
            found.append([node])
        home.update(dict.fromkeys(node.outputs, place))
    return found


class _Outside:
    """Which storage each value lies in, and who reads it."""

    def __init__(self, graph: Graph) -> None:
        self.storage: dict[Value, Value] = {}
        for node in graph.nodes:
            view = node.op.name in VIEWS or node.op.training_only
            self.storage.update({value: self.of(node.inputs[0]) if view else value for value in node.outputs})
        self.readers: dict[Value, set[Node | None]] = {}
        for node in graph.nodes:
            for value in node.inputs:
                self.readers.setdefault(self.of(value), set()).add(node)
        for output in graph.outputs:
            self.readers.setdefault(self.of(output.value), set()).add(None)

    def of(self, value: Value) -> Value:
        return self.storage.get(value, value)

    def leave(self, nodes: Sequence[Node]) -> list[Value]:
        """What the nodes make and others, or the caller, read."""
        own = set(nodes)
        made = dict.fromkeys(value for node in nodes for value in node.outputs if self.of(value) is value)
        return [value for value in made if self.readers.get(value, set()) - own]

    def enter(self, nodes: Sequence[Node]) -> list[Value]:
        """What the nodes read and others made, each storage once."""
        made = {self.of(value) for node in nodes for value in node.outputs if not _is_view(node)}
        needed = [node for node in nodes if not _is_view(node) and node.op.inputs]  # a learned constant reads nothing
        return list(dict.fromkeys(self.of(v) for node in needed for v in node.inputs if self.of(v) not in made))


def _is_view(node: Node) -> bool:
    return node.op.name in VIEWS or node.op.training_only


def _layer(nodes: Sequence[Node], outside: _Outside, sizes: Mapping[str, int], precision: str) -> Layer:
    first = nodes[0]
    flops = sum(dims.evaluate(node_cost(node).flops, sizes) for node in nodes)
    written = _total(outside.leave(nodes), sizes, precision)
    stored = {parameter.name: parameter for node in nodes for parameter in node.params.values()}
    read = _total(outside.enter(nodes), sizes, precision) + sum(_stored(each, precision) for each in stored.values())
    if first.op.name in PARTIAL and len(nodes) == 1:
        read = min(read, _total(first.outputs, sizes, precision))
    return Layer(first.path, first.op.name, flops, read + written)


def _total(values: Iterable[Value], sizes: Mapping[str, int], precision: str) -> int:
    shapes = ((value.type.dtype, [dims.evaluate(size, sizes) for size in value.type.shape]) for value in values)
    return sum(prod(shape) * _element(dtype, precision) for dtype, shape in shapes)


def _stored(parameter: Parameter, precision: str) -> int:
    return parameter.size * _element(parameter.dtype, precision)


def _element(dtype: str, precision: str) -> int:
    return _DECLARED.get(dtype, ELEMENT_BYTES[precision])


__all__ = ["ELEMENT_BYTES", "PARTIAL", "POINTWISE", "VIEWS", "Layer", "Work", "groups", "work_of"]
