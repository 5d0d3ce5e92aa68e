"""`conv_transpose`: the transpose of a convolution, which spreads each input cell over a window of the output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from math import prod, sqrt
from typing import Any

from convspec.ir.attrs import Flag, Initialiser, Integer, Pads, PerAxis, pads_per_axis, per_axis
from convspec.ir.dims import Size, at_least
from convspec.ir.init import Init
from convspec.ir.lowering import Apply, Arg, Call, Lowered, Weight
from convspec.ir.opdef import AttrError, Cost, OpDef, ParamSpec, ShapeError, Window, attr
from convspec.ir.types import Array, TensorType
from convspec.ops import _spatial as spatial
from convspec.ops import _spatial_targets as write
from convspec.ops._axes import axis_name
from convspec.ops._elementwise import elements
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvTranspose:
    """`conv_transpose(64, 2x2, stride = 2)` doubles height and width."""

    filters: int = attr(Integer(), positional=True, doc="Number of output channels.")
    kernel: spatial.Axes = attr(PerAxis(), positional=True, doc="Size of the window.")
    stride: spatial.Axes = attr(PerAxis(), 1, doc="Step in the output from one input cell to the next.")
    pad: spatial.Padding = attr(
        Pads(), 0, doc="Cells cut off the output's sides; `same` gives size * stride outputs, the odd cell cut off at the end."
    )
    output_padding: spatial.Axes = attr(PerAxis(least=0), 0, doc="More cells after the output, below stride or dilation.")
    dilation: spatial.Axes = attr(PerAxis(), 1, doc="Step from cell to cell within a window.")
    groups: int = attr(Integer(), 1, doc="Parts of the channels that are convolved apart.")
    bias: bool = attr(Flag(), True, doc="Whether a learned number is added to each output channel.")
    init: Init | None = attr(Initialiser(), None, doc="How the weight begins: kaiming_uniform by default.")


def resolve(a: ConvTranspose, x: TensorType) -> ConvTranspose:
    rank = spatial.spatial_rank("conv_transpose", x)
    stride = per_axis("stride", a.stride, rank)
    dilation = per_axis("dilation", a.dilation, rank)
    more = per_axis("output_padding", a.output_padding, rank)
    for cells, s, d in zip(more, stride, dilation, strict=True):
        if cells >= max(s, d):
            message = f"`output_padding` must be below the stride or the dilation ({s} and {d}), not {cells}"
            raise AttrError(message, "output_padding")
    kernel = per_axis("kernel", a.kernel, rank)
    asked: Any = a.pad
    if asked == "same":
        pad, more = _same(kernel, stride, dilation, more)
    else:
        pad = pads_per_axis("pad", asked, rank)
    return replace(a, kernel=kernel, stride=stride, pad=pad, dilation=dilation, output_padding=more)


def _same(
    kernel: spatial.Axes, stride: spatial.Axes, dilation: spatial.Axes, more: spatial.Axes
) -> tuple[spatial.Padding, spatial.Axes]:
    """The pads and the output padding that give n * stride outputs; the odd cell is cut off at the end.

    The kernel reaches e - s cells past the output, of which half is cut off before it; where e < s, s - e are appended.
    """
    if any(more):
        raise AttrError("`pad = same` settles the output's size, and leaves no room for `output_padding`", "output_padding")
    reach = spatial.extents(kernel, dilation)
    past = [max(0, e - s) for e, s in zip(reach, stride, strict=True)]
    appended = tuple(max(0, s - e) for e, s in zip(reach, stride, strict=True))
    return tuple((cells // 2, cells - cells // 2) for cells in past), appended


def infer(a: ConvTranspose, x: TensorType) -> TensorType:
    """Sizes are (n-1)s - lo - hi + d(k-1) + output_padding + 1."""
    for what, channels in (("input channels", spatial.known_channels("conv_transpose", x)), ("filters", a.filters)):
        if channels % a.groups:
            raise AttrError(f"{channels} {what} cannot be split into {a.groups} groups", "groups", "CNN036")
    sizes = tuple(_size(a, x, axis) for axis in range(len(a.kernel)))
    return x.with_shape((x.shape[0], a.filters, *sizes))


def _size(a: ConvTranspose, x: TensorType, axis: int) -> Size:
    n, (lo, hi), more = x.spatial[axis], a.pad[axis], a.output_padding[axis]
    computed = (n - 1) * a.stride[axis] + spatial.extents(a.kernel, a.dilation)[axis]
    if not at_least(computed - lo - max(0, hi - more), 1):
        name = axis_name(axis + 2, x.rank)
        verb, hint = "would", None
        if not isinstance(n, int):
            verb, hint = "may", f"declare the input so that the {name} {n} is always large enough"
        message = f"`conv_transpose` {verb} cut off the whole {name} {computed}: `pad` takes {lo} + {hi} cells"
        raise ShapeError(message, "CNN035", hint=hint, inputs={0: f"{name} {n}"})
    return computed - lo - hi + more


def _group_channels(a: ConvTranspose, x: TensorType) -> int:
    return spatial.known_channels("conv_transpose", x) // a.groups


def params(a: ConvTranspose, x: TensorType) -> Mapping[str, ParamSpec]:
    """The weight is (channels, filters / groups, kernel…). An output cell sees ceil(k / s) cells per axis and channel."""
    cells = prod(-(-k // s) for k, s in zip(a.kernel, a.stride, strict=True))
    fan_in, fan_out = _group_channels(a, x) * cells, a.filters // a.groups * prod(a.kernel)
    init = replace(a.init or Init("kaiming_uniform", gain=sqrt(2)), fan_in=fan_in, fan_out=fan_out)
    shape = (_group_channels(a, x) * a.groups, a.filters // a.groups, *a.kernel)
    found = {"weight": ParamSpec(shape, init)}
    if a.bias:
        found["bias"] = ParamSpec((a.filters,), Init("uniform", fan_in, fan_out, value=1 / sqrt(fan_in)))
    return found


def cost(a: ConvTranspose, x: TensorType) -> Cost:
    """Every input cell times every weight that it meets, whether or not `pad` cuts the product off."""
    outputs = elements(infer(a, x))
    return Cost(macs=elements(x) * (a.filters // a.groups * prod(a.kernel)), flops=outputs if a.bias else 0)


def receptive_field(a: ConvTranspose, x: TensorType) -> Window:
    """Output j sees the inputs i with i*s + (a cell of the window) = j + lo."""
    reach = spatial.extents(a.kernel, a.dilation)
    return Window(
        extent=tuple(-(-e // s) for e, s in zip(reach, a.stride, strict=True)),
        stride=tuple((1, s) for s in a.stride),
        before=tuple((e - 1 - lo) // s for e, s, (lo, _) in zip(reach, a.stride, a.pad, strict=True)),
    )


def evaluate(a: ConvTranspose, p: Mapping[str, Array], x: Array) -> Array:
    """Adds the input, times the weight of one kernel cell, at the places in the output where that cell puts it."""
    import numpy as np

    rank, sizes = len(a.kernel), x.shape[2:]
    y = np.zeros((x.shape[0], a.filters, *_full_sizes(a, sizes)), x.dtype)
    inputs = np.split(x, a.groups, axis=1)
    weights = np.split(p["weight"], a.groups, axis=0)
    for cell in product(*map(range, a.kernel)):
        places = tuple(
            slice(j * d, j * d + (n - 1) * s + 1, s)
            for j, d, n, s in zip(cell, a.dilation, sizes, a.stride, strict=True)
        )  # fmt: skip
        at: tuple[Any, ...] = (slice(None), slice(None), *cell)
        parts = [np.einsum("ni...,io->no...", part, w[at]) for part, w in zip(inputs, weights, strict=True)]
        y[(slice(None), slice(None), *places)] += np.concatenate(parts, axis=1)
    kept = tuple(slice(lo, size - hi) for (lo, hi), size in zip(a.pad, y.shape[2:], strict=True))
    y = y[(slice(None), slice(None), *kept)]
    return y + spatial.per_channel(p["bias"], rank) if a.bias else y


def _full_sizes(a: ConvTranspose, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """The output before `pad` cuts its sides off, with `output_padding`."""
    reach = spatial.extents(a.kernel, a.dilation)
    return tuple((n - 1) * s + e + more for n, s, e, more in zip(sizes, a.stride, reach, a.output_padding, strict=True))


# ── PyTorch ──────────────────────────────────────────────────────────────────────────────────────────────────


def to_torch(a: ConvTranspose, x: TensorType) -> Lowered:
    """A native layer, which cuts off equally on both sides; what one side has more is cut off after it."""
    both = tuple(map(min, a.pad))
    kwargs = write.given(
        stride=(write.squash(a.stride), 1),
        padding=(write.squash(both), 0),
        output_padding=(write.squash(a.output_padding), 0),
        groups=(a.groups, 1),
        bias=(a.bias, True),
        dilation=(write.squash(a.dilation), 1),
    )
    args = (x.channels, a.filters, write.squash(a.kernel))
    layer = Apply(f"nn.ConvTranspose{len(a.kernel)}d", args, kwargs, weights=_weights(a, "weight", None))
    more = tuple((least - lo, least - hi) for least, (lo, hi) in zip(both, a.pad, strict=True))
    return write.torch_pad(layer, more)


def _weights(a: ConvTranspose, name: str, permute: tuple[int, ...] | None) -> dict[str, Weight]:
    return {name: Weight("weight", permute)} | ({"bias": Weight("bias")} if a.bias else {})


# ── Keras ────────────────────────────────────────────────────────────────────────────────────────────────────


def to_keras(a: ConvTranspose, x: TensorType) -> Lowered:
    """Keras's full output, (n-1)s + max(e, s), cropped.

    Where `output_padding` asks for more than that, zeros after the input make the output longer: they add nothing, and the
    bias is there. Keras's own layers have no groups, and TensorFlow's kernels no dilation in float64 or without oneDNN; its
    oneDNN writes past a buffer for the gradient of a kernel of 1 with a stride (see `conv`), here where filters are few.
    """
    rank = len(a.kernel)
    corrupts = max(a.kernel) == 1 and max(a.stride) > 1 and a.filters < 16
    native = a.groups == 1 and max(_dilation(a)) == 1 and not corrupts
    same = native and _is_keras_same(a)
    crops, longer = _keras_crops(a)
    source = Arg(0) if same else write.keras_pad(Arg(0), tuple((0, cells) for cells in longer))
    kwargs = write.given(
        strides=(write.squash(a.stride), 1),
        padding=("same" if same else "valid", "valid"),
        dilation_rate=(write.squash(_dilation(a)), 1),
        groups=(a.groups, 1),
        use_bias=(a.bias, True),
    )
    name = f"layers.Conv{rank}DTranspose" if native else "helpers.ConvTranspose"
    weights = _weights(a, "kernel", (*range(2, 2 + rank), 1, 0))
    layer = Apply(name, (a.filters, write.squash(a.kernel)), kwargs, (source,), weights)
    return layer if same else write.keras_crop(layer, crops)


def _dilation(a: ConvTranspose) -> spatial.Axes:
    """The dilation where it means something."""
    return tuple(1 if k == 1 else d for k, d in zip(a.kernel, a.dilation, strict=True))


def _keras_crops(a: ConvTranspose) -> tuple[spatial.Padding, spatial.Axes]:
    """Per axis: what to cut off before and after, and how many zeros to put after the input first."""
    crops, longer = [], []
    reach = spatial.extents(a.kernel, a.dilation)
    for e, s, (lo, hi), more in zip(reach, a.stride, a.pad, a.output_padding, strict=True):
        surplus = max(e, s) - e + hi - more  # of Keras's output, after ours
        zeros = max(0, -(surplus // s))
        longer.append(zeros)
        crops.append((lo, surplus + zeros * s))
    return tuple(crops), tuple(longer)


def _is_keras_same(a: ConvTranspose) -> bool:
    """Whether `padding="same"` (n*s outputs, of the k - s cells cut off half before, the odd one after) is exactly ours."""
    axes = zip(a.kernel, a.stride, a.pad, a.output_padding, strict=True)
    halves = all(
        k >= s and lo == (k - s) // 2 and hi - more == k - s - lo and more == 0 for k, s, (lo, hi), more in axes
    )  # fmt: skip
    return halves and any(map(any, a.pad))


# ── ONNX ─────────────────────────────────────────────────────────────────────────────────────────────────────


def to_onnx(a: ConvTranspose, x: TensorType) -> Lowered:
    """`output_padding` first cuts off less; what is left is appended as zeros, before the bias is added."""
    cut = tuple((lo, hi - min(hi, more)) for (lo, hi), more in zip(a.pad, a.output_padding, strict=True))
    zeros = tuple((0, more - min(hi, more)) for (_, hi), more in zip(a.pad, a.output_padding, strict=True))
    attributes: dict[str, Any] = {
        "kernel_shape": a.kernel,
        "strides": a.stride,
        "pads": write.onnx_pads(cut),
        "dilations": a.dilation,
        "group": a.groups,
    }
    if not a.bias or not any(map(any, zeros)):
        bias = (Weight("bias"),) if a.bias else ()
        return write.onnx_pad(Call("ConvTranspose", (Arg(0), Weight("weight"), *bias), attributes), zeros, x.dtype)
    longer = write.onnx_pad(Call("ConvTranspose", (Arg(0), Weight("weight")), attributes), zeros, x.dtype)
    return Call("Add", (longer, Weight("bias", reshape=(1, a.filters, *(1,) * len(a.kernel)))))


OP = OpDef(
    name="conv_transpose",
    attrs=ConvTranspose,
    summary="1-D, 2-D or 3-D transposed convolution, by the input's rank",
    resolve=resolve,
    infer=infer,
    params=params,
    cost=cost,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula=(
        "y[n, f, i·stride + j·dilation − before…] += weight[c, f′, j…] · x[n, c, i…] for every c in the group of f, i and j\n"
        "y starts as bias[f]; f′ is the index of f in its group; what falls outside of the output is cut off"
    ),
    shape="(N, C, n…) → (N, filters, (n − 1)·stride − before − after + dilation·(kernel − 1) + output_padding + 1…)",
    source="Zeiler et al. 2010; Dumoulin and Visin 2016, arXiv:1603.07285",
    example="input image: float32[N, 128, 28, 28]\noutput image -> conv_transpose(64, 2x2, stride = 2)",
)
