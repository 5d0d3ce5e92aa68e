"""The exact window of a unit: which cells of the network's inputs it sees, at concrete sizes, borders included.

Tables run forward through the graph. For every tensor, input and axis of that input they hold the first and the last cell that
a unit sees; a unit's place along one axis of its tensor decides (a picture: the same axis), now and then along several
(a picture turned and added to itself), and the window is the hull. Channels count together: a unit is a position. Cells of
padding are no cells of the input; how far a window would reach past the border is told by `receptive_field`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

from convspec.analysis.reads import NONE, Place, Reads, depends, reads
from convspec.analysis.receptive_field import Fields, index_rows, receptive_fields
from convspec.diagnostics import error, fail
from convspec.ir.dims import substitute, symbols
from convspec.ir.graph import Graph, Node, Value
from convspec.ir.types import TensorType
from convspec.records import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Table: TypeAlias = NDArray[Any]

_BEYOND = 2**62
"""The first cell of a window that is empty; its last is NONE."""

Terms: TypeAlias = "dict[int | None, tuple[Table, Table]]"
"""By the axis of the tensor along which a unit's place counts (None: none): first and last cell seen, for each place."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the units of a tensor see of one axis of one input of the network."""

    terms: Terms
    exact: bool
    """False where single units may see less: the data, or the other axes, decide."""

    def window(self, position: Sequence[int]) -> tuple[int, int] | None:
        """The first and the last cell that the unit at `position` (channels first, without the batch) sees; None: nothing."""
        found = [(low[_at(axis, position)], high[_at(axis, position)]) for axis, (low, high) in self.terms.items()]
        low, high = min(int(low) for low, _ in found), max(int(high) for _, high in found)
        return (low, high) if low <= high else None


@dataclass(frozen=True, slots=True)
class AxisWindow:
    """Cells `low` … `high` of an axis with `size` cells; `before` and `after` more would lie in padding, None: not known."""

    low: int
    high: int
    size: int
    before: int | None
    after: int | None
    exact: bool


@dataclass(frozen=True, slots=True)
class InputWindow:
    """What a unit sees of an input, along each of its axes of space; `axes` is empty where it sees nothing of it."""

    name: str
    axes: tuple[AxisWindow, ...]


InputAxis: TypeAlias = tuple[str, int]
"""An input's name, and an axis of it, counted with the batch as 0."""


def seen_by_units(graph: Graph, sizes: Mapping[str, int]) -> dict[Value, dict[InputAxis, Seen]]:
    """For every tensor what its units see of each axis of space of each input. `sizes` gives all symbolic sizes values.

    Failure CNN033 where one is missing. An input of rank 2 that holds indices has one axis of space, its last.
    """
    types = _concrete(graph, sizes)
    rows = set(index_rows(graph))
    found: dict[Value, dict[InputAxis, Seen]] = {}
    for graph_input in graph.inputs:
        value = graph_input.value
        first = 1 if value in rows else 2
        axes = range(first, value.type.rank)
        found[value] = {(value.name, axis): _itself(types[value], axis) for axis in axes}
    for node in graph.nodes:
        for result, value in enumerate(node.outputs):
            found[value] = _through(node, result, types, found)
    return found


def unit_windows(
    graph: Graph, value: Value, position: Sequence[int], sizes: Mapping[str, int], seen: Mapping[InputAxis, Seen] | None = None
) -> list[InputWindow]:
    """What the unit at `position` of a tensor sees of every input.

    `position` has a place for each axis behind the batch; channels first, where any will do. `seen` is what `seen_by_units`
    has for the tensor, if it is at hand.
    """
    known = seen if seen is not None else seen_by_units(graph, sizes)[value]
    types = _concrete(graph, sizes)
    windows: list[InputWindow] = []
    for graph_input in graph.inputs:
        axes = [axis for name, axis in known if name == graph_input.value.name]
        reach = _reach(graph, value, graph_input.value)
        found = [
            _axis_window(known[graph_input.value.name, axis], position, types[graph_input.value], axis, reach) for axis in axes
        ]
        complete = [window for window in found if window is not None]
        windows.append(InputWindow(graph_input.value.name, tuple(complete) if len(complete) == len(found) else ()))
    return windows


def _axis_window(seen: Seen, position: Sequence[int], of: TensorType, axis: int, reach: _Reach) -> AxisWindow | None:
    window = seen.window(position)
    if window is None:
        return None
    low, high = window
    size = int(str(of.shape[axis]))
    before, after = _overhang(seen, position, axis - reach.first, reach, size)
    if reach.by_parts:  # the hull is then up to a coarse cell too wide
        before, after = before if low == 0 else 0, after if high == size - 1 else 0
    return AxisWindow(low, high, size, before, after, seen.exact)


@dataclass(frozen=True, slots=True)
class _Reach:
    """What tells of padding around an input: the hull over all ways, whether one pads, and whether one steps by parts."""

    fields: Fields
    first: int
    """The input's first axis of space."""
    padded: bool
    by_parts: bool


def _reach(graph: Graph, value: Value, of: Value) -> _Reach:
    first = 1 if of in index_rows(graph) else 2
    by_parts = value in _behind(graph, of, _steps_by_parts)
    return _Reach(receptive_fields(graph, only=of)[value], first, value in padded(graph, of), by_parts)


