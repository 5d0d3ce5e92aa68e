"""`deform_conv`: a convolution in 2-D that reads each cell of each window at a place of its own, which another tensor tells.

`offset` holds, for each part of the channels and each cell of the kernel, row by row, two numbers: how far down and how far
to the right of its usual place it is read. Between cells the input is interpolated bilinearly; outside of it, it is 0.
`mask`, where it is given, holds a factor for each of them. Both have the output's height and width; a convolution makes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod

from convspec.ir.attrs import Flag, Initialiser, Integer, Pads, PerAxis
from convspec.ir.dims import equal, together
from convspec.ir.init import Init
from convspec.ir.lowering import Apply, Arg, Call, Lowered, Weight
from convspec.ir.opdef import AttrError, Cost, OpDef, ParamSpec, ShapeError, Window, attr, given
from convspec.ir.types import Array, TensorType
from convspec.ops import _conv as shared
from convspec.ops import _spatial as spatial
from convspec.ops import _spatial_targets as write
from convspec.ops._elementwise import elements
from convspec.ops.conv import Conv
from convspec.records import dataclass

_NAME = "deform_conv"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeformConv:
    """`x -> deform_conv(o, 64, 3x3, pad = 1)`, where `o = x -> conv(18, 3x3, pad = 1)`."""

    filters: int = attr(Integer(), positional=True, doc="Number of output channels.")
    kernel: spatial.Axes = attr(PerAxis(), positional=True, doc="Size of the window.")
    stride: spatial.Axes = attr(PerAxis(), 1, doc="Step from window to window.")
    pad: spatial.Padding = attr(Pads(), 0, doc="Zeros around the input; `same` gives ceil(size / stride) outputs.")
    dilation: spatial.Axes = attr(PerAxis(), 1, doc="Step from cell to cell within a window, before they are moved.")
    groups: int = attr(Integer(), 1, doc="Parts of the channels that are convolved apart.")
    offset_groups: int = attr(Integer(), 1, doc="Parts of the channels that are read at places of their own.")
    bias: bool = attr(Flag(), True, doc="Whether a learned number is added to each output channel.")
    init: Init | None = attr(Initialiser(), None, doc="How the weight begins: kaiming_uniform by default.")
    given: tuple[str, ...] = given()


def resolve(a: DeformConv, x: TensorType, *others: TensorType) -> DeformConv:
    if x.rank != 4:
        message = f"`{_NAME}` takes a tensor with batch, channels, height and width, not one of rank {x.rank}"
        raise ShapeError(message, "CNN030", inputs={0: str(x)})
    return replace(a, **shared.explicit(_NAME, _as_conv(a), x))


def _as_conv(a: DeformConv) -> Conv:
    """The convolution that it is where all offsets are 0."""
    names = ("filters", "kernel", "stride", "pad", "dilation", "groups", "bias", "init")
    return Conv(**{name: getattr(a, name) for name in names})


def infer(a: DeformConv, x: TensorType, *others: TensorType) -> TensorType:
    found = shared.sizes(_NAME, _as_conv(a), x)
    channels = spatial.known_channels(_NAME, x)
    if channels % a.offset_groups:
        message = f"{channels} input channels cannot be split into {a.offset_groups} groups with offsets"
        raise AttrError(message, "offset_groups", "CNN036")
    cells = a.offset_groups * prod(a.kernel)
    for index, (name, each) in enumerate(zip(_names(a), others, strict=True), 1):
        _check_like(name, each, found, cells * (2 if name == "offset" else 1), index)
    return found


def _names(a: DeformConv) -> tuple[str, ...]:
    return tuple(name for name in a.given if name != "x") or ("offset",)


def _check_like(name: str, of: TensorType, output: TensorType, channels: int, index: int) -> None:
    """The tensor must have one number for each cell that is read."""
    wanted = output.with_shape((output.shape[0], channels, *output.shape[2:]))
    if of.rank != 4:
        raise ShapeError(f"`{name}` has to be {wanted}", "CNN030", inputs={index: str(of)})
    if of.dtype != wanted.dtype:
        raise ShapeError(f"`{name}` has to be {wanted}", "CNN037", inputs={index: str(of)})
    equality = together(equal(mine, theirs) for mine, theirs in zip(of.shape, wanted.shape, strict=True))
    if not equality:
        raise ShapeError(f"`{name}` has to be {wanted}", "CNN031", inputs={index: str(of)}, equality=equality)


def params(a: DeformConv, x: TensorType, *others: TensorType) -> Mapping[str, ParamSpec]:
    """The weight is (filters, channels / groups, height, width), the bias (filters,)."""
    return shared.parameters(_NAME, _as_conv(a), x)


def cost(a: DeformConv, x: TensorType, *others: TensorType) -> Cost:
    """The convolution's, and four multiply-accumulates for each cell that is read."""
    found = shared.work(_NAME, _as_conv(a), x)
    outputs = shared.sizes(_NAME, _as_conv(a), x)
    read = elements(outputs) // a.filters * (spatial.known_channels(_NAME, x) * prod(a.kernel))
    return Cost(macs=found.macs + read * 4, flops=found.flops + (read if len(others) > 1 else 0))


def receptive_field(a: DeformConv, x: TensorType, *others: TensorType) -> Window:
    """An offset may lead anywhere."""
    return Window(extent=(None, None), stride=tuple((s, 1) for s in a.stride), before=(0, 0))


