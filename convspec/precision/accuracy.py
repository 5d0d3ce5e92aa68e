"""What a quantised network loses: its outputs against those of the float32 network on data it was not calibrated with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from convspec.ir.types import Array

Run = Callable[[Mapping[str, Array]], Mapping[str, Array]]
TOP = 5


@dataclass(frozen=True, slots=True)
class OutputAccuracy:
    """One output over all items. Shares are from 0 to 1; those of classes are None where the output is not [N, classes]."""

    name: str
    scaled_error: float
    """The largest difference over the largest float32 value."""
    cosine: float
    """Of the angle between both, as one long vector; 1 is the same direction."""
    top1: float | None
    """How often both find the same class the likeliest."""
    top5: float | None
    """How often the likeliest class of float32 is among the five likeliest; None with fewer than six classes."""

    def text(self) -> str:
        """`logits: scaled error 1.2e-02, cosine 0.9998, top-1 agreement 98.4 %`."""
        parts = [f"scaled error {self.scaled_error:.1e}", f"cosine {self.cosine:.5f}"]
        parts += [
            f"top-{k} agreement {100 * share:.1f} %" for k, share in ((1, self.top1), (TOP, self.top5)) if share is not None
        ]
        return f"{self.name}: {', '.join(parts)}"

    def to_json(self) -> dict[str, Any]:
        return {
            "output": self.name,
            "scaled_error": self.scaled_error,
            "cosine": self.cosine,
            "top1": self.top1,
            "top5": self.top5,
        }


class _Sums:
    """What is added up of one output."""

    def __init__(self) -> None:
        self.error = self.largest = self.product = self.squares = self.reference = 0.0
        self.rows = self.first = self.among = self.classes = 0

    def add(self, found: Array, expected: Array) -> None:
        import numpy as np

        a, b = found.astype(np.float64), expected.astype(np.float64)
        self.error = max(self.error, float(np.abs(a - b).max(initial=0.0)))
        self.largest = max(self.largest, float(np.abs(b).max(initial=0.0)))
        self.product += float((a * b).sum())
        self.squares += float((a * a).sum())
        self.reference += float((b * b).sum())
        if a.ndim == 2 and a.shape[1] > 1:
            self.classes = a.shape[1]
            best = b.argmax(1)
            ranked = np.argsort(-a, axis=1, kind="stable")
            self.rows += len(a)
            self.first += int((ranked[:, 0] == best).sum())
            self.among += int((ranked[:, :TOP] == best[:, None]).any(1).sum())

    def finished(self, name: str) -> OutputAccuracy:
        scale = (self.squares * self.reference) ** 0.5
        cosine = self.product / scale if scale else float(self.squares == self.reference)
        top1 = self.first / self.rows if self.rows else None
        top5 = self.among / self.rows if self.rows and self.classes > TOP else None
        return OutputAccuracy(name, self.error / (self.largest or 1.0), cosine, top1, top5)


def compare(found: Run, expected: Run, items: Iterable[Mapping[str, Array]]) -> tuple[OutputAccuracy, ...]:
    """Both networks on every item; each output of floats."""
    sums: dict[str, _Sums] = {}
    for item in items:
        ours, theirs = found(item), expected(item)
        for name, array in theirs.items():
            if array.dtype.kind == "f":
                sums.setdefault(name, _Sums()).add(ours[name], array)
    return tuple(total.finished(name) for name, total in sums.items())


__all__ = ["OutputAccuracy", "compare"]
