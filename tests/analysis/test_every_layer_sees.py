"""The receptive field of every layer holds all that its units see: a change at one place of the input reaches only those units.

The cells are those of the conformance suite; the reference computes them. Maxima, comparisons and the like may swallow a
change, so this proves that no field is too small, and `test_receptive_field.py` that they are not too large. Units at a border
are left out: what stands for cells on padding may be any cell.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from convspec.analysis.receptive_field import Field, Fields, receptive_fields
from convspec.analysis.window import seen_by_units
from convspec.ir.types import Array
from convspec.runtime.reference import evaluate
from tests.conformance.catalogue import cells, op_names
from tests.conformance.cell import Cell

MOST_CELLS, FEWER_CELLS, LARGEST = 8, 4, 20
# Its input is whole numbers, which have no small changes: `test_receptive_field.py` has its cases.
OF_INDICES = {"embedding"}


@pytest.mark.parametrize("name", op_names())
def test_no_op_is_passed_over(name: str) -> None:
    """The tests below skip cells without space; an op of which they would skip all has to be named above."""
    tried = [cell for cell in cells(name) if not cell.training][:FEWER_CELLS]
    assert any(has_space(array) for cell in tried for array in list(cell.arrays.values())[:3]) == (name not in OF_INDICES)


@pytest.mark.parametrize("name", op_names())
def test_no_unit_sees_more_than_its_field_says(name: str) -> None:
    for cell in [cell for cell in cells(name) if not cell.training][:MOST_CELLS]:
        first, array = next(iter(cell.arrays.items()))
        if not has_space(array):
            continue
        graph = cell.module.graph
        for output in graph.outputs:
            fields = receptive_fields(graph)[output.value]
            for axis in range(2, array.ndim):
                for place in range(array.shape[axis]):
                    reached = reached_from(cell, first, axis, place)[output.name]
                    assert_within(fields, axis - 2, place, reached, array.shape[axis], f"{cell!r}: {output.name}")


@pytest.mark.parametrize("name", op_names())
def test_no_unit_sees_more_than_its_exact_window(name: str) -> None:
    """At borders too, of every input, at the first, the middle and the last place."""
    for cell in [cell for cell in cells(name) if not cell.training][:FEWER_CELLS]:
        graph = cell.module.graph
        seen = seen_by_units(graph, evaluate(graph, cell.weights, cell.arrays).sizes)
        for given, array in list(cell.arrays.items())[:3]:
            if not has_space(array):
                continue
            for axis in range(2, array.ndim):
                for place in sorted({0, array.shape[axis] // 2, array.shape[axis] - 1}):
                    reached = reached_from(cell, given, axis, place)
                    for output in graph.outputs:
                        window = seen[output.value].get((given, axis))
                        for unit in np.argwhere(reached[output.name].any(0)).tolist():
                            found = window.window(unit) if window is not None else None
                            assert found is not None, (repr(cell), output.name, unit, given, axis, place)
                            assert found[0] <= place <= found[1], (repr(cell), output.name, unit, given, axis, place)


def has_space(array: Array) -> bool:
    """Whether an input has axes of space, few enough places, and values that may change a little."""
    return array.dtype.kind == "f" and array.ndim >= 3 and max(array.shape) <= LARGEST


def reached_from(cell: Cell, name: str, axis: int, place: int) -> dict[str, Array]:
    """Where the outputs are others after one slice of an input was changed."""
    changed = cell.arrays[name].astype(np.float64)
    changed[(slice(None),) * axis + (place,)] += 3.0
    before, after = (
        evaluate(cell.module.graph, cell.weights, {**cell.arrays, name: x}).outputs for x in (cell.arrays[name], changed)
    )
    return {key: ~np.isclose(after[key], value, rtol=1e-9, atol=1e-12, equal_nan=True) for key, value in before.items()}


def assert_within(fields: Fields, axis: int, place: int, reached: Array, size: int, what: str) -> None:
    """Every unit that was reached, and sees no padding, has the place in its field."""
    if not fields and reached.ndim > 2:
        assert not reached.any(), f"{what} sees nothing, and was reached from {place}"
        return
    if axis >= len(fields) or fields[axis] is None or reached.ndim - 2 != len(fields):
        return
    field = fields[axis]
    assert field is not None
    units = np.nonzero(reached.any(axis=tuple(i for i in range(reached.ndim) if i != axis + 2)))[0]
    for unit in units.tolist():
        low, high = bounds(field, unit)
        if low < 0 or high >= size:
            continue
        assert low <= place <= high, f"{what}: unit {unit} of axis {axis} sees {low} to {high}, and was reached from {place}"


def bounds(field: Field, unit: int) -> tuple[Fraction, Fraction]:
    """The cells that a unit may see; where units are parts of a cell, one cell more on each side."""
    slack = 0 if field.jump.denominator == 1 else 1
    return unit * field.jump + field.low - slack, unit * field.jump + field.high + slack
