"""Where a channels-last model flattens: which weights take their rows in another order, and which data must be permuted.

Contract of `plan_flatten`. Every tensor of rank 3 or more is channels last in the Keras model, so a plain `layers.Flatten()`
puts the features in (position, channel) order, where the spec means (channel, position). The pass reads the flat graph and
changes nothing in it. It follows each flattened tensor through ops that treat every feature alike. If each path ends in a
`linear` (or runs through a `batchnorm`), the flatten stays plain and those parameters are stored with their features
rearranged. A flatten that reaches anything else, an output included, gets an explicit Permute before it: the result is always
right, and costs a transpose only where no weight can take it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

from convspec.ir.graph import Graph, Node, Parameter, Value
from convspec.ir.types import Array


@dataclass(frozen=True, slots=True)
class Segment:
    """`channels * positions` features that lie in (position, channel) order; with one position or channel that is canonical."""

    channels: int
    positions: int


Order: TypeAlias = tuple[Segment, ...]
"""How the features of a rank-2 tensor lie in the Keras model: one segment after another. Empty: in canonical order."""

CANONICAL: Order = ()

FEATURE_AXIS: Mapping[str, Mapping[str, int]] = {
    "linear": {"weight": 1},
    "batchnorm": {"weight": 0, "bias": 0, "running_mean": 0, "running_var": 0},
    "layernorm": {"weight": 0, "bias": 0},
    "rmsnorm": {"weight": 0},
    "prelu": {"weight": 0},
}
"""Ops that can take rearranged features: the axis of each parameter that counts them, in canonical layout.

A parameter with one number there has it for all features.
"""

ALIKE = frozenset(
    {
        *("relu", "relu6", "leaky_relu", "sigmoid", "tanh", "gelu", "silu", "hardsigmoid", "hardswish", "dropout", "neg"),
        *("add", "sub", "mul", "div", "softmax", "log_softmax", "l2norm"),
        *("maximum", "minimum", "pow", "exp", "log", "sqrt", "abs", "clip", "where"),
        *("logical_not", "logical_and", "logical_or"),
        *("greater", "greater_equal", "less", "less_equal", "equal", "not_equal"),
        *("elu", "celu", "selu", "mish", "hardtanh", "logsigmoid", "softplus", "softsign", "threshold"),
    }
)
"""Ops that treat every feature of a rank-2 tensor alike. Softmax and norms run over all features there, in whatever order."""


@dataclass(frozen=True, slots=True)
class FlattenPlan:
    """What `plan_flatten` found. `permuted`: values of flatten nodes whose data are permuted before. `orders`: by value."""

    permuted: frozenset[Value]
    """Outputs of the flatten nodes that need an explicit Permute before them."""
    orders: Mapping[str, Order]
    """By parameter name: how its feature axis (FEATURE_AXIS) is rearranged; parameters in canonical order are missing."""


def indices(order: Order) -> Array:
    """For each feature as the Keras model has it, its canonical index: `canonical.take(indices(order), axis)` rearranges."""
    import numpy as np

    parts, start = [], 0
    for segment in order:
        size = segment.channels * segment.positions
        parts.append(start + np.arange(size).reshape(segment.channels, segment.positions).T.ravel())
        start += size
    return np.concatenate(parts)


def plan_flatten(graph: Graph) -> FlattenPlan:
    """The plan for all flatten nodes of `graph`; see the module's docstring for what it promises."""
    permuted: set[Value] = set()
    while True:
        trial = Trial(graph, permuted)
        trial.run()
        if not trial.refused:
            return FlattenPlan(frozenset(permuted), {name: order for name, order in trial.orders.items() if order})
        permuted |= trial.refused


