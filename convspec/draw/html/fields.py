"""What every unit of every layer sees of the inputs, as tables that the page looks up.

A table has the first and the last cell for each place along an axis, in runs along which both move by equal steps. Where units
alternate (upsampling), those of equal remainder are in runs of their own: place i is number i // period of part i % period.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from convspec.analysis.receptive_field import Field, Fields, index_rows, receptive_fields
from convspec.analysis.window import Seen, padded, seen_by_units
from convspec.draw.diagram import Diagram
from convspec.ir.dims import evaluate
from convspec.ir.graph import Graph, Value
from convspec.records import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Table: TypeAlias = NDArray[Any]

PERIODS = (1, 2, 4, 8, 16, 32)
MOST_RUNS = 20_000
"""Of one table. What moves less evenly than that is left out, and the page says so."""
Run: TypeAlias = list[int]
"""Where it starts, the first cell there and its step, the last cell there and its step."""


def fields_json(drawn: Diagram) -> dict[str, Any]:
    """Plain data at the diagram's basis: the inputs with the sizes of their axes, tables, and for each layer (its
    first output) and each output its units and what they see: tables by the axis of the tensor along which they count."""
    tabulated = _Tabulated(drawn)
    values = {layer.id: layer.node.outputs[0] for layer in drawn.root.layers()}
    values.update({f"out{index}": each.value for index, each in enumerate(drawn.graph.outputs)})
    layers = {name: found for name, value in values.items() if (found := tabulated.units(value)) is not None}
    inputs = [
        {"id": f"in{index}", "name": each.value.name, "axes": tabulated.extents(each.value)[_first(tabulated, each.value) :]}
        for index, each in enumerate(drawn.graph.inputs)
    ]
    return {"sizes": dict(drawn.basis), "inputs": inputs, "tables": tabulated.tables, "layers": layers}


def _first(tabulated: _Tabulated, value: Value) -> int:
    """Where the axes of space of an input begin: behind the channels, or behind the batch of a row of indices."""
    axes = [axis for _, axis in tabulated.seen[value]]
    return min(axes, default=value.type.rank)


@dataclass(slots=True, eq=False)
class _Known:
    """Tables that there are already, by what they hold."""

    places: dict[tuple[bytes, bytes], int | None]


class _Tabulated:
    def __init__(self, drawn: Diagram) -> None:
        self.graph: Graph = drawn.graph
        self.basis: Mapping[str, int] = drawn.basis
        self.seen = seen_by_units(drawn.graph, drawn.basis)
        inputs = [graph_input.value for graph_input in drawn.graph.inputs]
        self.rows = set(index_rows(drawn.graph))
        self.fields = {value: receptive_fields(drawn.graph, only=value) for value in inputs}
        self.padded = {value: padded(drawn.graph, value) for value in inputs}
        self.tables: list[dict[str, Any]] = []
        self.known = _Known({})

    def extents(self, value: Value) -> list[int]:
        """The size of every axis at the basis."""
        return [evaluate(size, self.basis) for size in value.type.shape]

    def units(self, value: Value) -> dict[str, Any] | None:
        """The axes that a unit of a tensor is chosen along, and what it sees of each input; None where it sees none."""
        sees = [found for index in range(len(self.graph.inputs)) if (found := self.input(value, index)) is not None]
        if not sees:
            return None
        used = {place for each in sees for axis in each["axes"] for place, _ in axis["terms"] if place is not None}
        extents = self.extents(value)
        units = [[axis, extents[axis]] for axis in range(1, len(extents)) if axis >= 2 or axis in used]
        return {"units": units, "sees": sees}

    def input(self, value: Value, index: int) -> dict[str, Any] | None:
        of = self.graph.inputs[index].value
        axes = [(key[1], seen) for key, seen in self.seen[value].items() if key[0] == of.name]
        if not axes:
            return None
        fields = self.fields[of][value] if value in self.padded[of] else ()
        first = 1 if of in self.rows else 2
        return {"input": index, "axes": [self.axis(axis - first, seen, fields) for axis, seen in sorted(axes, key=_by_axis)]}

    def axis(self, space: int, seen: Seen, fields: Fields) -> dict[str, Any]:
        """Tables by axis, whether they are exact, and the hull with its padding where it moves along the same axis of space."""
        terms = [[axis, self.table(low, high)] for axis, (low, high) in seen.terms.items()]
        field = fields[space] if 0 <= space < len(fields) and set(seen.terms) == {space + 2} else None
        return {"terms": terms, "exact": seen.exact, "hull": _hull(field)}

    def table(self, low: Table, high: Table) -> int | None:
        """The number of a table; None for one that is too long."""
        key = (low.tobytes(), high.tobytes())
        if key not in self.known.places:
            made = encoded(low, high)
            self.known.places[key] = None if made is None else len(self.tables)
            if made is not None:
                self.tables.append(made)
        return self.known.places[key]


def _by_axis(pair: tuple[int, Seen]) -> int:
    return pair[0]


def _hull(field: Field | None) -> list[str] | None:
    return None if field is None else [str(field.jump), str(field.low), str(field.high)]


def encoded(low: Table, high: Table) -> dict[str, Any] | None:
    """A table in as few runs as any of the periods gives; None where they are too many. What sees nothing has 0 … -1."""
    import numpy as np

    nothing = low > high
    low, high = np.where(nothing, 0, low), np.where(nothing, -1, high)
    best: list[list[Run]] | None = None
    for period in PERIODS:
        if period > 1 and period * 4 > len(low):
            break
        parts = [list(_runs(low[part::period], high[part::period])) for part in range(min(period, len(low)))]
        if best is None or _count(parts) < _count(best):
            best = parts
        if _count(best) <= 2 * period:
            break
    return None if best is None or _count(best) > MOST_RUNS else {"parts": best}


def _count(parts: list[list[Run]]) -> int:
    return sum(map(len, parts))


def _runs(low: Table, high: Table) -> Iterator[Run]:
    import numpy as np

    step_low, step_high = np.diff(low), np.diff(high)
    # The first place of a new step; the run before it may reach one place further.
    turns = np.flatnonzero((np.diff(step_low) != 0) | (np.diff(step_high) != 0)) + 1
    start, count = 0, len(low)
    for turn in [*turns.tolist(), count - 1]:
        if turn < start:
            continue
        moves = start + 1 < count
        yield [
            start,
            int(low[start]),
            int(step_low[start]) if moves else 0,
            int(high[start]),
            int(step_high[start]) if moves else 0,
        ]
        start = turn + 1
        if start >= count:
            break
