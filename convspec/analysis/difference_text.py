"""A difference as text, as Markdown and as plain data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from convspec.analysis.difference import Carried, Change, Cost, Difference
from convspec.analysis.receptive_field import show
from convspec.analysis.summary import Summary
from convspec.analysis.summary_json import field_json, uses_json
from convspec.analysis.tables import Table, markdown_lines, text_lines
from convspec.analysis.units import signed
from convspec.ir.dims import evaluate

MARKS = {
    "added": "+",
    "removed": "-",
    "replaced": "~",
    "changed": "~",
    "renamed": "=",
    "moved": ">",
    "rewired": "~",
    "interface": "~",
}
_SHOWN = 3
_HEADINGS = ("", "label", "change", "parameters", "MACs", "kept bytes", "receptive field")
_RIGHT = (False, False, False, True, True, True, True)


def render_text(found: Difference, names: tuple[str, str]) -> str:
    """Both networks, the changes, the totals, and which weights can be carried over."""
    return "\n".join(_lines(found, names, text_lines, lambda text: text)) + "\n"


def render_markdown(found: Difference, names: tuple[str, str]) -> str:
    """The same, with tables of Markdown."""
    from convspec.analysis.tables import escape_markdown

    return "\n".join(_lines(found, names, markdown_lines, escape_markdown)) + "\n"


def _lines(
    found: Difference, names: tuple[str, str], table: Callable[[Table], list[str]], plain: Callable[[str], str]
) -> list[str]:
    heads = [f"{mark} {plain(_head(name, each))}" for mark, name, each in zip("ab", names, (found.old, found.new), strict=True)]
    if found.same:
        return [*heads, "", "The networks are equal."]
    weights = weights_lines(found.carried)
    if table is markdown_lines:
        heads, weights = [f"- {head}" for head in heads], [f"- {plain(line.strip())}" for line in weights]
    return [*heads, "", *table(changes_table(found)), "", *table(totals_table(found)), *([""] if weights else []), *weights]


def _head(name: str, summary: Summary) -> str:
    inputs = ", ".join(f"{given}: {kind}" for given, kind in summary.inputs)
    return f"{name}: {summary.name}({inputs})"


def changes_table(found: Difference) -> Table:
    """A row for each change, one for what follows from them; together they are the difference of the totals."""
    rows = [_row(change) for change in found.changes]
    if found.follows:
        cost = sum((change.cost for change in found.follows), Cost())
        count = len(found.follows)
        said = f"{count} {'layer' if count == 1 else 'layers'} as before, behind what changed"
        rows.append(("", "", said, *_numbers(cost), ""))
    total = sum((change.cost for change in [*found.changes, *found.follows]), Cost())
    return Table(_HEADINGS, _RIGHT, rows, ("", "total", "", *_numbers(total), _field_change(found)))


def _row(change: Change) -> tuple[str, ...]:
    before, after = change.field
    return (
        MARKS[change.kind],
        _where(change),
        _what(change),
        *_numbers(change.cost),
        f"{before} → {after}".strip() if before or after else "",
    )


def _where(change: Change) -> str:
    path = f"{change.old} → {change.new}" if change.kind in ("renamed", "moved") and change.old != change.new else change.path
    if not change.places:
        return path
    if len(change.places) < _SHOWN:
        return ", ".join([path, *change.places])
    return f"{path}, … {change.places[-1]}"


def _what(change: Change) -> str:
    times = len(change.places) + 1
    text = {"moved": "moved: ", "renamed": "renamed: "}.get(change.kind, "") + change.text
    if times == 1:
        return text
    if change.kind == "renamed" and change.places and change.old.rstrip("0123456789") == change.new.rstrip("0123456789"):
        return f"{times} layers with other numbers in their names"
    return f"{times} × {text}"


def _numbers(cost: Cost) -> tuple[str, str, str]:
    return signed(cost.parameters), signed(cost.macs), signed(cost.kept)


def _field_change(found: Difference) -> str:
    before, after = show(found.old.field), show(found.new.field)
    return f"{before} → {after}" if before != after else after


def totals_table(found: Difference) -> Table:
    """What both come to, and how much that differs."""
    rows: list[tuple[str, ...]] = []
    for name, (before, after) in totals(found).items():
        share = f"{100 * (after - before) / before:+.1f} %" if before and before != after else ""
        rows.append((name, f"{before:,}", f"{after:,}", signed(after - before), share))
    rows.append(("receptive field", show(found.old.field), show(found.new.field), "", ""))
    return Table(("total", "a", "b", "change", ""), (False, True, True, True, True), rows)


def totals(found: Difference) -> dict[str, tuple[int, int]]:
    """Every quantity of both networks; bytes for memory."""

    def numbers(summary: Summary) -> dict[str, int]:
        uses, memory = summary.uses, summary.activation_memory
        assert uses is not None and isinstance(memory, int)
        return {
            "layers": summary.layers,
            "parameters": summary.parameters.learnable,
            "MACs": evaluate(summary.cost.macs, {}),
            "flops": evaluate(summary.cost.flops, {}),
            "activation memory": memory,
            "kept for backward": uses.kept,
            "inference memory": uses.inference.total,
            "training memory": uses.training.total,
        }

    before, after = numbers(found.old), numbers(found.new)
    return {name: (count, after[name]) for name, count in before.items()}


def weights_lines(carried: Carried | None) -> list[str]:
    """Which weights of a fit b."""
    if carried is None:
        return []
    count = len(carried.by_name) + len(carried.renamed) + len(carried.reshaped) + len(carried.missing)
    if not count:
        return []
    lines = [f"weights: {len(carried.by_name):,} of the {count:,} tensors of b are in a under their name and in their shape"]
    if carried.renamed:
        pairs = [f"{old} → {new}" for old, new in carried.renamed]
        lines.append(f"  {len(pairs):,} more under another name: {_few(pairs)}")
    if carried.reshaped:
        lines.append(f"  {len(carried.reshaped):,} in another shape: {_few(carried.reshaped)}")
    if carried.missing:
        lines.append(f"  {len(carried.missing):,} not in a: {_few(carried.missing)}")
    if carried.unused:
        lines.append(f"  {len(carried.unused):,} of a not in b: {_few(carried.unused)}")
    return lines


def _few(names: Sequence[str]) -> str:
    return ", ".join([*names[:_SHOWN], *(["…"] if len(names) > _SHOWN else [])])


def to_json(found: Difference, names: tuple[str, str]) -> dict[str, Any]:
    """Plain data; the keys are described in docs/analysis.md."""
    return {
        "equal": found.same,
        "a": _network_json(names[0], found.old),
        "b": _network_json(names[1], found.new),
        "changes": [_change_json(change) for change in found.changes],
        "follows": [_change_json(change) for change in found.follows],
        "weights": _weights_json(found.carried),
    }


def _network_json(name: str, summary: Summary) -> dict[str, Any]:
    assert summary.uses is not None
    return {
        "network": name,
        "name": summary.name,
        "inputs": {given: str(kind) for given, kind in summary.inputs},
        "sizes": dict(summary.sizes),
        "layers": summary.layers,
        "parameters": summary.parameters.learnable,
        "running_statistics": summary.parameters.statistics,
        "macs": evaluate(summary.cost.macs, {}),
        "flops": evaluate(summary.cost.flops, {}),
        "activation_memory": summary.activation_memory,
        "memory": uses_json(summary.uses),
        "receptive_field": field_json(summary.field),
    }


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "old": change.old or None,
        "new": change.new or None,
        "text": change.text,
        "layers": change.layers,
        "also": list(change.places),
        "parameters": change.cost.parameters,
        "macs": change.cost.macs,
        "kept_bytes": change.cost.kept,
        "receptive_field": [each or None for each in change.field] if any(change.field) else None,
    }


def _weights_json(carried: Carried | None) -> dict[str, Any] | None:
    if carried is None:
        return None
    return {
        "by_name": list(carried.by_name),
        "renamed": [{"old": old, "new": new} for old, new in carried.renamed],
        "reshaped": list(carried.reshaped),
        "missing": list(carried.missing),
        "unused": list(carried.unused),
        "elements": carried.elements,
    }


__all__ = ["changes_table", "render_markdown", "render_text", "to_json", "totals", "totals_table", "weights_lines"]
