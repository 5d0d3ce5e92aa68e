"""CNN114: an activation right after an activation, where it changes nothing or squashes what is squashed already.

It changes nothing where all that comes in is already in the range that it leaves alone: relu after relu or sigmoid. The same
activation twice in a row, or a probability made of probabilities (softmax, sigmoid and log_softmax), is rarely meant.
"""

from __future__ import annotations

from math import inf

from convspec.diagnostics import Label
from convspec.ir.graph import Node
from convspec.lint.survey import Finding, Survey

_RANGES = {
    "relu": (0, inf), "relu6": (0, 6), "sigmoid": (0, 1), "hardsigmoid": (0, 1), "softmax": (0, 1), "softplus": (0, inf),
    "abs": (0, inf), "exp": (0, inf), "hardtanh": (-1, 1), "tanh": (-1, 1), "softsign": (-1, 1),
}  # fmt: skip
"""What comes out, at least and at most."""
_LEAVES = {
    "relu": (0, inf), "leaky_relu": (0, inf), "prelu": (0, inf), "elu": (0, inf), "celu": (0, inf), "abs": (0, inf),
    "relu6": (0, 6),
}  # fmt: skip
"""What an activation leaves as it is."""
_PROBABILITIES = {"softmax", "log_softmax", "sigmoid", "logsigmoid", "hardsigmoid"}
OPS = frozenset({
    *_RANGES, *_LEAVES, *_PROBABILITIES, "gelu", "silu", "mish", "selu", "hardswish", "threshold", "clip",
})  # fmt: skip
_MEANT = {"exp", "abs", "clip", "threshold"}
"""Functions of which two in a row are arithmetic."""
_CHOOSING = {"identity", "maxpool", "global_maxpool", "flatten", "reshape", "channel_shuffle"}
"""What comes out of these has come in."""


def look(survey: Survey, node: Node) -> Finding | None:
    """CNN114 for an activation that follows one to no purpose."""
    bounding = _before(survey, node, _CHOOSING)
    if bounding is not None and _changes_nothing(bounding, node):
        why = _why(bounding)
        return Finding(message=f"this {node.op.name} changes nothing", label=why, related=_place(bounding, node))
    first = _before(survey, node, {"identity"})
    if first is None:
        return None
    related = _place(first, node)
    if first.op.name == node.op.name and node.op.name not in _MEANT and _alike(first, node):
        return Finding(message=f"{node.op.name} is applied twice in a row", label="again", related=related)
    if {first.op.name, node.op.name} <= _PROBABILITIES:
        message = f"{node.op.name} is applied to what {first.op.name} made a probability already"
        return Finding(message=message, label="again", related=related)
    return None


def _before(survey: Survey, node: Node, between: set[str]) -> Node | None:
    """The activation whose result comes in, past layers of those names."""
    first = survey.before(node)
    while first is not None and first.op.name in between and len(first.outputs) == 1:
        first = survey.before(first)
    return first if first is not None and first.op.name in OPS else None


def _place(first: Node, node: Node) -> tuple[Label, ...]:
    return (Label(first.span, f"{first.op.name}, whose result comes in"),) if first.span != node.span else ()


def _changes_nothing(first: Node, then: Node) -> bool:
    if first.op.name not in _RANGES and not _bounds(first):
        return False
    low, high = _bounds(first)
    least, most = _bounds(then) if then.op.name in ("hardtanh", "clip") else _LEAVES.get(then.op.name, (inf, -inf))
    return least <= low and high <= most


def _bounds(node: Node) -> tuple[float, float]:
    """What an activation gives out at least and at most."""
    if node.op.name in ("hardtanh", "clip"):
        low, high = getattr(node.attrs, "min", None), getattr(node.attrs, "max", None)
        return (-inf if low is None else low, inf if high is None else high)
    return _RANGES.get(node.op.name, (-inf, inf))


def _alike(first: Node, then: Node) -> bool:
    """Not two learned slopes, of which each may be another."""
    return not then.params and first.attrs == then.attrs


def _why(first: Node) -> str:
    low, high = _bounds(first)
    within = f"lies between {low:g} and {high:g}" if -inf < low and high < inf else f"is never below {low:g}"
    within = within if low > -inf else f"is never above {high:g}"
    return f"what comes out of {first.op.name} {within}"
