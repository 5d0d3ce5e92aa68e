"""A network as a table: one row a layer with its output shape, parameters, MACs and receptive field, and the totals."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from convspec.analysis.cost import MAC_CONVENTION, NodeCost, Parameters, count, node_cost, parameters_of, total
from convspec.analysis.memory import activation_memory
from convspec.analysis.receptive_field import Fields, receptive_fields, show
from convspec.analysis.sizes import check_sizes, symbolic_sizes
from convspec.elaborate.module import Module
from convspec.ir.attrs import PerAxis
from convspec.ir.dims import DimError, Size, substitute
from convspec.ir.graph import Graph, Node, Parameter
from convspec.ir.types import TensorType
from convspec.ops._axes import axis_name
from convspec.records import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One layer applied once."""

    label: str
    layer: str
    """As it would be written, without what is as by default: `conv(64, 7x7, stride = 2, pad = 3)`."""
    outputs: tuple[TensorType, ...]
    parameters: Parameters
    """What this row stores; a tensor shared with a row above is counted there."""
    shared: bool
    """Whether its weights stand in a row above."""
    cost: NodeCost
    field: Fields


@dataclass(frozen=True, slots=True)
class Summary:
    """`str()` is the table as text, `to_json()` what a program would read."""

    name: str
    inputs: tuple[tuple[str, TensorType], ...]
    rows: tuple[Row, ...]
    parameters: Parameters
    cost: NodeCost
    activation_memory: Size | None
    """Bytes at the peak; None where sizes left open decide which layer that is."""
    sizes: Mapping[str, int]
    """The values given to symbolic sizes."""
    open_sizes: tuple[str, ...]
    """The symbolic sizes that have no value."""

    def __str__(self) -> str:
        return render_text(self)

    def to_json(self) -> dict[str, Any]:
        return to_json(self)


def summarise(module: Module | Graph, sizes: Mapping[str, int] | None = None) -> Summary:
    """The summary of a network, with some, all or none of its symbolic sizes given values.

    Raises Failure CNN401 for a size that the inputs do not have or that is below its bound.
    """
    graph = module if isinstance(module, Graph) else module.graph
    given = dict(sizes or {})
    known = symbolic_sizes(graph)
    check_sizes(given, known)
    try:
        memory: Size | None = activation_memory(graph, given)
    except DimError:
        memory = None
    rows = _rows(graph, given)
    return Summary(
        name=graph.name,
        inputs=tuple((each.value.name, _at(each.value.type, given)) for each in graph.inputs),
        rows=tuple(rows),
        parameters=parameters_of(graph.nodes),
        cost=total(row.cost for row in rows),
        activation_memory=memory,
        sizes=given,
        open_sizes=tuple(name for name in known if name not in given),
    )


def _rows(graph: Graph, sizes: Mapping[str, int]) -> list[Row]:
    seen: set[str] = set()
    seen_fields = receptive_fields(graph)
    rows = []
    for node in graph.nodes:
        own = [parameter for parameter in node.params.values() if parameter.name not in seen]
        seen.update(parameter.name for parameter in own)
        rows.append(_row(node, own, sizes, seen_fields[node.outputs[0]]))
    return rows


def _row(node: Node, own: list[Parameter], sizes: Mapping[str, int], field: Fields) -> Row:
    return Row(
        label=node.path,
        layer=layer_text(node),
        outputs=tuple(_at(tensor_type, sizes) for tensor_type in node.output_types),
        parameters=count(own),
        shared=len(own) < len(node.params),
        cost=node_cost(node).at(sizes),
        field=field,
    )


def _at(tensor_type: TensorType, sizes: Mapping[str, int]) -> TensorType:
    return tensor_type.with_shape(tuple(substitute(size, sizes) for size in tensor_type.shape))


# ── the layer as it would be written ─────────────────────────────────────────────────────────────────────────


def layer_text(node: Node) -> str:
    """`conv(64, 3x3, pad = 1)`: attributes as in a spec, those left out that have their default value."""
    written = []
    for attribute in node.op.attributes:
        value = _named_axis(node, attribute.name, getattr(node.attrs, attribute.name))
        if attribute.name == "init" or value is None or _uniform(value) == _uniform(attribute.default):
            continue
        if attribute.metadata["positional"]:
            written.append(_kernel(value) if isinstance(attribute.metadata["kind"], PerAxis) else _text(value))
        else:
            written.append(f"{attribute.name} = {_text(_uniform(value))}")
    return f"{node.op.name}({', '.join(written)})" if written else node.op.name


def _named_axis(node: Node, name: str, value: Any) -> Any:
    """`channels` for the axis 1 that it was resolved to."""
    return axis_name(value, node.input_types[0].rank) if name == "axis" and isinstance(value, int) else value


