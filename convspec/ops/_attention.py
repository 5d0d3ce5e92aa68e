"""Attention in NumPy, as the formula says it, and as ONNX nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convspec.ir.dims import Size
from convspec.ir.lowering import Arg, Call, Const, Weight
from convspec.ir.types import Array, TensorType
from convspec.ops._dtypes import onnx_cast
from convspec.records import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """Attention with everything settled. `width`: of queries, keys and values over all heads."""

    heads: int
    width: int
    filters: int
    bias: bool
    causal: bool
    scale: float


# ── NumPy ────────────────────────────────────────────────────────────────────────────────────────────────────


def attend(plan: Plan, p: Mapping[str, Array], x: Array, context: Array, mask: Array | None) -> Array:
    """The reference: head by head. A query that may attend to nothing gets zeros."""
    import numpy as np

    rows, columns = x.reshape(*x.shape[:2], -1), context.reshape(*context.shape[:2], -1)
    query = _project(p, "query", rows)
    key = _project(p, "key", columns)
    value = _project(p, "value", columns)
    allowed = _allowed(plan, mask, rows.shape[2], columns.shape[2])
    parts = [np.split(part, plan.heads, axis=1) for part in (query, key, value)]
    heads = [_head(plan, q, k, v, allowed) for q, k, v in zip(*parts, strict=True)]
    y = _project(p, "out", np.concatenate(heads, axis=1))
    return y.reshape(y.shape[0], y.shape[1], *x.shape[2:])


def _project(p: Mapping[str, Array], name: str, x: Array) -> Array:
    y: Array = p[f"{name}.weight"] @ x
    return y + p[f"{name}.bias"][:, None] if f"{name}.bias" in p else y


def _allowed(plan: Plan, mask: Array | None, rows: int, columns: int) -> Array:
    """(N or 1, rows, columns): what each query may attend to."""
    import numpy as np

    allowed: Array = np.ones((1, rows, columns), bool)
    if plan.causal:
        allowed = np.tril(allowed)
    if mask is not None:
        allowed = allowed & (mask[:, None] if mask.ndim == 2 else mask)
    return allowed


def _head(plan: Plan, query: Array, key: Array, value: Array, allowed: Array) -> Array:
    """One head of (N, d, positions): weights exp(scores), less the greatest among those allowed, over their sum."""
    import numpy as np

    scores = query.swapaxes(1, 2) @ key * query.dtype.type(plan.scale)
    greatest = np.where(allowed, scores, -np.inf).max(axis=2, keepdims=True)
    shifted = np.where(allowed, scores - np.where(np.isfinite(greatest), greatest, 0), -np.inf)
    weights = np.exp(shifted).astype(scores.dtype)
    total = weights.sum(axis=2, keepdims=True)
    weights = weights / np.where(total > 0, total, 1).astype(scores.dtype)
    found: Array = value @ weights.swapaxes(1, 2)
    return found


# ── ONNX ─────────────────────────────────────────────────────────────────────────────────────────────────────


def to_onnx(plan: Plan, x: TensorType, context: TensorType, at: int, mask: TensorType | None, mask_at: int) -> Call:
    """`at` and `mask_at` say which inputs of the node are context and mask. Positions stand last, as in the spec."""
    query = _onnx_heads(plan, "query", plan.bias, 0, x)
    key = _onnx_heads(plan, "key", False, at, context)
    value = _onnx_heads(plan, "value", plan.bias, at, context)
    swap = {"perm": (0, 1, 3, 2)}
    scores = Call("MatMul", (Call("Transpose", (query,), swap), key))
    scores = Call("Mul", (scores, Const(plan.scale, x.dtype)))
    allowed = _onnx_allowed(plan, x, mask, mask_at)
    seen = None
    if mask is not None:
        seen = Call("ReduceMax", (onnx_cast(allowed, x.dtype), Const((3,), "int64")), {"keepdims": 1})
        allowed = Call("Or", (allowed, Call("Not", (onnx_cast(seen, "bool"),))))
    if allowed is not None:
        scores = Call("Where", (allowed, scores, Const(float("-inf"), x.dtype)))
    weights = Call("Softmax", (scores,), {"axis": 3})
    if seen is not None:
        weights = Call("Mul", (weights, seen))
    found = Call("MatMul", (value, Call("Transpose", (weights,), swap)))
    flat = Call("Reshape", (found, Const((0, plan.width, -1), "int64")))
    return _onnx_unflattened(plan, _onnx_projected("out", plan.filters, plan.bias, flat), x)


def _onnx_projected(name: str, outputs: int, bias: bool, source: Any) -> Call:
    """The weight times the channels of every position, which stand in the columns of `source`."""
    y = Call("MatMul", (Weight(f"{name}.weight"), source))
    return Call("Add", (y, Weight(f"{name}.bias", reshape=(outputs, 1)))) if bias else y


def _onnx_heads(plan: Plan, name: str, bias: bool, at: int, x: TensorType) -> Call:
    """(N, heads, d, positions) of input number `at`."""
    assert isinstance(x.channels, int)
    source: Any = Arg(at) if x.rank == 3 else Call("Reshape", (Arg(at), Const((0, x.channels, -1), "int64")))
    projected = _onnx_projected(name, plan.width, bias, source)
    return Call("Reshape", (projected, Const((0, plan.heads, plan.width // plan.heads, -1), "int64")))


def _onnx_allowed(plan: Plan, x: TensorType, mask: TensorType | None, mask_at: int) -> Call | None:
    """What each query may attend to, to be broadcast to (N, heads, rows, columns)."""
    allowed: Call | None = None
    if mask is not None:
        allowed = Call("Unsqueeze", (Arg(mask_at), Const((1, 2) if mask.rank == 2 else (1,), "int64")))
    if plan.causal:
        order = _onnx_order(x)
        allowed = order if allowed is None else Call("And", (allowed, order))
    return allowed


def _onnx_order(x: TensorType) -> Call:
    """(positions, positions): true on the diagonal and below."""
    length: Any = Call("ReduceProd", (Call("Shape", (Arg(0),), {"start": 2}), Const((0,), "int64")), {"keepdims": 0})
    index = Call("Range", (Const(0, "int64"), length, Const(1, "int64")))
    column = Call("Unsqueeze", (index, Const((1,), "int64")))
    return Call("GreaterOrEqual", (column, index))


def _onnx_unflattened(plan: Plan, y: Call, x: TensorType) -> Call:
    if x.rank == 3:
        return y
    sizes = [int(size) if isinstance(size, int) else -1 for size in x.spatial]
    if sizes.count(-1) <= 1:
        return Call("Reshape", (y, Const((0, plan.filters, *sizes), "int64")))
    shape = Call("Concat", (Const((0, plan.filters), "int64"), Call("Shape", (Arg(0),), {"start": 2})), {"axis": 0})
    return Call("Reshape", (y, shape))


def positions(x: TensorType) -> Size:
    """How many positions a tensor of (N, C, space…) has."""
    product: Size = 1
    for size in x.spatial:
        product = product * size
    return product
