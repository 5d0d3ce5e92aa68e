"""`conv`: cross-correlation of 1, 2 or 3 spatial axes, with stride, dilation and groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import gcd, prod, sqrt
from typing import Any

from convspec.ir.attrs import Flag, Initialiser, Integer, Pads, PerAxis, per_axis
from convspec.ir.init import Init
from convspec.ir.lowering import Apply, Arg, Call, Lowered, Weight
from convspec.ir.opdef import AttrError, Cost, OpDef, ParamSpec, Window, attr
from convspec.ir.types import Array, TensorType
from convspec.ops import _spatial as spatial
from convspec.ops import _spatial_targets as write
from convspec.ops._elementwise import elements


@dataclass(frozen=True, slots=True, kw_only=True)
class Conv:
    """`conv(64, 3x3, stride = 2, pad = 1, dilation = 1, groups = 1)`."""

    filters: int = attr(Integer(), positional=True, doc="Number of output channels.")
    kernel: spatial.Axes = attr(PerAxis(), positional=True, doc="Size of the window.")
    stride: spatial.Axes = attr(PerAxis(), 1, doc="Step from window to window.")
    pad: spatial.Padding = attr(Pads(), 0, doc="Zeros around the input; `same` gives ceil(size / stride) outputs.")
    dilation: spatial.Axes = attr(PerAxis(), 1, doc="Step from cell to cell within a window.")
    groups: int = attr(Integer(), 1, doc="Parts of the channels that are convolved apart; as many as channels: depthwise.")
    bias: bool = attr(Flag(), True, doc="Whether a learned number is added to each output channel.")
    init: Init | None = attr(Initialiser(), None, doc="How the weight begins: kaiming_uniform by default.")


def resolve(a: Conv, x: TensorType) -> Conv:
    rank = spatial.spatial_rank("conv", x)
    kernel = per_axis("kernel", a.kernel, rank)
    stride = per_axis("stride", a.stride, rank)
    dilation = per_axis("dilation", a.dilation, rank)
    pad = spatial.explicit_pads(a.pad, x, kernel, stride, dilation)
    return replace(a, kernel=kernel, stride=stride, dilation=dilation, pad=pad)


def infer(a: Conv, x: TensorType) -> TensorType:
    for what, channels in (("input channels", spatial.known_channels("conv", x)), ("filters", a.filters)):
        if channels % a.groups:
            raise AttrError(f"{channels} {what} cannot be split into {a.groups} groups", "groups", "CNN036")
    return x.with_shape((x.shape[0], a.filters, *spatial.window_sizes("conv", a, x)))


def _group_channels(a: Conv, x: TensorType) -> int:
    """Input channels that one output channel sees."""
    return spatial.known_channels("conv", x) // a.groups


def params(a: Conv, x: TensorType) -> Mapping[str, ParamSpec]:
    """The weight is (filters, channels / groups, kernel…), the bias (filters,) uniform within 1 / sqrt(fan_in)."""
    fan_in = _group_channels(a, x) * prod(a.kernel)
    fan_out = a.filters // a.groups * prod(a.kernel)
    init = replace(a.init or Init("kaiming_uniform", gain=sqrt(2)), fan_in=fan_in, fan_out=fan_out)
    found = {"weight": ParamSpec((a.filters, _group_channels(a, x), *a.kernel), init)}
    if a.bias:
        found["bias"] = ParamSpec((a.filters,), Init("uniform", fan_in, fan_out, value=1 / sqrt(fan_in)))
    return found


def cost(a: Conv, x: TensorType) -> Cost:
    outputs = elements(infer(a, x))
    return Cost(macs=outputs * (_group_channels(a, x) * prod(a.kernel)), flops=outputs if a.bias else 0)


def receptive_field(a: Conv, x: TensorType) -> Window:
    return spatial.sliding_window(a)


def evaluate(a: Conv, p: Mapping[str, Array], x: Array) -> Array:
    """Every window times the weight, group by group."""
    import numpy as np

    rank = len(a.kernel)
    view = spatial.windows(spatial.padded(x, a.pad), a)
    groups = zip(np.split(view, a.groups, axis=1), np.split(p["weight"], a.groups, axis=0), strict=True)
    over = (1, *range(-rank, 0))  # sum over channels and kernel cells
    y = np.concatenate([np.tensordot(part, weight, (over, over)) for part, weight in groups], axis=-1)
    y = np.moveaxis(y, -1, 1)
    return y + spatial.per_channel(p["bias"], rank) if a.bias else y


# ── PyTorch ──────────────────────────────────────────────────────────────────────────────────────────────────


def to_torch(a: Conv, x: TensorType) -> Lowered:
    """A native layer; pads that differ from side to side stand before it."""
    native = spatial.is_symmetric(a.pad)
    kwargs = write.given(
        stride=(write.squash(a.stride), 1),
        padding=(write.squash(write.befores(a.pad)) if native else 0, 0),
        dilation=(write.squash(a.dilation), 1),
        groups=(a.groups, 1),
        bias=(a.bias, True),
    )
    source = Arg(0) if native else write.torch_pad(Arg(0), a.pad)
    layer = f"nn.Conv{len(a.kernel)}d"
    return Apply(layer, (x.channels, a.filters, write.squash(a.kernel)), kwargs, (source,), _weights(a, "weight", None))


def _weights(a: Conv, name: str, permute: tuple[int, ...] | None, reshape: tuple[int, ...] | None = None) -> dict[str, Weight]:
    return {name: Weight("weight", permute, reshape)} | ({"bias": Weight("bias")} if a.bias else {})


# ── Keras ────────────────────────────────────────────────────────────────────────────────────────────────────


def to_keras(a: Conv, x: TensorType) -> Lowered:
    """A native layer between two subsamplings, which stand in for what Keras refuses: stride together with dilation."""
    plan = _keras_steps(a, x)
    plain = plan.before == plan.after == (1,) * len(a.kernel)
    same = plain and spatial.is_same(a.pad, x, a.kernel, a.stride, a.dilation)
    source = Arg(0) if same else write.keras_pad(Arg(0), a.pad)
    kwargs = write.given(
        strides=(write.squash(plan.stride), 1),
        padding=("same" if same else "valid", "valid"),
        dilation_rate=(write.squash(plan.dilation), 1),
    )
    build = _depthwise if _is_depthwise(a, x) else _convolution
    return write.keras_subsample(build(a, x, kwargs, write.keras_subsample(source, plan.before)), plan.after)


@dataclass(frozen=True, slots=True)
class _Steps:
    """Stride = before * stride of the layer * after, dilation = before * dilation of the layer, per axis."""

    before: spatial.Axes
    stride: spatial.Axes
    dilation: spatial.Axes
    after: spatial.Axes


def _keras_steps(a: Conv, x: TensorType) -> _Steps:
    """How to share out the stride.

    A window at i*s reads cells i*s + j*d, all of them multiples of gcd(s, d): the others can be dropped beforehand. If
    stride and dilation remain, all windows are computed and some are dropped afterwards. TensorFlow's depthwise kernel
    needs one stride for both axes.
    """
    ones = (1,) * len(a.kernel)
    if _corrupts_memory(a, x):
        return _Steps(a.stride, ones, ones, ones)
    dilation = tuple(1 if k == 1 else d for k, d in zip(a.kernel, a.dilation, strict=True))
    conflict = max(a.stride) > 1 and max(dilation) > 1
    before = tuple(map(gcd, a.stride, dilation)) if conflict else ones
    stride = tuple(s // b for s, b in zip(a.stride, before, strict=True))
    dilation = tuple(d // b for d, b in zip(dilation, before, strict=True))
    if max(stride) > 1 and max(dilation) > 1:
        return _Steps(before, ones, dilation, stride)
    if _is_depthwise(a, x) and len(set(stride)) > 1:
        common = gcd(*stride)
        return _Steps(before, (common,) * len(stride), dilation, tuple(s // common for s in stride))
    return _Steps(before, stride, dilation, ones)


def _corrupts_memory(a: Conv, x: TensorType) -> bool:
    """Whether oneDNN in TensorFlow (2.21) would write past its buffer for the weight's gradient, and end the process.

    It does so for kernels of 1 with a stride on few channels; from 16 channels on it does not.
    """
    return max(a.kernel) == 1 and max(a.stride) > 1 and spatial.known_channels("conv", x) < 16


def _is_depthwise(a: Conv, x: TensorType) -> bool:
    """Whether Keras has a depthwise layer for it. In 3-D there is none; a grouped layer does the same."""
    return a.groups == x.channels and a.groups > 1 and len(a.kernel) < 3


def _depthwise(a: Conv, x: TensorType, kwargs: dict[str, Any], source: Lowered) -> Apply:
    """Keras's kernel is (kernel…, channels, multiplier); output channel c*m + j is multiplier j of channel c."""
    rank, channels = len(a.kernel), spatial.known_channels("conv", x)
    multiplier = a.filters // channels
    kwargs |= write.given(depth_multiplier=(multiplier, 1), use_bias=(a.bias, True))
    weights = _weights(a, "kernel", (*range(2, 2 + rank), 0, 1), (channels, multiplier, *a.kernel))
    return Apply(f"layers.DepthwiseConv{rank}D", (write.squash(a.kernel),), kwargs, (source,), weights)


def _convolution(a: Conv, x: TensorType, kwargs: dict[str, Any], source: Lowered) -> Apply:
    """Keras's kernel is (kernel…, channels / groups, filters)."""
    rank = len(a.kernel)
    kwargs |= write.given(groups=(a.groups, 1), use_bias=(a.bias, True))
    weights = _weights(a, "kernel", (*range(2, 2 + rank), 1, 0))
    return Apply(f"layers.Conv{rank}D", (a.filters, write.squash(a.kernel)), kwargs, (source,), weights)


# ── ONNX ─────────────────────────────────────────────────────────────────────────────────────────────────────


def to_onnx(a: Conv, x: TensorType) -> Lowered:
    inputs = (Arg(0), Weight("weight"), *((Weight("bias"),) if a.bias else ()))
    return Call(
        "Conv",
        inputs,
        {
            "kernel_shape": a.kernel,
            "strides": a.stride,
            "pads": write.onnx_pads(a.pad),
            "dilations": a.dilation,
            "group": a.groups,
        },
    )


OP = OpDef(
    name="conv",
    attrs=Conv,
    summary="1-D, 2-D or 3-D convolution (cross-correlation), by the input's rank",
    resolve=resolve,
    infer=infer,
    params=params,
    cost=cost,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
)
