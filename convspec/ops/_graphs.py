"""What graph layers share: the checks of adjacency and mask, the sum over neighbours as reference, and in ONNX."""

from __future__ import annotations

from typing import Any

from convspec.ir.dims import Size, equal
from convspec.ir.lowering import Arg, Call, Const
from convspec.ir.opdef import ShapeError, Window
from convspec.ir.types import FLOATS, Array, TensorType
from convspec.ops._global_pooling import global_window

AGGREGATES = ("gcn", "sum", "mean", "max")


def check_features(op: str, x: TensorType) -> None:
    """(N, C, V), of floats."""
    if x.rank != 3:
        message = f"`{op}` takes the features of nodes as a tensor of rank 3, (N, channels, nodes), not of rank {x.rank}"
        raise ShapeError(message, inputs={0: str(x)})
    if x.dtype not in FLOATS:
        raise ShapeError(f"`{op}` takes features of floating point, not {x.dtype}", "CNN037", inputs={0: str(x)})


def check_adjacency(op: str, x: TensorType, adjacency: TensorType) -> None:
    """(N, V, V), for as many nodes as `x` has: weights in the precision of `x`, or integers or bools."""
    if adjacency.rank != 3:
        message = f"`{op}` takes an adjacency of rank 3, (N, nodes, nodes), not of rank {adjacency.rank}"
        raise ShapeError(message, inputs={1: str(adjacency)})
    if adjacency.dtype in FLOATS and adjacency.dtype != x.dtype:
        message = f"the features and the adjacency of `{op}` differ in dtype"
        raise ShapeError(message, "CNN037", inputs={0: str(x), 1: str(adjacency)})
    _check_size(op, 1, "examples", x.shape[0], adjacency.shape[0])
    for size in adjacency.shape[1:]:
        _check_size(op, 1, "nodes", x.shape[2], size)


def check_mask(op: str, x: TensorType, index: int, mask: TensorType) -> None:
    """(N, V) of bools; it is input number `index`."""
    if mask.rank != 2:
        raise ShapeError(f"`{op}` takes a mask of rank 2, (N, nodes), not of rank {mask.rank}", inputs={index: str(mask)})
    if mask.dtype != "bool":
        raise ShapeError(f"`{op}` takes a mask of bool, not {mask.dtype}", "CNN037", inputs={index: str(mask)})
    _check_size(op, index, "examples", x.shape[0], mask.shape[0])
    _check_size(op, index, "nodes", x.shape[2], mask.shape[1])


def _check_size(op: str, index: int, what: str, wanted: Size, found: Size) -> None:
    agree = equal(wanted, found)
    if not agree:
        said = {0: f"{what} {wanted}", index: f"{what} {found}"}
        raise ShapeError(f"the inputs of `{op}` differ in the number of {what}", "CNN031", inputs=said, equality=agree)


def all_nodes(attrs: object, x: TensorType, *others: TensorType) -> Window:
    """Edges are data: an output may depend on every node."""
    return global_window(attrs, x)


# ── the reference ────────────────────────────────────────────────────────────────────────────────────────────


def aggregated(x: Array, adjacency: Array, mask: Array | None, how: str, self_loops: bool) -> Array:
    """What every node gets from its neighbours, (N, C, V)."""
    import numpy as np

    hat = adjacency.astype(x.dtype)
    if mask is not None:
        x = np.where(mask[:, None], x, x.dtype.type(0))
        hat = np.where(mask[:, :, None] & mask[:, None], hat, x.dtype.type(0))
    if self_loops:
        hat = hat + np.eye(x.shape[2], dtype=x.dtype)
    edges = hat != 0
    if how == "max":
        messages = np.where(edges[:, None], hat[:, None] * x[:, :, None], x.dtype.type("-inf")).max(axis=3)
        most: Array = np.where(edges.any(axis=2)[:, None], messages, x.dtype.type(0))
        return most
    if how == "gcn":
        degree = hat.sum(axis=2)
        scale = np.where(degree > 0, np.where(degree > 0, degree, 1) ** -0.5, 0).astype(x.dtype)
        hat = scale[:, :, None] * hat * scale[:, None]
    if how == "mean":
        hat = hat / np.maximum(edges.sum(axis=2), 1).astype(x.dtype)[:, :, None]
    total: Array = x @ hat.transpose(0, 2, 1)
    return total


