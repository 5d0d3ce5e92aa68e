"""`graph_conv`: a layer over the nodes of a graph; each node combines what its neighbours have, and what it has itself.

The features are (N, channels, nodes). The adjacency is (N, nodes, nodes), dense, one graph an example: entry [i, j] is the
weight of what node i hears from node j, 0 where there is no edge (integers and bools are taken as weights). `mask`, (N, nodes)
of bools, says which nodes are there, so that graphs of several sizes fit into one batch: the others are not heard, give 0, and
whatever their features and edges hold, has no influence.

`aggregate` says what a node makes of the messages a[i, j] * x[j] of its neighbours, the nodes with a[i, j] other than 0:
`gcn` weighs them by both nodes' degrees (the sums of their rows; a degree of 0 or less counts as no edges), `sum`, `mean`
divides by the number of neighbours, `max` takes the greatest in each channel (equal ones share the gradient). A node without
neighbours gets 0 from them, and so its own part and the bias only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from convspec.ir.attrs import Flag, Initialiser, Integer, Word
from convspec.ir.init import ZEROS, Init
from convspec.ir.lowering import Apply, Arg, Call, Lowered, Weight
from convspec.ir.opdef import Cost, OpDef, ParamSpec, ShapeError, attr, given
from convspec.ir.types import DTYPES, Array, TensorType
from convspec.ops import _graphs as graphs
from convspec.ops import _spatial_targets as write
from convspec.ops._elementwise import elements
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphConv:
    """`x -> graph_conv(adjacency = edges, features = 64, mask = nodes, aggregate = mean)`."""

    features: int = attr(Integer(), positional=True, doc="Number of output channels of each node.")
    aggregate: str = attr(
        Word(words=graphs.AGGREGATES), "gcn", doc="What a node makes of its neighbours' messages: gcn, sum, mean or max."
    )
    self_loops: bool = attr(
        Flag(), None, doc="Whether a 1 is added to the adjacency's diagonal, so that a node hears itself: with gcn by default."
    )
    root: bool = attr(
        Flag(), None, doc="Whether a node's own features have a weight of their own: by default with all but gcn."
    )
    bias: bool = attr(Flag(), True, doc="Whether a learned number is added to each output channel.")
    init: Init | None = attr(Initialiser(), None, doc="How the weights begin: xavier_uniform by default.")
    given: tuple[str, ...] = given()


def resolve(a: GraphConv, *types: TensorType) -> GraphConv:
    gcn = a.aggregate == "gcn"
    self_loops = gcn if a.self_loops is None else a.self_loops
    return replace(a, self_loops=self_loops, root=not gcn if a.root is None else a.root)


def infer(a: GraphConv, x: TensorType, adjacency: TensorType, mask: TensorType | None = None) -> TensorType:
    graphs.check_features("graph_conv", x)
    if not isinstance(x.channels, int):
        message = f"the weight of `graph_conv` has the size of its input, which must be known, but it is {x.channels}"
        raise ShapeError(message, "CNN033", inputs={0: str(x)})
    graphs.check_adjacency("graph_conv", x, adjacency)
    if mask is not None:
        graphs.check_mask("graph_conv", x, 2, mask)
    return x.with_shape((x.shape[0], a.features, x.shape[2]))


def _channels(x: TensorType) -> int:
    assert isinstance(x.channels, int), "infer has seen to it"
    return x.channels


def params(a: GraphConv, x: TensorType, *others: TensorType) -> Mapping[str, ParamSpec]:
    """The weight is (features, channels), with `root` (features, 2 * channels): the neighbours', then the node's own."""
    inputs = _channels(x) * (2 if a.root else 1)
    init = replace(a.init or Init("xavier_uniform"), fan_in=inputs, fan_out=a.features)
    found = {"weight": ParamSpec((a.features, inputs), init)}
    if a.bias:
        found["bias"] = ParamSpec((a.features,), ZEROS)
    return found


def cost(a: GraphConv, x: TensorType, *others: TensorType) -> Cost:
    """Messages between all nodes, since the adjacency is dense, then one or two weights at every node."""
    own = x.shape[0] * x.shape[2] * (_channels(x) * a.features * (2 if a.root else 1))
    between = elements(x) * x.shape[2]
    biases = x.shape[0] * x.shape[2] * a.features if a.bias else 0
    if a.aggregate == "max":
        return Cost(macs=own, flops=2 * between + biases)
    return Cost(macs=own + between, flops=biases)


def evaluate(a: GraphConv, p: Mapping[str, Array], x: Array, adjacency: Array, mask: Array | None = None) -> Array:
    import numpy as np

    heard = graphs.aggregated(x, adjacency, mask, a.aggregate, a.self_loops)
    y: Array = p["weight"] @ (np.concatenate([heard, graphs.masked(x, mask)], axis=1) if a.root else heard)
    return graphs.masked(y + p["bias"][:, None] if a.bias else y, mask)


def _settings(a: GraphConv) -> dict[str, Any]:
    """Keyword arguments of the helpers, whose defaults are those of gcn."""
    return write.given(aggregate=(a.aggregate, "gcn"), self_loops=(a.self_loops, True), root=(a.root, False))


def _weights(a: GraphConv, name: str, weight: Weight) -> dict[str, Weight]:
    return {name: weight} | ({"bias": Weight("bias")} if a.bias else {})


def to_torch(a: GraphConv, x: TensorType, *others: TensorType) -> Lowered:
    inputs = tuple(Arg(i) for i in range(1 + len(others)))
    kwargs = _settings(a) | write.given(bias=(a.bias, True))
    return Apply("helpers.GraphConv", (x.channels, a.features), kwargs, inputs, _weights(a, "weight", Weight("weight")))


def to_keras(a: GraphConv, x: TensorType, *others: TensorType) -> Lowered:
    """A native layer on what a function collects, so that `.keras` files hold it."""
    heard = Call("helpers.neighbours", tuple(Arg(i) for i in range(1 + len(others))), _settings(a))
    kwargs = write.given(use_bias=(a.bias, True))
    y = Apply("layers.Dense", (a.features,), kwargs, (heard,), _weights(a, "kernel", Weight("weight", (1, 0))))
    return Call("helpers.only_nodes", (y, Arg(2))) if len(others) == 2 else y


def to_onnx(a: GraphConv, *types: TensorType) -> Lowered:
    mask = Arg(2) if len(types) == 3 else None
    heard = graphs.onnx_aggregated(types, mask, a.aggregate, a.self_loops)
    if a.root:
        heard = Call("Concat", (heard, graphs.onnx_real(Arg(0), mask, types[0].dtype)), {"axis": 1})
    y = Call("MatMul", (Weight("weight"), heard))
    if a.bias:
        y = Call("Add", (y, Weight("bias", reshape=(a.features, 1))))
    found: Call = graphs.onnx_real(y, mask, types[0].dtype)
    return found


OP = OpDef(
    name="graph_conv",
    attrs=GraphConv,
    summary="graph convolution: every node combines its neighbours' features, over a dense adjacency",
    inputs=("x", "adjacency", "mask?"),
    dtypes=DTYPES,
    resolve=resolve,
    infer=infer,
    params=params,
    cost=cost,
    receptive_field=graphs.all_nodes,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula=(
        "y[n, :, i] = W · g[n, :, i] + b, with root W · [g[n, :, i], x[n, :, i]] + b;   Â = A + I with self_loops, else A\n"
        "gcn:  g[i] = Σⱼ Âᵢⱼ xⱼ / √(dᵢ dⱼ),   dᵢ = Σⱼ Âᵢⱼ\n"
        "sum:  g[i] = Σⱼ Âᵢⱼ xⱼ;   mean: the same, divided by the number of neighbours j (Âᵢⱼ ≠ 0)\n"
        "max:  g[i] = max over neighbours j of Âᵢⱼ xⱼ, 0 without any"
    ),
    shape="(N, C, V), (N, V, V), mask (N, V) → (N, features, V)",
    source="Kipf & Welling 2017, arXiv:1609.02907 (gcn); Hamilton et al. 2017, arXiv:1706.02216 (mean, max with a root weight)",
    example=(
        "input atoms: float32[N, 75, V]\ninput bonds: float32[N, V, V]\ninput present: bool[N, V]\n"
        "output atoms -> graph_conv(adjacency = bonds, features = 64, mask = present) -> relu"
    ),
)
