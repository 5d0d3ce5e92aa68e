"""Scores as classes: which are the likeliest, how likely, and what they are called."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from convspec.diagnostics import error, fail
from convspec.ir.dims import Size
from convspec.ir.types import Array

_TOLERANCE = 1e-3
"""How far the sum of a distribution in float16 may be from 1."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A class by index, with its probability."""

    index: int
    probability: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """The likeliest classes of each row, best first; of equals the lower index first."""

    rows: tuple[tuple[Guess, ...], ...]
    softmax: bool
    """Whether softmax was applied, because the scores were no distribution."""


def needs_softmax(scores: Array) -> bool:
    """Whether `scores` (N, classes) are no probabilities: not every row is a distribution."""
    import numpy as np

    wide = scores.astype(np.float64)
    return not (bool((wide >= 0).all()) and bool((np.abs(wide.sum(axis=1) - 1) <= _TOLERANCE).all()))


def rank_classes(scores: Array, top: int, softmax: bool | None = None) -> Ranking:
    """The `top` classes of each row of `scores` (N, classes). Softmax is applied where `softmax`, or None and it is needed."""
    import numpy as np

    wide = scores.astype(np.float64)
    softmax = needs_softmax(scores) if softmax is None else softmax
    if softmax:
        with np.errstate(invalid="ignore"):  # infinite scores have no probabilities: NaN
            powers = np.exp(wide - wide.max(axis=1, keepdims=True))
            wide = powers / powers.sum(axis=1, keepdims=True)
    order = np.argsort(-wide, axis=1, kind="stable")[:, :top]
    rows = (tuple(Guess(int(i), float(row[i])) for i in best) for row, best in zip(wide, order, strict=True))
    return Ranking(tuple(rows), softmax)


def read_labels(path: Path, classes: Size) -> list[str]:
    """The names of the classes: a line each, or a JSON list of strings. Failure CNN300; CNN401 for a wrong number of them."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise fail(error("CNN300", f"cannot read {path}: {(problem.strerror or str(problem)).lower()}")) from None
    except UnicodeDecodeError:
        raise fail(error("CNN300", f"cannot read {path}: it is not UTF-8 text")) from None
    labels = _from_json(path, text) if path.suffix.lower() == ".json" else text.splitlines()
    if isinstance(classes, int) and len(labels) != classes:
        message = f"{path} names {len(labels)} classes, but the network has {classes}"
        raise fail(error("CNN401", message, hint="write one label a line, in the order of the classes"))
    return labels


def _from_json(path: Path, text: str) -> list[str]:
    try:
        labels = json.loads(text)
    except (ValueError, RecursionError):
        labels = None
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise fail(error("CNN300", f"cannot read {path}: it is not a JSON list of strings"))
    return labels
