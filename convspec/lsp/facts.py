"""What elaboration found at places of the text: shapes, values, costs, receptive fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import field
from typing import Any

from convspec.analysis.cost import node_cost
from convspec.analysis.receptive_field import Fields, receptive_fields
from convspec.elaborate.module import Application, BindEvent, BlockEvent, Event, Module, OpEvent, StageEvent
from convspec.ir.graph import Node, Value
from convspec.records import dataclass
from convspec.syntax import ast

_SHOWN = 3


@dataclass(frozen=True, slots=True, eq=False)
class Fact:
    """One thing that happened at a site, in one run of the body it stands in."""

    module: Module
    application: Application
    event: Event


@dataclass(slots=True, eq=False)
class ModuleFacts:
    """What one network has at each site."""

    module: Module
    at: dict[int, list[Fact]] = field(default_factory=dict)
    """By the identity of a syntax node, which the module keeps alive."""
    runs: dict[int, list[Application]] = field(default_factory=dict)
    """By the identity of a block, the runs of its body."""
    _fields: dict[Value, Fields] | None = None

    @classmethod
    def of(cls, module: Module) -> ModuleFacts:
        made = cls(module)
        for application in module.applications():
            made.runs.setdefault(id(application.block), []).append(application)
            for (site, _), event in application.events.items():
                made.at.setdefault(id(site), []).append(Fact(module, application, event))
        return made

    def fields(self) -> dict[Value, Fields]:
        """The receptive field of every tensor."""
        if self._fields is None:
            self._fields = receptive_fields(self.module.graph)
        return self._fields


class Facts:
    """What is known of some networks."""

    def __init__(self, known: Iterable[ModuleFacts]) -> None:
        self._known = list(known)

    def at(self, node: Any) -> list[Fact]:
        """What happened at a syntax node, in all runs."""
        return [fact for known in self._known for fact in known.at.get(id(node), ())]

    def runs(self, block: Any) -> list[Application]:
        """The runs of the body of a block."""
        return [run for known in self._known for run in known.runs.get(id(block), ())]

    def constants(self, let: ast.Let) -> list[Any]:
        """The values that a constant at the top of a file has."""
        scopes = (run.scope for known in self._known for run in known.module.applications()[:1])
        return [
            scope.constants[let.name.text]
            for scope in scopes
            if scope.items.get(let.name.text) is let and let.name.text in scope.constants
        ]

    def fields(self, fact: Fact) -> dict[Value, Fields]:
        """The receptive field of every tensor of the network of a fact."""
        return next(known.fields() for known in self._known if known.module is fact.module)


def results(event: Event) -> tuple[Any, ...]:
    """What came out at a site: tensors, mostly one."""
    match event:
        case OpEvent(nodes=nodes):
            return nodes[-1].outputs if nodes else ()
        case BlockEvent(application=application):
            return tuple(application.results)
        case StageEvent(events=events):
            return results(events[-1]) if events else ()
        case BindEvent(values=values):
            return values
    return ()


def nodes_of(event: Event) -> Iterator[Node]:
    """The layers that a site led to, those inside blocks too."""
    match event:
        case OpEvent(nodes=nodes):
            yield from nodes
        case BlockEvent(application=application):
            for inner in application.events.values():
                yield from nodes_of(inner)
        case StageEvent(events=events):
            for each in events:
                yield from nodes_of(each)


def shape(value: Any) -> str:
    """`[N, 64, 4*h, 4*w]`; a plain value as the language writes it."""
    if isinstance(value, Value):
        return f"[{', '.join(map(str, value.type.shape))}]"
    return plain(value)


def plain(value: Any) -> str:
    """A compile-time value, shortened."""
    if isinstance(value, Value):
        return str(value.type)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list | tuple):
        inside = [plain(item) for item in value[:8]]
        return f"[{', '.join(inside)}{', …' if len(value) > 8 else ''}]"
    if isinstance(value, int | float):
        return f"{value}"
    from convspec.elaborate.values import describe

    return describe(value)


def distinct(texts: Iterable[str]) -> list[str]:
    """Each text once, in order."""
    return list(dict.fromkeys(texts))


def shortened(texts: Iterable[str], most: int = _SHOWN) -> str:
    """The distinct texts with bars between them, and how many more there are."""
    found = distinct(texts)
    more = f" | +{len(found) - most}" if len(found) > most else ""
    return " | ".join(found[:most]) + more


def shapes(facts: Iterable[Fact]) -> str:
    """What came out at a site in all its runs."""
    return shortened(", ".join(map(shape, found)) for fact in facts if (found := results(fact.event)))


def cost(event: Event) -> tuple[int, Any]:
    """The learnable elements and the multiply-accumulates of what a site led to; weights that are shared count once."""
    found = list(nodes_of(event))
    weights = {id(parameter): parameter.size for node in found for parameter in node.params.values() if parameter.trainable}
    macs: Any = 0
    for node in found:
        macs = macs + node_cost(node).macs
    return sum(weights.values()), macs


__all__ = ["Fact", "Facts", "cost", "nodes_of", "plain", "results", "shape", "shapes", "shortened"]
