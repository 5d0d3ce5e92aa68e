"""What the optimiser did: every change with its place in the source, and what it saved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from convspec.analysis.cost import node_cost, total
from convspec.ir import dims
from convspec.ir.graph import Node
from convspec.records import dataclass
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

    def text(self) -> str:
        """What became of the layers, and why or how where the pass says so."""
        became = f" → {self.into}" if self.into and (self.into,) != self.layers else ""
        note = f" ({self.note})" if self.note else ""
        return f"{', '.join(self.layers)}{became}{note}"


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
        """Pass by pass what was done at which source lines, then the totals.

        Uses of a pass at one source line, as by a block that is used often, are one line: the first of them, and how many
        there are like it.
        """
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        by_pass: dict[str, list[Change]] = {}
        for change in self.changes:
            by_pass.setdefault(change.name, []).append(change)
        for name, changes in by_pass.items():
            yield from self._section(name, changes)
            yield ""
        yield f"optimised at level {self.level}: {self.before.nodes:,} nodes became {self.after.nodes:,}"
        for line in self._totals():
            yield f"  {line}"

    def _section(self, name: str, changes: Sequence[Change]) -> Iterator[str]:
        """A pass with its count and what it saved, and its source lines."""
        saved = Work()
        for change in changes:
            saved = saved.plus(change.saved)
        times = "once" if len(changes) == 1 else f"{len(changes):,} times"
        yield f"{name}: {self.summaries.get(name, '')}, {times}{_gain(saved)}"
        places = sorted(changes, key=lambda change: (change.span.file.name, change.span.start))
        lines = [list(group) for _, group in groupby(places, key=Change.place)]
        width = max(len(group[0].place()) for group in lines)
        for group in lines:
            more = f"; and {len(group) - 1:,} like it, to {group[-1].layers[0]}" if len(group) > 1 else ""
            yield f"  {group[0].place():<{width}}  {group[0].text()}{more}"

    def _totals(self) -> Iterator[str]:
        for what in ("macs", "flops", "stored"):
            before, after = getattr(self.before.work, what), getattr(self.after.work, what)
            title = {"macs": "MACs", "flops": "flops", "stored": "stored numbers"}[what]
            same = before == after
            yield f"{title}: {_shown(before)}" + (", as before" if same else f" → {_shown(after)}{_share(before, after)}")

    def to_json(self) -> dict[str, Any]:
        """What a program reads: every change by itself. Symbolic amounts are strings."""
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


def _gain(saved: Work) -> str:
    """What was saved, as far as it is worth a word; a minus says that there is more of it."""
    amounts = ((saved.macs, "MACs"), (saved.flops, "flops"), (saved.stored, "stored numbers"))
    parts = [f"{_shown(amount)} {what}" for amount, what in amounts if amount != 0]
    return f"; saved {', '.join(parts)}" if parts else ""


def _share(before: dims.Size, after: dims.Size) -> str:
    """` (-12.3 %)`, where both are known."""
    if not isinstance(before, int) or not isinstance(after, int) or not before or before == after:
        return ""
    return f" ({(after - before) / before:+.2%})".replace("%", " %")


def _shown(amount: dims.Size) -> str:
    return f"{amount:,}" if isinstance(amount, int) else str(amount)


def _amounts(work: Work) -> dict[str, int | str]:
    given = {"macs": work.macs, "flops": work.flops, "stored": work.stored}
    return {name: amount if isinstance(amount, int) else str(amount) for name, amount in given.items()}
