"""Which inputs of a graph hold indices, and how many things there are to choose from: what is checked before data goes in.

An input is followed to the layers that take indices (`OpDef.indices`) through layers that only move or repeat its elements,
and through `split` and `slice` where they cut it directly. Indices that are computed otherwise are not followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import accumulate
from typing import TypeAlias

from convspec.ir.dims import Size
from convspec.ir.graph import Graph, Node, Value
from convspec.ir.types import INTEGERS
from convspec.records import dataclass

Cut: TypeAlias = tuple[int, int, int | None, int]
"""An axis of the input in canonical order, then start, stop and step as Python's slices have them."""


@dataclass(frozen=True, slots=True)
class IndexRange:
    """Elements of an input are indices from 0 to `below` - 1: those that the cuts leave, one after the other."""

    below: int
    cuts: tuple[Cut, ...] = ()


@dataclass(frozen=True, slots=True)
class _View:
    """A tensor that has the elements of an input, after these cuts; `direct` while they still lie as they did there."""

    name: str
    cuts: tuple[Cut, ...] = ()
    direct: bool = True


_MOVING = frozenset(
    {
        *("flatten", "reshape", "permute", "squeeze", "unsqueeze", "concat", "tile", "roll", "channel_shuffle"),
        *("pixel_shuffle", "pixel_unshuffle", "space_to_depth", "depth_to_space"),
    }
)
"""Ops whose output has every element of every input, and no other."""


def index_ranges(graph: Graph) -> dict[str, tuple[IndexRange, ...]]:
    """By the name of the input; inputs that hold no indices, as far as can be seen, are missing."""
    views: dict[Value, tuple[_View, ...]] = {}
    for graph_input in graph.inputs:
        if graph_input.value.type.dtype in INTEGERS:
            views[graph_input.value] = (_View(graph_input.value.name),)
    found: dict[str, dict[IndexRange, None]] = {}
    for node in graph.nodes:
        for view, below in _taken(node, views):
            found.setdefault(view.name, {})[IndexRange(below, view.cuts)] = None
        for value, seen in _outputs(node, views):
            views[value] = seen
    return {name: tuple(ranges) for name, ranges in found.items()}


def _taken(node: Node, views: Mapping[Value, tuple[_View, ...]]) -> Iterator[tuple[_View, int]]:
    limits = node.op.indices(node.attrs, *node.input_types) if node.op.indices is not None else {}
    for place, below in limits.items():
        for view in views.get(node.inputs[place], ()):
            yield view, below


def _outputs(node: Node, views: Mapping[Value, tuple[_View, ...]]) -> Iterator[tuple[Value, tuple[_View, ...]]]:
    seen = tuple(dict.fromkeys(view for value in node.inputs for view in views.get(value, ())))
    if not seen:
        return
    if node.op.name == "cast" and _widens(node):
        yield node.outputs[0], seen
    elif node.op.name in _MOVING:
        yield node.outputs[0], tuple(replace(view, direct=False) for view in seen)
    elif node.op.name == "split":
        yield from _parts(node, seen)
    elif node.op.name == "slice":
        cut = (int(node.attrs.axis), node.attrs.start, node.attrs.stop, node.attrs.step)
        yield node.outputs[0], _cut(seen, cut)


def _widens(node: Node) -> bool:
    order = ("uint8", "int32", "int64")
    before, after = node.input_types[0].dtype, node.output_types[0].dtype
    return before in order and after in order and order.index(before) <= order.index(after)


def _parts(node: Node, seen: tuple[_View, ...]) -> Iterator[tuple[Value, tuple[_View, ...]]]:
    axis = int(node.attrs.axis)
    sizes: list[Size] = [of.shape[axis] for of in node.output_types]
    known = [size for size in sizes if isinstance(size, int)]
    if len(known) < len(sizes):
        return
    for value, size, end in zip(node.outputs, known, accumulate(known), strict=True):
        yield value, _cut(seen, (axis, end - size, end, 1))


def _cut(seen: tuple[_View, ...], cut: Cut) -> tuple[_View, ...]:
    return tuple(replace(view, cuts=(*view.cuts, cut)) for view in seen if view.direct)


__all__ = ["IndexRange", "index_ranges"]
