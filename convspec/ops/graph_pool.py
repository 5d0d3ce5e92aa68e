"""`graph_pool`: every node takes the greatest, or the mean, of its own features and its neighbours', channel by channel.

As in networks for molecules (DeepChem's GraphPool, for Tox21). Adjacency and mask are those of `graph_conv`; a neighbour's
features are multiplied by the edge's weight, which for a plain graph is 1.
"""

from __future__ import annotations

from convspec.ir.attrs import Word
from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import Cost, OpDef, attr, given
from convspec.ir.types import DTYPES, Array, TensorType
from convspec.ops import _graphs as graphs
from convspec.ops._elementwise import elements
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphPool:
    """`x -> graph_pool(adjacency = edges, mask = nodes, mode = max)`."""

    mode: str = attr(Word(words=("max", "mean")), "max", doc="What a node takes of its neighbourhood.")
    given: tuple[str, ...] = given()


def infer(a: GraphPool, x: TensorType, adjacency: TensorType, mask: TensorType | None = None) -> TensorType:
    graphs.check_features("graph_pool", x)
    graphs.check_adjacency("graph_pool", x, adjacency)
    if mask is not None:
        graphs.check_mask("graph_pool", x, 2, mask)
    return x


def cost(a: GraphPool, x: TensorType, *others: TensorType) -> Cost:
    """A product and a comparison or addition for every pair of nodes and channel."""
    return Cost(flops=2 * elements(x) * x.shape[2])


def evaluate(a: GraphPool, p: object, x: Array, adjacency: Array, mask: Array | None = None) -> Array:
    return graphs.masked(graphs.aggregated(x, adjacency, mask, a.mode, True), mask)


def to_python(a: GraphPool, *types: TensorType) -> Lowered:
    """A helper, on PyTorch and Keras alike."""
    kwargs = {} if a.mode == "max" else {"mode": a.mode}
    return Call("helpers.graph_pool", tuple(Arg(i) for i in range(len(types))), kwargs)


def to_onnx(a: GraphPool, *types: TensorType) -> Lowered:
    mask = Arg(2) if len(types) == 3 else None
    found: Call = graphs.onnx_real(graphs.onnx_aggregated(types, mask, a.mode, True), mask, types[0].dtype)
    return found


OP = OpDef(
    name="graph_pool",
    attrs=GraphPool,
    summary="the greatest or the mean of each node's features and its neighbours'",
    inputs=("x", "adjacency", "mask?"),
    dtypes=DTYPES,
    infer=infer,
    cost=cost,
    receptive_field=graphs.all_nodes,
    evaluate=evaluate,
    lower={"pytorch": to_python, "tensorflow": to_python, "onnx": to_onnx},
    formula=(
        "Â = A + I,   j runs over the nodes with Âᵢⱼ ≠ 0\n"
        "max:  y[n, c, i] = maxⱼ Âᵢⱼ x[n, c, j]\nmean: y[n, c, i] = Σⱼ Âᵢⱼ x[n, c, j] / (number of j)"
    ),
    shape="(N, C, V), (N, V, V), mask (N, V) → (N, C, V)",
    source="Altae-Tran et al. 2017, arXiv:1611.03199",
    example=("input atoms: float32[N, 64, V]\ninput bonds: float32[N, V, V]\noutput atoms -> graph_pool(adjacency = bonds)"),
)
