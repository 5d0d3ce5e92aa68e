"""The tensors of a weights file as a table with totals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

from convspec.weights.dtypes import bytes_of
from convspec.weights.names import shown
from convspec.weights.report import sizes, table
from convspec.weights.sources.base import Source


@dataclass(frozen=True, slots=True)
class Entry:
    """One tensor. `size` counts bytes; None where the dtype is not known here."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    size: int | None


@dataclass(frozen=True, slots=True)
class Listing:
    """What is in a file."""

    path: str
    kind: str
    entries: tuple[Entry, ...]

    def text(self) -> str:
        """A line for each tensor and one of totals, each ended by a newline."""
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        rows = [(shown(e.name), e.dtype, sizes(e.shape), "?" if e.size is None else f"{e.size:,}") for e in self.entries]
        width = max(len(row[3]) for row in (*rows, ("", "", "", "bytes")))
        yield from table([("name", "dtype", "shape", "bytes".rjust(width)), *((*row[:3], row[3].rjust(width)) for row in rows)])
        yield ""
        yield f"{len(rows)} tensor{'s' * (len(rows) != 1)}, {self.numbers:,} numbers, {self.size:,} bytes"

    @property
    def numbers(self) -> int:
        """Elements of all tensors."""
        return sum(prod(entry.shape) for entry in self.entries)

    @property
    def size(self) -> int:
        """Bytes of all tensors whose dtype is known."""
        return sum(entry.size or 0 for entry in self.entries)

    def to_json(self) -> dict[str, Any]:
        """`path`, `format`, `tensors` (`name`, `dtype`, `shape`, `bytes` or null), `total` (`tensors`, `numbers`, `bytes`)."""
        tensors = [{"name": e.name, "dtype": e.dtype, "shape": e.shape, "bytes": e.size} for e in self.entries]
        total = {"tensors": len(tensors), "numbers": self.numbers, "bytes": self.size}
        return {"path": self.path, "format": self.kind, "tensors": tensors, "total": total}


def list_tensors(source: Source) -> Listing:
    """What is in an open file, in its own order."""
    entries = [Entry(t.name, t.dtype, t.shape, _size(t.dtype, t.shape)) for t in source.tensors.values()]
    return Listing(str(source.path), source.kind, tuple(entries))


def _size(dtype: str, shape: tuple[int, ...]) -> int | None:
    width = bytes_of(dtype)
    return None if width is None else width * prod(shape)


__all__ = ["Entry", "Listing", "list_tensors"]
