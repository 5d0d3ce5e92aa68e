"""What a network costs: parameters, multiply-accumulates and floating-point operations, per layer and in all.

Convention. A MAC is one multiply-accumulate of a convolution, a transposed convolution or a linear layer, for the whole
batch, with every cell of a kernel counted, also where it lies on padding. Biases, activations, pooling and normalisation are
no MACs; they count in flops alone, one for each element and operation: flops = 2 * MACs + those. Parameters are the learnable
elements; running statistics are counted apart. A stored tensor that layers share counts once, the work with it each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from convspec.ir.dims import Size, substitute
from convspec.ir.graph import Graph, Node, Parameter
from convspec.records import dataclass

MAC_CONVENTION = (
    "A MAC is one multiply-accumulate of a convolution or linear layer, for the whole batch; biases, activations, pooling and "
    "normalisation are counted in flops only (flops = 2 * MACs + those)."
)


@dataclass(frozen=True, slots=True)
class NodeCost:
    """Work of one layer, symbolic where its sizes are."""

    macs: Size = 0
    flops: Size = 0

    def at(self, sizes: Mapping[str, int]) -> NodeCost:
        """The work for given values of some or all symbolic sizes."""
        return NodeCost(substitute(self.macs, sizes), substitute(self.flops, sizes))


@dataclass(frozen=True, slots=True)
class Parameters:
    """Numbers of stored elements."""

    learnable: int = 0
    statistics: int = 0
    """Elements that training does not learn: running means and variances."""

    @property
    def stored(self) -> int:
        return self.learnable + self.statistics


def node_cost(node: Node) -> NodeCost:
    """The work of one node in inference; dropout does none."""
    if node.op.cost is None or node.op.training_only:
        return NodeCost()
    cost = node.op.cost(node.attrs, *node.input_types)
    return NodeCost(cost.macs, 2 * cost.macs + cost.flops)


def total(costs: Iterable[NodeCost]) -> NodeCost:
    """The sum of all work."""
    macs: Size = 0
    flops: Size = 0
    for cost in costs:
        macs, flops = macs + cost.macs, flops + cost.flops
    return NodeCost(macs, flops)


def total_cost(nodes: Iterable[Node], sizes: Mapping[str, int] | None = None) -> NodeCost:
    """The work of all nodes. With a value for every size the sums are of plain numbers."""
    return total(node_cost(node).at(sizes or {}) for node in nodes)


def count(parameters: Iterable[Parameter]) -> Parameters:
    """Elements of stored tensors, each tensor once."""
    learnable = statistics = 0
    for parameter in {parameter.name: parameter for parameter in parameters}.values():
        if parameter.trainable:
            learnable += parameter.size
        else:
            statistics += parameter.size
    return Parameters(learnable, statistics)


def parameters_of(nodes: Iterable[Node]) -> Parameters:
    """Elements of what nodes store."""
    return count(parameter for node in nodes for parameter in node.params.values())


def below(graph: Graph, path: str) -> list[Node]:
    """The nodes whose label path lies below `path`; all of them for ""."""
    return [node for node in graph.nodes if not path or node.path == path or node.path.startswith(f"{path}.")]


__all__ = [
    "MAC_CONVENTION",
    "NodeCost",
    "Parameters",
    "below",
    "count",
    "node_cost",
    "parameters_of",
    "total",
    "total_cost",
]