def masked(y: Array, mask: Array | None) -> Array:
    """0 at the nodes that are not there."""
    import numpy as np

    found: Array = y if mask is None else np.where(mask[:, None], y, y.dtype.type(0))
    return found


# ── ONNX ─────────────────────────────────────────────────────────────────────────────────────────────────────

TENSOR_TYPES = {"float32": 1, "float16": 10, "float64": 11, "bfloat16": 16, "bool": 9, "int64": 7}
"""ONNX's numbers for element types."""


def onnx_cast(x: Any, dtype: str) -> Call:
    return Call("Cast", (x,), {"to": TENSOR_TYPES[dtype]})


def _axis(index: int) -> Const:
    return Const((index,), "int64")


def _reduce(op: str, x: Any, axis: int, keep: bool = True) -> Call:
    return Call(op, (x, _axis(axis)), {"keepdims": int(keep)})


def onnx_real(x: Any, mask: Any, dtype: str) -> Any:
    """`x` (N, C, V) with 0 at the nodes that are not there."""
    return x if mask is None else Call("Where", (Call("Unsqueeze", (mask, _axis(1))), x, Const(0, dtype)))


def _onnx_hat(adjacency: Any, mask: Any, types: tuple[TensorType, ...], self_loops: bool) -> Any:
    """The adjacency as floats, without the nodes that are not there, with a loop at every node."""
    dtype = types[0].dtype
    hat = adjacency if types[1].dtype == dtype else onnx_cast(adjacency, dtype)
    if mask is not None:
        pairs = Call("And", (Call("Unsqueeze", (mask, _axis(2))), Call("Unsqueeze", (mask, _axis(1)))))
        hat = Call("Where", (pairs, hat, Const(0, dtype)))
    if not self_loops:
        return hat
    nodes = Call("Squeeze", (Call("Shape", (adjacency,), {"start": 1, "end": 2}), _axis(0)))
    numbers = Call("Range", (Const(0, "int64"), nodes, Const(1, "int64")))
    loops = Call("Equal", (Call("Unsqueeze", (numbers, _axis(0))), Call("Unsqueeze", (numbers, _axis(1)))))
    return Call("Add", (hat, onnx_cast(loops, dtype)))


def onnx_aggregated(types: tuple[TensorType, ...], mask: Any, how: str, self_loops: bool) -> Call:
    """`aggregated`, as one expression over the features Arg(0), the adjacency Arg(1) and `mask`."""
    dtype = types[0].dtype
    x, hat = onnx_real(Arg(0), mask, dtype), _onnx_hat(Arg(1), mask, types, self_loops)
    if how == "max":
        edges = Call("Unsqueeze", (onnx_cast(hat, "bool"), _axis(1)))
        messages = Call("Mul", (Call("Unsqueeze", (hat, _axis(1))), Call("Unsqueeze", (x, _axis(2)))))
        most = _reduce("ReduceMax", Call("Where", (edges, messages, Const(float("-inf"), dtype))), 3, keep=False)
        has_edge = onnx_cast(_reduce("ReduceSum", onnx_cast(edges, "float32"), 3, keep=False), "bool")
        return Call("Where", (has_edge, most, Const(0, dtype)))
    if how == "gcn":
        degree = _reduce("ReduceSum", hat, 2)
        positive = Call("Greater", (degree, Const(0, dtype)))
        root = Call("Sqrt", (Call("Where", (positive, degree, Const(1, dtype))),))
        scale = Call("Where", (positive, Call("Div", (Const(1, dtype), root)), Const(0, dtype)))
        hat = Call("Mul", (Call("Mul", (scale, hat)), Call("Transpose", (scale,), {"perm": (0, 2, 1)})))
    if how == "mean":
        count = _reduce("ReduceSum", onnx_cast(onnx_cast(hat, "bool"), dtype), 2)
        hat = Call("Div", (hat, Call("Max", (count, Const(1, dtype)))))
    return Call("MatMul", (x, Call("Transpose", (hat,), {"perm": (0, 2, 1)})))
