"""Where an infinite gradient may come to a ReLU, which TensorFlow multiplies by 0: NaN, where PyTorch passes on 0.

`sqrt(relu(x))` is such a case: the square root has an infinite gradient at 0. There, and only there, the ReLU is written as a
choice of elements, whose gradient is one too.
"""

from __future__ import annotations

from collections.abc import Mapping

from convspec.ir.graph import Graph, Node, Value
from convspec.ir.lowering import Arg, Call
from convspec.source import Span

CHOICES: Mapping[str, Call] = {
    "relu": Call("helpers.chosen_relu", (Arg(0),)),
    "relu6": Call("helpers.hardtanh", (Arg(0), 0, 6)),
}
"""By op: the form that chooses."""


def endless_kinks(graph: Graph) -> frozenset[Span]:
    """The places in the source of those ReLUs that some use of leads to an infinite slope."""
    found: set[Span] = set()
    reached: set[Value] = set()
    for node in reversed(graph.nodes):
        if not (_steep(node) or any(value in reached for value in node.outputs)):
            continue
        reached.update(node.inputs)
        if node.op.name in CHOICES and any(value in reached for value in node.outputs):
            found.add(node.span)
    return frozenset(found)


def _steep(node: Node) -> bool:
    """Whether the slope is infinite somewhere: at 0, for all of these."""
    if node.op.name == "pow":
        exponent = node.attrs.right
        return node.attrs.left is None and (exponent is None or (exponent < 1 and exponent != 0))
    if node.op.name == "div":
        return bool(node.attrs.right is None)
    return node.op.name in ("sqrt", "log")
