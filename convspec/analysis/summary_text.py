"""A summary as text, Markdown and CSV, in the columns that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from convspec.analysis import columns as known
from convspec.analysis.columns import Column, column, plain
from convspec.analysis.cost import MAC_CONVENTION
from convspec.analysis.summary import Summary, Uses
from convspec.analysis.tables import Table, csv_text, escape_markdown, markdown_lines, text_lines
from convspec.analysis.training import Use
from convspec.analysis.units import exact_bytes, grouped
from convspec.ir.dims import Size


def render_text(summary: Summary, names: Sequence[str] = ()) -> str:
    """The table in aligned columns, the totals and what they mean; ends with a line end."""
    lines = [title(summary), "", *text_lines(table(summary, names)), "", *notes(summary), "", *wrap(MAC_CONVENTION, 100)]
    return "\n".join(lines) + "\n"


def render_markdown(summary: Summary, names: Sequence[str] = ()) -> str:
    """A heading, the table, and the totals as a list."""
    said = [f"- {escape_markdown(' '.join(line.split()))}" for line in notes(summary)]
    lines = [f"**{escape_markdown(title(summary))}**", "", *markdown_lines(table(summary, names)), "", *said]
    return "\n".join(lines) + "\n"


def render_csv(summary: Summary, names: Sequence[str] = ()) -> str:
    """A line a row under the names of the columns; no totals."""
    wanted = [column(name, summary) for name in _names(summary, names)]
    rows = [[each.value(row) if each.value else each.text(row) for each in wanted] for row in summary.rows]
    return csv_text([each.name for each in wanted], rows)


def _names(summary: Summary, names: Sequence[str]) -> Sequence[str]:
    """The columns asked for, else the usual ones; a sorted table shows what it is sorted by, and the shares."""
    if names:
        return names
    usual = list(known.DEFAULT)
    if summary.sorted_by is not None:
        if summary.sorted_by not in usual:
            usual.insert(-1, summary.sorted_by)
        usual.insert(usual.index(summary.sorted_by) + 1, f"{summary.sorted_by}%")
    return usual


def table(summary: Summary, names: Sequence[str] = ()) -> Table:
    """The rows in the columns asked for, and their totals."""
    wanted = [column(name, summary) for name in _names(summary, names)]
    rows = [tuple(each.text(row) for each in wanted) for row in summary.rows]
    totals = [_total(each, summary) for each in wanted]
    if not wanted[0].right:
        totals[0] = "total"
    right = tuple(each.right or each.name.endswith("%") for each in wanted)
    return Table(tuple(each.heading for each in wanted), right, rows, tuple(totals))


def _total(each: Column, summary: Summary) -> str:
    if each.size is None:
        return ""
    whole: Size = 0
    for row in summary.rows:
        whole = whole + each.size(row)
    return grouped(whole)


def title(summary: Summary) -> str:
    """The network, its inputs, and the sizes that were given."""
    inputs = ", ".join(f"{name}: {tensor_type}" for name, tensor_type in summary.inputs)
    at = ", ".join(f"{name} = {value:,}" for name, value in summary.sizes.items())
    return f"{summary.name}({inputs}){f' at {at}' if at else ''}"


def notes(summary: Summary) -> list[str]:
    """The totals and the memory, a line each."""
    statistics = summary.parameters.statistics
    beside = f", beside {statistics:,} running statistics" if statistics else ""
    memory = summary.activation_memory
    peak = f"{grouped(memory)} bytes" if memory is not None else "depends on the sizes; give them values"
    return [
        f"parameters         {summary.parameters.learnable:,} learnable{beside}",
        f"MACs               {grouped(summary.cost.macs)}",
        f"flops              {grouped(summary.cost.flops)}",
        f"activation memory  {peak} at the peak of inference, layer by layer, nothing in place",
        *(memory_notes(summary.uses) if summary.uses else [_unknown(summary)]),
        *_sorted_at(summary),
    ]


def _unknown(summary: Summary) -> str:
    return f"memory in all      is counted where every size has a value: --sizes {', '.join(summary.open_sizes)}"


def _sorted_at(summary: Summary) -> list[str]:
    if summary.sorted_by is None or not summary.open_sizes:
        return []
    at = ", ".join(f"{name} = {summary.basis[name]:,}" for name in summary.open_sizes)
    return [f"sorted             by {known.COLUMNS[summary.sorted_by].heading} at {at}"]


def memory_notes(uses: Uses) -> list[str]:
    """What inference and training take, and of what that is made."""
    how = "" if uses.precision == "fp32" else f", in {uses.precision}"
    return [
        f"inference memory   {exact_bytes(uses.inference.total)}: {_parts(uses.inference, uses.optimizer)}{how}",
        f"training memory    {exact_bytes(uses.training.total)}: {_parts(uses.training, uses.optimizer)}{how}",
    ]


def _parts(use: Use, optimizer: str) -> str:
    """`parameters 246,824 + activations 37,632`."""
    parts = {
        "parameters": use.parameters,
        "gradients": use.gradients,
        optimizer: use.optimizer,
        "activations": use.activations,
    }
    shown = [f"{name} {count:,}" for name, count in parts.items() if count or name in ("parameters", "activations")]
    return " + ".join(shown)


__all__ = ["memory_notes", "plain", "render_csv", "render_markdown", "render_text"]
