"""Layers that hold values in a range are left out where the values lie in it already, or where the next one holds them anyway.

`relu`, `relu6`, `clip` and `hardtanh` hold values between two bounds. Such a layer goes

- where what it reads is known to lie between them: behind a sigmoid, a softmax, another relu, also through layers that only
  pick, average or move values;
- where its only reader holds values between bounds of its own, and none of them differ without it: `relu -> relu6`;
- two clips of which neither holds the other become one with both bounds.

`abs`, `leaky_relu`, `elu`, `celu` and `prelu` go behind values that are never below 0, which they leave as they are.
"""

from __future__ import annotations

from math import inf

from convspec.ir.graph import Node, Value
from convspec.ops.clip import Clip
from convspec.passes.base import Pass
from convspec.passes.draft import Draft

_ABOVE_ZERO = frozenset(("abs", "leaky_relu", "elu", "celu", "prelu"))
"""What leaves values from 0 on as they are."""
_RANGES = {
    "abs": (0.0, inf),
    "exp": (0.0, inf),
    "hardsigmoid": (0.0, 1.0),
    "relu": (0.0, inf),
    "relu6": (0.0, 6.0),
    "sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "softplus": (0.0, inf),
    "softsign": (-1.0, 1.0),
    "sqrt": (0.0, inf),
    "tanh": (-1.0, 1.0),
}
"""What values lie between, whatever goes in. NaN stays NaN in all of this."""
_PICKING = frozenset(
    (
        "adaptive_maxpool",
        "channel_shuffle",
        "crop",
        "depth_to_space",
        "expand",
        "flatten",
        "global_maxpool",
        "max",
        "min",
        "permute",
        "pixel_shuffle",
        "pixel_unshuffle",
        "reshape",
        "reverse",
        "roll",
        "slice",
        "space_to_depth",
        "split",
        "squeeze",
        "tile",
        "unsqueeze",
    )
)
"""Layers whose results are values that went in, of the first input."""
_DEPTH = 6
"""How many of those are looked through."""


def run(draft: Draft) -> None:
    """One walk: a layer is looked at with those before it."""
    for node in draft.nodes():
        bounds = _bounds(node)
        if bounds is None and node.op.name not in _ABOVE_ZERO:
            continue
        low, high = bounds or (0.0, inf)
        least, most = range_of(draft, node.inputs[0])
        if low <= least and most <= high:
            same = {node.outputs[0]: node.inputs[0]}
            draft.rewrite([node], same=same, note=f"what it reads is never {_outside(low, high)}")
        elif bounds is not None:
            _join(draft, node, bounds)


def _outside(low: float, high: float) -> str:
    parts = ([f"below {low:g}"] if low > -inf else []) + ([f"above {high:g}"] if high < inf else [])
    return " or ".join(parts)


def _bounds(node: Node) -> tuple[float, float] | None:
    """What a layer holds values between, and does nothing else."""
    match node.op.name:
        case "relu":
            return 0.0, inf
        case "relu6":
            return 0.0, 6.0
        case "clip":
            a = node.attrs
            return -inf if a.min is None else float(a.min), inf if a.max is None else float(a.max)
        case "hardtanh":
            return float(node.attrs.min), float(node.attrs.max)
    return None


def range_of(draft: Draft, value: Value) -> tuple[float, float]:
    """What the elements of a tensor lie between for every input, as far as that is known."""
    for _ in range(_DEPTH):
        node = draft.producer(value)
        if node is None or not node.inputs:
            break
        found = _bounds(node) or _RANGES.get(node.op.name)
        if found is not None:
            return found
        largest = node.op.name == "maxpool" and value is node.outputs[0]
        if node.op.name not in _PICKING and not largest:
            break
        value = node.inputs[0]
    return -inf, inf


def _join(draft: Draft, second: Node, outer: tuple[float, float]) -> None:
    """With a layer of the same kind before it, which nothing else needs."""
    first = draft.made_by(second.inputs[0], "relu", "relu6", "clip", "hardtanh")
    inner = None if first is None else _bounds(first)
    if first is None or inner is None:
        return
    low, high = (min(max(bound, outer[0]), outer[1]) for bound in inner)
    if (low, high) == outer:
        draft.rewrite([first, second], [draft.changed(second, inputs=first.inputs)], note="the second holds values anyway")
    elif first.op.name == second.op.name == "clip":
        both = Clip(min=None if low == -inf else low, max=None if high == inf else high)
        draft.rewrite([first, second], [draft.apply("clip", both, first.inputs, second, outputs=second.outputs)])


PASS = Pass("simplify_clips", "a layer left out that holds values in a range where they are", run)
