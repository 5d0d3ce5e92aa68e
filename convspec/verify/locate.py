"""The first layer at which a target leaves the reference: by its values, by the gradients that flow, or by where it breaks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from convspec.diagnostics import Failure, error
from convspec.ir.graph import Graph, Node, Value
from convspec.ir.types import Array
from convspec.verify.compare import first_difference, pair, scaled_error, summarise
from convspec.verify.graphs import Probe, exposing, inner_values
from convspec.verify.report import Divergence

_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_PREAMBLE = "Exception encountered when calling"
"""How Keras begins, before it says what the matter is."""

Observe = Callable[[Graph], Mapping[str, Array]]
"""Compiles a graph for the target and runs it: its outputs by name."""


@dataclass(frozen=True, slots=True)
class Place:
    """A layer, and the two values that show that it diverges. `what` says of which tensor: `its output`."""

    node: Node
    what: str
    found: Array
    expected: Array
    gate: float


def by_values(graph: Graph, observe: Observe, expected: Mapping[str, Array], gates: Mapping[str, float]) -> Place | None:
    """The first node with an output that differs by more than its gate, all of whose inputs agree.

    `expected` and `gates` are by the name of the Value. None where every inner value agrees once it is looked at.
    """
    makers = graph.producers()
    seen, names = exposing(graph, inner_values(graph))
    found = observe(seen)
    for name, value in names.items():
        if not scaled_error(found[name], expected[value.name]) <= gates[value.name]:
            return Place(makers[value], "its output", found[name], expected[value.name], gates[value.name])
    return None


def by_gradients(
    graph: Graph, probes: list[Probe], found: Mapping[str, Array], expected: Mapping[str, Array], gate: float
) -> Place | None:
    """The node nearest to the outputs that passes on another gradient, or has another gradient of a weight.

    `found` and `expected` are gradients by name, those of the probes among them. Gradients that meet behind a node have been
    compared before it, one by one, so the first to differ is of its own making.
    """
    at_node: dict[Node, list[Probe]] = {}
    for probe in probes:
        at_node.setdefault(probe.node, []).append(probe)
    for node in reversed(graph.nodes):
        for name, what in _gradients_at(node, at_node.get(node, [])):
            if (name in found or name in expected) and not _agree(found, expected, name, gate):
                return Place(node, what, *pair(found, expected, name), gate)
    return None


def _gradients_at(node: Node, probes: list[Probe]) -> Iterator[tuple[str, str]]:
    for parameter in node.params.values():
        yield parameter.name, f"the gradient of `{parameter.name}`"
    for probe in probes:
        which = f"input {probe.index + 1}" if len(node.inputs) > 1 else "its input"
        yield probe.value.name, f"the gradient of {which}"


def _agree(found: Mapping[str, Array], expected: Mapping[str, Array], name: str, gate: float) -> bool:
    return scaled_error(*pair(found, expected, name)) <= gate


def by_breaking(graph: Graph, observe: Observe) -> tuple[Node, str] | None:
    """The first node with which the target gives up, and what it says: the network is compiled up to it, by bisection."""
    live = set(inner_values(graph))
    nodes = [node for node in graph.nodes if live.intersection(node.outputs)]
    low, high, reason = 0, len(nodes), ""
    while low < high:
        middle = (low + high) // 2
        kept = nodes[: middle + 1]
        try:
            observe(exposing(graph, _live_outputs(kept[-1], live), kept)[0])
        except Exception as problem:  # whatever a framework raises
            high, reason = middle, told(problem)
        else:
            low = middle + 1
    return (nodes[low], reason) if low < len(nodes) else None


def _live_outputs(node: Node, live: set[Value]) -> list[Value]:
    return [value for value in node.outputs if value in live]


def told(problem: BaseException) -> str:
    """An exception in one line."""
    if isinstance(problem, Failure):
        return problem.diagnostics[0].message
    lines = [_STYLE.sub("", line).strip() for line in str(problem).splitlines()]
    telling = [line for line in lines if line and not line.startswith(_PREAMBLE)]
    return f"{type(problem).__name__}: {telling[0] if telling else 'no reason given'}"


def divergence(target: str, quantity: str, against: str, place: Place) -> Divergence:
    """The diagnostic with the layer's source line and both values."""
    node = place.node
    found, expected = summarise(place.found), summarise(place.expected)
    difference = first_difference(place.found, place.expected, place.gate)
    far, allowed = scaled_error(place.found, place.expected), f"{place.gate:.0e}" if place.gate else "exact"
    diagnostic = error(
        "CNN308",
        f"{target} leaves {against} at the layer `{node.path}`",
        node.span,
        f"{place.what}: error {far:.1e}, allowed {allowed}",
        frames=node.frames,
        notes=(
            f"{target}: {found}",
            f"{against}: {expected}",
            *([str(difference)] if difference else []),
        ),
    )
    return Divergence(target, quantity, node.path, node.op.name, diagnostic, found, expected, difference)


def breakdown(target: str, quantity: str, node: Node, reason: str) -> Divergence:
    """The diagnostic of a layer with which a framework gives up."""
    message = f"{target} gives up at the layer `{node.path}`"
    diagnostic = error("CNN308", message, node.span, reason, frames=node.frames)
    return Divergence(target, quantity, node.path, node.op.name, diagnostic)


__all__ = ["Observe", "Place", "breakdown", "by_breaking", "by_gradients", "by_values", "divergence", "told"]
