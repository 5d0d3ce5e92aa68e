"""The result of elaboration: the flat graph, and the record of how the source led to it.

Graph targets (ONNX, the reference) print `graph`. Source targets walk the syntax tree of each block together with the
applications of it, so that a block stays a class and a loop a loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, TypeAlias

from convspec.ir.graph import Graph, Node, Value
from convspec.records import dataclass
from convspec.syntax import ast

if TYPE_CHECKING:
    from convspec.elaborate.files import FileScope

Turns: TypeAlias = tuple[int, ...]
"""Which turn of each loop around a site, outermost first: `for`, comprehensions, and `n * stage`."""

Site: TypeAlias = (
    ast.StageCall
    | ast.Call
    | ast.Binary
    | ast.Unary
    | ast.If
    | ast.Conditional
    | ast.For
    | ast.Comprehension
    | ast.Stage
    | ast.Input
    | ast.Assign
    | ast.Let
    | ast.Layer
    | ast.Return
    | ast.Output
)


@dataclass(slots=True, eq=False)
class Application:
    """One run of the body of a block or model. A `layer` applied twice gives two applications with one path."""

    block: ast.Block
    path: str
    """The label path of this use ("" for the model itself); its weights are named `path.…`."""
    scope: FileScope
    """The file that the block is written in, where its free names are looked up."""
    bindings: Mapping[str, Any]
    """Every parameter and its value: tensors are graph Values, lists are Python lists, stages are StageValues."""
    events: dict[tuple[Site, Turns], Event] = field(default_factory=dict)
    """What happened at each site of the body, in the order in which it happened."""
    results: tuple[Any, ...] = ()
    """What it returned (a model: its outputs). Values, or lists that hold them."""


@dataclass(frozen=True, slots=True, eq=False)
class OpEvent:
    """An op was applied at a StageCall, a Call, or an operator between tensors (`a + b`, `sum(xs)`, `-x`)."""

    nodes: tuple[Node, ...]
    """One node; several for `sum(xs)`, which is a chain of additions; none where it changed nothing."""
    label: str
    """The path of the node relative to the application: `conv1`, `layer1.0`."""
    args: Mapping[str, ast.Expr]
    """Attribute name → the expression written for it, at the site or in a `default` that reaches it."""
    shared: bool = False
    """True where the weights belong to a `layer` or to a stage passed in as a layer."""


@dataclass(frozen=True, slots=True, eq=False)
class BlockEvent:
    """A block or model was applied."""

    application: Application
    label: str
    args: Mapping[str, ast.Expr]
    """Parameter name → the expression written for it; a parameter left to its default is missing."""
    shared: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class StageEvent:
    """A stage value (a parameter `act: stage`, or a `layer`) was applied: what it led to, in order."""

    events: tuple[Event, ...]
    label: str


@dataclass(frozen=True, slots=True, eq=False)
class BranchEvent:
    """An `if` or conditional value took a branch."""

    taken: bool


@dataclass(frozen=True, slots=True, eq=False)
class LoopEvent:
    """A loop ran; for `n * stage` (site: the Stage) `items` are 0 … n-1, for others what each turn bound."""

    items: tuple[Any, ...]


@dataclass(frozen=True, slots=True, eq=False)
class BindEvent:
    """Names were bound (Input, Assign, Let, Layer) or values given out (Return, Output): the values, in order."""

    values: tuple[Any, ...]


Event: TypeAlias = OpEvent | BlockEvent | StageEvent | BranchEvent | LoopEvent | BindEvent


@dataclass(frozen=True, slots=True, eq=False)
class BudgetAssert:
    """An assertion on params, macs and the like, which analysis decides.

    `evaluate(expr, names)` gives the value of any expression of the assertion with the quantities bound: a number, or a
    `BudgetFunction` (elaborate/values.py) that may also be called with sizes, `macs(N = 1)`. It raises Failure.
    """

    statement: ast.Assert
    path: str
    """The label path of the model it stands in: "" for the one compiled. It speaks of what lies below that path."""
    message: str | None
    frames: tuple[str, ...]
    evaluate: Callable[[ast.Expr, Mapping[str, Any]], Any]


@dataclass(slots=True, eq=False)
class Module:
    """A network, elaborated. `files` are all the sources that took part, the main one first."""

    name: str
    graph: Graph
    root: Application
    asserts: tuple[BudgetAssert, ...]
    files: tuple[ast.File, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What `--set` said, by parameter."""
    rewritten: str = ""
    """What was done to the graph since ("optimised at level 2"): where this is not empty, the source no longer leads to the
    graph, and only straight-line printers fit."""

    @property
    def doc(self) -> str:
        return self.graph.doc

    def applications(self) -> list[Application]:
        """Every application, the model's own first, in the order in which they were entered."""
        found, pending = [], [self.root]
        while pending:
            application = pending.pop()
            found.append(application)
            inner = [a for event in application.events.values() for a in _applications(event)]
            pending.extend(reversed(inner))
        return found


def _applications(event: Event) -> list[Application]:
    match event:
        case BlockEvent(application=application):
            return [application]
        case StageEvent(events=events):
            return [a for inner in events for a in _applications(inner)]
    return []


__all__ = [
    "Application",
    "BindEvent",
    "BlockEvent",
    "BranchEvent",
    "BudgetAssert",
    "Event",
    "LoopEvent",
    "Module",
    "OpEvent",
    "Site",
    "StageEvent",
    "Turns",
    "Value",
]
