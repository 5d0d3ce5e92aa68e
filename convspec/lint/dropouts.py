"""CNN113: a dropout behind the last layer, which switches off parts of the output itself.

What follows it up to every output may only rename, reshape or squash values (softmax, sigmoid, …): no layer learns to do
without what was dropped.
"""

from __future__ import annotations

from convspec.ir.graph import Node, Value
from convspec.lint.survey import Finding, Survey

OPS = frozenset({"dropout", "channel_dropout"})
_ONWARD = {
    "identity", "flatten", "reshape", "squeeze", "unsqueeze", "permute", "cast",
    "softmax", "log_softmax", "sigmoid", "logsigmoid", "hardsigmoid", "tanh", "relu",
}  # fmt: skip


def look(survey: Survey, node: Node) -> Finding | None:
    """CNN113 for a dropout that no layer follows."""
    if not node.attrs.rate or not _after_layers(survey, node):
        return None
    names = _outputs(survey, node.outputs[0])
    if not names:
        return None
    return Finding(
        message=f"this {node.op.name} switches off parts of the output {' and '.join(f'`{name}`' for name in names)} itself",
        label="no layer follows it",
        hint="a dropout stands before the last layer",
    )


def _after_layers(survey: Survey, node: Node) -> bool:
    """Whether it drops what some layer computed."""
    return node.inputs[0] in survey.maker


def _outputs(survey: Survey, value: Value) -> list[str]:
    """The outputs that a value leads to; none where anything but names, shapes and squashing lies on a way."""
    pending, found = [value], []
    while pending:
        current = pending.pop()
        found += [output.name for output in survey.graph.outputs if output.value is current]
        for reader in survey.readers.get(current, []):
            if reader.op.name not in _ONWARD:
                return []
            pending += reader.outputs
    return found
