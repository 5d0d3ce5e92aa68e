"""Weights for comparing runtimes: nothing is an identity, and signals neither die out nor overflow however deep the network.

Fresh batch norms do nothing, and fresh biases are zero: a runtime that left them out would still agree. And under usual
initialisers a deep network's output may hardly depend on its first layers. So every parameter is drawn anew, and the
running statistics of a batch norm are put near those that its input really has, by an estimate of mean squares layer by layer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod, sqrt

import numpy as np

from convspec.ir.graph import Graph, Node, Parameter, Value
from convspec.ir.init import Init
from convspec.ir.types import Array
from convspec.weights.init import fill_all

_HALVING = frozenset({"relu", "relu6", "leaky_relu", "gelu", "silu", "hardswish"})
"""Activations that let about half of the mean square through."""
_BOUNDED = frozenset({"sigmoid", "tanh", "softmax", "hardsigmoid"})


@dataclass(frozen=True, slots=True)
class _Range:
    """Uniform between centre - half and centre + half; `half` 0 marks a weight matrix, whose own draw is kept."""

    centre: float
    half: float


@dataclass(slots=True)
class _Plan:
    """What to draw for each parameter, and the estimated mean square of each value so far."""

    ranges: dict[str, _Range] = field(default_factory=dict)
    draws: list[tuple[Parameter, Init]] = field(default_factory=list)
    squares: dict[Value, float] = field(default_factory=dict)

    sums: set[Value] = field(default_factory=set)
    """What is added up. Where a residual block adds to what an activation has let through, little of the sum is negative."""

    def visit(self, node: Node) -> None:
        inputs = [self.squares[value] for value in node.inputs]
        incoming = sum(inputs) / len(inputs)
        for parameter in node.params.values():
            if parameter.name not in self.ranges:
                self._choose(parameter, incoming)
        outgoing = _mean_square(node, inputs, incoming)
        if node.op.name in _HALVING and self.sums.intersection(node.inputs):
            outgoing = incoming
        if node.op.name == "add":
            self.sums.update(node.outputs)
        self.squares.update(dict.fromkeys(node.outputs, outgoing))

    def _choose(self, parameter: Parameter, incoming: float) -> None:
        scale = sqrt(incoming)
        if len(parameter.shape) > 1:
            fan_in = parameter.init.fan_in or prod(parameter.shape[1:])
            self.ranges[parameter.name] = _Range(0.0, 0.0)
            self.draws.append((parameter, Init("kaiming_uniform", fan_in=fan_in, gain=sqrt(2))))
            return
        chosen = {
            "running_mean": _Range(0.0, 0.3 * scale),
            "running_var": _Range(incoming, 0.5 * incoming),
            "bias": _Range(0.0, 0.3),
            "weight": _Range(1.0, 0.5),
        }
        self.ranges[parameter.name] = chosen.get(parameter.role, _Range(parameter.init.value, 0.3))
        self.draws.append((parameter, Init("uniform", value=1.0)))


def randomised(graph: Graph, seed: int = 0) -> dict[str, Array]:
    """Every parameter of `graph` by name, drawn for comparisons: the same for the same seed, and all finite."""
    plan = _Plan()
    for graph_input in graph.inputs:
        plan.squares[graph_input.value] = 1.0
    for node in graph.nodes:
        plan.visit(node)
    weights = fill_all(plan.draws)(seed)
    for name, chosen in plan.ranges.items():
        if chosen.half:
            np.multiply(weights[name], chosen.half, out=weights[name])
            np.add(weights[name], chosen.centre, out=weights[name])
    return {name: weights[name] for name in graph.parameters()}


def _mean_square(node: Node, inputs: list[float], incoming: float) -> float:
    """About the mean square of the node's output. A layer unknown here is taken to keep it."""
    rules: dict[str, Callable[[], float]] = {
        "batchnorm": lambda: 1.2,
        "add": lambda: sum(inputs),
        "sub": lambda: sum(inputs),
        "mul": lambda: prod(inputs),
    }
    name = node.op.name
    if name in _HALVING:
        return incoming / 2
    if name in _BOUNDED:
        return min(incoming, 0.3)
    if any(len(parameter.shape) > 1 for parameter in node.params.values()):
        return 2 * incoming  # Kaiming's gain of sqrt(2)
    return rules.get(name, lambda: incoming)()
