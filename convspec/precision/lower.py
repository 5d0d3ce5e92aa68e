"""`lower`: a network in float16 or bfloat16, with float32 where that loses too much and casts between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from convspec.diagnostics import Diagnostic, Failure, error, fail
from convspec.elaborate.module import Module
from convspec.ir.graph import Graph, Node, Parameter, Value
from convspec.ir.types import FLOATS, LARGEST_FLOAT, Array, TensorType
from convspec.precision.assign import assign
from convspec.precision.policy import kinds
from convspec.precision.report import Choice, PrecisionReport

if TYPE_CHECKING:
    from convspec.ir.opdef import OpDef

PRECISIONS = ("fp32", "fp16", "bf16", "int8")
LOW = {"fp16": "float16", "bf16": "bfloat16"}


@dataclass(frozen=True, slots=True)
class Lowered:
    """A rewritten network: `weights` by name in canonical layout, those of low-precision layers rounded to their type."""

    module: Module
    weights: Mapping[str, Array]
    report: PrecisionReport


def lower(module: Module, weights: Mapping[str, Array], precision: str) -> Lowered:
    """The network with its heavy layers in `precision`, "fp16" or "bf16"; inputs and outputs keep their declared types.

    It is for inference, as what the optimiser makes; run that first, so that batch norms are folded. Failure CNN205 where a
    weight is beyond the range of the type, CNN401 for another precision.
    """
    if precision not in LOW:
        raise fail(error("CNN401", f"`{precision}` is not one of {', '.join(LOW)}", hint=f"there are {', '.join(PRECISIONS)}"))
    dtype = LOW[precision]
    found = kinds(module.graph.nodes, dtype)
    low = assign(module.graph, {node: kind for node, (kind, _) in found.items()})
    rewriting = _Rewriting(module.graph, dtype, low)
    graph = rewriting.graph()
    arrays, lost = _rounded(weights, graph, rewriting.parameters, dtype)
    how = f"in {dtype}, with float32 sums and float32 where that loses too much"
    made = replace(module, graph=graph, asserts=(), rewritten=f"{module.rewritten}, {how}" if module.rewritten else how)
    choices = tuple(_choice(node, dtype if node in low else "float32", found[node][1]) for node in module.graph.nodes)
    sizes = [sum(array.nbytes for array in given.values()) for given in (weights, arrays)]
    return Lowered(made, arrays, PrecisionReport(dtype, choices, rewriting.casts, sizes[0], sizes[1], lost))


def _choice(node: Node, dtype: str, reason: str) -> Choice:
    return Choice(node.path or node.op.name, node.op.name, dtype, reason, node.span)


class _Rewriting:
    """Rebuilds a graph with other types; a value is cast once for all that read it so."""

    def __init__(self, graph: Graph, dtype: str, low: set[Node]) -> None:
        from convspec.ops import find

        cast = find("cast")
        assert cast is not None
        self.cast: OpDef = cast
        self.old, self.dtype, self.low = graph, dtype, low
        self.values: dict[Value, Value] = {}
        self.parameters: dict[Parameter, Parameter] = {}
        self.casts = 0
        self._cast_to: dict[tuple[Value, str], Value] = {}
        self._paths = {node.path for node in graph.nodes}
        self._names = {v.name for n in graph.nodes for v in n.outputs} | {item.value.name for item in graph.inputs}
        self._nodes: list[Node] = []

    def graph(self) -> Graph:
        old = self.old
        for item in old.inputs:
            self.values[item.value] = item.value
        makers = old.producers()
        for node in old.nodes:
            self._nodes.append(self._rewritten(node))
        outputs = [
            replace(o, value=self._as(o.value, o.value.type.dtype, makers[o.value]) if o.value in makers else o.value)
            for o in old.outputs
        ]
        return Graph(old.name, old.doc, list(old.inputs), outputs, self._nodes)

    def _rewritten(self, node: Node) -> Node:
        low = node in self.low
        read = tuple(self._as(v, self.dtype if low and v.type.dtype in FLOATS else v.type.dtype, node) for v in node.inputs)
        made = node.op.infer(node.attrs, *(value.type for value in read))
        types = (made,) if isinstance(made, TensorType) else made
        outputs = tuple(self._retyped(v, t.dtype) if low else v for v, t in zip(node.outputs, types, strict=True))
        self.values.update(zip(node.outputs, outputs, strict=True))
        params = {role: self._parameter(p) for role, p in node.params.items()} if low else node.params
        return replace(node, inputs=read, outputs=outputs, params=params)

    def _retyped(self, value: Value, dtype: str) -> Value:
        return value if value.type.dtype == dtype else Value(value.name, TensorType(dtype, value.type.shape))

    def _parameter(self, parameter: Parameter) -> Parameter:
        if parameter.dtype != "float32":
            return parameter
        return self.parameters.setdefault(parameter, replace(parameter, dtype=self.dtype))

    def _as(self, old: Value, dtype: str, reader: Node) -> Value:
        """The value that stands for `old` now, in a type."""
        value = self.values[old]
        if value.type.dtype == dtype:
            return value
        key = (value, dtype)
        if key not in self._cast_to:
            self._cast_to[key] = self._cast(value, dtype, reader)
        return self._cast_to[key]

    def _cast(self, value: Value, dtype: str, like: Node) -> Value:
        made = Value(_fresh(f"{value.name}_{dtype}", self._names), TensorType(dtype, value.type.shape))
        path = _fresh(f"{value.name}_{dtype}", self._paths)
        attrs = self.cast.attrs(dtype=dtype)
        self._nodes.append(Node(self.cast, attrs, (value,), (made,), {}, path, like.frames, like.span))
        self.casts += 1
        return made


def _fresh(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    taken.add(name)
    return name


def _rounded(
    weights: Mapping[str, Array], graph: Graph, narrowed: Mapping[Parameter, Parameter], dtype: str
) -> tuple[dict[str, Array], int]:
    """The weights in the types of the graph, and how many elements became zero. Failure CNN205 with every layer that has one
    beyond the range.
    """
    import numpy as np

    from convspec.weights.dtypes import numpy_dtype

    names = {parameter.name for parameter in narrowed}
    found: dict[str, Array] = {}
    problems: list[Diagnostic] = []
    lost = 0
    for name, parameter in graph.parameters().items():
        array = weights[name]
        if name in names:
            beyond = _beyond(array, dtype)
            if beyond is not None:
                problems.append(_out_of_range(parameter, beyond, dtype))
                continue
            with np.errstate(all="ignore"):
                narrow = array.astype(numpy_dtype(dtype))
            lost += int(np.count_nonzero((array != 0) & (narrow == 0)))
            array = narrow
        found[name] = array
    if problems:
        raise Failure(problems)
    return found, lost


def _beyond(array: Array, dtype: str) -> float | None:
    """An element that would become infinity or is none already, None where all fit."""
    import numpy as np

    largest = LARGEST_FLOAT[dtype]
    # A number that rounds down to the largest still fits; half a step above it, it would become infinity.
    step = 2.0 ** (np.floor(np.log2(largest)) - (10 if dtype == "float16" else 7))
    far = np.abs(array[np.isfinite(array)]) >= largest + step / 2
    return float(array[np.isfinite(array)][far][0]) if far.any() else None


def _out_of_range(parameter: Parameter, value: float, dtype: str) -> Diagnostic:
    message = f"`{parameter.name}` holds {value:g}, and {dtype} ends at {LARGEST_FLOAT[dtype]:g}"
    hint = "use bf16, which has the range of float32" if dtype == "float16" else "use fp32"
    return error("CNN205", message, parameter.span, "this layer's weights", hint=hint)


__all__ = ["LOW", "PRECISIONS", "Lowered", "lower"]
