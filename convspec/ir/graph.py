"""The flat graph: what a network computes, one node an op, in an order in which it can be run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from convspec.ir.init import Init
from convspec.ir.opdef import OpDef
from convspec.ir.types import TensorType
from convspec.records import dataclass
from convspec.source import Span


@dataclass(slots=True, eq=False)
class Value:
    """A tensor that flows in the graph. `name` is unique in its graph and comes from the labels."""

    name: str
    type: TensorType

    def __repr__(self) -> str:
        return f"%{self.name}: {self.type}"


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """A stored tensor. Nodes that share weights hold the same Parameter object.

    `name` is the label path with the role (`layer1.0.conv1.weight`): the key in weight files and in a `state_dict`.
    """

    name: str
    role: str
    shape: tuple[int, ...]
    dtype: str
    init: Init
    trainable: bool
    span: Span
    """Where the layer that owns it stands."""

    @property
    def size(self) -> int:
        """The number of elements."""
        product = 1
        for extent in self.shape:
            product *= extent
        return product


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One op applied. `attrs` is an instance of `op.attrs`, fully resolved: explicit pads, one number per axis."""

    op: OpDef
    attrs: Any
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    params: Mapping[str, Parameter]
    """By role. In the order of the op's `params`."""
    path: str
    """The label path: `layer1.0.conv1`. Two nodes have the same path only where a `layer` is applied twice."""
    frames: tuple[str, ...]
    span: Span

    @property
    def input_types(self) -> tuple[TensorType, ...]:
        return tuple(value.type for value in self.inputs)

    @property
    def output_types(self) -> tuple[TensorType, ...]:
        return tuple(value.type for value in self.outputs)


@dataclass(frozen=True, slots=True)
class Picture:
    """How a picture file becomes an input tensor: resized and cut to `size`, divided by `scale`, less `mean`, over `std`.

    `size` is (height, width); None takes the declared size, or the picture's own. `crop` is the share of the resized picture
    that the centre cut keeps. The exact steps stand in `runtime/pictures.py`. It is no part of the graph.
    """

    size: tuple[int, int] | None = None
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    crop: float = 1.0
    scale: float = 255.0
    invert: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class GraphInput:
    value: Value
    picture: Picture | None
    doc: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class GraphOutput:
    """`name` is what the user sees; `value` may be an input, or stand under two output names."""

    name: str
    value: Value
    span: Span


@dataclass(slots=True, eq=False)
class Graph:
    """`nodes` are in execution order."""

    name: str
    doc: str
    inputs: list[GraphInput] = field(default_factory=list)
    outputs: list[GraphOutput] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)

    def parameters(self) -> dict[str, Parameter]:
        """Every stored tensor by name, shared ones once, in the order of first use."""
        found: dict[str, Parameter] = {}
        for node in self.nodes:
            for parameter in node.params.values():
                found.setdefault(parameter.name, parameter)
        return found

    def producers(self) -> dict[Value, Node]:
        """The node that makes each value; inputs have none."""
        return {value: node for node in self.nodes for value in node.outputs}

    def uses(self) -> dict[Value, list[Node]]:
        """The nodes that read each value, in order; a node that reads it twice stands twice."""
        found: dict[Value, list[Node]] = {}
        for node in self.nodes:
            for value in node.inputs:
                found.setdefault(value, []).append(node)
        return found

    def symbols(self) -> Iterator[str]:
        """The names of symbolic sizes in the inputs, in order, each once."""
        from convspec.ir.dims import symbols

        seen: dict[str, None] = {}
        for graph_input in self.inputs:
            for size in graph_input.value.type.shape:
                seen.update(dict.fromkeys(sorted(symbols(size))))
        return iter(seen)
