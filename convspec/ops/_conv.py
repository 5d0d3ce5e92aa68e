"""What convolutions share: attributes made explicit, the shape rule, parameters, cost, the reference and the lowerings."""

from __future__ import annotations

from dataclasses import replace
from math import gcd, prod, sqrt
from typing import Any, Protocol

from convspec.ir.attrs import per_axis
from convspec.ir.dims import Size
from convspec.ir.init import Init
from convspec.ir.lowering import Apply, Arg, Call, Lowered, Weight
from convspec.ir.opdef import AttrError, Cost, ParamSpec
from convspec.ir.types import Array, TensorType
from convspec.ops import _padding as padding
from convspec.ops import _spatial as spatial
from convspec.ops import _spatial_targets as write
from convspec.ops._elementwise import elements
from convspec.records import dataclass

PAD_WORDS = ("same", "causal")
PAD_DOC = (
    "Cells added around the input. `same` gives ceil(size / stride) outputs, the odd cell at the end; `causal`, for one "
    "spatial axis, adds dilation * (kernel - 1) cells before it, so that no output sees a later input."
)
PAD_MODE_DOC = (
    "What the added cells hold: `zeros`; `constant`, which is `pad_value`; `reflect` mirrors the input without repeating its "
    "edge; `replicate` repeats the edge; `circular` goes on at the other end."
)
PAD_VALUE_DOC = "The number that the added cells hold with `pad_mode = constant`."


class Convolution(Protocol):
    """Resolved attributes of one convolution."""

    @property
    def filters(self) -> int: ...
    @property
    def kernel(self) -> spatial.Axes: ...
    @property
    def stride(self) -> spatial.Axes: ...
    @property
    def pad(self) -> spatial.Padding: ...
    @property
    def pad_mode(self) -> str: ...
    @property
    def pad_value(self) -> float: ...
    @property
    def dilation(self) -> spatial.Axes: ...
    @property
    def groups(self) -> int: ...
    @property
    def bias(self) -> bool: ...
    @property
    def init(self) -> Init | None: ...


def explicit(op: str, a: Any, x: TensorType) -> dict[str, Any]:
    """`kernel`, `stride`, `dilation` and `pad` of an author's attributes with one entry per axis; the pad mode is checked."""
    rank = spatial.spatial_rank(op, x)
    kernel = per_axis("kernel", a.kernel, rank)
    stride = per_axis("stride", a.stride, rank)
    dilation = per_axis("dilation", a.dilation, rank)
    if a.pad == "causal":
        pad = _causal(a.pad_mode, kernel, dilation)
    else:
        pad = spatial.explicit_pads(a.pad, x, kernel, stride, dilation)
    padding.check_mode(a.pad_mode, a.pad_value, x, pad, "pad_mode", "pad_value")
    return {"kernel": kernel, "stride": stride, "dilation": dilation, "pad": pad}


def _causal(mode: str, kernel: spatial.Axes, dilation: spatial.Axes) -> spatial.Padding:
    if len(kernel) > 1:
        message = f"`pad = causal` is for inputs with one spatial axis, in time, not with {len(kernel)}"
        raise AttrError(message, "pad", "CNN045")
    if mode in ("reflect", "circular"):
        message = f"`pad = causal` cannot be filled by `pad_mode = {mode}`, which takes cells from later on"
        raise AttrError(message, "pad_mode", "CNN045")
    return ((spatial.extents(kernel, dilation)[0] - 1, 0),)


def sizes(op: str, a: Convolution, x: TensorType) -> TensorType:
    """The output's type. AttrError CNN036 where the groups do not divide the channels."""
    for what, channels in (("input channels", spatial.known_channels(op, x)), ("filters", a.filters)):
        if channels % a.groups:
            raise AttrError(f"{channels} {what} cannot be split into {a.groups} groups", "groups", "CNN036")
    return x.with_shape((x.shape[0], a.filters, *spatial.window_sizes(op, a, x)))


def seen_channels(op: str, a: Convolution, x: TensorType) -> int:
    """Input channels that one output channel sees."""
    return spatial.known_channels(op, x) // a.groups


def parameters(op: str, a: Convolution, x: TensorType) -> dict[str, ParamSpec]:
    """The weight is (filters, channels / groups, kernel…), the bias (filters,) uniform within 1 / sqrt(fan_in)."""
    fan_in = seen_channels(op, a, x) * prod(a.kernel)
    fan_out = a.filters // a.groups * prod(a.kernel)
    init = replace(a.init or Init("kaiming_uniform", gain=sqrt(2)), fan_in=fan_in, fan_out=fan_out)
    found = {"weight": ParamSpec((a.filters, seen_channels(op, a, x), *a.kernel), init)}
    if a.bias:
        found["bias"] = ParamSpec((a.filters,), Init("uniform", fan_in, fan_out, value=1 / sqrt(fan_in)))
    return found


