"""Two convolutions or linear layers in a row, with nothing between them, become one.

A 1x1 before a 3x3, a 3x3 before a 1x1, a linear layer before another. Both are `conv`, `depthwise_conv` or `linear`. They
merge where

- nothing but the second reads what the first makes, and neither shares its weights;
- the one layer takes no more multiplications than both, which a narrow tensor between them does: that stays;
- the borders stay exact. What the second finds past the ends is zero, and not what the first would make of zeros there. So the
  second reads nothing past the ends; or the first looks at single cells, and either has no bias and the pads are zeros, or the
  pads repeat cells of the tensor (reflect, replicate, circular), for which it does not matter when they are taken.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import gcd, prod
from typing import Any

from convspec.analysis.cost import node_cost
from convspec.ir.dims import at_least
from convspec.ir.graph import Node
from convspec.ir.types import Array
from convspec.ops.conv import OP as CONV
from convspec.passes._branches import Numbers, Window, attributes, convolution, numbers_of, spread, window_of
from convspec.passes.base import Pass
from convspec.passes.draft import Draft

_LAYERS = ("conv", "depthwise_conv", "linear")


def run(draft: Draft) -> None:
    """Each layer is looked at once, together with the one before it."""
    for node in draft.nodes():
        if node.op.name in _LAYERS:
            before = draft.made_by(node.inputs[0], *_LAYERS)
            if before is not None:
                _merge(draft, before, node)


def _merge(draft: Draft, first: Node, second: Node) -> None:
    one, two = window_of(first), window_of(second)
    if one is None or two is None or draft.shares_weights(first) or draft.shares_weights(second):
        return
    window = _composed(one, two, first)
    if not _keeps_borders(draft, one, two, first) or not _pays(window, first, second):
        return
    numbers = _numbers(draft, first, second, one, two, window)
    like = second if second.op.name != "linear" or first.op.name == "linear" else first
    made = convolution(draft, first.inputs[0], window, numbers, like, list(second.outputs))
    draft.rewrite([first, second], [made])


def _composed(one: Window, two: Window, first: Node) -> Window:
    """The window of both: output i of the second reads cell i * stride + b of the first, which reads that * stride + a."""
    offsets = tuple(map(_spread, one.offsets, two.offsets, one.stride))
    stride = tuple(a * b for a, b in zip(one.stride, two.stride, strict=True))
    after = tuple(a + s * b for a, b, s in zip(one.after, two.after, one.stride, strict=True))
    groups = gcd(one.groups, two.groups)
    channels = first.input_types[0].channels
    assert isinstance(channels, int)
    weights = two.filters * (channels // groups) * prod(map(len, offsets))
    outer = one if one.padded else two
    return Window(two.filters, groups, stride, offsets, after, outer.mode, outer.value, weights)


def _spread(one: range, two: range, stride: int) -> range:
    first, last = one[0] + stride * two[0], one[-1] + stride * two[-1]
    steps = ([one.step] if len(one) > 1 else []) + ([two.step * stride] if len(two) > 1 else [])
    return range(first, last + 1, gcd(*steps) or 1)


def _keeps_borders(draft: Draft, one: Window, two: Window, first: Node) -> bool:
    if not two.padded:
        return True
    single = all(len(o) == 1 and o[0] == 0 for o in one.offsets) and set(one.stride) <= {1} and not any(one.after)
    if not single:
        return False
    if two.mode in ("reflect", "replicate", "circular"):
        return True
    return two.mode == "zeros" and ("bias" not in first.params or not draft.arrays(first)["bias"].any())


def _pays(window: Window, first: Node, second: Node) -> bool:
    """Whether the one layer makes the type of the second with no more work, whatever the sizes are."""
    x, y = first.input_types[0], second.output_types[0]
    now = node_cost(first).macs + node_cost(second).macs
    if x.rank == 2:
        return at_least(now, x.shape[0] * window.weights) is True
    attrs = attributes(window, False)
    return CONV.infer(attrs, x) == y and CONV.cost is not None and at_least(now, CONV.cost(attrs, x).macs) is True


def _numbers(draft: Draft, first: Node, second: Node, one: Window, two: Window, window: Window) -> Numbers:
    channels, between = first.input_types[0].channels, first.output_types[0].channels
    assert isinstance(channels, int) and isinstance(between, int)
    a, b = numbers_of(draft, first, one), numbers_of(draft, second, two)
    mine = _grouped(spread(a, one, replace(one, groups=window.groups), channels), window.groups)
    theirs = _grouped(spread(b, two, replace(two, groups=window.groups), between), window.groups)
    bias = b.bias
    if a.bias is not None:
        summed = theirs.sum(tuple(range(3, theirs.ndim)))
        moved = (summed @ a.bias.reshape(window.groups, -1, 1)).reshape(-1)
        bias = moved if bias is None else bias + moved
    return Numbers(_product(mine, theirs, one, two, window), bias)


def _grouped(weight: Array, groups: int) -> Array:
    return weight.reshape(groups, -1, *weight.shape[1:])


def _product(mine: Array, theirs: Array, one: Window, two: Window, window: Window) -> Array:
    """Σ over the channels between, for each pair of kernel cells, at the cell that both together read."""
    import numpy as np

    groups, filters, channels = window.groups, theirs.shape[1], mine.shape[2]
    whole = np.zeros((groups, filters, channels, *map(len, window.offsets)))
    every: Any = (slice(None),) * 3
    for cells in product(*(range(len(o)) for o in (*one.offsets, *two.offsets))):
        here: Any = cells[: len(one.offsets)]
        there: Any = cells[len(one.offsets) :]
        at: Any = tuple(
            o.index(a[i] + s * b[j])
            for o, a, b, s, i, j in zip(window.offsets, one.offsets, two.offsets, one.stride, here, there, strict=True)
        )  # fmt: skip
        whole[(*every, *at)] += theirs[(*every, *there)] @ mine[(*every, *here)]
    return whole.reshape(groups * filters, channels, *map(len, window.offsets))


PASS = Pass("merge_successive", "two convolutions or linear layers in a row merged into one", run)
