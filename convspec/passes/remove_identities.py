"""Layers that change nothing in inference are left out.

Such are identity, dropout in all its forms, and cast to the same type; reshape, slice, crop, pad, tile, expand, resize,
reductions and poolings to the same shape; permute, roll and shuffle that move nothing; pooling with a window of one cell;
concat of one; and x + 0, x - 0, x * 1, x / 1, x ** 1.
"""

from __future__ import annotations

from collections.abc import Callable

from convspec.ir.graph import Node
from convspec.ir.lowering import Arg
from convspec.passes.base import Pass
from convspec.passes.draft import Draft

_BY_TYPE = frozenset(
    (
        "adaptive_avgpool",
        "adaptive_maxpool",
        "crop",
        "depth_to_space",
        "expand",
        "flatten",
        "global_avgpool",
        "global_maxpool",
        "max",
        "mean",
        "min",
        "pad",
        "pixel_shuffle",
        "pixel_unshuffle",
        "reshape",
        "resize",
        "slice",
        "space_to_depth",
        "squeeze",
        "sum",
        "tile",
        "upsample",
    )
)
"""Layers that keep every element at its place if they keep all sizes: what they cut, add, repeat or put together is nothing."""


def run(draft: Draft) -> None:
    """Readers of such a layer's output read its input."""
    for node in draft.nodes():
        if _does_nothing(node):
            draft.rewrite([node], same={node.outputs[0]: node.inputs[0]})


def _does_nothing(node: Node) -> bool:
    """Whether the op is the identity with these attributes; its ONNX form says so for many that are one in inference."""
    if len(node.outputs) != 1 or not node.inputs or node.outputs[0].type != node.inputs[0].type or node.op.anchored:
        return False
    if node.op.training_only or node.op.name in _BY_TYPE:
        return True
    rule = _RULES.get(node.op.name)
    if rule is not None and rule(node):
        return True
    lower = node.op.lower.get("onnx")
    return lower is not None and lower(node.attrs, *node.input_types) == Arg(0)


def _pools_one_cell(node: Node) -> bool:
    ones = {1}
    return set(node.attrs.kernel) == ones and set(node.attrs.stride) == ones


def _moves_nothing(node: Node) -> bool:
    """`roll` by whole turns, as far as the sizes are known."""
    sizes = [node.inputs[0].type.shape[int(axis)] for axis in node.attrs.axis]
    return all(step == 0 or (isinstance(n, int) and step % n == 0) for step, n in zip(node.attrs.shift, sizes, strict=True))


def _turns_nothing(node: Node) -> bool:
    return all(node.inputs[0].type.shape[int(axis)] == 1 for axis in node.attrs.axis)


def _right_is(number: float) -> Callable[[Node], bool]:
    return lambda node: len(node.inputs) == 1 and bool(node.attrs.right == number)


def _either_is(number: float) -> Callable[[Node], bool]:
    return lambda node: len(node.inputs) == 1 and number in (node.attrs.left, node.attrs.right)


_RULES: dict[str, Callable[[Node], bool]] = {
    "add": _either_is(0),
    "avgpool": _pools_one_cell,
    "channel_shuffle": lambda node: node.attrs.groups in (1, node.inputs[0].type.channels),
    "concat": lambda node: len(node.inputs) == 1,
    "div": _right_is(1),
    "maxpool": _pools_one_cell,
    "mul": _either_is(1),
    "pow": _right_is(1),
    "reverse": _turns_nothing,
    "roll": _moves_nothing,
    "split": lambda node: True,  # into one part: it has one output
    "sub": _right_is(0),
}


PASS = Pass("remove_identities", "a layer that changes nothing in inference left out", run)
