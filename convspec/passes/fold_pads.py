"""A `pad` goes into the pads of the layer that reads it.

- Into a `conv`, `depthwise_conv`, `separable_conv` or `ws_conv` that pads with nothing itself, whatever the mode; where it pads
  too, if both fill with the same number, or both repeat the edge.
- Into an `avgpool` that counts what is padded, zeros; not with `ceil`.
- Into a `maxpool`, a number that is never above what stands in the padded tensor and never wins: 0 behind a relu. Not with
  `ceil` nor `indices`.
- Two pads in a row become one, where both fill with the same number or both repeat the edge.

The padded tensor has one reader and is no output; the layer shares no weights. Where the layer could not have such pads (a
window that would lie in the padding), the pad stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf
from typing import Any

from convspec.ir.graph import Node
from convspec.ir.opdef import AttrError, ShapeError
from convspec.passes.base import Pass
from convspec.passes.draft import Draft
from convspec.passes.simplify_clips import range_of
from convspec.records import dataclass

_CONVS = ("conv", "depthwise_conv", "separable_conv", "ws_conv")


@dataclass(frozen=True, slots=True)
class Filled:
    """Cells around a tensor; `value` is 0 where they are copies of its own."""

    amount: tuple[tuple[int, int], ...]
    mode: str
    value: float

    @property
    def nothing(self) -> bool:
        return not any(map(any, self.amount))


def run(draft: Draft) -> None:
    """Each `pad` is looked at with its one reader."""
    for node in draft.nodes():
        if node.op.name != "pad":
            continue
        reader = draft.only_user(node.outputs[0])
        if reader is None or reader.inputs.count(node.outputs[0]) != 1 or reader.inputs[0] is not node.outputs[0]:
            continue
        if draft.shares_weights(reader):
            continue
        changes = _changes(draft, node, reader)
        if changes is not None:
            _fold(draft, node, reader, changes)


def _changes(draft: Draft, node: Node, reader: Node) -> Mapping[str, Any] | None:
    """The attributes that the reader gets; None where it cannot stand for the pad."""
    pad = _filled(node.attrs.amount, node.attrs.mode, node.attrs.value)
    a = reader.attrs
    match reader.op.name:
        case "conv" | "depthwise_conv" | "separable_conv" | "ws_conv":
            both = joined(pad, _filled(a.pad, a.pad_mode, a.pad_value))
            return None if both is None else {"pad": both.amount, "pad_mode": both.mode, "pad_value": both.value}
        case "pad":
            both = joined(pad, _filled(a.amount, a.mode, a.value))
            return None if both is None else {"amount": both.amount, "mode": both.mode, "value": both.value}
        case "avgpool":
            zeros = pad.mode == "constant" and pad.value == 0 and a.count_pad and not a.ceil
            return {"pad": _sum(pad.amount, a.pad)} if zeros else None
        case "maxpool":
            least = range_of(draft, node.inputs[0])[0]
            loses = pad.mode == "constant" and -inf < pad.value <= least and not a.ceil and not a.indices
            return {"pad": _sum(pad.amount, a.pad)} if loses else None
    return None


def _filled(amount: tuple[tuple[int, int], ...], mode: str, value: float) -> Filled:
    zeros = mode == "zeros"
    return Filled(amount, "constant" if zeros else mode, 0.0 if zeros else value)


def joined(inner: Filled, outer: Filled) -> Filled | None:
    """Cells around a tensor that has cells around it already, as one; None where no one mode says it."""
    if outer.nothing:
        return inner
    if inner.nothing:
        return outer
    same = (inner.mode, inner.value) == (outer.mode, outer.value) and inner.mode in ("constant", "replicate")
    return Filled(_sum(inner.amount, outer.amount), inner.mode, inner.value) if same else None


def _sum(a: tuple[tuple[int, int], ...], b: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    return tuple((lo + more, hi + over) for (lo, hi), (more, over) in zip(a, b, strict=True))


def _fold(draft: Draft, node: Node, reader: Node, changes: Mapping[str, Any]) -> None:
    plain = dict(changes)
    if reader.op.name in _CONVS and plain["pad_mode"] == "constant" and plain["pad_value"] == 0:
        plain["pad_mode"] = "zeros"
    attrs = replace(reader.attrs, **plain)
    types = (node.inputs[0].type, *reader.input_types[1:])
    try:
        attrs = reader.op.resolve(attrs, *types) if reader.op.resolve else attrs
        made = reader.op.infer(attrs, *types)
    except (AttrError, ShapeError):
        return
    if made != reader.outputs[0].type:
        return
    new = draft.changed(reader, attrs=attrs, inputs=(node.inputs[0], *reader.inputs[1:]))
    draft.rewrite([node, reader], [new], note=f"into the {reader.op.name} that reads it")


PASS = Pass("fold_pads", "a pad folded into the layer that reads it", run)
