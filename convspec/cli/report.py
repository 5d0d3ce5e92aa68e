"""What a run shows: what really ran, the likeliest classes, the range of every other output, the files written."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path
from typing import Any

from convspec.cli.guard import write_json
from convspec.records import dataclass
from convspec.runtime.base import About
from convspec.runtime.classify import Ranking
from convspec.runtime.outputs import Statistics


@dataclass(slots=True)
class Report:
    """What is shown. `ranking` is None where no output is one of classes."""

    name: str
    about: About
    weights: str | None
    notes: list[str]
    rows: list[str]
    statistics: dict[str, Statistics]
    ranking: Ranking | None = None
    scores: str | None = None
    """The output that the classes come from."""
    labels: list[str] | None = None
    written: list[Path] = field(default_factory=list)

    def write(self, as_json: bool) -> None:
        """To stdout."""
        if as_json:
            write_json(self._json())
        else:
            sys.stdout.write("\n".join(self._lines()) + "\n")

    def _label(self, index: int) -> str:
        return self.labels[index] if self.labels is not None else str(index)

    def _lines(self) -> Iterator[str]:
        about = self.about
        yield f"{self.name} on {about.runtime} {about.version}, device {about.device} ({about.provider})"
        yield from self.notes
        if self.weights is not None:
            yield f"weights: {self.weights}"
        if self.ranking is not None:
            how = "softmax of" if self.ranking.softmax else "as they stand in"
            yield f"probabilities: {how} `{self.scores}`"
            yield ""
            yield from self._table(self.ranking)
        others = [name for name in self.statistics if name != self.scores]
        if others and self.ranking is not None:
            yield ""
        for name in others:
            found = self.statistics[name]
            shape = ", ".join("?" if size < 0 else str(size) for size in found.shape)
            yield f"{name}: {found.dtype}[{shape}], from {found.least:.6g} to {found.most:.6g}, mean {found.mean:.6g}"
        for path in self.written:
            yield f"wrote {path}"

    def _table(self, ranking: Ranking) -> Iterator[str]:
        """A line for each class; the item it belongs to stands on the first."""
        lines = [("input", "class", "probability")]
        for row, guesses in zip(self.rows, ranking.rows, strict=True):
            names = [row] + [""] * (len(guesses) - 1)
            shown = [_percent(guess.probability) for guess in guesses]
            lines += list(zip(names, (self._label(g.index) for g in guesses), shown, strict=True))
        first, second = (max(len(line[column]) for line in lines) for column in (0, 1))
        for name, label, probability in lines:
            yield f"{name:<{first}}  {label:<{second}}  {probability:>11}"

    def _json(self) -> dict[str, Any]:
        """What a program reads:

        - `model`, `runtime`, `version`, `device`, `provider`, `weights` (null for a compiled model), `notes`
        - `results`: for each item its `input` and `classes` (`index`, `label` or null, `probability`, best first), or null
        - `classes_from`: the output that they come from, or null; `softmax`: whether it was applied
        - `outputs`: for each by name `dtype`, `shape` (-1 where batches differ), `min`, `max`, `mean` (null if not finite)
        - `written`: paths
        """
        about = self.about
        return {
            "model": self.name,
            "runtime": about.runtime,
            "version": about.version,
            "device": about.device,
            "provider": about.provider,
            "weights": self.weights,
            "notes": self.notes,
            "softmax": self.ranking.softmax if self.ranking else None,
            "classes_from": self.scores,
            "results": self._results_json(),
            "outputs": {name: _statistics_json(found) for name, found in self.statistics.items()},
            "written": [str(path) for path in self.written],
        }

    def _results_json(self) -> list[dict[str, Any]]:
        if self.ranking is None:
            return [{"input": row, "classes": None} for row in self.rows]
        return [
            {
                "input": row,
                "classes": [
                    {"index": g.index, "label": self.labels[g.index] if self.labels else None, "probability": g.probability}
                    for g in guesses
                ],
            }
            for row, guesses in zip(self.rows, self.ranking.rows, strict=True)
        ]


def _percent(probability: float) -> str:
    """`99.87 %`; what is there, but less than the digits show, is not called nothing."""
    return "< 0.01 %" if 0 < probability < 0.00005 else f"{100 * probability:.2f} %"


def _statistics_json(found: Statistics) -> dict[str, Any]:
    """JSON has no infinity and no NaN: null stands for them."""
    numbers = {"min": found.least, "max": found.most, "mean": found.mean}
    finite = {name: number if math.isfinite(number) else None for name, number in numbers.items()}
    return {"dtype": found.dtype, "shape": found.shape, **finite}
