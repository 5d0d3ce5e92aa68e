"""Networks in low precision, made from a few lines of a spec."""

from __future__ import annotations

from collections.abc import Mapping

from convspec import api
from convspec.ir.graph import Graph
from convspec.ir.types import Array
from convspec.precision import Lowered, lower
from convspec.precision.gates import gates, simulate
from convspec.runtime.reference import evaluate
from convspec.verify.compare import EXACT, GATES
from convspec.weights.randomised import randomised


def network(body: str) -> api.Net:
    """The network of a spec, or of the body of a model."""
    return api.loads(body if "model " in body else "model T {\n" + body + "\n}\n")


def lowered(body: str, precision: str = "fp16") -> Lowered:
    """The network of `body` in `precision`, with random weights."""
    graph = network(body).module
    return lower(graph, randomised(graph.graph, 1), precision)


def types(found: Lowered) -> dict[str, str]:
    """What each layer computes in, by its label, casts left out."""
    return {choice.layer: choice.dtype for choice in found.report.choices}


def casts(graph: Graph) -> int:
    """How many casts a graph has."""
    return sum(node.op.name == "cast" for node in graph.nodes)


def allowed(net: api.Net, found: Lowered, weights: Mapping[str, Array], arrays: Mapping[str, Array]) -> dict[str, float]:
    """The gate of each output on these inputs."""
    expected = evaluate(net.module.graph, weights, arrays).outputs
    base = {name: GATES[found.report.dtype] if array.dtype.kind == "f" else EXACT for name, array in expected.items()}
    return gates(simulate(found.module.graph, found.weights, arrays), expected, base)
