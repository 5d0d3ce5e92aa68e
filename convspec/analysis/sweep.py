"""Every combination of settings of a network, with what each comes to; one that fails is a row with its error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

from convspec.analysis.columns import plain
from convspec.analysis.networks import NETWORK_COLUMNS, Entry, entry_json
from convspec.analysis.tables import Table, csv_text
from convspec.diagnostics import Diagnostic, error, fail
from convspec.records import dataclass

MODEL = "(model)"
"""The name of the axis of models, which no parameter has."""
CAPACITY = ("params", "layers", "statistics")
"""Of these more is better in a trade-off; of everything else, less."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One value of a parameter, as it was written."""

    name: str
    text: str
    value: Any

    @property
    def title(self) -> str:
        """`width=16`; a model by its name alone."""
        return self.text if self.name == MODEL else f"{self.name}={self.text}"


@dataclass(frozen=True, slots=True)
class Point:
    """A combination, and what became of it: its numbers, the budgets that it breaks, or the error."""

    settings: tuple[Setting, ...]
    entry: Entry | None = None
    broken: tuple[Diagnostic, ...] = ()
    problem: Diagnostic | None = None

    @property
    def title(self) -> str:
        """`width=16, depth=2`."""
        return ", ".join(each.title for each in self.settings)

    @property
    def note(self) -> str:
        """What is wrong with it; "" where nothing is."""
        if self.problem is not None:
            return f"{self.problem.code}: {self.problem.message}"
        return "; ".join(f"breaks a budget: {each.message}" for each in self.broken)


def combinations(axes: Sequence[Sequence[Setting]], most: int) -> list[tuple[Setting, ...]]:
    """Every combination, the last setting turning fastest. Failure CNN401 where there are more than `most`."""
    count = 1
    for axis in axes:
        count *= len(axis)
    if count > most:
        hint = f"leave some values out, or allow more: --most {count}"
        raise fail(error("CNN401", f"these are {count:,} combinations, and at most {most:,} are made", hint=hint))
    return list(product(*axes))


def front(points: Iterable[Point], x: str, y: str) -> set[int]:
    """Indices of the points that no other beats: with at most their x and a y at least as good, one of the two better."""
    known = [(i, point.entry.number(x), _goodness(point.entry, y)) for i, point in enumerate(points) if point.entry]
    found: set[int] = set()
    best: int | None = None
    for _, group in _by_x(known):
        top = max(good for _, good in group)
        if best is None or top > best:
            found.update(index for index, good in group if good == top)
            best = top
    return found


def _by_x(known: list[tuple[int, int, int]]) -> list[tuple[int, list[tuple[int, int]]]]:
    groups: dict[int, list[tuple[int, int]]] = {}
    for index, cost, good in known:
        groups.setdefault(cost, []).append((index, good))
    return sorted(groups.items())


def _goodness(entry: Entry, y: str) -> int:
    return entry.number(y) if y in CAPACITY else -entry.number(y)


# ── tables ───────────────────────────────────────────────────────────────────────────────────────────────────

DEFAULT = ("params", "macs", "memory", "training", "rf")


def ordered(points: Iterable[Point], by: str) -> list[Point]:
    """The largest first; those without numbers last. Failure CNN401 for a column without numbers."""
    if NETWORK_COLUMNS[by].number is None:
        known = ", ".join(name for name, each in NETWORK_COLUMNS.items() if each.number)
        raise fail(error("CNN401", f"--sort: combinations cannot be sorted by `{by}`", hint=f"sort by one of {known}"))
    return sorted(points, key=lambda point: point.entry.number(by) if point.entry else -1, reverse=True)


def sweep_table(points: Sequence[Point], best: set[int], columns: Sequence[str]) -> Table:
    """A column for each setting, then the chosen ones, a mark for the front, and what is wrong where something is."""
    names = [setting.name.strip("()") for setting in points[0].settings]
    wanted = [NETWORK_COLUMNS[name] for name in columns]
    notes = any(point.note for point in points)
    right = [all(each.settings[i].text.lstrip("-").isdigit() for each in points) for i in range(len(names))]
    table = Table(
        (*names, *(each.heading for each in wanted), "front", *(["note"] if notes else [])),
        (*right, *(each.number is not None or each.name == "rf" for each in wanted), False, *([False] if notes else [])),
    )
    for index, point in enumerate(points):
        numbers = [each.shown(point.entry) if point.entry else "-" for each in wanted]
        marks = ["*" if index in best else "", *([" ".join(point.note.split())] if notes else [])]
        table.rows.append((*(each.text for each in point.settings), *numbers, *marks))
    return table


def sweep_csv(points: Sequence[Point], best: set[int], columns: Sequence[str]) -> str:
    """The same with plain numbers."""
    names = [setting.name.strip("()") for setting in points[0].settings]
    wanted = [NETWORK_COLUMNS[name] for name in columns]
    rows = []
    for index, point in enumerate(points):
        numbers = [each.value(point.entry) if point.entry else None for each in wanted]
        rows.append([*(each.text for each in point.settings), *numbers, int(index in best), " ".join(point.note.split())])
    return csv_text([*names, *columns, "front", "note"], rows)


def sweep_json(spec: str, points: Sequence[Point], best: set[int], axes: tuple[str, str]) -> dict[str, Any]:
    """Plain data; the keys are described in docs/analysis.md."""
    return {
        "spec": spec,
        "x": axes[0],
        "y": axes[1],
        "combinations": [_point_json(point, index in best) for index, point in enumerate(points)],
    }


def _point_json(point: Point, on_front: bool) -> dict[str, Any]:
    settings: Mapping[str, Any] = {each.name.strip("()"): _json_value(each.value) for each in point.settings}
    return {
        "settings": settings,
        "front": on_front,
        "broken": [_problem_json(each) for each in point.broken],
        "error": _problem_json(point.problem) if point.problem else None,
        "result": entry_json(point.entry) if point.entry else None,
    }


def _json_value(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_json_value(item) for item in value]
    return value if isinstance(value, bool | float | str) else plain(value)


def _problem_json(problem: Diagnostic) -> dict[str, str]:
    return {"code": problem.code, "message": problem.message}


__all__ = [
    "CAPACITY",
    "DEFAULT",
    "Point",
    "Setting",
    "combinations",
    "front",
    "ordered",
    "sweep_csv",
    "sweep_json",
    "sweep_table",
]
