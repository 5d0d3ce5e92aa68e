"""What the optimiser did: every change with its place in the source, and what it saved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from convspec.analysis.cost import node_cost, total
from convspec.ir import dims
from convspec.ir.graph import Node
from convspec.source import Span


@dataclass(frozen=True, slots=True)
class Work:
    """Multiply-accumulates and floating-point operations as `analysis.cost` counts them, and numbers stored."""

    macs: dims.Size = 0
    flops: dims.Size = 0
    stored: int = 0

    def minus(self, other: Work) -> Work:
        return Work(self.macs - other.macs, self.flops - other.flops, self.stored - other.stored)

    def plus(self, other: Work) -> Work:
        return Work(self.macs + other.macs, self.flops + other.flops, self.stored + other.stored)


def work_of(nodes: Iterable[Node]) -> Work:
    """The work of some nodes, for the whole batch, and what they store; a tensor that several share counts once."""
    nodes = tuple(nodes)
    cost = total(node_cost(node) for node in nodes)
    stored = {parameter: parameter.size for node in nodes for parameter in node.params.values()}
    return Work(cost.macs, cost.flops, sum(stored.values()))


@dataclass(frozen=True, slots=True)
class Change:
    """One use of a pass: `layers` became `into` (empty: nothing), which saved `nodes` nodes and the work `saved`."""

    name: str
    note: str
    layers: tuple[str, ...]
    into: str
    span: Span
    nodes: int
    saved: Work

    def place(self) -> str:
        """`resnet.cnn:12`."""
        return f"{self.span.file.name}:{self.span.line}"


@dataclass(frozen=True, slots=True)
class Size:
    """How many nodes a network has, and their work."""

    nodes: int
    work: Work


@dataclass(frozen=True, slots=True)
class OptimisationReport:
    """What was done to a network; `summaries` says what each pass does."""

    level: int
    changes: tuple[Change, ...]
    before: Size
    after: Size
    summaries: dict[str, str]

    def text(self) -> str:
        """One line for each change, a line for each pass with its count, and the totals."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        for change in self.changes:
            became = f" → {change.into}" if change.into and (change.into,) != change.layers else ""
            note = f": {change.note}" if change.note else ""
            yield f"{change.place()}  {change.name}  {', '.join(change.layers)}{became}{note}"
        if self.changes:
            yield ""
        for name, count in Counter(change.name for change in self.changes).items():
            yield f"{count:>5} × {name}: {self.summaries.get(name, '')}"
        yield f"optimised at level {self.level}: {self.before.nodes:,} nodes became {self.after.nodes:,}"
        saved = self.before.work.minus(self.after.work)
        yield f"saved: {_shown(saved.macs)} MACs, {_shown(saved.flops)} flops, {_shown(saved.stored)} stored numbers"

    def to_json(self) -> dict[str, Any]:
        """What a program reads. Symbolic amounts are strings."""
        return {
            "level": self.level,
            "nodes": {"before": self.before.nodes, "after": self.after.nodes},
            "saved": _amounts(self.before.work.minus(self.after.work)),
            "changes": [
                {
                    "pass": change.name,
                    "note": change.note,
                    "layers": list(change.layers),
                    "into": change.into or None,
                    "place": change.place(),
                    "nodes": change.nodes,
                    "saved": _amounts(change.saved),
                }
                for change in self.changes
            ],
        }


def _shown(amount: dims.Size) -> str:
    return f"{amount:,}" if isinstance(amount, int) else str(amount)


def _amounts(work: Work) -> dict[str, int | str]:
    given = {"macs": work.macs, "flops": work.flops, "stored": work.stored}
    return {name: amount if isinstance(amount, int) else str(amount) for name, amount in given.items()}
