"""CNN112: a number of channels of which hardware wastes most of a group.

Processors work on channels eight at a time, at least: a vector of float32 in AVX, the tile of a tensor core in fp16. A count of
65 takes nine groups, of which the last does one eighth of its work. Told of a convolution over space whose channels (those of
one of its groups, where it has groups) leave the last group of eight with three or fewer, if that idles a sixteenth of the work
or more. Left alone: what makes the network's outputs, whose channels are the task's, or offsets of a deformable convolution,
whose channels are its kernel's; depthwise layers; fewer than eight.
"""

from __future__ import annotations

from convspec.ir.graph import Node, Value
from convspec.lint.survey import Finding, Survey

OPS = frozenset({"conv", "ws_conv", "conv_transpose", "separable_conv", "deform_conv"})
_GROUP, _FEW, _SHARE = 8, 3, 16


def look(survey: Survey, node: Node) -> Finding | None:
    """CNN112 for a convolution whose channels fill a last group of eight badly."""
    groups = getattr(node.attrs, "groups", 1)
    width = node.attrs.filters // groups
    used = width % _GROUP
    if not 0 < used <= _FEW or (width < _GROUP and (groups == 1 or width == 1)):
        return None
    whole = width - used + _GROUP
    if (_GROUP - used) * _SHARE < whole or not _over_space(node) or _is_given(survey, node):
        return None
    of = f"each of the {groups} groups has {width} filters" if groups > 1 else f"{width} filters"
    below = f"{width - used} or " if width > used else ""
    return Finding(
        message=f"{of}: hardware computes {whole}, and throws {whole - width} away",
        label=f"the last {used} of them take a group of {_GROUP} for themselves",
        hint=f"{below}{whole} per group fill it" if groups > 1 else f"{below}{whole} filters fill their groups",
    )


def _over_space(node: Node) -> bool:
    """Whether there is more than one place: at a single one, as in squeeze and excite, a layer costs next to nothing."""
    return any(size != 1 for size in node.output_types[0].spatial)


def _is_given(survey: Survey, node: Node) -> bool:
    """Whether the author has no choice in the number."""
    value = node.outputs[0]
    moved = any(value in reader.inputs[1:] and reader.op.name == "deform_conv" for reader in survey.readers.get(value, []))
    return moved or _makes_outputs(survey, node)


def _makes_outputs(survey: Survey, node: Node) -> bool:
    """Whether no other layer with weights lies between it and the outputs."""
    pending: list[Value] = list(node.outputs)
    seen = set(pending)
    while pending:
        value = pending.pop()
        for reader in survey.readers.get(value, []):
            if any(p.trainable and len(p.shape) > 1 for p in reader.params.values()):
                return False
            pending += [made for made in reader.outputs if made not in seen]
            seen.update(reader.outputs)
    return True
