"""A summary with fewer rows: layers folded by the levels of their labels, or by the blocks that they stand in.

Every layer is in exactly one row, so rows add up to the totals. A block that is used twice with the same weights has two rows;
the second is shared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from convspec.analysis.columns import sort_key
from convspec.analysis.cost import NodeCost, Parameters, total
from convspec.analysis.receptive_field import Field, Fields
from convspec.analysis.summary import Row, Summary
from convspec.elaborate.module import Application, BlockEvent, Event, Module, StageEvent
from convspec.ir.dims import Size
from convspec.ir.graph import Graph, Value
from convspec.source import Span

_LONGEST = 60


def folded(summary: Summary, module: Module, by_block: bool, depth: int | None) -> Summary:
    """By label, to `depth` levels; or by block, to `depth` blocks inside each other, one where that is not said."""
    blocks = block_texts(module)
    key = _by_block(blocks, depth or 1) if by_block else _by_label(depth or 1)
    groups: dict[tuple[str, int], list[Row]] = {}
    seen: dict[str, set[str]] = {}
    turns: dict[str, int] = {}
    for row in summary.rows:
        name = key(row.label)
        if row.label in seen.setdefault(name, set()):  # the same label again: another use of a shared block
            turns[name] = turns.get(name, 0) + 1
            seen[name].clear()
        seen[name].add(row.label)
        groups.setdefault((name, turns.get(name, 0)), []).append(row)
    reader = _Readers(module.graph)
    rows = tuple(_fold(name, rows, blocks, reader) for (name, _), rows in groups.items())
    return replace(summary, rows=rows, folded=True)


def ordered(summary: Summary, by: str, basis: Mapping[str, int]) -> Summary:
    """The rows with the largest first; equal ones stay in their order. `basis` has a value for every size."""
    key = sort_key(by)
    rows = sorted(summary.rows, key=lambda row: key(row, basis), reverse=True)
    return replace(summary, rows=tuple(rows), basis=dict(basis), sorted_by=by)


def _by_label(depth: int) -> Callable[[str], str]:
    return lambda label: ".".join(label.split(".")[:depth])


def _by_block(blocks: Mapping[str, str], depth: int) -> Callable[[str], str]:
    """The block that a label lies in, at most `depth` deep; the label itself outside of blocks."""

    def key(label: str) -> str:
        levels = label.split(".")
        around = [path for end in range(1, len(levels)) if (path := ".".join(levels[:end])) in blocks]
        return around[min(depth, len(around)) - 1] if around else label

    return key


class _Readers:
    """Who reads each tensor."""

    def __init__(self, graph: Graph) -> None:
        self.uses = graph.uses()
        self.outputs = {output.value for output in graph.outputs}

    def leaving(self, rows: Sequence[Row]) -> list[tuple[Value, int]]:
        """What goes out of a group, with the place of the row that makes it."""
        inside = {node for row in rows for node in row.nodes}
        found = []
        for place, row in enumerate(rows):
            for value in (value for node in row.nodes for value in node.outputs):
                if value in self.outputs or any(node not in inside for node in self.uses.get(value, [])):
                    found.append((value, place))
        return found

    def entering(self, rows: Sequence[Row]) -> dict[Value, int]:
        """What comes into a group, with the place of the row that reads it first."""
        made = {value for row in rows for node in row.nodes for value in node.outputs}
        found: dict[Value, int] = {}
        for place, row in enumerate(rows):
            for value in (value for node in row.nodes for value in node.inputs if value not in made):
                found.setdefault(value, place)
        return found


def _fold(name: str, rows: Sequence[Row], blocks: Mapping[str, str], readers: _Readers) -> Row:
    if len(rows) == 1 and rows[0].label == name:
        return rows[0]
    leaving = readers.leaving(rows) or [(rows[-1].nodes[-1].outputs[0], len(rows) - 1)]
    memory: Size = 0
    kept: Size = 0
    for row in rows:
        memory, kept = memory + row.activations, kept + row.kept
    cost: NodeCost = total(row.cost for row in rows)
    return Row(
        label=name,
        layer=_said(name, rows, blocks),
        outputs=tuple(_type_of(rows[place], value, "outputs") for value, place in leaving),
        parameters=Parameters(sum(row.parameters.learnable for row in rows), sum(row.parameters.statistics for row in rows)),
        shared=any(row.shared for row in rows),
        cost=cost,
        field=_largest([rows[place].field for _, place in leaving]),
        inputs=tuple(_type_of(rows[place], value, "inputs") for value, place in readers.entering(rows).items()),
        activations=memory,
        kept=kept,
        layers=sum(row.layers for row in rows),
        nodes=tuple(node for row in rows for node in row.nodes),
    )


def _type_of(row: Row, value: Value, which: str) -> Any:
    """The type of a tensor with the sizes put in, from the row that has it."""
    values = [value for node in row.nodes for value in getattr(node, which)]
    return getattr(row, which)[values.index(value)]


def _said(name: str, rows: Sequence[Row], blocks: Mapping[str, str]) -> str:
    """The block; else the blocks directly below, counted; else the number of layers."""
    if name in blocks:
        return blocks[name]
    below = [path for path in blocks if path.startswith(f"{name}.")]
    top = [path for path in below if not any(path.startswith(f"{other}.") for other in below)]
    titles = {blocks[path].partition("(")[0] for path in top}
    inside = {path for path in top for row in rows if row.label.startswith(f"{path}.")}
    if len(titles) == 1 and len(inside) == len(top) and all(any(row.label.startswith(f"{p}.") for p in top) for row in rows):
        return f"{len(top)} * {titles.pop()}"
    return f"{len(rows)} {'layer' if len(rows) == 1 else 'layers'}"


def _largest(fields: Sequence[Fields]) -> Fields:
    """The larger per axis of what goes out."""
    found: list[Field | None] = []
    most = max(map(len, fields), default=0)
    for axis in range(most):
        those = [each[axis] for each in fields if len(each) > axis]
        known = [field for field in those if field is not None]
        found.append(max(known, key=lambda field: field.size) if len(known) == len(those) else None)
    return tuple(found)


# ── blocks ───────────────────────────────────────────────────────────────────────────────────────────────────


def block_texts(module: Module) -> dict[str, str]:
    """Every use of a block by its label path, as it is called: `Bottleneck(width = 64, stride = 2)`."""
    return {path: block_text(event) for path, (event, _) in block_uses(module).items()}


def block_uses(module: Module) -> dict[str, tuple[BlockEvent, Span]]:
    """Every use of a block by its label path, the first where there are several, and where it stands."""
    found: dict[str, tuple[BlockEvent, Span]] = {}
    pending: list[Application] = [module.root]
    while pending:
        application = pending.pop()
        for (site, _), event in application.events.items():
            for each in block_events(event):
                found.setdefault(each.application.path, (each, site.span))
                pending.append(each.application)
    return found


def block_events(event: Event) -> list[BlockEvent]:
    """The uses of blocks in an event."""
    match event:
        case BlockEvent():
            return [event]
        case StageEvent(events=events):
            return [each for inner in events for each in block_events(inner)]
    return []


def block_text(event: BlockEvent) -> str:
    """The block with the arguments that were given, in numbers, as far as there is room."""
    name, bindings = event.application.block.name.text, event.application.bindings
    shown: list[str] = []
    for argument in event.args:
        text = _value(bindings.get(argument))
        written = f"{argument} = {text}"
        if text is None or len(", ".join([*shown, written])) > _LONGEST - len(name):
            continue
        shown.append(written)
    if not shown:
        return name
    return f"{name}({', '.join([*shown, *(['…'] if len(shown) < len(event.args) else [])])})"


def _value(value: Any) -> str | None:
    """A number, word or list of such as it is written; None for anything else."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float | str):
        return str(value)
    if isinstance(value, list | tuple):
        texts = [_value(item) for item in value]
        return None if None in texts else "[" + ", ".join(text or "" for text in texts) + "]"
    return None


__all__ = ["block_events", "block_text", "block_texts", "block_uses", "folded", "ordered"]
