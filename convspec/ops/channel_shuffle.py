"""`channel_shuffle`: the channels of several groups dealt out in turn, as in ShuffleNet.

The channels are laid as a table with one row a group and read column by column: after it, a grouped convolution sees channels
of every group before.
"""

from __future__ import annotations

from convspec.ir.attrs import Integer
from convspec.ir.dims import Equality, Size
from convspec.ir.lowering import Arg, Call, Const, Lowered
from convspec.ir.opdef import AttrError, OpDef, ShapeError, attr
from convspec.ir.types import DTYPES, Array, TensorType
from convspec.ops import _shapes as shapes
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelShuffle:
    """`channel_shuffle(3)`."""

    groups: int = attr(Integer(), positional=True, doc="The number of groups, which divides the channels.")


def infer(a: ChannelShuffle, x: TensorType) -> TensorType:
    shapes.check_rank("channel_shuffle", x)
    _each(a, x)
    return x


def _each(a: ChannelShuffle, x: TensorType) -> Size:
    """The channels of one group."""

    def problem(verdict: Equality) -> Exception:
        message = f"{x.channels} channels cannot be shuffled in {a.groups} equal groups"
        if verdict.verdict == "never":
            return AttrError(message, "groups", "CNN036")
        return ShapeError(message, "CNN036", inputs={0: f"channels {x.channels}"}, equality=verdict)

    return shapes.divided(x.channels, a.groups, problem)


def evaluate(a: ChannelShuffle, p: object, x: Array) -> Array:
    groups = x.reshape(len(x), a.groups, -1, *x.shape[2:])
    return groups.swapaxes(1, 2).reshape(x.shape)


def to_torch(a: ChannelShuffle, x: TensorType) -> Lowered:
    table = Call(".unflatten", (Arg(0), 1, (a.groups, -1)))
    return Call(".flatten", (Call(".transpose", (table, 1, 2)), 1, 2))


def to_keras(a: ChannelShuffle, x: TensorType) -> Lowered:
    shape = shapes.keras_shape(x.shape)
    order = (*range(x.rank - 1), x.rank, x.rank - 1)
    return shapes.keras_regroup(shapes.Regroup((*shape[:-1], a.groups, _each(a, x)), order, shape), x)


def to_onnx(a: ChannelShuffle, x: TensorType) -> Lowered:
    """Gather: one copy, channel by channel, and no shapes to compute where sizes are symbolic. Else by reshaping."""
    each = _each(a, x)
    if isinstance(each, int):
        order = tuple(group * each + place for place in range(each) for group in range(a.groups))
        return Call("Gather", (Arg(0), Const(order, "int64")), {"axis": 1})
    split = (x.shape[0], a.groups, each, *x.spatial)
    return shapes.onnx_regroup(shapes.Regroup(split, (0, 2, 1, *range(3, x.rank + 1)), x.shape), x)


OP = OpDef(
    name="channel_shuffle",
    attrs=ChannelShuffle,
    summary="The channels of several groups dealt out in turn",
    dtypes=DTYPES,
    infer=infer,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, j·g + i, …] = x[n, i·(C/g) + j, …], for g groups",
    shape="(N, C, n…) → (N, C, n…)",
    source="Zhang et al. 2017, arXiv:1707.01083",
    example=("input image: float32[N, 24, 28, 28]\noutput mixed = image -> conv(24, 1x1, groups = 3) -> channel_shuffle(3)"),
)
