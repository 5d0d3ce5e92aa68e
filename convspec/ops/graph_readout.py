"""`graph_readout`: one vector for a whole graph: the sum, mean or maximum of its nodes' features, channel by channel.

`mask`, (N, nodes) of bools, says which nodes are there; the others have no influence. A graph without nodes gives 0. Of
equal greatest nodes each gets the same share of the gradient.
"""

from __future__ import annotations

from convspec.ir.attrs import Word
from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import Cost, OpDef, attr, given
from convspec.ir.types import DTYPES, Array, TensorType
from convspec.ops import _graphs as graphs
from convspec.ops._elementwise import elements
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphReadout:
    """`x -> graph_readout(mask = nodes, mode = mean)`."""

    mode: str = attr(Word(words=("sum", "mean", "max")), "sum", doc="How the nodes become one.")
    given: tuple[str, ...] = given()


def infer(a: GraphReadout, x: TensorType, mask: TensorType | None = None) -> TensorType:
    graphs.check_features("graph_readout", x)
    if mask is not None:
        graphs.check_mask("graph_readout", x, 1, mask)
    return x.with_shape(x.shape[:2])


def cost(a: GraphReadout, x: TensorType, *others: TensorType) -> Cost:
    """One operation for every feature."""
    return Cost(flops=elements(x))


def evaluate(a: GraphReadout, p: object, x: Array, mask: Array | None = None) -> Array:
    import numpy as np

    there = np.ones((len(x), 1, x.shape[2]), dtype=bool) if mask is None else mask[:, None]
    if a.mode == "max":
        most = np.where(there, x, x.dtype.type("-inf")).max(axis=2)
        found: Array = np.where(there.any(axis=2), most, x.dtype.type(0))
        return found
    total: Array = np.where(there, x, x.dtype.type(0)).sum(axis=2)
    return total / np.maximum(there.sum(axis=2), 1).astype(x.dtype) if a.mode == "mean" else total


def to_torch(a: GraphReadout, x: TensorType, *masks: TensorType) -> Lowered:
    """A method of the tensor where all nodes are there."""
    if not masks:
        return Call({"sum": ".sum", "mean": ".mean", "max": ".amax"}[a.mode], (Arg(0), 2))
    return Call("helpers.graph_readout", (Arg(0), Arg(1)), {} if a.mode == "sum" else {"mode": a.mode})


def to_keras(a: GraphReadout, x: TensorType, *masks: TensorType) -> Lowered:
    """The nodes are axis 1 here."""
    if not masks:
        return Call(f"ops.{a.mode}", (Arg(0),), {"axis": 1})
    return Call("helpers.graph_readout", (Arg(0), Arg(1)), {} if a.mode == "sum" else {"mode": a.mode})


def to_onnx(a: GraphReadout, x: TensorType, *masks: TensorType) -> Lowered:
    reduce = {"sum": "ReduceSum", "mean": "ReduceMean", "max": "ReduceMax"}[a.mode]
    nodes, drop = Const((2,), "int64"), {"keepdims": 0}
    if not masks:
        return Call(reduce, (Arg(0), nodes), drop)
    there = Call("Unsqueeze", (Arg(1), Const((1,), "int64")))
    count = Call("ReduceSum", (graphs.onnx_cast(there, x.dtype), nodes), drop)
    zero = Const(0, x.dtype)
    if a.mode == "max":
        most = Call("ReduceMax", (Call("Where", (there, Arg(0), Const(float("-inf"), x.dtype))), nodes), drop)
        return Call("Where", (graphs.onnx_cast(count, "bool"), most, zero))
    total = Call("ReduceSum", (Call("Where", (there, Arg(0), zero)), nodes), drop)
    return total if a.mode == "sum" else Call("Div", (total, Call("Max", (count, Const(1, x.dtype)))))


OP = OpDef(
    name="graph_readout",
    attrs=GraphReadout,
    summary="the sum, mean or maximum of a graph's nodes: one vector a graph",
    inputs=("x", "mask?"),
    dtypes=DTYPES,
    infer=infer,
    cost=cost,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, c] = Σᵥ x[n, c, v], or the mean or maximum over v; v runs over the nodes that are there",
    shape="(N, C, V), mask (N, V) → (N, C)",
    source="Duvenaud et al. 2015, arXiv:1509.09292",
    example=(
        "input atoms: float32[N, 64, V]\ninput present: bool[N, V]\noutput atoms -> graph_readout(mask = present) -> linear(12)"
    ),
)
