"""Convolutions and pooling: operators that slide a window over space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from convspec.ir.types import Array
from tests.conformance.onnx_nodes.sheet import Node, Translator, number

Pair = tuple[int, int]


def size(numbers: Sequence[int]) -> str:
    """`3x3`; one number in brackets for one axis."""
    return f"[{', '.join(map(str, numbers))}]"


def pairs(pads: Sequence[Pair]) -> str:
    return f"[{', '.join(f'[{lo}, {hi}]' for lo, hi in pads)}]"


@dataclass(frozen=True)
class Window:
    """What the attributes of a sliding window say, with one number per axis."""

    sizes: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    pads: tuple[Pair, ...]
    same: bool
    """The pads are those of SAME_UPPER, which is `pad = same`."""
    ceil: bool

    @property
    def spans(self) -> tuple[int, ...]:
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    @property
    def steps(self) -> str:
        return f"stride = {size(self.stride)}, dilation = {size(self.dilation)}"

    @property
    def pad(self) -> str:
        return "same" if self.same else pairs(self.pads)

    @property
    def overhang(self) -> tuple[int, ...]:
        """Cells past the padding at the end that the last window reaches with `ceil`."""
        found = []
        for n, (lo, hi), span, stride in zip(self.sizes, self.pads, self.spans, self.stride, strict=True):
            left = n + lo + hi - span
            windows = (-(-left // stride) if self.ceil else left // stride) + 1
            windows -= self.ceil and (windows - 1) * stride >= n + lo
            found.append(max(0, (windows - 1) * stride + span - n - lo - hi))
        return tuple(found)


def window(node: Node, kernel: Sequence[int]) -> Window:
    node.unlifted()
    sizes, rank = node.shape()[2:], len(kernel)
    ones = (1,) * rank
    stride = tuple(node.get("strides", ones))
    dilation = tuple(node.get("dilations", ones))
    auto, pads = node.get("auto_pad", "NOTSET"), node.get("pads", [0] * 2 * rank)
    explicit = tuple(zip(pads[:rank], pads[rank:], strict=True))
    if auto.startswith("SAME"):
        explicit = _same(sizes, tuple(kernel), stride, dilation, auto == "SAME_UPPER")
    elif auto == "VALID":
        explicit = ((0, 0),) * rank
    upper = auto == "SAME_UPPER"
    return Window(sizes, tuple(kernel), stride, dilation, explicit, upper, bool(node.get("ceil_mode", 0)))


def _same(
    sizes: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int], upper: bool
) -> tuple[Pair, ...]:
    found = []
    for n, k, s, d in zip(sizes, kernel, stride, dilation, strict=True):
        total = max(0, (-(-n // s) - 1) * s + d * (k - 1) + 1 - n)
        less, more = total // 2, total - total // 2
        found.append((less, more) if upper else (more, less))
    return tuple(found)


# ── convolutions ─────────────────────────────────────────────────────────────────────────────────────────────


def _weights(node: Node, weight: Array, bias: int) -> tuple[dict[str, Array], str]:
    """The stored tensors, and the argument for a layer without a bias."""
    if node.has(bias):
        return {"weight": weight, "bias": node.known(bias)}, ""
    return {"weight": weight}, ", bias = false"


def conv(node: Node) -> str:
    weight = node.known(1)
    w = window(node, weight.shape[2:])
    weights, bias = _weights(node, weight, 2)
    op = f"conv({len(weight)}, {size(w.kernel)}, {w.steps}, pad = {w.pad}, "
    return node.layer(node.tensor(), f"{op}groups = {node.get('group', 1)}{bias})", **weights)


def conv_transpose(node: Node) -> str:
    weight, groups = node.known(1), node.get("group", 1)
    w = window(node, weight.shape[2:])
    extra = node.get("output_padding", [0] * len(w.kernel))
    pads = list(zip(w.pads, extra, strict=True))
    auto, shape = node.get("auto_pad", "NOTSET"), node.get("output_shape")
    if auto.startswith("SAME") or shape:
        wanted = shape or [n * s for n, s in zip(w.sizes, w.stride, strict=True)]
        pads = [
            _transposed(n, s, e, m, p, auto) for n, s, e, m, p in zip(w.sizes, w.stride, w.spans, wanted, extra, strict=True)
        ]
    weights, bias = _weights(node, weight, 2)
    head = f"conv_transpose({weight.shape[1] * groups}, {size(w.kernel)}, {w.steps}"
    tail = f"pad = {pairs([pair for pair, _ in pads])}, output_padding = {size([more for _, more in pads])}"
    return node.layer(node.tensor(), f"{head}, {tail}, groups = {groups}{bias})", **weights)


def _transposed(n: int, stride: int, span: int, wanted: int, extra: int, auto: str) -> tuple[Pair, int]:
    """Pads and output padding for an output of a given size. Where the pads would be negative, more cells are added."""
    total = stride * (n - 1) + extra + span - wanted
    if total < 0:
        return (0, 0), extra - total
    less, more = total // 2, total - total // 2
    return ((less, more) if auto == "SAME_UPPER" else (more, less)), extra


def deform_conv(node: Node) -> str:
    weight = node.known(1)
    w = window(node, weight.shape[2:])
    weights, bias = _weights(node, weight, 3)
    mask = f", mask = {node.tensor(4)}" if node.has(4) else ""
    head = f"deform_conv({node.tensor(2)}, {len(weight)}, {size(w.kernel)}, {w.steps}"
    tail = f"pad = {w.pad}, groups = {node.get('group', 1)}, offset_groups = {node.get('offset_group', 1)}"
    return node.layer(node.tensor(), f"{head}, {tail}{mask}{bias})", **weights)


# ── pooling ──────────────────────────────────────────────────────────────────────────────────────────────────


def _pool(w: Window) -> str:
    return f"{size(w.kernel)}, stride = {size(w.stride)}, pad = {w.pad}{', ceil = true' if w.ceil else ''}"


def average_pool(node: Node) -> str:
    w = window(node, node.get("kernel_shape"))
    counts = bool(node.get("count_include_pad", 0))
    if any(d > 1 for d in w.dilation):
        return _dilated_average(node, w, counts)
    return node.let(f"{node.tensor()} -> avgpool({_pool(w)}, count_pad = {str(counts).lower()})")


def _dilated_average(node: Node, w: Window, counts: bool) -> str:
    """`avgpool` has no dilation: a sum over the windows, divided by the number of cells that count."""
    x = node.tensor()
    there = node.let(f"0 * {x} + 1")
    if counts:
        there = node.let(f"{there} -> pad({pairs(w.pads)}, value = 1)")
    return node.let(f"{_sums(node, w, x)} / {_sums(node, w, there, padded=counts)}")


def _sums(node: Node, w: Window, x: str, padded: bool = False) -> str:
    """The sums over dilated windows. `padded`: the tensor has its padding already, but for what `ceil` adds."""
    pads = tuple(
        ((0 if padded else lo), (0 if padded else hi) + past) for (lo, hi), past in zip(w.pads, w.overhang, strict=True)
    )
    op = f"depthwise_conv({size(w.kernel)}, {w.steps}, pad = {pairs(pads)}, bias = false)"
    return node.layer(x, op, weight=np.ones((node.shape()[1], 1, *w.kernel)))


def max_pool(node: Node) -> str | list[str]:
    w = window(node, node.get("kernel_shape"))
    op = f"maxpool({_pool(w)}, dilation = {size(w.dilation)}"
    if len(node.outputs) > 1:
        return _with_indices(node, w)
    if node.dtype() == "uint8":
        return node.let(f"({node.tensor()} -> cast(float32) -> {op})) -> cast(uint8)")
    return node.let(f"{node.tensor()} -> {op})")


def _with_indices(node: Node, w: Window) -> list[str]:
    """Our indices count within a channel, which is the same for one channel. Column by column: those of the transposed."""
    assert prod(node.shape()[:2]) == 1
    columns = bool(node.get("storage_order", 0))
    if columns:
        assert len(w.kernel) == 2
        turned = Window(w.sizes[::-1], w.kernel[::-1], w.stride[::-1], w.dilation[::-1], w.pads[::-1], w.same, w.ceil)
        op = f"maxpool({_pool(turned)}, dilation = {size(turned.dilation)}, indices = true)"
        return [
            node.let(f"{y} -> permute([0, 1, 3, 2])") for y in node.lets(f"{node.tensor()} -> permute([0, 1, 3, 2]) -> {op}", 2)
        ]
    return node.lets(f"{node.tensor()} -> maxpool({_pool(w)}, dilation = {size(w.dilation)}, indices = true)", 2)


def max_unpool(node: Node) -> str:
    """A larger output shape adds zeros at the end; the indices stay those of the smaller one."""
    assert prod(node.shape()[:2]) == 1
    w = window(node, node.get("kernel_shape"))
    op = f"max_unpool({node.tensor(1)}, {size(w.kernel)}, stride = {size(w.stride)}, pad = {w.pad})"
    if not node.has(2):
        return node.let(f"{node.tensor()} -> {op}")
    sizes = [(n - 1) * s + k - lo - hi for n, s, k, (lo, hi) in zip(w.sizes, w.stride, w.kernel, w.pads, strict=True)]
    more = [(0, int(wanted) - n) for wanted, n in zip(node.known(2)[2:], sizes, strict=True)]
    return node.let(f"{node.tensor()} -> {op} -> pad({pairs(more)})")


def lp_pool(node: Node) -> str:
    w, p = window(node, node.get("kernel_shape")), node.get("p", 2)
    if any(d > 1 for d in w.dilation):
        powers = node.let(f"({node.tensor()} -> abs) ** {number(p)}")
        return node.let(f"{_sums(node, w, powers)} ** {number(1 / p)}")
    return node.let(f"{node.tensor()} -> lppool({_pool(w)}, p = {number(p)})")


def global_pool(layer: str) -> Translator:
    return lambda node: node.let(f"{node.tensor()} -> {layer}")


TABLE: Mapping[str, Translator] = {
    "AveragePool": average_pool,
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "DeformConv": deform_conv,
    "GlobalAveragePool": global_pool("global_avgpool"),
    "GlobalMaxPool": global_pool("global_maxpool"),
    "LpPool": lp_pool,
    "MaxPool": max_pool,
    "MaxUnpool": max_unpool,
}
