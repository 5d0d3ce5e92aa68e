"""CNN116: a layer whose result is always the same: a softmax over one value is 1, a norm over one value is 0."""

from __future__ import annotations

from convspec.ir.graph import Node
from convspec.ir.types import TensorType
from convspec.lint.survey import Finding, Survey
from convspec.ops._axes import axis_index, axis_name


def look(survey: Survey, node: Node) -> Finding | None:
    """CNN116 for a layer whose result does not depend on what comes in."""
    source = node.input_types[0]
    if node.op.name in ("softmax", "log_softmax"):
        axis = axis_index(node.attrs.axis, source.rank)
        if source.shape[axis] != 1:
            return None
        value = 1 if node.op.name == "softmax" else 0
        return Finding(
            message=f"this {node.op.name} is {value}, whatever comes in",
            label=f"{axis_name(axis, source.rank)} 1: the values that add up to 1 are one value",
            hint="for one probability, use sigmoid",
        )
    if _normalised(node, source) == 1:
        return Finding(
            message=f"this {node.op.name} is the same, whatever comes in",
            label=f"it normalises single values: {source}",
            hint="a value less its own mean is 0",
        )
    return None


def _normalised(node: Node, source: TensorType) -> object:
    """How many values share a mean, as far as it is known; None for other layers."""
    if node.op.name == "instancenorm":
        sizes = source.spatial
    elif node.op.name == "groupnorm":
        sizes = (source.shape[1] // node.attrs.groups, *source.spatial)
    elif node.op.name == "layernorm":
        sizes = tuple(source.shape[axis_index(axis, source.rank, "axes")] for axis in node.attrs.axes)
    else:
        return None
    return 1 if all(size == 1 for size in sizes) else None
