"""What precision every layer of a lowered network has, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from convspec.source import Span


@dataclass(frozen=True, slots=True)
class Choice:
    """One layer: the type that it computes in, and why."""

    layer: str
    op: str
    dtype: str
    reason: str
    span: Span

    def place(self) -> str:
        """`resnet.cnn:12`."""
        return f"{self.span.file.name}:{self.span.line}"


@dataclass(frozen=True, slots=True)
class PrecisionReport:
    """`choices` in the order of the layers; sizes of the weights in bytes; `lost` weights were too small and became zero."""

    dtype: str
    choices: tuple[Choice, ...]
    casts: int
    bytes_before: int
    bytes_after: int
    lost: int = 0

    def text(self) -> str:
        """A line for each layer in float32, a count for the rest, and the totals."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        wide = [choice for choice in self.choices if choice.dtype != self.dtype]
        for choice in wide:
            yield f"{choice.place()}  {choice.layer}: {choice.op} in {choice.dtype}: {choice.reason}"
        if wide:
            yield ""
        for (op, dtype), count in sorted(Counter((c.op, c.dtype) for c in self.choices).items()):
            yield f"{count:>5} × {op} in {dtype}"
        yield f"{len(self.choices) - len(wide):,} of {len(self.choices):,} layers in {self.dtype}, {self.casts} casts"
        yield f"weights: {self.bytes_before:,} bytes became {self.bytes_after:,}"
        if self.lost:
            yield f"{self.lost:,} weights are too small for {self.dtype} and became zero"

    def to_json(self) -> dict[str, Any]:
        """What a program reads."""
        return {
            "dtype": self.dtype,
            "casts": self.casts,
            "bytes": {"before": self.bytes_before, "after": self.bytes_after},
            "became_zero": self.lost,
            "layers": [
                {"layer": c.layer, "op": c.op, "dtype": c.dtype, "reason": c.reason, "place": c.place()} for c in self.choices
            ],
        }


__all__ = ["Choice", "PrecisionReport"]