def work(op: str, a: Convolution, x: TensorType) -> Cost:
    """One multiply-accumulate for each output, cell of the kernel and channel that it sees; one addition for a bias."""
    outputs: Size = elements(sizes(op, a, x))
    return Cost(macs=outputs * (seen_channels(op, a, x) * prod(a.kernel)), flops=outputs if a.bias else 0)


def convolve(a: Convolution, weight: Array, bias: Array | None, x: Array) -> Array:
    """The reference: every window times the weight, group by group."""
    import numpy as np

    rank = len(a.kernel)
    view = spatial.windows(padding.padded(x, a.pad, a.pad_mode, a.pad_value), a)
    groups = zip(np.split(view, a.groups, axis=1), np.split(weight, a.groups, axis=0), strict=True)
    over = (1, *range(-rank, 0))  # sum over channels and kernel cells
    y = np.concatenate([np.tensordot(part, part_weight, (over, over)) for part, part_weight in groups], axis=-1)
    y = np.moveaxis(y, -1, 1)
    return y if bias is None else y + spatial.per_channel(bias, rank)


# ── PyTorch ──────────────────────────────────────────────────────────────────────────────────────────────────


def torch_padding(a: Convolution, has_modes: bool = True) -> tuple[Lowered, int | spatial.Axes, str]:
    """The input, padded beforehand where torch's layers cannot; then the layer's `padding` and `padding_mode`."""
    if padding.is_plain(a) and spatial.is_symmetric(a.pad):
        return Arg(0), write.squash(write.befores(a.pad)), "zeros"
    if has_modes and spatial.is_symmetric(a.pad) and not padding.constant(a.pad_mode):
        return Arg(0), write.squash(write.befores(a.pad)), a.pad_mode
    return padding.to_torch(Arg(0), a.pad, a.pad_mode, a.pad_value), 0, "zeros"


def to_torch(a: Convolution, x: TensorType, layer: str = "nn.Conv", **more: tuple[Any, Any]) -> Lowered:
    """A layer; pads that it does not know stand before it. `more`: keywords besides those of torch's own, with defaults."""
    source, pads, mode = torch_padding(a, layer.startswith("nn."))
    kwargs = write.given(
        stride=(write.squash(a.stride), 1),
        padding=(pads, 0),
        dilation=(write.squash(a.dilation), 1),
        groups=(a.groups, 1),
        bias=(a.bias, True),
        padding_mode=(mode, "zeros"),
        **more,
    )
    args = (x.channels, a.filters, write.squash(a.kernel))
    return Apply(f"{layer}{len(a.kernel)}d", args, kwargs, (source,), weights(a, "weight", None))


def weights(
    a: Convolution, name: str, permute: tuple[int, ...] | None, reshape: tuple[int, ...] | None = None
) -> dict[str, Weight]:
    """The layer's variables: its kernel, called `name`, and its bias if it has one."""
    return {name: Weight("weight", permute, reshape)} | ({"bias": Weight("bias")} if a.bias else {})


# ── Keras ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Steps:
    """Stride = before * stride of the layer * after, dilation = before * dilation of the layer, per axis."""

    before: spatial.Axes
    stride: spatial.Axes
    dilation: spatial.Axes
    after: spatial.Axes


@dataclass(frozen=True, slots=True)
class KerasFrame:
    """What stands around a Keras layer: its input, its keyword arguments, and the subsampling after it."""

    source: Lowered
    kwargs: dict[str, Any]
    after: spatial.Axes


def keras_frame(op: str, a: Convolution, x: TensorType, causal: bool = False, depthwise: bool = False) -> KerasFrame:
    """A layer between two subsamplings, which stand in for what Keras refuses: stride together with dilation.

    `causal`: whether the layer knows that padding; `depthwise`: whether it runs TensorFlow's depthwise kernel.
    """
    plan = keras_steps(op, a, x, depthwise)
    plain = plan.before == plan.after == (1,) * len(a.kernel) and padding.is_plain(a)
    word = "valid"
    if plain and spatial.is_same(a.pad, x, a.kernel, a.stride, a.dilation):
        word = "same"
    elif plain and causal and len(a.kernel) == 1 and a.kernel[0] > 1 and a.pad == _causal("zeros", a.kernel, a.dilation):
        word = "causal"
    source = padding.to_keras(Arg(0), a.pad, a.pad_mode, a.pad_value) if word == "valid" else Arg(0)
    kwargs = write.given(
        strides=(write.squash(plan.stride), 1),
        padding=(word, "valid"),
        dilation_rate=(write.squash(plan.dilation), 1),
    )
    return KerasFrame(write.keras_subsample(source, plan.before), kwargs, plan.after)