class Trial:
    """One walk over the graph with some flattens permuted; `refused` then holds those that turned out to need it too."""

    def __init__(self, graph: Graph, permuted: set[Value]) -> None:
        self.graph, self.permuted = graph, permuted
        self.order: dict[Value, Order] = {}
        self.sources: dict[Value, frozenset[Value]] = {}
        self.orders: dict[str, Order] = {}
        self.owners: dict[str, frozenset[Value]] = {}
        self.refused: set[Value] = set()

    def run(self) -> None:
        for node in self.graph.nodes:
            self.visit(node)
        for output in self.graph.outputs:
            self._refuse(output.value)

    def visit(self, node: Node) -> None:
        if node.op.name == "flatten":
            self._flatten(node)
        elif not any(self.order.get(value) for value in node.inputs):
            self.parameters(node, CANONICAL, frozenset())
        elif node.op.name in FEATURE_AXIS and node.inputs[0].type.rank == 2:
            self._absorb(node)
        elif node.op.name == "concat":
            self._concatenate(node)
        elif node.op.name in ALIKE and len({self._full_order(value) for value in node.inputs}) == 1:
            self._carry(node, self.order.get(node.inputs[0], CANONICAL))
        else:
            for value in node.inputs:
                self._refuse(value)

    def _flatten(self, node: Node) -> None:
        source, result = node.inputs[0], node.outputs[0]
        if source.type.rank < 3:
            self._carry(node, self.order.get(source, CANONICAL))
        elif _needs_care(node) and result not in self.permuted:
            sizes = [size for size in source.type.shape[1:] if isinstance(size, int)]
            if len(sizes) < source.type.rank - 1:
                self.refused.add(result)  # no weight can be sized by a symbolic number of features
            else:
                self.order[result] = (Segment(sizes[0], prod(sizes[1:])),)
                self.sources[result] = frozenset({result})

    def _absorb(self, node: Node) -> None:
        value = node.inputs[0]
        self.parameters(node, self.order[value], self.sources[value])
        if node.op.name != "linear":
            self._carry(node, self.order[value])

    def _concatenate(self, node: Node) -> None:
        if all(isinstance(value.type.shape[1], int) for value in node.inputs) and node.outputs[0].type.rank == 2:
            self._carry(node, tuple(segment for value in node.inputs for segment in self._full_order(value)))
        else:
            for value in node.inputs:
                self._refuse(value)

    def _full_order(self, value: Value) -> Order:
        """The order, with a tensor in canonical order written out as one segment."""
        size = value.type.shape[1]
        return self.order.get(value) or ((Segment(size, 1),) if isinstance(size, int) else CANONICAL)

    def _carry(self, node: Node, order: Order) -> None:
        if order:
            self.order[node.outputs[0]] = order
            self.sources[node.outputs[0]] = frozenset().union(*(self.sources.get(value, frozenset()) for value in node.inputs))

    def _refuse(self, value: Value) -> None:
        self.refused |= self.sources.get(value, frozenset())

    def parameters(self, node: Node, order: Order, sources: frozenset[Value]) -> None:
        """Store the node's parameters in `order`; where a shared one is wanted in another order too, refuse both."""
        for role in FEATURE_AXIS.get(node.op.name, ()):
            if role in node.params and node.params[role].shape[FEATURE_AXIS[node.op.name][role]] != 1:
                self.parameter(node.params[role], order, sources)

    def parameter(self, parameter: Parameter, order: Order, sources: frozenset[Value]) -> None:
        if self.orders.setdefault(parameter.name, order) != order:
            self.refused |= sources | self.owners[parameter.name]
        self.owners[parameter.name] = self.owners.get(parameter.name, frozenset()) | sources


def _needs_care(node: Node) -> bool:
    """Whether channels-last flattening gives another order than the canonical one: more than one channel and position."""
    shape = node.inputs[0].type.shape
    return len(shape) > 2 and shape[1] != 1 and any(size != 1 for size in shape[2:])


__all__ = ["ALIKE", "CANONICAL", "FEATURE_AXIS", "FlattenPlan", "Order", "Segment", "Trial", "indices", "plan_flatten"]
