"""A row for each picture: its name, why it could not be run, its likeliest classes, and other outputs as numbers.

Columns of CSV and Parquet, in this order:
- `file`: the picture's name; `error`: why there is no result, else empty
- `class_1`, `label_1` (with labels), `probability_1`, … to `_K`, best first, where an output is one of classes
- `output_NAME` for every other output: a number, or nested lists (in CSV as JSON)

JSON Lines hold the same as `{"file", "error", "classes": [{"index", "label", "probability"}], "outputs": {NAME: …}}`; what does
not apply to any row is left out, what a row does not have is null. JSON has no NaN and no infinity: null stands for them there.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from convspec.ir.types import Array
from convspec.runtime.classify import Guess, rank_classes
from convspec.runtime.signature import TensorSpec


@dataclass(frozen=True, slots=True)
class Columns:
    """What a row holds. `scores` is the output that classes are read from, None where none is; `values` are the others."""

    scores: TensorSpec | None
    top: int
    labels: Sequence[str] | None
    values: tuple[TensorSpec, ...]

    def header(self) -> list[str]:
        """The names of the columns."""
        ranked = [
            f"{what}_{place}"
            for place in range(1, self.top + 1)
            for what in (("class", "label", "probability") if self.labels is not None else ("class", "probability"))
        ]
        return ["file", "error", *(ranked if self.scores else []), *(f"output_{spec.name}" for spec in self.values)]


@dataclass(frozen=True, slots=True)
class Row:
    """One picture. `guesses` and `values` are empty where `error` says why."""

    file: str
    error: str | None
    guesses: tuple[Guess, ...] = ()
    values: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """Consecutive pictures that were run: `errors` has an entry for each, `outputs` an array for each that has None there."""

    files: Sequence[str]
    errors: Sequence[str | None]
    outputs: Mapping[str, Sequence[Array]]


def shown_name(name: str) -> str:
    r"""A file's name as results hold it: with `\` written `\\`, and a byte that is not UTF-8 `\xNN`. No two become the same."""
    raw = os.fsencode(name.replace("\\", "\\\\"))
    return raw.decode("utf-8", "backslashreplace")


def make_rows(part: Part, columns: Columns, softmax: bool) -> list[Row]:
    """The rows of the pictures of `part`. `softmax`: the scores are no probabilities yet."""
    import numpy as np

    guesses: Iterable[tuple[Guess, ...]] = ()
    if columns.scores is not None and part.outputs.get(columns.scores.name):
        scores = np.stack(part.outputs[columns.scores.name])
        guesses = rank_classes(scores, columns.top, softmax).rows
    ranked, made, place = iter(guesses), [], 0
    for file, error in zip(part.files, part.errors, strict=True):
        if error is not None:
            made.append(Row(shown_name(file), shown_name(error)))
            continue
        values = {spec.name: part.outputs[spec.name][place] for spec in columns.values}
        made.append(Row(shown_name(file), None, next(ranked, ()), values))
        place += 1
    return made


def json_line(row: Row, columns: Columns) -> bytes:
    """The row as one line of JSON."""
    found: dict[str, Any] = {"file": row.file, "error": row.error}
    if columns.scores is not None:
        found["classes"] = None if row.error is not None else [_class_json(guess, columns) for guess in row.guesses]
    if columns.values:
        found["outputs"] = None if row.error is not None else {name: plain(array) for name, array in row.values.items()}
    return json.dumps(found, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _class_json(guess: Guess, columns: Columns) -> dict[str, Any]:
    label = {} if columns.labels is None else {"label": columns.labels[guess.index]}
    return {"index": guess.index, **label, "probability": finite(guess.probability)}


def csv_lines(rows: Iterable[Iterable[Any]]) -> bytes:
    """Rows of cells as CSV (RFC 4180, but for lines that end in a line feed)."""
    return "".join(",".join(map(_cell, row)) + "\n" for row in rows).encode()


def _cell(value: Any) -> str:
    """Python's csv module would leave a carriage return bare, at which readers break the line."""
    text = "" if value is None else str(value)
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\r\n') or text.strip() != text else text


def cells(row: Row, columns: Columns) -> list[Any]:
    """The row as cells, in the order of the header."""
    if row.error is not None:
        return [row.file, row.error, *[None] * (len(columns.header()) - 2)]
    ranked: list[Any] = []
    for guess in row.guesses:
        label = [] if columns.labels is None else [columns.labels[guess.index]]
        ranked += [guess.index, *label, finite(guess.probability)]
    values = [plain(array) for array in row.values.values()]
    fewer = [None] * (len(columns.header()) - 2 - len(ranked) - len(values))
    return [row.file, None, *ranked, *fewer, *(json.dumps(v) if isinstance(v, list) else v for v in values)]


def plain(array: Array) -> Any:
    """Numbers in nested lists, null where they are not finite. Every float is written so that it reads back exactly."""
    import numpy as np

    if array.dtype.kind in "biu":
        return array.tolist()
    wide = array.astype(np.float64)
    if np.isfinite(wide).all():
        return wide.tolist()
    shown = wide.astype(object)
    shown[~np.isfinite(wide)] = None
    return shown.tolist()


def finite(number: float) -> float | None:
    """The number, or None for NaN and infinities."""
    return number if math.isfinite(number) else None


__all__ = ["Columns", "Part", "Row", "cells", "csv_lines", "finite", "json_line", "make_rows", "plain", "shown_name"]
