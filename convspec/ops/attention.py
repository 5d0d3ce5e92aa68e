"""`attention`: every position takes from all positions what it finds by its query (Vaswani et al. 2017).

Queries are made from `x`, keys and values from `context`, or from `x` itself where there is none (self-attention). Positions
are what follows batch and channels, one to three axes, counted row by row; `x` and `context` may differ in them and in their
channels. `heads` parts of the channels attend apart.

`mask` is a tensor of bools, true where a query may attend: (N, keys), the same for all queries of an example, or
(N, queries, keys), where N may be 1. `causal` lets a position attend to itself and those before it. A query that may attend to
nothing takes zeros (then goes through the output projection, and so gives its bias).

The keys have no bias: it would add the same number to all scores of a query, which changes no output and has no gradient. To
load PyTorch's `MultiheadAttention`, cut `in_proj_weight` in three parts, for query, key and value, and leave out the second
third of `in_proj_bias`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import sqrt
from typing import Any

from convspec.ir.attrs import Flag, Initialiser, Integer, Real
from convspec.ir.dims import equal
from convspec.ir.init import ZEROS, Init
from convspec.ir.lowering import Apply, Arg, Lowered, Weight
from convspec.ir.opdef import AttrError, Cost, OpDef, ParamSpec, ShapeError, Window, attr, given
from convspec.ir.types import FLOATS, Array, TensorType
from convspec.ops import _attention as formula
from convspec.ops._attention import Plan, positions
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """`x -> attention(8)`, `x -> attention(context, heads = 8, mask = m)`, `x -> attention(4, causal = true)`."""

    heads: int = attr(Integer(), 1, positional=True, doc="Parts of the channels that attend apart.")
    features: int = attr(
        Integer(),
        None,
        doc="Length of the queries, keys and values of all heads together; as many as `x` has channels by default.",
    )
    filters: int = attr(Integer(), None, doc="Number of output channels; as many as `x` has by default.")
    bias: bool = attr(Flag(), True, doc="Whether queries, values and outputs have a learned number added.")
    causal: bool = attr(Flag(), False, doc="Whether a position attends only to itself and those before it; not with a context.")
    scale: float = attr(Real(above=0), None, doc="What scores are multiplied by: by default 1 / √(features / heads).")
    init: Init | None = attr(Initialiser(), None, doc="How the weights begin: xavier_uniform by default.")
    given: tuple[str, ...] = given()


def resolve(a: Attention, x: TensorType, *others: TensorType) -> Attention:
    channels = _channels("x", 0, x)
    width = channels if a.features is None else a.features
    if width % a.heads:
        raise AttrError(f"{width} features cannot be split into {a.heads} heads", "heads", "CNN036")
    scale = 1 / sqrt(width // a.heads) if a.scale is None else a.scale
    return replace(a, features=width, filters=channels if a.filters is None else a.filters, scale=scale)


def _channels(name: str, index: int, x: TensorType) -> int:
    if not 3 <= x.rank <= 5:
        message = f"`attention` takes `{name}` with batch, channels and one to three axes of positions, not of rank {x.rank}"
        raise ShapeError(message, inputs={index: str(x)})
    if not isinstance(x.channels, int):
        message = f"the weights of `attention` have the size of the channels of `{name}`, which must be known: {x.channels}"
        raise ShapeError(message, "CNN033", inputs={index: str(x)})
    return x.channels


def _place(a: Attention, name: str) -> int | None:
    """Which of the inputs is called `name`."""
    return a.given.index(name) if name in a.given else None


def _among(a: Attention, name: str, tensors: tuple[Any, ...]) -> Any:
    place = _place(a, name)
    return None if place is None else tensors[place]


def infer(a: Attention, *types: TensorType) -> TensorType:
    x, context, mask = types[0], _among(a, "context", types), _among(a, "mask", types)
    if x.dtype not in FLOATS:
        raise ShapeError(f"`attention` works on {', '.join(FLOATS)}, not on {x.dtype}", "CNN037", inputs={0: str(x)})
    if context is not None:
        _check_context(a, x, context)
    if mask is not None:
        _check_mask(a, x, x if context is None else context, mask)
    return x.with_shape((x.shape[0], a.filters, *x.spatial))


def _check_context(a: Attention, x: TensorType, context: TensorType) -> None:
    _channels("context", 1, context)
    if a.causal:
        message = "`causal` is for self-attention: the positions of a context are not those of the input"
        raise AttrError(message, "causal")
    if context.dtype != x.dtype:
        message = "the input and the context of `attention` differ in dtype"
        raise ShapeError(message, "CNN037", inputs={0: str(x), 1: str(context)})
    if not equal(x.shape[0], context.shape[0]):
        message = f"the input and the context of `attention` differ in batch: {x.shape[0]} and {context.shape[0]}"
        equality = equal(x.shape[0], context.shape[0])
        raise ShapeError(message, "CNN031", inputs={0: str(x), 1: str(context)}, equality=equality)


def _check_mask(a: Attention, x: TensorType, context: TensorType, mask: TensorType) -> None:
    place = a.given.index("mask")
    rows, columns = positions(x), positions(context)
    if mask.dtype != "bool":
        message = f"the mask of `attention` is of bools, true where a query may attend, not of {mask.dtype}"
        raise ShapeError(message, "CNN037", inputs={place: str(mask)})
    if mask.rank not in (2, 3):
        message = f"the mask of `attention` is (N, {columns}) or (N, {rows}, {columns}), not of rank {mask.rank}"
        raise ShapeError(message, inputs={place: str(mask)})
    wanted = (x.shape[0], columns) if mask.rank == 2 else (x.shape[0], rows, columns)
    for axis, (found, size) in enumerate(zip(mask.shape, wanted, strict=True)):
        if axis == 0 and isinstance(found, int) and found == 1:
            continue
        if not equal(found, size):
            shown = ", ".join(map(str, wanted))
            message = f"the mask of `attention` must have the shape [{shown}]"
            raise ShapeError(message, "CNN031", inputs={place: str(mask)}, equality=equal(found, size))


def _plan(a: Attention) -> Plan:
    return Plan(a.heads, a.features, a.filters, a.bias, a.causal, a.scale)


def _projections(a: Attention, x: TensorType, context: TensorType) -> dict[str, tuple[int, int]]:
    """(outputs, inputs) of each projection."""
    own, other = _channels("x", 0, x), _channels("context", 1, context)
    return {
        "query": (a.features, own),
        "key": (a.features, other),
        "value": (a.features, other),
        "out": (a.filters, a.features),
    }


def params(a: Attention, *types: TensorType) -> Mapping[str, ParamSpec]:
    """Each weight is (outputs, inputs), each bias (outputs,)."""
    found = {}
    for name, (outputs, inputs) in _projections(a, types[0], _context(a, types)).items():
        init = replace(a.init or Init("xavier_uniform"), fan_in=inputs, fan_out=outputs)
        found[f"{name}.weight"] = ParamSpec((outputs, inputs), init)
        if a.bias and name != "key":
            found[f"{name}.bias"] = ParamSpec((outputs,), ZEROS)
    return found


def _context(a: Attention, types: tuple[TensorType, ...]) -> TensorType:
    found: TensorType = types[_place(a, "context") or 0]
    return found


def cost(a: Attention, *types: TensorType) -> Cost:
    """The projections, and for each pair of positions the score and what is taken; the softmax is one operation a score."""
    x, context = types[0], _context(a, types)
    rows, columns, batch = positions(x), positions(context), x.shape[0]
    sizes = _projections(a, x, context)
    macs: Any = 0
    for name, (outputs, inputs) in sizes.items():
        macs = macs + (columns if name in ("key", "value") else rows) * (outputs * inputs)
    macs = macs + rows * columns * (2 * a.features)
    return Cost(macs=batch * macs, flops=batch * rows * columns * a.heads)


def receptive_field(a: Attention, *types: TensorType) -> Window:
    rank = types[0].rank - 2
    return Window(extent=(None,) * rank, stride=((1, 1),) * rank, before=(0,) * rank)


def evaluate(a: Attention, p: Mapping[str, Array], *arrays: Array) -> Array:
    context = arrays[_place(a, "context") or 0]
    return formula.attend(_plan(a), p, arrays[0], context, _among(a, "mask", arrays))


def _helper_inputs(a: Attention) -> tuple[Arg, ...]:
    """Input, context and mask; a mask without context has the input for it."""
    context, mask = _place(a, "context"), _place(a, "mask")
    if mask is not None:
        return Arg(0), Arg(context or 0), Arg(mask)
    return (Arg(0),) if context is None else (Arg(0), Arg(context))


def _kwargs(a: Attention, bias: str) -> dict[str, Any]:
    found: dict[str, Any] = {} if a.bias else {bias: False}
    if a.causal:
        found["causal"] = True
    if a.scale != 1 / sqrt(a.features // a.heads):
        found["scale"] = a.scale
    return found


def to_torch(a: Attention, *types: TensorType) -> Lowered:
    x, context = types[0], _context(a, types)
    kwargs: dict[str, Any] = {}
    if context.channels != x.channels:
        kwargs["context_channels"] = context.channels
    if a.features != x.channels:
        kwargs["features"] = a.features
    if a.filters != x.channels:
        kwargs["out_channels"] = a.filters
    weights = {role: Weight(role) for role in params(a, *types)}
    return Apply("helpers.Attention", (x.channels, a.heads), kwargs | _kwargs(a, "bias"), _helper_inputs(a), weights)


def to_keras(a: Attention, *types: TensorType) -> Lowered:
    """The helper's kernels are (inputs, outputs), as those of Dense."""
    weights = {}
    for role in params(a, *types):
        name, _, kind = role.partition(".")
        weights[f"{name}_{'kernel' if kind == 'weight' else kind}"] = Weight(role, (1, 0) if kind == "weight" else None)
    args = (a.heads, a.features, a.filters)
    return Apply("helpers.Attention", args, _kwargs(a, "use_bias"), _helper_inputs(a), weights)


def to_onnx(a: Attention, *types: TensorType) -> Lowered:
    at, mask_at = _place(a, "context") or 0, _place(a, "mask")
    mask = None if mask_at is None else types[mask_at]
    return formula.to_onnx(_plan(a), types[0], types[at], at, mask, mask_at or 0)


OP = OpDef(
    name="attention",
    attrs=Attention,
    summary="multi-head attention of positions to each other, or to those of a context",
    inputs=("x", "context?", "mask?"),
    dtypes=(),
    resolve=resolve,
    infer=infer,
    params=params,
    cost=cost,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="q, k, v = query(x), key(context), value(context), each cut into heads\n"
    "w[i, j] = exp(scale · q[i]·k[j]) / Σ over allowed j′ of exp(scale · q[i]·k[j′]), 0 where j is not allowed\n"
    "y[i] = out(Σ over j of w[i, j] v[j])",
    shape="(N, C, n…), context (N, C′, m…), mask (N, ∏m) or (N, ∏n, ∏m) → (N, filters, n…)",
    source="Vaswani et al. 2017, arXiv:1706.03762",
    example="input x: float32[N, 64, length]\noutput y = x + (x -> attention(8))",
)
