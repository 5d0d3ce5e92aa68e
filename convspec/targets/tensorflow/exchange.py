"""How Keras models, our own and others', keep the parameters of a graph: what bringing weights back from Keras needs.

Another's Keras model is taken to flatten as `layers.Flatten` does and to reshape as `layers.Reshape((h, w, C))` does, channels
last: a dense layer behind the one has its inputs, one before the other its outputs, in (position, channel) order. Where the
features of a parameter cannot be followed so, its order is unknown, and nothing may be assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from convspec.ir.graph import Graph, Node, Parameter, Value
from convspec.targets.tensorflow.expressions import layer_of
from convspec.targets.tensorflow.layout import ALIKE, CANONICAL, FEATURE_AXIS, Order, Segment, Trial, plan_flatten
from convspec.targets.tensorflow.network import live_nodes
from convspec.targets.tensorflow.weights import Variable, variables_of


def own_variables(graph: Graph) -> dict[str, Variable]:
    """The variables of the Keras model that the target makes of `graph`, by `layer/variable`, whatever their names hold."""
    plan = plan_flatten(graph)
    found: dict[str, Variable] = {}
    for node in live_nodes(graph):
        layer = layer_of(node.op.lower["tensorflow"](node.attrs, *node.input_types)) if node.params else None
        for variable in variables_of(node, layer, plan) if layer else ():
            found.setdefault(variable.key, variable)
    return found


@dataclass(frozen=True, slots=True)
class FeatureOrders:
    """How another's Keras model orders features: for each parameter that is not in canonical order, the order by axis."""

    orders: Mapping[str, Mapping[int, Order]]
    unknown: frozenset[str]
    """Parameters whose order cannot be known."""


def feature_orders(graph: Graph) -> FeatureOrders:
    """The orders for a Keras model that flattens and reshapes channels last throughout."""
    walk = _Plain(graph)
    walk.run()
    orders: dict[str, dict[int, Order]] = {name: dict(axes) for name, axes in walk.outputs.items()}
    for name, order in walk.orders.items():
        if order:
            orders.setdefault(name, {})[walk.axes[name]] = order
    return FeatureOrders(orders, frozenset(walk.unknown))


class _Plain(Trial):
    """The walk of `plan_flatten` with no flatten permuted. What it cannot follow is lost, and so is all behind it."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph, set())
        self.lost: set[Value] = set()
        self.unknown: set[str] = set()
        self.axes: dict[str, int] = {}
        self.outputs: dict[str, dict[int, Order]] = {}
        self.unflattened = _unflattened(graph)

    def visit(self, node: Node) -> None:
        if any(value in self.lost for value in node.inputs):
            self.unknown.update(parameter.name for parameter in node.params.values())
            self.lost.update(() if node.op.name == "linear" else node.outputs)
            return
        super().visit(node)
        ordered = [self.order[value] for value in node.inputs if self.order.get(value)]
        if node.op.name == "linear":
            self._produce(node)
        elif node.outputs[0] in self.refused:
            self.lost.add(node.outputs[0])
        elif ordered and not any(self.order.get(value) for value in node.outputs) and ordered != [_order_of(node)]:
            self.lost.update(node.outputs)

    def _produce(self, node: Node) -> None:
        """The outputs of a linear layer in the order that a reshape behind it takes them in."""
        order = self.unflattened.get(node.outputs[0])
        if order:
            self.order[node.outputs[0]] = order
            self.sources[node.outputs[0]] = frozenset()
        for parameter in node.params.values():
            if self.outputs.setdefault(parameter.name, {0: order} if order else {}) != ({0: order} if order else {}):
                self.unknown.add(parameter.name)

    def parameter(self, parameter: Parameter, order: Order, sources: frozenset[Value]) -> None:
        if self.orders.get(parameter.name, order) != order:
            self.unknown.add(parameter.name)
        super().parameter(parameter, order, sources)

    def parameters(self, node: Node, order: Order, sources: frozenset[Value]) -> None:
        axes = FEATURE_AXIS.get(node.op.name, {})
        self.axes.update({node.params[role].name: axis for role, axis in axes.items() if role in node.params})
        super().parameters(node, order, sources)


def _unflattened(graph: Graph) -> dict[Value, Order]:
    """For each output of a linear layer that becomes (channels, space…) again: the order in which Keras reshapes it."""
    makers = graph.producers()
    found: dict[Value, Order] = {}
    for node in graph.nodes:
        order = _order_of(node)
        waiting = [node.inputs[0]] if order else []
        while waiting:
            maker = makers.get(waiting.pop())
            if maker is not None and maker.op.name == "linear":
                found[maker.outputs[0]] = order
            elif maker is not None and (maker.op.name in ALIKE or maker.op.name == "batchnorm"):
                waiting += maker.inputs
    return found


def _order_of(node: Node) -> Order:
    """The order in which `layers.Reshape((h, w, C))` takes features; empty for every other op, or where it makes none."""
    if node.op.name != "reshape" or node.inputs[0].type.rank != 2 or node.outputs[0].type.rank < 3:
        return CANONICAL
    sizes = [size for size in node.outputs[0].type.shape[1:] if isinstance(size, int)]
    positions = prod(sizes[1:])
    if len(sizes) < node.outputs[0].type.rank - 1 or sizes[0] == 1 or positions == 1:
        return CANONICAL
    return (Segment(sizes[0], positions),)


__all__ = ["FeatureOrders", "feature_orders", "own_variables"]