def evaluate(a: DeformConv, p: Mapping[str, Array], x: Array, offset: Array, mask: Array | None = None) -> Array:
    """Reads all cells of all windows, then multiplies with the weight, group by group."""
    import numpy as np

    n, channels = x.shape[:2]
    sizes = offset.shape[2:]
    read = _read(a, x, offset)
    if mask is not None:
        read = read * mask.reshape(n, a.offset_groups, 1, -1, *sizes)
    read = read.reshape(n, a.groups, channels // a.groups, -1, *sizes)
    weight = p["weight"].reshape(a.groups, -1, *read.shape[2:4])
    y: Array = np.einsum("ngckij,gfck->ngfij", read, weight).reshape(n, -1, *sizes)
    return y + spatial.per_channel(p["bias"], 2) if a.bias else y


def _read(a: DeformConv, x: Array, offset: Array) -> Array:
    """(N, parts, channels / parts, kernel cells, rows, columns)."""
    import numpy as np

    n, channels, height, width = x.shape
    rows, columns = offset.shape[2:]
    moved = offset.reshape(n, a.offset_groups, *a.kernel, 2, rows, columns)
    places = [
        np.arange(k).reshape(-1, 1) * d + np.arange(size) * s - lo
        for k, d, size, s, (lo, _) in zip(a.kernel, a.dilation, (rows, columns), a.stride, a.pad, strict=True)
    ]
    down = moved[:, :, :, :, 0] + places[0][:, None, :, None]
    right = moved[:, :, :, :, 1] + places[1][:, None, :]
    cells = x.reshape(n, a.offset_groups, channels // a.offset_groups, height * width)
    total = np.zeros((*cells.shape[:3], prod(a.kernel) * rows * columns), x.dtype)
    for row, row_share in _neighbours(down):
        for column, column_share in _neighbours(right):
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            index = (np.clip(row, 0, height - 1) * width + np.clip(column, 0, width - 1)).astype(np.int64)
            share = np.where(inside, row_share * column_share, 0).astype(x.dtype)
            flat = index.reshape(n, a.offset_groups, 1, -1)
            total += np.take_along_axis(cells, flat, axis=3) * share.reshape(flat.shape)
    return total.reshape(*cells.shape[:3], -1, rows, columns)


def _neighbours(place: Array) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """The cells before and after a place, each with its share."""
    import numpy as np

    first = np.floor(place)
    return (first, 1 - (place - first)), (first + 1, place - first)


def to_torch(a: DeformConv, x: TensorType, *others: TensorType) -> Lowered:
    kwargs = write.given(
        stride=(write.squash(a.stride), 1),
        padding=(write.squash(write.befores(a.pad)), 0),
        dilation=(write.squash(a.dilation), 1),
        groups=(a.groups, 1),
        offset_groups=(a.offset_groups, 1),
        bias=(a.bias, True),
    )
    args = (x.channels, a.filters, write.squash(a.kernel))
    return Apply("helpers.DeformConv2d", args, kwargs, _inputs(others), shared.weights(_as_conv(a), "weight", None))


def _inputs(others: tuple[TensorType, ...]) -> tuple[Arg, ...]:
    return tuple(Arg(index) for index in range(1 + len(others)))


def to_keras(a: DeformConv, x: TensorType, *others: TensorType) -> Lowered:
    kwargs = write.given(
        strides=(write.squash(a.stride), 1),
        padding=(write.squash(write.befores(a.pad)), 0),
        dilation_rate=(write.squash(a.dilation), 1),
        groups=(a.groups, 1),
        offset_groups=(a.offset_groups, 1),
        use_bias=(a.bias, True),
    )
    kernel = shared.weights(_as_conv(a), "kernel", (2, 3, 1, 0))
    return Apply("helpers.DeformConv2D", (a.filters, write.squash(a.kernel)), kwargs, _inputs(others), kernel)


def to_onnx(a: DeformConv, x: TensorType, *others: TensorType) -> Lowered:
    return Call(
        "DeformConv",
        (Arg(0), Weight("weight"), Arg(1), Weight("bias") if a.bias else "", *((Arg(2),) if len(others) > 1 else ())),
        {
            "kernel_shape": a.kernel,
            "strides": a.stride,
            "pads": write.onnx_pads(a.pad),
            "dilations": a.dilation,
            "group": a.groups,
            "offset_group": a.offset_groups,
        },
    )


OP = OpDef(
    name=_NAME,
    attrs=DeformConv,
    summary="2-D convolution that reads its cells at places that another tensor tells",
    inputs=("x", "offset", "mask?"),
    resolve=resolve,
    infer=infer,
    params=params,
    cost=cost,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula=(
        "y[n, f, i] = bias[f] + Σ_c Σ_j weight[f, c, j] · mask[n, j, i] · x(n, c, p)\n"
        "p = i·stride + j·dilation − before + offset[n, j, i]\n"
        "x(n, c, p): bilinear between the four cells around p; 0 outside of the input\n"
        "offset (N, offset_groups·kh·kw·2, …), mask (N, offset_groups·kh·kw, …)"
    ),
    shape="(N, C, h, w) → (N, filters, ⌊(h + before + after − dilation·(kernel − 1) − 1) / stride⌋ + 1, …)",
    source="Dai et al. 2017, arXiv:1703.06211; with a mask Zhu et al. 2018, arXiv:1811.11168",
    example=(
        "input image: float32[N, 16, 32, 32]\n"
        "offset = image -> conv(18, 3x3, pad = 1, init = zeros)\n"
        "output image -> deform_conv(offset, 32, 3x3, pad = 1)"
    ),
)
