"""Graphs rewritten for comparison: in float64, with masks as inputs, inner values as outputs, with probes for gradients."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from convspec.elaborate.module import Module
from convspec.ir.graph import Graph, GraphInput, GraphOutput, Node, Parameter, Value
from convspec.ir.types import FLOATS, TensorType
from convspec.ops import find

FLOAT64 = "float64"


def with_graph(module: Module, graph: Graph) -> Module:
    """`module` with another graph. Only the straight-line printers may print it: the source no longer leads to its graph."""
    return replace(module, graph=graph)


# ── precision ────────────────────────────────────────────────────────────────────────────────────────────────


def in_float64(graph: Graph) -> Graph:
    """Everything that is declared as a float becomes float64: inputs, parameters, casts. The graph itself if nothing has to.

    A graph of float32 alone stays as it is: each framework can be told to compute all of it in float64.
    """
    if not _needs_retyping(graph):
        return graph
    values: dict[Value, Value] = {}
    parameters: dict[Parameter, Parameter] = {}

    def value(old: Value) -> Value:
        return values.setdefault(old, Value(old.name, _wide(old.type)))

    def parameter(old: Parameter) -> Parameter:
        return parameters.setdefault(old, replace(old, dtype=_wide_dtype(old.dtype)))

    inputs = [replace(item, value=value(item.value)) for item in graph.inputs]
    nodes = [
        replace(
            node,
            attrs=_wide_attrs(node.attrs),
            inputs=tuple(map(value, node.inputs)),
            outputs=tuple(map(value, node.outputs)),
            params={role: parameter(p) for role, p in node.params.items()},
        )
        for node in graph.nodes
    ]
    outputs = [replace(item, value=value(item.value)) for item in graph.outputs]
    return Graph(graph.name, graph.doc, inputs, outputs, nodes)


def _needs_retyping(graph: Graph) -> bool:
    types = [item.value.type for item in graph.inputs] + [t for node in graph.nodes for t in node.output_types]
    floats = {t.dtype for t in types if t.dtype in FLOATS} | {p.dtype for p in graph.parameters().values() if p.dtype in FLOATS}
    return bool(floats - {"float32"}) or any(_wide_attrs(node.attrs) is not node.attrs for node in graph.nodes)


def _wide_dtype(dtype: str) -> str:
    return FLOAT64 if dtype in FLOATS else dtype


def _wide(old: TensorType) -> TensorType:
    return TensorType(_wide_dtype(old.dtype), old.shape)


def _wide_attrs(attrs: Any) -> Any:
    """A cast to float32 would round: attributes that name a float dtype name float64."""
    wide = {f.name: FLOAT64 for f in fields(attrs) if f.name in ("dtype", "to") and getattr(attrs, f.name) in FLOATS}
    return replace(attrs, **wide) if wide else attrs


# ── dropout ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Mask:
    """The input that stands for the chance in a layer: `keep` is the probability of 1 / keep, else 0."""

    value: Value
    node: Node
    keep: float


class NoMask(Exception):
    """A layer draws in a way that is not known here. `node` is it."""

    def __init__(self, node: Node) -> None:
        super().__init__(f"how `{node.op.name}` draws is not known, so it cannot be given one mask on every target")
        self.node = node


_SHARED_FROM = {"dropout": None, "channel_dropout": 2, "drop_path": 1}
"""For each layer that is only there in training, the axis from which on elements are dropped together; None: each by itself."""


def _mask_type(node: Node) -> TensorType:
    """The mask of a dropout. Raises NoMask."""
    x = node.inputs[0].type
    if node.op.name not in _SHARED_FROM or not hasattr(node.attrs, "rate"):
        raise NoMask(node)
    own = _SHARED_FROM[node.op.name]
    return x if own is None else x.with_shape((*x.shape[:own], *(1 for _ in x.shape[own:])))


def with_masks(graph: Graph) -> tuple[Graph, list[Mask]]:
    """Every dropout becomes a product with a new input, its mask over the probability of staying; NoMask where it cannot.

    What this proves in training: that both targets compute the rest of the network alike around one and the same mask, forward
    and backward. It says nothing about the frameworks' own generators, which no two of them share.
    """
    masks: list[Mask] = []
    nodes: list[Node] = []
    for node in graph.nodes:
        if not node.op.training_only:
            nodes.append(node)
            continue
        value = Value(_fresh(graph, f"mask_{len(masks)}"), _mask_type(node))
        masks.append(Mask(value, node, 1.0 - node.attrs.rate))
        nodes.append(_combined("mul", node, (node.inputs[0], value), node.outputs[0], node.path))
    if not masks:
        return graph, []
    inputs = [*graph.inputs, *(GraphInput(mask.value, None, "", mask.node.span) for mask in masks)]
    return Graph(graph.name, graph.doc, inputs, list(graph.outputs), nodes), masks


def _combined(name: str, like: Node, inputs: tuple[Value, Value], output: Value, path: str) -> Node:
    """A product or sum of two tensors, in the place of `like`."""
    op = find(name)
    assert op is not None
    return Node(op, op.attrs(), inputs, (output,), {}, path, like.frames, like.span)


def _fresh(graph: Graph, name: str) -> str:
    """`name`, in words that no value of the graph has."""
    taken = {item.value.name for item in graph.inputs} | {value.name for node in graph.nodes for value in node.outputs}
    while any(other == name or other.startswith(f"{name}.") for other in taken):
        name += "_"
    return name


# ── looking inside ───────────────────────────────────────────────────────────────────────────────────────────


def exposing(graph: Graph, values: Sequence[Value], nodes: Iterable[Node] | None = None) -> tuple[Graph, dict[str, Value]]:
    """A graph whose outputs are `values`, and which name each has. `nodes`: the part of the graph that is kept."""
    prefix = _fresh(graph, "seen")
    names = {f"{prefix}_{index}": value for index, value in enumerate(values)}
    spans = {value: node.span for node in graph.nodes for value in node.outputs}
    spans |= {item.value: item.span for item in graph.inputs}
    outputs = [GraphOutput(name, value, spans[value]) for name, value in names.items()]
    kept = list(graph.nodes if nodes is None else nodes)
    return Graph(graph.name, graph.doc, list(graph.inputs), outputs, kept), names


def inner_values(graph: Graph) -> list[Value]:
    """What the nodes make, in order, without what no output depends on."""
    live = {output.value for output in graph.outputs}
    for node in reversed(graph.nodes):
        if live.intersection(node.outputs):
            live.update(node.inputs)
    return [value for node in graph.nodes for value in node.outputs if value in live]


def live_nodes(graph: Graph) -> list[Node]:
    """The nodes that an output depends on: frameworks differ in whether they build the others."""
    live = set(inner_values(graph))
    return [node for node in graph.nodes if live.intersection(node.outputs)]


@dataclass(frozen=True, slots=True)
class Probe:
    """An input of zeros that is added where `node` reads its input number `index`: its gradient is the one that flows there."""

    value: Value
    node: Node
    index: int


def with_probes(graph: Graph) -> tuple[Graph, list[Probe]]:
    """A graph that computes the same, with an input of zeros added at each place where a node reads a tensor of floats."""
    prefix, probes = _fresh(graph, "probe"), list[Probe]()
    nodes: list[Node] = []
    for node in graph.nodes:
        read = []
        for index, old in enumerate(node.inputs):
            if old.type.dtype not in FLOATS:
                read.append(old)
                continue
            name = f"{prefix}_{len(probes)}"
            zeros, moved = Value(name, old.type), Value(f"{name}_sum", old.type)
            probes.append(Probe(zeros, node, index))
            nodes.append(_combined("add", node, (old, zeros), moved, f"{name}_sum"))
            read.append(moved)
        nodes.append(replace(node, inputs=tuple(read)))
    inputs = [*graph.inputs, *(GraphInput(probe.value, None, "", probe.node.span) for probe in probes)]
    return Graph(graph.name, graph.doc, inputs, list(graph.outputs), nodes), probes


__all__ = [
    "FLOAT64",
    "Mask",
    "NoMask",
    "Probe",
    "exposing",
    "in_float64",
    "inner_values",
    "live_nodes",
    "with_graph",
    "with_masks",
    "with_probes",
]
