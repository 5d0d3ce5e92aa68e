"""Receptive fields as they are shown: a table of layers, and the windows of single units with a small drawing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from convspec.analysis.places import Unit
from convspec.analysis.receptive_field import Field, Fields, receptive_fields, show
from convspec.analysis.tables import Table
from convspec.analysis.window import AxisWindow, InputWindow
from convspec.ir.dims import substitute
from convspec.ir.graph import Graph

_WIDE, _HIGH = 40, 20
_ALONG = ("before", "behind")
_ROWS, _COLUMNS = ("rows", "above", "below"), ("columns", "left", "right")
_AXES = {1: (("cells", *_ALONG),), 2: (_ROWS, _COLUMNS), 3: (("planes", *_ALONG), _ROWS, _COLUMNS)}
"""What the cells of an axis are called, and its two ends."""


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────


def field_table(graph: Graph) -> Table:
    """A row for each layer with axes of space: size, jump, offset, and the size along the narrowest way."""
    widest, narrowest = receptive_fields(graph), receptive_fields(graph, least=True)
    table = Table(("label", "layer", "output", "size", "jump", "offset", "narrowest way"), (False,) * 3 + (True,) * 4)
    for node in graph.nodes:
        for value in node.outputs:
            fields = widest[value]
            if value.type.spatial:
                cells = (show(fields), _each(fields, "jump"), _each(fields, "offset"), show(narrowest[value]))
                table.rows.append((value.name, node.op.name, str(value.type), *cells))
    return table


def _each(fields: Fields, name: str) -> str:
    """A number for each axis, once where all are alike."""
    numbers = ["-" if field is None else str(getattr(field, name)) for field in fields]
    return numbers[0] if len(set(numbers)) == 1 else ", ".join(numbers)


def fields_json(graph: Graph) -> list[dict[str, Any]]:
    """The table as data; `null` stands for a whole axis. Jumps and offsets are exact fractions, as text."""
    widest, narrowest = receptive_fields(graph), receptive_fields(graph, least=True)
    return [
        {
            "label": value.name,
            "layer": node.op.name,
            "output": str(value.type),
            "receptive_field": [_field_json(field) for field in widest[value]],
            "narrowest_way": [_field_json(field) for field in narrowest[value]],
        }
        for node in graph.nodes
        for value in node.outputs
        if value.type.spatial
    ]


def _field_json(field: Field | None) -> dict[str, Any] | None:
    return None if field is None else {"size": field.size, "jump": str(field.jump), "offset": str(field.offset)}


# ── windows ──────────────────────────────────────────────────────────────────────────────────────────────────


def window_lines(unit: Unit, windows: Sequence[InputWindow], sizes: Mapping[str, int]) -> Iterator[str]:
    """What a unit sees of each input, in words and, for a picture, as a drawing."""
    at = ", ".join(f"{name} = {value}" for name, value in sizes.items())
    concrete = unit.value.type.with_shape(tuple(substitute(size, sizes) for size in unit.value.type.shape))
    yield f"{unit} of {concrete}{f' at {at}' if at else ''}"
    for window in windows:
        yield ""
        if not window.axes:
            yield f"  sees nothing of {window.name}"
            continue
        yield f"  {window.name}: {_window_text(window.axes)}"
        if not all(axis.exact for axis in window.axes):
            yield "  (at most: which of these cells it sees, the data or the other axes decide)"
        if len(window.axes) in (1, 2):
            yield ""
            yield from (f"  {line}" for line in drawing(window.axes))
            yield from (f"  {line}" for line in _legend(window.axes))


def _window_text(axes: Sequence[AxisWindow]) -> str:
    """`12x14 of 28x28: rows 0 to 11 (and 2 of padding above), columns 8 to 21`."""
    seen, of = ("x".join(map(str, counts)) for counts in zip(*((_count(axis), axis.size) for axis in axes), strict=True))
    names = _AXES.get(len(axes), tuple((f"axis {number + 2}", *_ALONG) for number in range(len(axes))))
    return f"{seen} of {of}: {', '.join(_axis_text(*name, axis) for name, axis in zip(names, axes, strict=True))}"


def _count(axis: AxisWindow) -> int:
    return axis.high - axis.low + 1


def _axis_text(name: str, before: str, behind: str, axis: AxisWindow) -> str:
    seen = f"{name} {axis.low} to {axis.high}" if axis.low < axis.high else f"{name[:-1]} {axis.low}"
    pads = [f"{cells} of padding {side}" for side, cells in ((before, axis.before), (behind, axis.after)) if cells]
    return f"{seen} (and {', '.join(pads)})" if pads else seen


def _legend(axes: Sequence[AxisWindow]) -> Iterator[str]:
    """What the marks mean that are drawn, and how much one of them stands for."""
    padded = any(axis.before or axis.after for axis in axes)
    steps = [_step(axis, most) for axis, most in zip(axes, (_HIGH, _WIDE) if len(axes) == 2 else (_WIDE,), strict=True)]
    texts = ["█ seen", *(["░ padding"] if padded else [])]
    if len(axes) == 2 and steps != [1, 1]:
        texts.append(
            "a mark is " + " by ".join(f"{n} {name}{'s' * (n > 1)}" for n, name in zip(steps, ("row", "column"), strict=True))
        )
    elif steps != [1] * len(steps):
        texts.append(f"a mark is {steps[0]} cells")
    yield ""
    yield ", ".join(texts)


def drawing(axes: Sequence[AxisWindow]) -> Iterator[str]:
    """The input as `·`, the window as `█`, and padding that lies in it as `░`; a letter for several cells where it is large."""
    rows = _marks(axes[0], _HIGH) if len(axes) == 2 else "█"
    columns = _marks(axes[-1], _WIDE)
    for row in rows:
        yield "".join(_joined(row, column) for column in columns).rstrip()


def _marks(axis: AxisWindow, most: int) -> str:
    """One letter for each cell or for several: padding seen, not seen, seen."""
    before, after = axis.before or 0, axis.after or 0
    shown = min(before, axis.size), min(after, axis.size)  # a window may reach far beyond the input
    step = _step(axis, most)
    cells = (
        "░" * shown[0] + "·" * axis.low + "█" * (axis.high - axis.low + 1) + "·" * (axis.size - 1 - axis.high) + "░" * shown[1]
    )
    return "".join(_most_telling(cells[at : at + step]) for at in range(0, len(cells), step))


def _step(axis: AxisWindow, most: int) -> int:
    """How many cells one letter stands for."""
    return -(-(axis.size + min(axis.before or 0, axis.size) + min(axis.after or 0, axis.size)) // most)


def _most_telling(cells: str) -> str:
    return next(mark for mark in "█·░" if mark in cells)


def _joined(row: str, column: str) -> str:
    """What stands where a row and a column cross. Beside the padding that is seen there is nothing to draw."""
    if "░" in (row, column):
        return "░" if {row, column} <= {"░", "█"} else " "
    return "█" if row == column == "█" else "·"


def windows_json(unit: Unit, windows: Sequence[InputWindow], sizes: Mapping[str, int]) -> dict[str, Any]:
    """A unit's windows as data. `padding` is null where it is not known how far the window would reach."""
    return {
        "unit": str(unit),
        "tensor": unit.value.name,
        "place": list(unit.space),
        "sizes": dict(sizes),
        "inputs": [{"name": window.name, "axes": [_axis_json(axis) for axis in window.axes] or None} for window in windows],
    }


def _axis_json(axis: AxisWindow) -> dict[str, Any]:
    return {
        "first": axis.low,
        "last": axis.high,
        "size": axis.size,
        "padding": [axis.before, axis.after],
        "exact": axis.exact,
    }
