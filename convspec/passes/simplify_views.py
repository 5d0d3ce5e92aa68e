"""Two layers in a row that only rearrange elements become one, or none.

- reshape, flatten, squeeze and unsqueeze keep all elements in their order: of two in a row the second does it alone, as a
  reshape if need be, where its sizes can be told from what the first one reads.
- Of two permutes in a row one does it, or none where the second takes back the first.
- A cast to a type that holds every value of the first, and back, is nothing.

The first of the two has no other reader and is no output; where nothing is left of both, it may have.
"""

from __future__ import annotations

from convspec.ir.graph import Node, Value
from convspec.ir.opdef import AttrError, ShapeError
from convspec.ops.permute import Permute
from convspec.ops.reshape import MOST_AXES, Reshape
from convspec.passes.base import Pass
from convspec.passes.draft import Draft

_VIEWS = frozenset(("reshape", "flatten", "squeeze", "unsqueeze"))
_WIDER = {
    "float16": ("float32", "float64"),
    "bfloat16": ("float32", "float64"),
    "float32": ("float64",),
    "uint8": ("int32", "int64", "float32", "float64"),
    "int32": ("int64", "float64"),
    "bool": ("uint8", "int32", "int64", "float32", "float64"),
}
"""Types that hold every value of a type."""


def run(draft: Draft) -> None:
    """A second layer is looked at with the first before it, and again as long as it changes."""
    for node in draft.nodes():
        first = draft.producer(node.inputs[0]) if node.inputs else None
        if first is None or not first.inputs:
            continue
        if node.op.name in _VIEWS and first.op.name in _VIEWS:
            _merge_views(draft, first, node)
        elif node.op.name == first.op.name == "permute":
            _merge_permutes(draft, first, node)
        elif node.op.name == first.op.name == "cast" and _widens_and_returns(first, node):
            _cancel(draft, first, node)


def _widens_and_returns(first: Node, second: Node) -> bool:
    there_and_back = second.outputs[0].type == first.inputs[0].type
    return there_and_back and first.attrs.dtype in _WIDER.get(second.attrs.dtype, ())


def _cancel(draft: Draft, first: Node, second: Node) -> None:
    """Readers of the second read what the first reads; the first goes too where nothing else needs it."""
    same = {second.outputs[0]: first.inputs[0]}
    old = [first, second] if draft.only_user(first.outputs[0]) is second else [second]
    draft.rewrite(old, same=same, note="the second takes the first back")


def _merge_views(draft: Draft, first: Node, second: Node) -> None:
    source, made = first.inputs[0], second.outputs[0]
    if source.type == made.type:
        _cancel(draft, first, second)
        return
    if draft.only_user(first.outputs[0]) is not second or source.type.shape[0] != made.type.shape[0]:
        return
    merged = _view(draft, source, made, second)
    if merged is not None:
        draft.rewrite([first, second], [merged])


def _view(draft: Draft, source: Value, made: Value, like: Node) -> Node | None:
    """The one layer that gives `made`; None where its sizes cannot be told from `source`."""
    sizes = made.type.shape[1:]
    if like.op.name == "flatten":
        return draft.changed(like, inputs=(source,))
    if not 1 <= len(sizes) <= MOST_AXES or source.type.rank > MOST_AXES + 1:
        return None
    try:
        return draft.apply("reshape", Reshape(sizes=sizes, given=("x",)), [source], like, outputs=[made])
    except (AttrError, ShapeError):
        return None


def _merge_permutes(draft: Draft, first: Node, second: Node) -> None:
    inner, outer = first.attrs.order, second.attrs.order
    order = tuple(int(inner[axis]) for axis in outer)
    if order == tuple(range(len(order))):
        _cancel(draft, first, second)
    elif draft.only_user(first.outputs[0]) is second:
        made = draft.apply("permute", Permute(order=order), [first.inputs[0]], second, outputs=second.outputs)
        draft.rewrite([first, second], [made])


PASS = Pass("simplify_views", "two layers in a row that only rearrange elements made one, or none", run)
