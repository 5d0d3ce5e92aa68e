"""A network as a table: one row a layer with its output shape, parameters, MACs and receptive field, and the totals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field as given_by
from typing import Any

from convspec.analysis.cost import NodeCost, Parameters, count, node_cost, parameters_of, total
from convspec.analysis.memory import activation_memory, tensor_bytes
from convspec.analysis.receptive_field import Fields, receptive_fields, trunk_field
from convspec.analysis.sizes import check_sizes, symbolic_sizes
from convspec.analysis.training import Plan, Use, element_bytes, plan
from convspec.elaborate.module import Module
from convspec.ir.attrs import Initialiser, PerAxis
from convspec.ir.dims import DimError, Size, substitute
from convspec.ir.graph import Graph, Node, Parameter
from convspec.ir.types import TensorType
from convspec.ops._axes import axis_name
from convspec.records import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One layer applied once, or several that are folded into one row."""

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
    inputs: tuple[TensorType, ...] = ()
    activations: Size = 0
    """Bytes of what it gives out; dropout gives out what it takes in."""
    kept: Size = 0
    """Bytes kept for the backward pass, in fp32; what a row above keeps counts there."""
    layers: int = 1
    nodes: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Uses:
    """Bytes in inference and in training, at sizes that are all known, and how they are counted."""

    inference: Use
    training: Use
    kept: int
    """What is kept for the backward pass when it begins."""
    precision: str
    optimizer: str


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
    field: Fields = ()
    """Of the network: that of its outputs, or of the last tensors that have space."""
    layers: int = 0
    uses: Uses | None = None
    """None where sizes are open."""
    folded: bool = False
    """Whether rows stand for several layers."""
    basis: Mapping[str, int] = given_by(default_factory=dict)
    """A value for every size, at which rows were sorted and shares are counted."""
    sorted_by: str | None = None

    def __str__(self) -> str:
        from convspec.analysis.summary_text import render_text

        return render_text(self)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from convspec.analysis.summary_html import render_html

        return render_html(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What IPython shows as text."""
        printer.text(str(self).rstrip("\n"))

    def to_json(self) -> dict[str, Any]:
        from convspec.analysis.summary_json import to_json

        return to_json(self)


def summarise(
    module: Module | Graph, sizes: Mapping[str, int] | None = None, precision: str = "fp32", optimizer: str = "adam"
) -> Summary:
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
    planned = plan(graph)
    rows = _rows(graph, given, planned)
    open_sizes = tuple(name for name in known if name not in given)
    return Summary(
        name=graph.name,
        inputs=tuple((each.value.name, _at(each.value.type, given)) for each in graph.inputs),
        rows=tuple(rows),
        parameters=parameters_of(graph.nodes),
        cost=total(row.cost for row in rows),
        activation_memory=memory,
        sizes=given,
        open_sizes=open_sizes,
        field=trunk_field(graph),
        layers=len(rows),
        uses=None if open_sizes else uses_of(planned, given, precision, optimizer),
    )


def uses_of(planned: Plan, sizes: Mapping[str, int], precision: str = "fp32", optimizer: str = "adam") -> Uses:
    """Bytes at sizes that are all given."""
    return Uses(
        planned.infer(sizes, precision),
        planned.train(sizes, precision, optimizer),
        planned.kept_bytes(sizes, precision),
        precision,
        optimizer,
    )


def _rows(graph: Graph, sizes: Mapping[str, int], planned: Plan) -> list[Row]:
    seen: set[str] = set()
    seen_fields = receptive_fields(graph)
    kept: dict[Node, Size] = {}
    for node, stay in planned.kept:
        kept[node] = kept.get(node, 0) + substitute(stay.elements, sizes) * element_bytes(stay.dtype, stay.kind, half=False)
    rows = []
    for node in graph.nodes:
        own = [parameter for parameter in node.params.values() if parameter.name not in seen]
        seen.update(parameter.name for parameter in own)
        rows.append(_row(node, own, sizes, seen_fields[node.outputs[0]], kept.get(node, 0)))
    return rows


def _row(node: Node, own: list[Parameter], sizes: Mapping[str, int], field: Fields, kept: Size) -> Row:
    memory: Size = 0
    for kind in () if node.op.training_only else node.output_types:
        memory = memory + substitute(tensor_bytes(kind), sizes)
    return Row(
        label=node.path,
        layer=layer_text(node),
        outputs=tuple(_at(tensor_type, sizes) for tensor_type in node.output_types),
        parameters=count(own),
        shared=len(own) < len(node.params),
        cost=node_cost(node).at(sizes),
        field=field,
        inputs=tuple(_at(tensor_type, sizes) for tensor_type in node.input_types),
        activations=memory,
        kept=kept,
        nodes=(node,),
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


def attribute_texts(node: Node) -> dict[str, str]:
    """Every attribute of a layer as it would be written, those too that are as by default."""
    found = {}
    for attribute in node.op.attributes:
        value = _named_axis(node, attribute.name, getattr(node.attrs, attribute.name))
        found[attribute.name] = _text(
            value if isinstance(attribute.metadata["kind"], Initialiser) else _short(attribute, value)
        )
    return found


def _short(attribute: Any, value: Any) -> Any:
    """A kernel as a size, anything else as one number where that holds for all axes."""
    if attribute.metadata["positional"] and isinstance(attribute.metadata["kind"], PerAxis):
        return _kernel(value)
    return _uniform(value)


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


__all__ = ["Row", "Summary", "Uses", "attribute_texts", "layer_text", "summarise", "uses_of"]