def keras_steps(op: str, a: Convolution, x: TensorType, depthwise: bool) -> Steps:
    """How to share out the stride.

    A window at i*s reads cells i*s + j*d, all of them multiples of gcd(s, d): the others can be dropped beforehand. If
    stride and dilation remain, all windows are computed and some are dropped afterwards. TensorFlow's depthwise kernel
    needs one stride for both axes.
    """
    ones = (1,) * len(a.kernel)
    if _corrupts_memory(op, a, x):
        return Steps(a.stride, ones, ones, ones)
    dilation = tuple(1 if k == 1 else d for k, d in zip(a.kernel, a.dilation, strict=True))
    conflict = max(a.stride) > 1 and max(dilation) > 1
    before = tuple(map(gcd, a.stride, dilation)) if conflict else ones
    stride = tuple(s // b for s, b in zip(a.stride, before, strict=True))
    dilation = tuple(d // b for d, b in zip(dilation, before, strict=True))
    if max(stride) > 1 and max(dilation) > 1:
        return Steps(before, ones, dilation, stride)
    if depthwise and len(set(stride)) > 1:
        common = gcd(*stride)
        return Steps(before, (common,) * len(stride), dilation, tuple(s // common for s in stride))
    return Steps(before, stride, dilation, ones)


def _corrupts_memory(op: str, a: Convolution, x: TensorType) -> bool:
    """Whether oneDNN in TensorFlow (2.21) would write past its buffer for the weight's gradient, and end the process.

    It does so for kernels of 1 with a stride on few channels; from 16 channels on it does not.
    """
    return max(a.kernel) == 1 and max(a.stride) > 1 and spatial.known_channels(op, x) < 16


def to_keras(op: str, a: Convolution, x: TensorType, multiplier: int | None = None) -> Lowered:
    """A native layer: a depthwise one where there is one for it. In 3-D there is none; a grouped layer does the same.

    `multiplier`: filters for each channel, where the author said so.
    """
    rank, channels = len(a.kernel), spatial.known_channels(op, x)
    depthwise = a.groups == channels and a.groups > 1 and rank < 3
    frame = keras_frame(op, a, x, causal=not depthwise, depthwise=depthwise)
    if depthwise:
        layer = _depthwise(a, channels, multiplier or a.filters // channels, frame)
    else:
        layer = keras_layer(f"layers.Conv{rank}D", a, frame)
    return write.keras_subsample(layer, frame.after)


def _depthwise(a: Convolution, channels: int, multiplier: int, frame: KerasFrame) -> Apply:
    """Keras's kernel is (kernel…, channels, multiplier); output channel c*m + j is multiplier j of channel c."""
    rank = len(a.kernel)
    kwargs = frame.kwargs | write.given(depth_multiplier=(multiplier, 1), use_bias=(a.bias, True))
    kernel = weights(a, "kernel", (*range(2, 2 + rank), 0, 1), (channels, multiplier, *a.kernel))
    return Apply(f"layers.DepthwiseConv{rank}D", (write.squash(a.kernel),), kwargs, (frame.source,), kernel)


def keras_layer(name: str, a: Convolution, frame: KerasFrame, **more: Any) -> Apply:
    """Keras's kernel is (kernel…, channels / groups, filters). `more`: keywords besides those of its convolutions."""
    kwargs = frame.kwargs | write.given(groups=(a.groups, 1), use_bias=(a.bias, True), **more)
    kernel = weights(a, "kernel", (*range(2, 2 + len(a.kernel)), 1, 0))
    return Apply(name, (a.filters, write.squash(a.kernel)), kwargs, (frame.source,), kernel)


# ── ONNX ─────────────────────────────────────────────────────────────────────────────────────────────────────


def to_onnx(a: Convolution, dtype: str, weight: Lowered | Weight, bias: Weight | None, source: Lowered | None = None) -> Call:
    """A Conv node, with a Pad node before it where the new cells are no zeros."""
    native = padding.is_plain(a)
    source = Arg(0) if source is None else source
    if not native:
        source = padding.to_onnx(source, a.pad, a.pad_mode, dtype, a.pad_value)
    return Call(
        "Conv",
        (source, weight) if bias is None else (source, weight, bias),
        {
            "kernel_shape": a.kernel,
            "strides": a.stride,
            "pads": write.onnx_pads(a.pad) if native else (0,) * (2 * len(a.pad)),
            "dilations": a.dilation,
            "group": a.groups,
        },
    )
