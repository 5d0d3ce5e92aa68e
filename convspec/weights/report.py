"""What a conversion did, tensor by tensor: as text for a person, as JSON for a program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convspec.ir.types import Array
from convspec.weights.names import shown
from convspec.weights.sources.base import StoredTensor
from convspec.weights.streaming import LazyWeights


@dataclass(frozen=True, slots=True)
class Row:
    """One tensor of the source and the one of the spec that it became."""

    source: str
    label: str
    shape: tuple[int, ...]
    """In the spec's layout."""
    source_shape: tuple[int, ...]
    permutation: tuple[int, ...] | None
    """Which of the source's axes stands where in the spec's layout; None where they stay."""
    layout: str
    """All that was done to the layout, in words; empty where bytes stay as they are."""
    how: str
    """How they found each other: exact, mapping or structure."""
    cast: str | None = None
    """The dtype that it was brought from."""


@dataclass(frozen=True, slots=True)
class Initialised:
    """A parameter of the spec that the source does not give, and that was drawn from the seed."""

    label: str
    shape: tuple[int, ...]
    why: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A tensor of the source that was not used."""

    source: str
    shape: tuple[int, ...]
    why: str

    @classmethod
    def of(cls, stored: StoredTensor, why: str) -> LeftOut:
        return cls(stored.name, stored.shape, why)


@dataclass(frozen=True, slots=True)
class Conversion:
    """Weights in the spec's names and layout, and how they came about."""

    model: str
    path: Path
    kind: str
    weights: Mapping[str, Array]
    """Every parameter of the spec, in the order of `Graph.parameters()`."""
    rows: tuple[Row, ...]
    missing: tuple[Initialised, ...] = ()
    ignored: tuple[LeftOut, ...] = ()

    def materialised(self) -> dict[str, Array]:
        """The weights as arrays in memory. The failures of `convert` where they are read only now."""
        return self.weights.materialised() if isinstance(self.weights, LazyWeights) else dict(self.weights)

    def report(self) -> str:
        """A line for each tensor, each line ended by a newline."""
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.model} from {self.path}: {_count(len(self.rows), 'tensor')}{self._ways()}"
        if self.rows:
            yield ""
            yield from table([("source", "label", "shape", "layout"), *map(_cells, self.rows)])
        yield from (line for line in ("", *self.left_out()) if self.missing or self.ignored)

    def _ways(self) -> str:
        """How the tensors found each other, where that was not by name alone."""
        counts = Counter(row.how for row in self.rows)
        words = {"exact": "by name", "mapping": "by the mapping", "structure": "by structure"}
        return "" if set(counts) <= {"exact"} else f" ({', '.join(f'{number} {words[how]}' for how, number in counts.items())})"

    def left_out(self) -> list[str]:
        """What of the spec did not come from the source, and what of the source was not used; empty where all fits."""
        drawn = [(shown(item.label), sizes(item.shape), item.why) for item in self.missing]
        unused = [(shown(item.source), sizes(item.shape), item.why) for item in self.ignored]
        return [
            *([f"drawn from the seed: {_count(len(drawn), 'tensor')}", *table(drawn, "  ")] if drawn else []),
            *([f"left out of the file: {_count(len(unused), 'tensor')}", *table(unused, "  ")] if unused else []),
        ]

    def to_json(self) -> dict[str, Any]:
        """What a program reads:

        - `model`, `source`, `format`
        - `tensors`: for each `source`, `label`, `shape`, `source_shape`, `permutation` (axes, or null), `layout` (in words),
          `match` (exact, mapping or structure), `cast_from` (a dtype, or null)
        - `initialised`: `label`, `shape`, `why`; `left_out`: `source`, `shape`, `why`
        """
        return {
            "model": self.model,
            "source": str(self.path),
            "format": self.kind,
            "tensors": [
                {
                    "source": row.source,
                    "label": row.label,
                    "shape": row.shape,
                    "source_shape": row.source_shape,
                    "permutation": row.permutation,
                    "layout": row.layout,
                    "match": row.how,
                    "cast_from": row.cast,
                }
                for row in self.rows
            ],
            "initialised": [{"label": item.label, "shape": item.shape, "why": item.why} for item in self.missing],
            "left_out": [{"source": item.source, "shape": item.shape, "why": item.why} for item in self.ignored],
        }


def _cells(row: Row) -> tuple[str, ...]:
    parts = [row.layout, f"cast from {row.cast}" if row.cast else ""]
    return shown(row.source), shown(row.label), sizes(row.shape), ", ".join(filter(None, parts)) or "as it is"


def table(rows: Iterable[Sequence[str]], margin: str = "") -> Iterator[str]:
    """Rows as lines, columns aligned."""
    lines = list(rows)
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))] if lines else []
    for line in lines:
        yield margin + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def sizes(shape: Sequence[int]) -> str:
    """`64x3x7x7`; a single number is `scalar`."""
    return "x".join(map(str, shape)) or "scalar"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


__all__ = ["Conversion", "Initialised", "LeftOut", "Row", "sizes", "table"]
