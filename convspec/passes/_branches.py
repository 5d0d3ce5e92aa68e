"""Linear layers seen as one kind of thing, a window of weights that slides over a tensor, so that they can be added up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from math import gcd, prod
from typing import Any

from convspec.ir.graph import Node, Value
from convspec.ir.types import FLOATS, Array, TensorType
from convspec.ops.conv import Conv
from convspec.ops.depthwise_conv import DepthwiseConv, as_conv
from convspec.ops.linear import Linear
from convspec.passes.draft import Draft

LAYERS = ("conv", "depthwise_conv", "linear", "batchnorm")


@dataclass(frozen=True, slots=True)
class Window:
    """What the outputs of a linear layer read: output i reads the cells i * stride + o, for o in `offsets`, on each axis.

    Cells past the ends hold what `mode` and `value` say. Output channels read the input channels of their group alone.
    """

    filters: int
    groups: int
    stride: tuple[int, ...]
    offsets: tuple[range, ...]
    after: tuple[int, ...]
    """How far the last window may reach past the last cell that decides the number of outputs: pad after - last offset."""
    mode: str
    value: float
    weights: int
    """Products for each output position; 0 for a layer that only scales, or nothing at all."""

    @property
    def padded(self) -> bool:
        """Whether any window may reach past an end."""
        return any(o.start < 0 or last + o[-1] > 0 for o, last in zip(self.offsets, self.after, strict=True))


def window_of(node: Node) -> Window | None:
    """The window of a conv, depthwise_conv, linear or batchnorm; None for any other op."""
    x = node.input_types[0] if node.inputs else None
    if node.op.name not in LAYERS or x is None or not isinstance(x.channels, int) or x.dtype not in FLOATS:
        return None
    if node.op.name == "batchnorm":
        return point(x)
    if node.op.name == "linear":
        one = point(x)
        return replace(one, filters=node.attrs.features, groups=1, weights=node.attrs.features * x.channels)
    return _of_conv(conv_of(node), x.channels)


def conv_of(node: Node) -> Conv:
    """The attributes of a `conv` or `depthwise_conv` as those of a `conv`."""
    if node.op.name == "conv":
        attrs: Conv = node.attrs
        return attrs
    return as_conv(node.attrs, node.input_types[0])


def point(x: TensorType) -> Window:
    """The window of a layer that looks at each cell and channel by itself, such as the identity."""
    rank, channels = x.rank - 2, x.channels
    assert isinstance(channels, int)
    return Window(channels, channels, (1,) * rank, (range(1),) * rank, (0,) * rank, "zeros", 0.0, 0)


def _of_conv(a: Conv, channels: int) -> Window:
    offsets = tuple(range(-lo, d * (k - 1) + 1 - lo, d) for k, d, (lo, _) in zip(a.kernel, a.dilation, a.pad, strict=True))
    after = tuple(hi - o[-1] for o, (_, hi) in zip(offsets, a.pad, strict=True))
    constant = a.pad_mode == "constant" and a.pad_value != 0
    mode = "zeros" if a.pad_mode == "constant" and not constant else a.pad_mode
    weights = a.filters * (channels // a.groups) * prod(a.kernel)
    return Window(a.filters, a.groups, a.stride, offsets, after, mode, a.pad_value, weights)


def united(a: Window, b: Window, channels: int) -> Window | None:
    """The smallest window that reads all that both read; None where no one convolution can."""
    if a.stride != b.stride or a.filters != b.filters:
        return None
    if a.padded and b.padded and (a.mode, a.value) != (b.mode, b.value):
        return None
    outer = a if a.padded else b
    offsets = tuple(map(_hull, a.offsets, b.offsets))
    # Either number of cells after the last window gives the same number of outputs; a pad cannot be negative.
    after = tuple(_after(o, ends) for o, ends in zip(offsets, zip(a.after, b.after, strict=True), strict=True))
    if None in after:
        return None
    groups = gcd(a.groups, b.groups)
    weights = a.filters * (channels // groups) * prod(map(len, offsets))
    known = tuple(last for last in after if last is not None)
    return Window(a.filters, groups, a.stride, offsets, known, outer.mode, outer.value, weights)


def _hull(a: range, b: range) -> range:
    """The shortest evenly spaced row of cells with all those of both."""
    first, last = min(a[0], b[0]), max(a[-1], b[-1])
    step = gcd(a[0] - b[0], *(o.step for o in (a, b) if len(o) > 1))
    return range(first, last + 1, step or 1)


def _after(offsets: range, ends: tuple[int, ...]) -> int | None:
    return min((last for last in ends if last + offsets[-1] >= 0), default=None)


def attributes(window: Window, bias: bool) -> Conv:
    """The convolution that has a window."""
    return Conv(
        filters=window.filters,
        kernel=tuple(map(len, window.offsets)),
        stride=window.stride,
        pad=tuple((-o[0], last + o[-1]) for o, last in zip(window.offsets, window.after, strict=True)),
        pad_mode=window.mode,
        pad_value=window.value,
        dilation=tuple(o.step for o in window.offsets),
        groups=window.groups,
        bias=bias,
        init=None,
    )


# ── the numbers ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Numbers:
    """The weight of a window, (filters, channels / groups, cells…), and what is added to each output channel."""

    weight: Array
    bias: Array | None


def numbers_of(draft: Draft, node: Node | None, window: Window) -> Numbers:
    """Those of a layer in float64; `node` None stands for the identity."""
    import numpy as np

    shape = (window.filters, -1, *map(len, window.offsets))
    if node is None:
        return Numbers(np.ones(window.filters).reshape(shape), None)
    p = draft.arrays(node)
    if node.op.name != "batchnorm":
        return Numbers(p["weight"].reshape(shape), p.get("bias"))
    scale = p.get("weight", 1.0) / np.sqrt(p["running_var"] + node.attrs.eps)
    return Numbers(scale.reshape(shape), p["bias"] - p["running_mean"] * scale)


def spread(numbers: Numbers, window: Window, into: Window, channels: int) -> Array:
    """The weight of a window laid into a larger one, of fewer groups perhaps, with zeros around it."""
    import numpy as np

    parts = window.groups // into.groups
    mine, theirs = window.filters // window.groups, channels // window.groups
    whole = np.zeros((into.groups, parts, mine, parts, theirs, *map(len, into.offsets)))
    cells = np.ix_(*(np.searchsorted(np.array(big), np.array(o)) for o, big in zip(window.offsets, into.offsets, strict=True)))
    given = numbers.weight.reshape(into.groups, parts, mine, theirs, *map(len, window.offsets))
    for part in range(parts):  # each old group sees its own channels of the new one
        block = whole[:, part, :, part]
        block[(slice(None),) * 3 + cells] = given[:, part]
    return whole.reshape(into.filters, channels // into.groups, *map(len, into.offsets))


def convolution(draft: Draft, source: Value, window: Window, numbers: Numbers, like: Node, outputs: list[Value] | None) -> Node:
    """A layer with these numbers: `linear` where the tensor has no space, else of `like`'s kind if that can be."""
    rank, bias = source.type.rank - 2, numbers.bias is not None
    attrs: Any = attributes(window, bias)
    name = "conv"
    weight = numbers.weight
    if rank == 0 or (like.op.name == "linear" and window == _linear_window(window, source.type)):
        name = "linear"
        attrs = Linear(features=window.filters, bias=bias, axis="channels" if rank else None, init=None)
        weight = weight.reshape(window.filters, -1)
    elif like.op.name == "depthwise_conv" and window.groups == source.type.channels:
        name = "depthwise_conv"
        attrs = DepthwiseConv(
            kernel=attrs.kernel,
            multiplier=window.filters // window.groups,
            stride=attrs.stride,
            pad=attrs.pad,
            pad_mode=attrs.pad_mode,
            pad_value=attrs.pad_value,
            dilation=attrs.dilation,
            bias=bias,
            init=None,
        )
    arrays = {"weight": weight} | ({} if numbers.bias is None else {"bias": numbers.bias})
    return draft.apply(name, attrs, [source], like, arrays, outputs)


def _linear_window(window: Window, x: TensorType) -> Window:
    return replace(point(x), filters=window.filters, groups=1, weights=window.weights)


def total(parts: list[Array | None]) -> Array | None:
    """The sum of those that are there; None where none is."""
    there = [part for part in parts if part is not None]
    return reduce(lambda a, b: a + b, there) if there else None
