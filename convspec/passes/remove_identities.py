"""Layers that change nothing in inference are left out: identity, dropout in all its forms, a reshape to the same shape."""

from __future__ import annotations

from convspec.ir.graph import Node
from convspec.ir.lowering import Arg
from convspec.passes.base import Pass
from convspec.passes.draft import Draft


def run(draft: Draft) -> None:
    """Readers of such a layer's output read its input."""
    for node in draft.nodes():
        if _does_nothing(node):
            draft.rewrite([node], same={node.outputs[0]: node.inputs[0]})


def _does_nothing(node: Node) -> bool:
    """Whether the op is the identity with these attributes; its ONNX form says so for all that is one in inference."""
    if len(node.outputs) != 1 or not node.inputs or node.outputs[0].type != node.inputs[0].type:
        return False
    if node.op.training_only:
        return True
    lower = node.op.lower.get("onnx")
    return lower is not None and lower(node.attrs, *node.input_types) == Arg(0)


PASS = Pass("remove_identities", "a layer that changes nothing in inference left out", run)
