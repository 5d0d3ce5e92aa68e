"""CNN116: a softmax over one value, which is 1 whatever the value is; and its logarithm, which is 0.

Norms over one value, whose result would always be 0, are errors.
"""

from __future__ import annotations

from convspec.ir.graph import Node
from convspec.lint.survey import Finding, Survey
from convspec.ops._axes import axis_index, axis_name

OPS = frozenset({"softmax", "log_softmax"})


def look(survey: Survey, node: Node) -> Finding | None:
    """CNN116 for a layer whose result does not depend on what comes in."""
    source = node.input_types[0]
    axis = axis_index(node.attrs.axis, source.rank)
    if source.shape[axis] != 1:
        return None
    return Finding(
        message=f"this {node.op.name} is {1 if node.op.name == 'softmax' else 0}, whatever comes in",
        label=f"the {axis_name(axis, source.rank)} that it makes add up to 1 are one value",
        hint="for one probability, use sigmoid",
    )
