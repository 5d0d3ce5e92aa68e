"""CNN110: a bias before a batch or instance norm, which takes it off again.

Such a norm subtracts the mean of every channel, and with it whatever was added to the channel as a whole: training cannot move
the bias, and in inference the running mean holds it. What stands between may be anything that hands an added number on
unchanged: `identity`, pooling without zeros around it, upsampling. The bias is of use where something else reads the layer's
value too, where the norm's statistics are those of several layers, and where a shared layer has no norm at one of its uses.
"""

from __future__ import annotations

from convspec.diagnostics import Fix, Label
from convspec.ir.graph import Node
from convspec.lint.survey import Finding, Survey
from convspec.source import Span
from convspec.syntax import ast

OPS = frozenset({"conv", "conv_transpose", "depthwise_conv", "separable_conv", "ws_conv", "deform_conv", "linear"})
_USES = 100
"""Uses of a shared layer that are looked at for each of them."""
_NORMS = {"batchnorm", "instancenorm"}
_TRANSPARENT = {"identity", "maxpool", "global_avgpool", "global_maxpool", "upsample", "channel_shuffle"}


def look(survey: Survey, node: Node) -> Finding | None:
    """CNN110 for a layer whose bias a norm takes off again."""
    if "bias" not in node.params:
        return None
    norm = _norm(survey, node)
    holders = survey.holders[node.params["bias"].name]
    if norm is None or (len(holders) > 1 and not all(_norm(survey, holder) for holder in holders[:_USES])):
        return None
    return Finding(
        message=f"this bias has no effect: the {norm.op.name} after it takes it off again",
        label=f"{node.params['bias'].size} numbers that training cannot use",
        related=(Label(norm.span, "subtracts the mean of each channel"),) if norm.span != node.span else (),
        hint="write `bias = false`; stored weights then have one tensor less",
        fix=_without_bias(survey, node),
    )


def _norm(survey: Survey, node: Node) -> Node | None:
    """The norm that takes off what a layer adds to a channel, if there is one with statistics of its own."""
    norm = _follower(survey, node)
    if norm is None or norm.op.name not in _NORMS or norm.input_types[0].rank != node.output_types[0].rank:
        return None
    return None if any(len(survey.holders[stored.name]) > 1 for stored in norm.params.values()) else norm


def _follower(survey: Survey, node: Node) -> Node | None:
    """The layer that reads the value, past those that hand an added number on."""
    reader = survey.only_reader(node.outputs[0])
    while reader is not None and _hands_on(reader):
        reader = survey.only_reader(reader.outputs[0])
    return reader


def _hands_on(node: Node) -> bool:
    if node.op.name == "avgpool":
        return not any(map(any, node.attrs.pad))
    return node.op.name in _TRANSPARENT and len(node.outputs) == 1


def _without_bias(survey: Survey, node: Node) -> Fix | None:
    """`bias = false` in the layer's own call; none where the bias is chosen by something other than a plain word."""
    written = survey.written.get(node)
    if written is None or not isinstance(written.site, ast.StageCall | ast.Call) or not written.site.args:
        return None
    call, given = written.site, written.args.get("bias")
    if call.function.text != node.op.name:
        return None
    inside = given is not None and any(arg.value is given for arg in call.args)
    if inside:
        assert given is not None
        return Fix(given.span, "false", "leave the bias out") if isinstance(given, ast.BoolLit) else None
    end = call.args[-1].span.end
    return Fix(Span(call.span.file, end, end), ", bias = false", "leave the bias out")
