"""What the rules on the network ask of it: who makes a value, who reads it, what the author wrote for a layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import cached_property

from convspec.diagnostics import Fix, Label
from convspec.elaborate.module import Event, Module, OpEvent, Site, StageEvent
from convspec.ir.graph import Node, Value
from convspec.records import dataclass
from convspec.syntax import ast


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is suspicious about one layer; it stands under the layer's own text, if `site` does not say otherwise."""

    message: str
    label: str = ""
    related: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    hint: str | None = None
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """Where and how a layer stands in the text: the call itself, and the expression of each attribute that was given."""

    site: Site
    args: Mapping[str, ast.Expr] = field(default_factory=dict)


class Survey:
    """One network, as the rules see it."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.graph = module.graph

    @cached_property
    def maker(self) -> dict[Value, Node]:
        return self.graph.producers()

    @cached_property
    def readers(self) -> dict[Value, list[Node]]:
        return self.graph.uses()

    @cached_property
    def outputs(self) -> set[Value]:
        """The values that the network gives out."""
        return {output.value for output in self.graph.outputs}

    @cached_property
    def holders(self) -> dict[str, list[Node]]:
        """The layers that hold each parameter: more than one where weights are shared."""
        found: dict[str, list[Node]] = {}
        for node in self.graph.nodes:
            for parameter in node.params.values():
                found.setdefault(parameter.name, []).append(node)
        return found

    @cached_property
    def written(self) -> dict[Node, Written]:
        """How each layer was written; operators and stages that were passed in are there too."""
        found: dict[Node, Written] = {}
        for application in self.module.applications():
            for (site, _), event in application.events.items():
                for op in _op_events(event):
                    found.update(dict.fromkeys(op.nodes, Written(site, op.args)))
        return found

    def only_reader(self, value: Value) -> Node | None:
        """The one layer that reads a value, once; None where there are others, or it is an output."""
        readers = self.readers.get(value, [])
        return readers[0] if len(readers) == 1 and value not in self.outputs else None

    def before(self, node: Node) -> Node | None:
        """The layer that makes the only input of a layer."""
        return self.maker.get(node.inputs[0]) if len(node.inputs) == 1 else None


def _op_events(event: Event) -> Iterator[OpEvent]:
    match event:
        case OpEvent():
            yield event
        case StageEvent(events=events):
            for inner in events:
                yield from _op_events(inner)
