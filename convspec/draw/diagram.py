"""What is drawn of a network: a tree of groups and layers, the edges between layers, and numbers for each.

It knows nothing of boxes and colours. `diagram` makes it from a Module; `to_json` gives it as plain data, for the HTML page
and for programs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from convspec.analysis.receptive_field import Fields
from convspec.ir.dims import Size
from convspec.ir.graph import Graph, Node, Value
from convspec.ir.types import TensorType
from convspec.records import dataclass
from convspec.source import SourceFile, Span

if TYPE_CHECKING:
    from convspec.elaborate.module import Module

What: TypeAlias = Literal["model", "block", "label", "turn"]
Measure: TypeAlias = Literal["macs", "params", "memory"]
MEASURES: tuple[Measure, ...] = ("macs", "params", "memory")


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a layer or group costs. Sizes left open stay in as text; `weights` are plain numbers at the diagram's `basis`."""

    parameters: int = 0
    """Learnable elements; those that stand in a layer before count there."""
    statistics: int = 0
    macs: Size = 0
    flops: Size = 0
    activation_bytes: Size = 0
    """Bytes of what it gives out (a group: of all that its layers give out). Dropout gives out what it takes in."""
    weights: Mapping[Measure, float] = field(default_factory=lambda: dict.fromkeys(MEASURES, 0.0))


@dataclass(slots=True, eq=False)
class Layer:
    """One op applied once."""

    id: str
    index: int
    """Its place in `graph.nodes`."""
    node: Node
    label: str
    """Its label below the group that it stands in."""
    text: str
    """As it would be written: `conv(64, 3x3, pad = 1)`."""
    inputs: tuple[TensorType, ...]
    outputs: tuple[TensorType, ...]
    numbers: Numbers
    field: Fields
    shared_with: str | None = None
    """The id of the first layer that has the same weights, where this is not the first."""

    @property
    def span(self) -> Span:
        return self.node.span


@dataclass(slots=True, eq=False)
class Group:
    """Layers that the author put together: the model, a use of a block, a labelled group, the turn of a loop."""

    id: str
    what: What
    title: str
    label: str
    path: str
    arguments: str
    doc: str
    shared: bool
    span: Span | None
    """The use of the block, or what the label or loop stands at."""
    definition: Span | None
    """Where a block's own text stands."""
    children: list[Group | Layer]
    numbers: Numbers = field(default_factory=Numbers)
    stacks: list[Stack] = field(default_factory=list)

    def layers(self) -> Iterator[Layer]:
        """Every layer below, in the order of execution."""
        pending: list[Group | Layer] = [self]
        while pending:
            each = pending.pop()
            if isinstance(each, Layer):
                yield each
            else:
                pending.extend(reversed(each.children))

    def groups(self) -> Iterator[Group]:
        """This group and every one below, outer ones first."""
        pending = [self]
        while pending:
            each = pending.pop()
            yield each
            pending.extend(child for child in reversed(each.children) if isinstance(child, Group))


@dataclass(frozen=True, slots=True)
class Stack:
    """`count` children from `first` on are alike: they are drawn as one."""

    first: int
    count: int
    parallel: bool = False
    """They read the same and feed the same; otherwise each feeds the next."""

    @property
    def mark(self) -> str:
        """What says how many there are: `×3`, `3 in parallel`."""
        return f"{self.count} in parallel" if self.parallel else f"×{self.count}"


@dataclass(frozen=True, slots=True, eq=False)
class Terminal:
    """An input or output of the network."""

    id: str
    name: str
    type: TensorType
    doc: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """A tensor from a layer or input to a layer or output. Ends are ids."""

    source: str
    target: str
    value: Value
    type: TensorType
    """With the sizes that were given put in."""
    anchor: bool = False
    """Whether nothing of the tensor is used: the target is a learned constant, which hangs on some tensor of the graph."""


@dataclass(slots=True, eq=False)
class Diagram:
    """All that is drawn of a network."""

    name: str
    doc: str
    root: Group
    inputs: tuple[Terminal, ...]
    outputs: tuple[Terminal, ...]
    edges: tuple[Edge, ...]
    sizes: Mapping[str, int]
    """The values given to symbolic sizes."""
    open_sizes: tuple[str, ...]
    basis: Mapping[str, int]
    """Values of all symbolic sizes at which `weights` are counted: those given, and for others the least sensible."""
    activation_memory: Size
    """Bytes at the peak of inference, at the basis."""
    files: tuple[SourceFile, ...]
    graph: Graph

    def to_json(self) -> dict[str, Any]:
        """Plain data; the keys are described in docs/drawing.md."""
        from convspec.draw.plain import to_json

        return to_json(self)


def diagram(module: Module, sizes: Mapping[str, int] | None = None) -> Diagram:
    """What is drawn of a network, with some, all or none of its symbolic sizes given values.

    Raises Failure CNN401 for a size that the inputs do not have or that is below its bound.
    """
    from convspec.draw.making import make

    return make(module, dict(sizes or {}))


__all__ = ["MEASURES", "Diagram", "Edge", "Group", "Layer", "Measure", "Numbers", "Stack", "Terminal", "diagram"]
