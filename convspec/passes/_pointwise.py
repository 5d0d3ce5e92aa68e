"""Which ops change each number by itself, alike in every channel: they may come before or after channels are put together."""

from __future__ import annotations

from convspec.ir.graph import Node

_UNARY = frozenset(
    (
        "abs",
        "celu",
        "clip",
        "elu",
        "exp",
        "gelu",
        "hardsigmoid",
        "hardswish",
        "hardtanh",
        "leaky_relu",
        "logsigmoid",
        "mish",
        "neg",
        "relu",
        "relu6",
        "selu",
        "sigmoid",
        "silu",
        "softplus",
        "softsign",
        "tanh",
        "threshold",
    )
)
_WITH_NUMBER = frozenset(("add", "mul", "sub", "div"))


def is_pointwise(node: Node) -> bool:
    """Whether an op has one tensor and no weights, and each number of the result comes from the one at its place."""
    if len(node.inputs) != 1 or node.params or len(node.outputs) != 1:
        return False
    return node.op.name in _UNARY or node.op.name in _WITH_NUMBER


def alike(a: Node, b: Node) -> bool:
    """Whether two such nodes compute the same function."""
    return a.op is b.op and a.attrs == b.attrs