def padded(graph: Graph, of: Value) -> set[Value]:
    """The tensors of which a unit may reach beyond the input `of`: a layer on the way to them pads."""
    return _behind(graph, of, _pads)


def _behind(graph: Graph, of: Value, mark: Callable[[Node], bool]) -> set[Value]:
    """The tensors that an input leads to through a node with a mark."""
    reached, found = {of}, set[Value]()
    for node in graph.nodes:
        if not reached.isdisjoint(node.inputs):
            reached.update(node.outputs)
            if mark(node) or not found.isdisjoint(node.inputs):
                found.update(node.outputs)
    return found


def _pads(node: Node) -> bool:
    """Whether a unit may reach beyond what the layer is given."""
    attrs = node.attrs
    return node.op.name in ("pad", "blurpool") or any(map(any, getattr(attrs, "pad", ()))) or getattr(attrs, "ceil", False)


def _steps_by_parts(node: Node) -> bool:
    window = node.op.receptive_field(node.attrs, *node.input_types) if node.op.receptive_field is not None else None
    return window is not None and any(Fraction(*stride).denominator > 1 for stride in window.stride)


def _overhang(seen: Seen, position: Sequence[int], space: int, reach: _Reach, size: int) -> tuple[int | None, int | None]:
    """How many cells of padding lie in the window, before and after the input: what the hull over all ways says."""
    if not reach.padded:
        return 0, 0
    field = reach.fields[space] if 0 <= space < len(reach.fields) else None
    if field is None or set(seen.terms) != {space + 2}:
        return None, None
    place = position[space + 1]
    low, high = place * field.jump + field.low, place * field.jump + field.high
    return max(0, -int(low // 1)), max(0, int(-(-high // 1)) - size + 1)


# ── forward ──────────────────────────────────────────────────────────────────────────────────────────────────


def _itself(of: TensorType, axis: int) -> Seen:
    import numpy as np

    cells = np.arange(int(str(of.shape[axis])))
    return Seen({axis: (cells, cells)}, True)


def _through(
    node: Node, result: int, types: Mapping[Value, TensorType], found: Mapping[Value, Mapping[InputAxis, Seen]]
) -> dict[InputAxis, Seen]:
    inputs, outputs = (tuple(types[value] for value in values) for values in (node.inputs, node.outputs))
    joined: dict[InputAxis, Seen] = {}
    for source, value in enumerate(node.inputs):
        place = Place(node, inputs, outputs, source, result)
        if not depends(place):
            continue
        links: dict[int, Reads] = {}
        for key, seen in found[value].items():
            for axis in seen.terms:
                if axis is not None and axis not in links:
                    links[axis] = reads(place, axis)
            passed = _passed(seen, links, _side_by_side(node))
            joined[key] = _joined(joined[key], passed) if key in joined else passed
    return joined


def _side_by_side(node: Node) -> int | None:
    """The axis of space along which a layer puts tensors side by side: a unit sees one of them, tables of other axes all."""
    return int(node.attrs.axis) if node.op.name == "concat" and int(node.attrs.axis) >= 2 else None


def _passed(seen: Seen, links: Mapping[int, Reads], apart: int | None) -> Seen:
    """What the units of the result see through one input of the layer."""
    terms: Terms = {}
    exact = seen.exact and (apart is None or set(seen.terms) == {apart})
    for axis, (low, high) in seen.terms.items():
        if axis is None:
            _add(terms, None, low, high)
        else:
            link = links[axis]
            exact = exact and link.exact
            _add(terms, link.axis, *_hull(low, high, link))
    return Seen(terms, exact)


def _hull(low: Table, high: Table, link: Reads) -> tuple[Table, Table]:
    import numpy as np

    there = link.cells != NONE
    first = np.where(there, low[link.cells], _BEYOND).min(1)
    last = np.where(there, high[link.cells], NONE).max(1)
    return first, last


def _add(terms: Terms, axis: int | None, low: Table, high: Table) -> None:
    import numpy as np

    if axis in terms:
        known = terms[axis]
        terms[axis] = np.minimum(known[0], low), np.maximum(known[1], high)
    else:
        terms[axis] = low, high


def _joined(a: Seen, b: Seen) -> Seen:
    terms = dict(a.terms)
    for axis, (low, high) in b.terms.items():
        _add(terms, axis, low, high)
    return Seen(terms, a.exact and b.exact)


def _at(axis: int | None, position: Sequence[int]) -> int:
    return 0 if axis is None else position[axis - 1]


def _concrete(graph: Graph, sizes: Mapping[str, int]) -> dict[Value, TensorType]:
    values = [graph_input.value for graph_input in graph.inputs] + [value for node in graph.nodes for value in node.outputs]
    missing = [name for name in graph.symbols() if name not in sizes and _counts(graph, name)]
    if missing:
        hint = f"give it one: --sizes {','.join(f'{name}=…' for name in missing)}"
        raise fail(error("CNN033", f"the size {missing[0]} needs a value", hint=hint))
    known = {**dict.fromkeys(graph.symbols(), 1), **sizes}  # what is left open is the batch
    return {value: value.type.with_shape(tuple(substitute(size, known) for size in value.type.shape)) for value in values}


def _counts(graph: Graph, name: str) -> bool:
    """Whether a symbolic size is more than the batch."""
    return any(name in symbols(size) for each in graph.inputs for size in each.value.type.shape[1:])