def _uniform(value: Any) -> Any:
    """The one number that all axes and sides have, else the value itself."""
    inner = value
    while isinstance(inner, tuple) and inner and all(item == inner[0] for item in inner):
        inner = inner[0]
    return value if isinstance(inner, tuple) else inner


def _kernel(value: int | tuple[int, ...]) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_text, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


# ── text ─────────────────────────────────────────────────────────────────────────────────────────────────────

_HEADINGS = ("label", "layer", "output", "parameters", "MACs", "receptive field")
_RIGHT = (False, False, False, True, True, True)


def render_text(summary: Summary) -> str:
    """The table in aligned columns, the totals and what they mean; ends with a line end."""
    body = [_cells(row) for row in summary.rows]
    totals = ("total", "", "", f"{summary.parameters.learnable:,}", _number(summary.cost.macs), "")
    widths = [max(len(line[column]) for line in (_HEADINGS, *body, totals)) for column in range(len(_HEADINGS))]
    rule = "  ".join("-" * width for width in widths)
    inputs = ", ".join(f"{name}: {tensor_type}" for name, tensor_type in summary.inputs)
    lines = [f"{summary.name}({inputs}){_at_sizes(summary)}", "", _line(_HEADINGS, widths), rule]
    lines += [_line(cells, widths) for cells in body]
    lines += [rule, _line(totals, widths), "", *_notes(summary)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _at_sizes(summary: Summary) -> str:
    at = ", ".join(f"{name} = {value:,}" for name, value in summary.sizes.items())
    return f" at {at}" if at else ""


def _cells(row: Row) -> tuple[str, ...]:
    stored = "shared" if row.shared and not row.parameters.stored else f"{row.parameters.learnable:,}"
    shapes = ", ".join(_shape(tensor_type) for tensor_type in row.outputs)
    return row.label, row.layer, shapes, stored, _number(row.cost.macs), show(row.field)


def _shape(tensor_type: TensorType) -> str:
    return f"[{', '.join(map(str, tensor_type.shape))}]"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    aligned = zip(cells, widths, _RIGHT, strict=True)
    return "  ".join(cell.rjust(width) if right else cell.ljust(width) for cell, width, right in aligned)


def _number(size: Size) -> str:
    """A size with its long numbers set apart: `87,818,240*N*h*w`."""
    return re.sub(r"(?<![\w.])\d{4,}(?!\w)", lambda match: f"{int(match[0]):,}", str(size))


def _notes(summary: Summary) -> list[str]:
    statistics = summary.parameters.statistics
    beside = f", beside {statistics:,} running statistics" if statistics else ""
    memory = summary.activation_memory
    peak = f"{_number(memory)} bytes" if memory is not None else "depends on the sizes; give them values"
    return [
        f"parameters         {summary.parameters.learnable:,} learnable{beside}",
        f"MACs               {_number(summary.cost.macs)}",
        f"flops              {_number(summary.cost.flops)}",
        f"activation memory  {peak} at the peak of inference, layer by layer, nothing in place",
        "",
        *wrap(MAC_CONVENTION, 100),
    ]


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────


def to_json(summary: Summary) -> dict[str, Any]:
    """Plain data: numbers where sizes are known, else expressions as strings. `null` in a receptive field is a whole axis."""
    return {
        "name": summary.name,
        "inputs": [{"name": name, **_type_json(tensor_type)} for name, tensor_type in summary.inputs],
        "sizes": dict(summary.sizes),
        "open_sizes": list(summary.open_sizes),
        "layers": [_row_json(row) for row in summary.rows],
        "totals": {
            "parameters": summary.parameters.learnable,
            "running_statistics": summary.parameters.statistics,
            "macs": _plain(summary.cost.macs),
            "flops": _plain(summary.cost.flops),
            "activation_memory": _plain(summary.activation_memory),
        },
        "convention": MAC_CONVENTION,
    }


def _row_json(row: Row) -> dict[str, Any]:
    return {
        "label": row.label,
        "layer": row.layer,
        "outputs": [_type_json(tensor_type) for tensor_type in row.outputs],
        "parameters": row.parameters.learnable,
        "running_statistics": row.parameters.statistics,
        "shared": row.shared,
        "macs": _plain(row.cost.macs),
        "flops": _plain(row.cost.flops),
        "receptive_field": [
            None if field is None else {"size": field.size, "jump": str(field.jump), "offset": str(field.offset)}
            for field in row.field
        ],
    }


def _type_json(tensor_type: TensorType) -> dict[str, Any]:
    return {"dtype": tensor_type.dtype, "shape": [_plain(size) for size in tensor_type.shape]}


def _plain(size: Size | None) -> int | str | None:
    return size if size is None or isinstance(size, int) else str(size)
