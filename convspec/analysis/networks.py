"""Several networks side by side: a row each, with what they come to at sizes that are all known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from convspec.analysis.batch import Largest
from convspec.analysis.columns import shapes
from convspec.analysis.receptive_field import show
from convspec.analysis.summary import Summary
from convspec.analysis.summary_json import field_json, uses_json
from convspec.analysis.tables import Table, csv_text, markdown_lines, text_lines
from convspec.diagnostics import error, fail
from convspec.ir.dims import evaluate
from convspec.records import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """A network in a table of networks. Its summary is at sizes that are all given."""

    title: str
    summary: Summary
    batches: tuple[Largest, ...] = ()

    def number(self, name: str) -> int:
        """The value of a column that has numbers."""
        found = NETWORK_COLUMNS[name].number
        assert found is not None
        return found(self)


@dataclass(frozen=True, slots=True)
class NetworkColumn:
    name: str
    heading: str
    number: Callable[[Entry], int] | None = None
    text: Callable[[Entry], str] | None = None

    def shown(self, entry: Entry) -> str:
        return f"{self.number(entry):,}" if self.number else self.text(entry) if self.text else ""

    def value(self, entry: Entry) -> Any:
        return self.number(entry) if self.number else self.shown(entry)


def _uses(entry: Entry) -> Any:
    assert entry.summary.uses is not None
    return entry.summary.uses


def _peak(entry: Entry) -> int:
    memory = entry.summary.activation_memory
    assert isinstance(memory, int)
    return memory


def _batch(training: bool) -> Callable[[Entry], str]:
    return lambda entry: next((f"{each.batch:,}" for each in entry.batches if each.training is training), "-")


NETWORK_COLUMNS: Mapping[str, NetworkColumn] = {
    each.name: each
    for each in (
        NetworkColumn("network", "network", text=lambda e: e.title),
        NetworkColumn("input", "input", text=lambda e: shapes(kind for _, kind in e.summary.inputs)),
        NetworkColumn("layers", "layers", lambda e: e.summary.layers),
        NetworkColumn("params", "parameters", lambda e: e.summary.parameters.learnable),
        NetworkColumn("statistics", "statistics", lambda e: e.summary.parameters.statistics),
        NetworkColumn("macs", "MACs", lambda e: evaluate(e.summary.cost.macs, {})),
        NetworkColumn("flops", "flops", lambda e: evaluate(e.summary.cost.flops, {})),
        NetworkColumn("memory", "activations", _peak),
        NetworkColumn("kept", "kept", lambda e: int(_uses(e).kept)),
        NetworkColumn("inference", "inference memory", lambda e: int(_uses(e).inference.total)),
        NetworkColumn("training", "training memory", lambda e: int(_uses(e).training.total)),
        NetworkColumn("rf", "receptive field", text=lambda e: show(e.summary.field)),
        NetworkColumn("train_batch", "training batch", text=_batch(True)),
        NetworkColumn("infer_batch", "inference batch", text=_batch(False)),
    )
}
NETWORK_DEFAULT = ("network", "input", "layers", "params", "macs", "memory", "training", "rf")
_RIGHT = ("rf", "train_batch", "infer_batch")


def sorted_entries(entries: Iterable[Entry], by: str) -> list[Entry]:
    """The largest first. Failure CNN401 for a column without numbers."""
    if NETWORK_COLUMNS[by].number is None:
        known = ", ".join(name for name, each in NETWORK_COLUMNS.items() if each.number)
        raise fail(error("CNN401", f"--sort: networks cannot be sorted by `{by}`", hint=f"sort by one of {known}"))
    return sorted(entries, key=lambda entry: entry.number(by), reverse=True)


def networks_table(entries: Sequence[Entry], names: Sequence[str] = ()) -> Table:
    """The table; memory is in bytes."""
    wanted = [NETWORK_COLUMNS[name] for name in names or default_columns(entries)]
    right = tuple(each.number is not None or each.name in _RIGHT for each in wanted)
    rows = [tuple(each.shown(entry) for each in wanted) for entry in entries]
    return Table(tuple(each.heading for each in wanted), right, rows)


def default_columns(entries: Sequence[Entry]) -> tuple[str, ...]:
    """The usual ones, and batches where they were asked for."""
    asked = {each.training for entry in entries for each in entry.batches}
    return (*NETWORK_DEFAULT, *(["train_batch"] if True in asked else []), *(["infer_batch"] if False in asked else []))


def networks_text(entries: Sequence[Entry], names: Sequence[str] = ()) -> str:
    """The table, and what its numbers mean."""
    return "\n".join([*text_lines(networks_table(entries, names)), "", *_notes(entries)]) + "\n"


def networks_markdown(entries: Sequence[Entry], names: Sequence[str] = ()) -> str:
    """The table as Markdown, and what its numbers mean."""
    return "\n".join([*markdown_lines(networks_table(entries, names)), "", *_notes(entries)]) + "\n"


def networks_csv(entries: Sequence[Entry], names: Sequence[str] = ()) -> str:
    """The table under the names of its columns."""
    wanted = [NETWORK_COLUMNS[name] for name in names or default_columns(entries)]
    return csv_text([each.name for each in wanted], [[each.value(entry) for each in wanted] for entry in entries])


def _notes(entries: Sequence[Entry]) -> list[str]:
    if not entries:
        return []
    uses = _uses(entries[0])
    how = f"in {uses.precision}, training with {uses.optimizer}"
    return [f"Memory is in bytes, {how}; activations are the peak of inference. MACs are those of the inputs shown."]


def entry_json(entry: Entry) -> dict[str, Any]:
    """Plain data; the keys are described in docs/analysis.md."""
    summary = entry.summary
    return {
        "network": entry.title,
        "name": summary.name,
        "inputs": {name: str(kind) for name, kind in summary.inputs},
        "sizes": dict(summary.sizes),
        "layers": summary.layers,
        "parameters": summary.parameters.learnable,
        "running_statistics": summary.parameters.statistics,
        "macs": summary.cost.macs,
        "flops": summary.cost.flops,
        "activation_memory": summary.activation_memory,
        "receptive_field": field_json(summary.field),
        "memory": uses_json(_uses(entry)),
        "largest_batch": {("training" if each.training else "inference"): batch_json(each) for each in entry.batches},
    }


def batch_json(found: Largest) -> dict[str, Any]:
    """The answer to which batch fits; `bytes` is null where none does."""
    return {
        "size": found.name,
        "batch": found.batch,
        "budget": found.budget,
        "bytes": found.use.total if found.use else None,
        "beyond": found.beyond.total,
    }


__all__ = [
    "NETWORK_COLUMNS",
    "Entry",
    "batch_json",
    "default_columns",
    "entry_json",
    "networks_csv",
    "networks_markdown",
    "networks_table",
    "networks_text",
    "sorted_entries",
]
