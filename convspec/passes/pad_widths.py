"""Tensors inside a network get zero channels up to a multiple of 4, which ONNX Runtime's CPU needs for its layout in blocks.

Only for the target onnx. Convolutions that make such a tensor get filters of zeros, those that read it weights of zero for what
is new; what lies between works on each channel by itself, so that the new ones never meet the others. ShuffleNet's depthwise
convolutions over 58 channels run 5 times as fast over 60.

- The tensors that have to be widened together: a result of a dense `conv` or `linear`, and all that ops of one channel at a
  time make of it (depthwise convolution, batch norm, activations that are finite at 0, pooling, resizing, +, − and ·).
- Each comes from a dense layer or from such an op; none is an input of the network, and weights are not shared.
- Whatever else reads one of them (an output, a concat, a grouped convolution) gets the old channels by a slice.
- It pays by the cost model of `_widths.py`: fewer than 16 channels are read without blocks, and small widths that fill a
  block of 16 badly lose what they gain.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from convspec.ir.graph import Node, Value
from convspec.ir.types import Array
from convspec.ops.slice import Slice
from convspec.passes import _widths as widths
from convspec.passes._branches import conv_of
from convspec.passes._pointwise import is_pointwise
from convspec.passes.base import Pass
from convspec.passes.draft import Draft

_LEAST_GAIN = 0.05
"""Of the cost of all layers that change."""
_EACH_CHANNEL = frozenset(
    ("avgpool", "maxpool", "global_avgpool", "global_maxpool", "adaptive_avgpool", "adaptive_maxpool", "upsample", "resize")
)
_PAIRS = frozenset(("add", "sub", "mul", "maximum", "minimum"))


@dataclass(slots=True, eq=False)
class Region:
    """Tensors of one width that are widened together, and the nodes around them."""

    channels: int
    values: dict[Value, None] = field(default_factory=dict)
    sources: dict[Node, None] = field(default_factory=dict)
    inside: dict[Node, None] = field(default_factory=dict)
    sinks: dict[Node, None] = field(default_factory=dict)
    cuts: dict[Value, None] = field(default_factory=dict)


def run(draft: Draft) -> None:
    """Each tensor is looked at once."""
    if draft.target != "onnx":
        return
    seen: set[Value] = set()
    for node in draft.nodes():
        if _is_dense(draft, node) and node.outputs[0] not in seen and _is_odd(node.outputs[0]):
            region = _grown(draft, node.outputs[0], seen)
            if region is not None and _pays(draft, region):
                _widen(draft, region)


def _is_odd(value: Value) -> bool:
    channels = value.type.channels
    small = all(size == 1 for size in value.type.spatial)
    return isinstance(channels, int) and channels % widths.ALIGNED != 0 and value.type.rank == 4 and not small


def _is_dense(draft: Draft, node: Node) -> bool:
    """Whether a node is a convolution of one group over pictures with weights of its own."""
    if node.op.name not in ("conv", "linear") or node.outputs[0].type.rank != 4 or draft.shares_weights(node):
        return False
    return node.op.name == "linear" or node.attrs.groups == 1


def _is_depthwise(draft: Draft, node: Node) -> bool:
    """Whether a node convolves each channel by itself into one."""
    if node.op.name not in ("conv", "depthwise_conv") or draft.shares_weights(node):
        return False
    a = conv_of(node)
    return a.groups == a.filters == node.input_types[0].channels


def _grown(draft: Draft, first: Value, seen: set[Value]) -> Region | None:
    """All that has to be widened with a tensor; None where something of it cannot be."""
    assert isinstance(first.type.channels, int)
    region = Region(first.type.channels)
    ahead, fits = [first], True
    while ahead:
        value = ahead.pop()
        if value in region.values:
            continue
        region.values[value] = None
        seen.add(value)
        made = _made(draft, region, value)
        fits = fits and made is not None
        ahead.extend(made or ())
        ahead.extend(_read(draft, region, value))
    return region if fits else None


def _made(draft: Draft, region: Region, value: Value) -> Iterable[Value] | None:
    """The tensors that have to be widened for what makes this one; None where that cannot be."""
    node = draft.producer(value)
    if node is None:
        return None
    if _is_dense(draft, node):
        region.sources[node] = None
        return ()
    return _members(region, node) if _is_inside(draft, region, node) else None


def _read(draft: Draft, region: Region, value: Value) -> Iterable[Value]:
    """The tensors that have to be widened for those who read this one."""
    if draft.is_output(value):
        region.cuts[value] = None
    for node in draft.users(value):
        if _is_inside(draft, region, node):
            yield from (*_members(region, node), *node.outputs)
        elif _is_dense(draft, node):
            region.sinks[node] = None
        else:
            region.cuts[value] = None


def _is_inside(draft: Draft, region: Region, node: Node) -> bool:
    """Whether a node works on each channel by itself."""
    if node in region.inside:
        return True
    each = (
        (is_pointwise(node) and _is_finite(node))
        or (node.op.name in _EACH_CHANNEL and len(node.outputs) == 1)
        or (node.op.name == "batchnorm" and not draft.shares_weights(node))
        or _is_pair(region, node)
        or _is_depthwise(draft, node)
    )
    y = node.output_types[0]
    if (
        each
        and y.rank == 4
        and y.channels == region.channels
        and (node.input_types[0].channels == y.channels or _is_pair(region, node))
    ):
        region.inside[node] = None
        return True
    return False


def _is_finite(node: Node) -> bool:
    """Whether what it makes of new channels, which begin as zeros, stays finite: 1 / x and towers of exp do not."""
    return node.op.name != "exp" and not (node.op.name == "div" and node.attrs.left is not None)


def _is_pair(region: Region, node: Node) -> bool:
    """Whether a node puts two tensors together whose channels stand for each other; one may have a single channel."""
    channels = {x.channels for x in node.input_types}
    return node.op.name in _PAIRS and len(node.inputs) == 2 and channels <= {region.channels, 1}


def _members(region: Region, node: Node) -> list[Value]:
    """The inputs that are widened. A `resize` takes no more than its size from its second one."""
    given = node.inputs[:1] if node.op.name == "resize" else node.inputs
    return [value for value in given if value.type.channels == region.channels]


# ── whether it pays ──────────────────────────────────────────────────────────────────────────────────────────


def _pays(draft: Draft, region: Region) -> bool:
    """Whether some layer comes to run in blocks, and all that are concerned take less together."""
    gains = not widths.in_blocks(region.channels) and region.sinks
    if not gains and not any(_is_depthwise(draft, node) for node in region.inside):
        return False
    before = _cost(draft, region, region.channels)
    after = _cost(draft, region, widths.aligned(region.channels))
    return after < before * (1 - _LEAST_GAIN)


def _cost(draft: Draft, region: Region, channels: int) -> float:
    """Of the layers around, and of moves into and out of blocks, with this many channels in the region."""
    wide = channels % widths.ALIGNED == 0
    total = 0.0
    for node in region.sources:
        read = node.input_types[0].channels
        assert isinstance(read, int)
        if node not in region.sinks:
            total += widths.dense_cost(node, read, channels)
        if widths.in_blocks(read) != wide:
            total += widths.copy_cost(node.output_types[0], channels)
    for node in region.sinks:
        made = node.output_types[0].channels
        assert isinstance(made, int)
        total += widths.dense_cost(node, channels, made)
        if widths.in_blocks(channels) and made % widths.ALIGNED:
            total += widths.copy_cost(node.output_types[0], made)
    total += sum(widths.depthwise_cost(node, channels) for node in region.inside if _is_depthwise(draft, node))
    return total + sum(widths.copy_cost(value.type, channels) for value in region.cuts if wide)


# ── rewriting ────────────────────────────────────────────────────────────────────────────────────────────────


def _widen(draft: Draft, region: Region) -> None:
    wide = widths.aligned(region.channels)
    now: dict[Value, Value] = {}
    pairs: list[tuple[Node, list[Node]]] = []
    around = {**region.sources, **region.inside, **region.sinks}
    for node in sorted(around, key=draft.order):
        inputs = [now.get(value, value) for value in node.inputs]
        made = [_widened(draft, region, node, inputs, wide)]
        for old, new in zip(node.outputs, made[0].outputs, strict=True):
            if old in region.values:
                now[old] = new
                if old in region.cuts:
                    made.append(draft.apply("slice", Slice(stop=region.channels, axis=1), [new], node, outputs=[old]))
        pairs.append((node, made))
    draft.rewrite_each(pairs, f"{region.channels} channels became {wide}")


def _widened(draft: Draft, region: Region, node: Node, inputs: list[Value], wide: int) -> Node:
    """The node on wider tensors; stored tensors get what is new as zeros, and variances as ones."""
    grows = node.outputs[0] in region.values
    more = wide - region.channels
    attrs: Any = node.attrs
    if grows and node.op.name == "conv":
        attrs = replace(attrs, filters=wide, groups=wide if node in region.inside else attrs.groups)
    elif grows and node.op.name == "linear":
        attrs = replace(attrs, features=wide)
    arrays: dict[str, Array] = {}
    for role, array in draft.arrays(node).items():
        columns = more if node in region.sinks and role == "weight" else 0
        arrays[role] = _extended(array, more if grows else 0, columns, 1.0 if role == "running_var" else 0.0)
    return draft.apply(node.op.name, attrs, inputs, node, arrays, None if grows else node.outputs)


def _extended(array: Array, rows: int, columns: int, value: float) -> Array:
    import numpy as np

    ends = [(0, rows), (0, columns), *[(0, 0)] * array.ndim][: array.ndim]
    return np.pad(array, ends, constant_values=value)


PASS = Pass("pad_widths", "tensors widened by zero channels to a multiple of 4, for ONNX Runtime's layout in blocks", run)
