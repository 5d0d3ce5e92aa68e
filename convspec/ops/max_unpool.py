"""`max_unpool`: puts each value back where `maxpool` with indices found it; all other cells are 0 (SegNet).

    y, places = x -> maxpool(2x2, indices = true)
    y -> conv(64, 3x3, pad = 1) -> max_unpool(places, 2x2)

`kernel`, `stride` and `pad` are those of the pool. The windows must not overlap (kernel at most the stride), so that no two
values go to one place. What a pool leaves over at the end cannot be known from its output: `like = x` gives the size back.
The indices must be those of such a pool, each within its own window; others have no defined result. Where they come straight
from a `maxpool`, that is checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from convspec.ir.attrs import Pads, PerAxis, per_axis
from convspec.ir.dims import Size, at_least, equal
from convspec.ir.graph import Node
from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import AttrError, OpDef, ShapeError, Window, attr, given
from convspec.ir.types import FLOATS, Array, TensorType
from convspec.ops import _spatial as spatial
from convspec.ops import _spatial_targets as write
from convspec.ops._axes import axis_name
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxUnpool:
    """`y -> max_unpool(places, 2x2)`, `max_unpool(places, 2x2, like = x)`."""

    kernel: spatial.Axes = attr(PerAxis(), positional=True, doc="Size of the pool's window.")
    stride: spatial.Axes = attr(PerAxis(), None, doc="Step of the pool, at least the kernel; the kernel if not given.")
    pad: spatial.Padding = attr(Pads(words=()), 0, doc="The pool's padding.")
    given: tuple[str, ...] = given()


def resolve(a: MaxUnpool, x: TensorType, *others: TensorType) -> MaxUnpool:
    rank = spatial.spatial_rank("max_unpool", x)
    kernel = per_axis("kernel", a.kernel, rank)
    stride = kernel if a.stride is None else per_axis("stride", a.stride, rank)
    return replace(a, kernel=kernel, stride=stride, pad=spatial.explicit_pads(a.pad, x, kernel, stride, (1,) * rank))


def infer(a: MaxUnpool, x: TensorType, indices: TensorType, like: TensorType | None = None) -> TensorType:
    for k, s, pair in zip(a.kernel, a.stride, a.pad, strict=True):
        if k > s:
            message = f"the windows of `max_unpool` overlap: a kernel of {k} at stride {s}; two values could share a place"
            raise AttrError(message, "kernel" if s == 1 else "stride")
        if max(pair) >= k:
            raise AttrError(f"`pad` of `max_unpool` must be below the kernel {k}, not {max(pair)}", "pad")
    if x.dtype not in FLOATS or indices.dtype != "int64":
        wanted = "`max_unpool` takes a tensor of floats and the int64 indices of `maxpool`"
        raise ShapeError(wanted, "CNN037", inputs={0: str(x), 1: str(indices)})
    if indices.rank != x.rank or not all(map(equal, x.shape, indices.shape)):
        raise ShapeError(
            "the indices of `max_unpool` must have the shape of what it unpools", "CNN031", inputs={0: str(x), 1: str(indices)}
        )
    sizes = _default_sizes(a, x) if like is None else _sizes_like(a, x, like)
    return x.with_shape((*x.shape[:2], *sizes))


def _default_sizes(a: MaxUnpool, x: TensorType) -> tuple[Size, ...]:
    """(n - 1) s + k - lo - hi: what the windows cover."""
    axes = zip(x.spatial, a.kernel, a.stride, a.pad, strict=True)
    return tuple((n - 1) * s + k - lo - hi for n, k, s, (lo, hi) in axes)


def _sizes_like(a: MaxUnpool, x: TensorType, like: TensorType) -> tuple[Size, ...]:
    """The sizes of `like`, from which such a pool gives as many windows as there are."""
    if like.rank != x.rank:
        raise ShapeError("`like` must have the rank of the tensor", inputs={0: str(x), 2: str(like)})
    for axis, (n, m, k, s, (lo, hi)) in enumerate(zip(x.spatial, like.spatial, a.kernel, a.stride, a.pad, strict=True)):
        agree = equal((m + lo + hi - k) // s + 1, n) if at_least(m + lo + hi, k) else None
        upper = equal((m + lo + hi - k + s - 1) // s + 1, n) if at_least(m + lo + hi + s - 1, k) else None
        if not agree and not upper:  # the second: a pool with `ceil`
            name = axis_name(axis + 2, x.rank)
            message = f"a pool of kernel {k} and stride {s} does not turn {name} {m} into {n}"
            raise ShapeError(message, "CNN031", inputs={0: f"{name} {n}", 2: f"{name} {m}"}, equality=agree)
    return like.spatial


def makers(a: MaxUnpool, types: Sequence[TensorType], nodes: Sequence[Node | None]) -> None:
    """The pool that the indices come from is the one that is undone: they count the cells of its input."""
    pool = nodes[1]
    if pool is None or pool.op.name != "maxpool":
        return
    for name in ("kernel", "stride"):
        own, its = getattr(a, name), getattr(pool.attrs, name)
        if own != its:
            raise AttrError(f"`{name}` is {_times(own)} here, and {_times(its)} where the indices come from", name)
    befores, its_befores = ([lo for lo, _ in pads] for pads in (a.pad, pool.attrs.pad))
    if befores != its_befores:
        raise AttrError(
            f"`pad` begins with {_times(befores)} here, and {_times(its_befores)} where the indices come from", "pad"
        )
    if any(d * (k - 1) >= s for k, s, d in zip(a.kernel, a.stride, pool.attrs.dilation, strict=True)):
        raise ShapeError("the windows of a dilated pool overlap: `max_unpool` cannot undo it", "CNN045")
    pooled, made = pool.input_types[0].spatial, infer(a, *types).spatial
    if not all(map(equal, pooled, made)):
        message = f"the indices count the cells of {_times(pooled)}, which was pooled, and the result would be {_times(made)}"
        hint = "give what was pooled: max_unpool(places, 2x2, like = x)"
        raise ShapeError(message, "CNN031", hint=hint)


def _times(sizes: Iterable[object]) -> str:
    return "x".join(map(str, sizes))


def receptive_field(a: MaxUnpool, *types: TensorType) -> Window:
    """Each output sees the one window that it lies in."""
    rank = len(a.kernel)
    return Window(extent=(1,) * rank, stride=tuple((1, s) for s in a.stride), before=(0,) * rank)


def evaluate(a: MaxUnpool, p: object, x: Array, indices: Array, like: Array | None = None) -> Array:
    import numpy as np

    of = TensorType(str(x.dtype), x.shape)
    sizes = like.shape[2:] if like is not None else tuple(int(str(size)) for size in _default_sizes(a, of))
    planes = x.shape[0] * x.shape[1]
    y = np.zeros((planes, int(np.prod(sizes))), x.dtype)
    y[np.arange(planes)[:, None], indices.reshape(planes, -1)] = x.reshape(planes, -1)
    return y.reshape(*x.shape[:2], *sizes)


# ── targets ──────────────────────────────────────────────────────────────────────────────────────────────────


def to_torch(a: MaxUnpool, x: TensorType, *others: TensorType) -> Lowered:
    """Native where the size follows from the windows, and the pads are equal on both sides."""
    kernel = write.squash(a.kernel)
    if len(others) > 1:
        return Call("helpers.max_unpool", (Arg(0), Arg(1)), {"like": Arg(2)})
    sizes = _default_sizes(a, x)
    if not spatial.is_symmetric(a.pad):
        if all(isinstance(size, int) for size in sizes):
            return Call("helpers.max_unpool", (Arg(0), Arg(1)), {"size": sizes})
        steps = tuple((s, k - lo - hi) for s, k, (lo, hi) in zip(a.stride, a.kernel, a.pad, strict=True))
        return Call("helpers.max_unpool", (Arg(0), Arg(1)), {"steps": steps})
    padding = write.squash(write.befores(a.pad))
    kwargs = write.given(stride=(write.squash(a.stride), kernel), padding=(padding, 0))
    return Call(f"F.max_unpool{len(a.kernel)}d", (Arg(0), Arg(1), kernel), kwargs)


def to_keras(a: MaxUnpool, x: TensorType, *others: TensorType) -> Lowered:
    kwargs: dict[str, Any] = write.given(padding=(write.both_sides(a.pad), 0))
    if len(others) > 1:
        kwargs["like"] = Arg(2)
    return Call("helpers.max_unpool", (Arg(0), Arg(1), write.squash(a.kernel), write.squash(a.stride)), kwargs)


def to_onnx(a: MaxUnpool, x: TensorType, *others: TensorType) -> Lowered:
    """Scattered over the flat planes of zeros."""
    sizes = tuple(others[1].spatial) if len(others) > 1 else _default_sizes(a, x)
    shape = Call(
        "Concat", (Call("Shape", (Arg(0),), {"start": 0, "end": 2}), _onnx_sizes(a, sizes, len(others) > 1)), {"axis": 0}
    )
    flat = Const((0, 0, -1), "int64")
    planes = Call("Reshape", (Call("Expand", (Const(0.0, x.dtype), shape)), flat), {"allowzero": 0})
    index, values = (Call("Reshape", (Arg(i), flat), {"allowzero": 0}) for i in (1, 0))
    filled = Call("ScatterElements", (planes, index, values), {"axis": 2})
    return Call("Reshape", (filled, shape), {"allowzero": 0})


def _onnx_sizes(a: MaxUnpool, sizes: tuple[Size, ...], like: bool) -> Any:
    if all(isinstance(size, int) for size in sizes):
        return Const(sizes, "int64")
    if like:
        return Call("Shape", (Arg(2),), {"start": 2})
    found = Call("Shape", (Arg(0),), {"start": 2})
    more = tuple(k - lo - hi - s for k, s, (lo, hi) in zip(a.kernel, a.stride, a.pad, strict=True))
    return Call("Add", (Call("Mul", (found, Const(a.stride, "int64"))), Const(more, "int64")))


OP = OpDef(
    name="max_unpool",
    attrs=MaxUnpool,
    summary="Values put back where maxpool with indices found them, zeros elsewhere",
    inputs=("x", "indices", "like?"),
    dtypes=(),
    resolve=resolve,
    infer=infer,
    makers=makers,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, c, indices[n, c, i]] = x[n, c, i], and 0 elsewhere",
    shape="(N, C, n…) → (N, C, (n − 1) s + k − lo − hi…), or the spatial sizes of `like`",
    source="Badrinarayanan et al. 2015 (SegNet), arXiv:1511.00561",
    example=(
        "input x: float32[N, 8, 32, 32]\n"
        "y, places = x -> maxpool(2x2, indices = true)\n"
        "output y -> relu -> max_unpool(places, 2x2)"
    ),
)
