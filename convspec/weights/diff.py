"""Two sets of tensors compared by name: what was added, removed, changed, and by how much at most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import isfinite
from typing import Any

from convspec.ir.types import Array
from convspec.weights.check import Stored
from convspec.weights.names import shown
from convspec.weights.report import table
from convspec.weights.sources.base import Source


@dataclass(frozen=True, slots=True)
class Changed:
    """A tensor that both have, with other bytes. `most`: the greatest difference of two numbers; None where types differ."""

    name: str
    before: str
    after: str
    most: float | None


@dataclass(frozen=True, slots=True)
class Difference:
    """What turns the first set into the second."""

    first: str
    second: str
    added: tuple[tuple[str, str], ...]
    """Name and type, of the second alone."""
    removed: tuple[tuple[str, str], ...]
    changed: tuple[Changed, ...]
    same: int

    @property
    def different(self) -> bool:
        """Whether anything differs."""
        return bool(self.added or self.removed or self.changed)

    def text(self) -> str:
        """A line for each difference and one of totals, each ended by a newline."""
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        rows = [
            *(("removed", shown(name), kind) for name, kind in self.removed),
            *(("added", shown(name), kind) for name, kind in self.added),
            *(("changed", shown(item.name), _said(item)) for item in self.changed),
        ]
        yield from table(rows)
        counts = (
            (len(self.removed), "removed"),
            (len(self.added), "added"),
            (len(self.changed), "changed"),
            (self.same, "same"),
        )
        yield ", ".join(f"{number} {what}" for number, what in counts)

    def to_json(self) -> dict[str, Any]:
        """`first`, `second`; `added` and `removed` (`name`, `type`); `changed` (`name`, `before`, `after`, `max_difference`,
        null where types differ or the difference is not finite); `same`, a number.
        """
        changed = [
            {"name": c.name, "before": c.before, "after": c.after, "max_difference": _json_number(c.most)} for c in self.changed
        ]
        return {
            "first": self.first,
            "second": self.second,
            "added": [{"name": name, "type": kind} for name, kind in self.added],
            "removed": [{"name": name, "type": kind} for name, kind in self.removed],
            "changed": changed,
            "same": self.same,
        }


def compare(first: Source, second: Source) -> Difference:
    """Two sets of tensors, by their own names and layouts."""
    one, two = _types(first), _types(second)

    def difference(name: str) -> Changed | None:
        if one[name] != two[name]:
            return Changed(name, str(one[name]), str(two[name]), None)
        most = _most(first.tensors[name].read(), second.tensors[name].read())
        return None if most is None else Changed(name, str(one[name]), str(two[name]), most)

    both = [name for name in one if name in two]
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(difference, both))
    changed = tuple(item for item in found if item is not None)
    same = len(both) - len(changed)
    return Difference(str(first.path), str(second.path), _only(two, one), _only(one, two), changed, same)


def _types(source: Source) -> dict[str, Stored]:
    return {name: Stored(tensor.dtype, tensor.shape) for name, tensor in source.tensors.items()}


def _only(these: Mapping[str, Stored], those: Iterable[str]) -> tuple[tuple[str, str], ...]:
    known = set(those)
    return tuple((name, str(stored)) for name, stored in these.items() if name not in known)


def _most(a: Array, b: Array) -> float | None:
    """The greatest difference, of float64 numbers; None where the bytes are the same. NaN where one alone is no number."""
    import numpy as np

    if a.tobytes() == b.tobytes():
        return None
    one, two = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(invalid="ignore"):
        return float(np.max(np.where(one == two, 0.0, np.abs(one - two))))


def _said(item: Changed) -> str:
    if item.most is None:
        return f"{item.before} became {item.after}"
    return f"{item.before}, by at most {item.most:.6g}"


def _json_number(number: float | None) -> float | None:
    return number if number is not None and isfinite(number) else None


__all__ = ["Changed", "Difference", "compare"]
