"""The columns that a summary can have: what each says of a row, as text, as a plain value, and as a number to sort by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from convspec.analysis.receptive_field import show
from convspec.analysis.summary import Row, Summary
from convspec.analysis.units import grouped, percent
from convspec.diagnostics import Failure, error, fail
from convspec.ir.dims import Size, evaluate
from convspec.ir.types import TensorType
from convspec.records import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """`size` is what a row adds to the total, in a column that has one."""

    name: str
    heading: str
    about: str
    text: Callable[[Row], str]
    size: Callable[[Row], Size] | None = None
    value: Callable[[Row], Any] | None = None
    """For CSV; the text where there is none."""

    @property
    def right(self) -> bool:
        return self.size is not None or self.name in ("rf", "jump", "offset")


def _counted(name: str, heading: str, about: str, size: Callable[[Row], Size]) -> Column:
    return Column(name, heading, about, lambda row: grouped(size(row)), size, lambda row: plain(size(row)))


def _parameters(row: Row) -> str:
    return "shared" if row.shared and not row.parameters.stored else f"{row.parameters.learnable:,}"


def shapes(types: Iterable[TensorType]) -> str:
    """`[N, 6, 28, 28]`, several with commas between."""
    return ", ".join(f"[{', '.join(map(str, each.shape))}]" for each in types)


def plain(size: Size | None) -> int | str | None:
    """A number where it is one, else the expression as text."""
    return size if size is None or isinstance(size, int) else str(size)


def _per_axis(row: Row, part: str) -> str:
    """`2x2`, for instance, of the jump; `all` where a whole axis is seen."""
    if row.field and all(field is None for field in row.field):
        return "all"
    return "x".join("all" if field is None else str(getattr(field, part)) for field in row.field) or "-"


COLUMNS: Mapping[str, Column] = {
    column.name: column
    for column in (
        Column("label", "label", "the label, which names the weights", lambda row: row.label),
        Column("layer", "layer", "the layer as it would be written, or the block", lambda row: row.layer),
        _counted("layers", "layers", "how many layers the row stands for", lambda row: row.layers),
        Column("input", "input", "the shapes of what comes in", lambda row: shapes(row.inputs)),
        Column("shape", "output", "the shapes of what goes out", lambda row: shapes(row.outputs)),
        Column(
            "dtype",
            "type",
            "the element types of what goes out",
            lambda row: ", ".join(dict.fromkeys(each.dtype for each in row.outputs)),
        ),
        Column(
            "params",
            "parameters",
            "learnable elements; shared ones count where they stand first",
            _parameters,
            lambda row: row.parameters.learnable,
            lambda row: row.parameters.learnable,
        ),
        _counted("statistics", "statistics", "running means and variances", lambda row: row.parameters.statistics),
        _counted("macs", "MACs", "multiply-accumulates", lambda row: row.cost.macs),
        _counted("flops", "flops", "floating-point operations", lambda row: row.cost.flops),
        _counted("memory", "output bytes", "bytes of what goes out", lambda row: row.activations),
        _counted("kept", "kept bytes", "bytes kept for the backward pass", lambda row: row.kept),
        Column("rf", "receptive field", "how many input cells a unit sees along each axis", lambda row: show(row.field)),
        Column("jump", "jump", "input cells from one unit to the next", lambda row: _per_axis(row, "jump")),
        Column("offset", "offset", "the input coordinate that unit 0 has in its middle", lambda row: _per_axis(row, "offset")),
    )
}
SHARED = tuple(name for name, column in COLUMNS.items() if column.size is not None)
"""Columns that have a total: rows can be sorted by them, and `macs%` is a column of shares."""
DEFAULT = ("label", "layer", "shape", "params", "macs", "rf")
_ALIASES = {
    "output": "shape",
    "outputs": "shape",
    "inputs": "input",
    "parameters": "params",
    "activations": "memory",
    "receptive_field": "rf",
}


def parse_columns(texts: Sequence[str], known: Iterable[str], option: str = "--columns") -> tuple[str, ...]:
    """`["label,macs", "macs%"]` as names. Failure CNN401, with the nearest, for a name that is none."""
    from convspec.elaborate.nearest import did_you_mean

    names = list(known)
    found = []
    for text in texts:
        for part in text.split(","):
            name = part.strip().lower()
            name = name if name in names else _ALIASES.get(name, name)
            if name not in names:
                every = f"there are {', '.join(names)}"
                hint = did_you_mean(name, [*names, *_ALIASES], every) if name else every
                raise fail(error("CNN401", f"{option}: there is no column `{part.strip()}`", hint=hint))
            found.append(name)
    return tuple(dict.fromkeys(found))


def names_of_columns() -> list[str]:
    """Every column of a summary, shares too."""
    return [*COLUMNS, *(f"{name}%" for name in SHARED)]


def column(name: str, summary: Summary) -> Column:
    """The column of that name; one of shares is made for the summary."""
    if not name.endswith("%"):
        return COLUMNS[name]
    base = COLUMNS[name[:-1]]
    whole = total_at(base, summary)

    def text(row: Row) -> str:
        return percent(_at(base, row, summary.basis), whole)

    def value(row: Row) -> float | None:
        return _at(base, row, summary.basis) / whole if whole else None

    return Column(name, "share", f"the share of {base.heading} in the total", text, None, value)


def total_at(base: Column, summary: Summary) -> int:
    """The sum of a column at the basis."""
    return sum(_at(base, row, summary.basis) for row in summary.rows)


def _at(base: Column, row: Row, basis: Mapping[str, int]) -> int:
    assert base.size is not None
    return evaluate(base.size(row), basis)


def sort_key(name: str) -> Callable[[Row, Mapping[str, int]], int]:
    """What rows are sorted by, the largest first. Failure CNN401 for a column without numbers."""
    wanted = parse_columns([name], names_of_columns(), "--sort")
    if len(wanted) != 1 or wanted[0].removesuffix("%") not in SHARED:
        raise _unsorted(name)
    base = COLUMNS[wanted[0].removesuffix("%")]
    return lambda row, basis: _at(base, row, basis)


def _unsorted(name: str) -> Failure:
    hint = f"sort by one of {', '.join(SHARED)}"
    return fail(error("CNN401", f"--sort: rows cannot be sorted by `{name}`", hint=hint))


__all__ = [
    "COLUMNS",
    "DEFAULT",
    "SHARED",
    "Column",
    "column",
    "names_of_columns",
    "parse_columns",
    "plain",
    "shapes",
    "sort_key",
]
