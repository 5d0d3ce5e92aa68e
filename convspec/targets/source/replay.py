"""What every name of a body was bound to before each of its statements, in each turn: the trace, run again."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from convspec.elaborate.module import Application, BindEvent, BranchEvent, LoopEvent, Turns
from convspec.ir.attrs import Extent
from convspec.ir.graph import Graph
from convspec.syntax import ast

Names: TypeAlias = Mapping[str, Any]
History: TypeAlias = dict[tuple[ast.Statement, Turns], Names]


class _Bound(Mapping[str, Any]):
    """What names are bound to at one moment. A body runs in one line, so all its moments share what was ever bound, in order:
    a copy for each statement would take the square of their number.
    """

    __slots__ = ("_bindings", "_time")

    def __init__(self, bindings: dict[str, list[tuple[int, Any]]], time: int) -> None:
        self._bindings, self._time = bindings, time

    def __getitem__(self, name: str) -> Any:
        found = self._bindings[name]
        last = bisect_left(found, self._time, key=_time_of)
        if not last:
            raise KeyError(name)
        return found[last - 1][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, found in self._bindings.items() if found[0][0] < self._time)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _time_of(binding: tuple[int, Any]) -> int:
    return binding[0]


@dataclass(slots=True)
class _Run:
    """A body that is run again."""

    application: Application
    inputs: Mapping[Any, Any]
    history: History = field(default_factory=dict)
    bindings: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)
    time: int = 0

    def bind(self, names: Mapping[str, Any]) -> None:
        for name, value in names.items():
            self.bindings.setdefault(name, []).append((self.time, value))
            self.time += 1

    def body(self, body: ast.Body, turns: Turns) -> None:
        events = self.application.events
        for statement in body.statements:
            self.history[statement, turns] = _Bound(self.bindings, self.time)
            event = events.get((statement, turns)) if not isinstance(statement, _WITHOUT_EVENT) else None
            match statement, event:
                case (ast.Assign(targets=targets), BindEvent(values=values)):
                    self.bind({target.text: value for target, value in zip(targets, values, strict=True)})
                case (ast.Let(name=name) | ast.Layer(name=name), BindEvent(values=values)):
                    self.bind({name.text: values[0]})
                case (ast.Input(name=name, span=span), _) if span in self.inputs and name.text not in self.bindings:
                    self.bind({name.text: self.inputs[span]})
                case (ast.For(targets=targets, body=inner), LoopEvent(items=items)):
                    for turn, item in enumerate(items):
                        self.bind(bind(targets, turn, item))
                        self.body(inner, (*turns, turn))
                case (ast.If(then=then, orelse=orelse), BranchEvent(taken=taken)):
                    if branch := then if taken else orelse:
                        self.body(branch, turns)


def replay(application: Application, graph: Graph) -> History:
    """The bindings before every statement that was run, by statement and turns. Compile-time values and graph Values."""
    run = _Run(application, {graph_input.span: graph_input.value for graph_input in graph.inputs})
    run.bind(application.bindings)
    run.body(application.block.body, ())
    return run.history


_WITHOUT_EVENT = (ast.Input, ast.Assert, ast.Default)


def bind(targets: tuple[ast.Target, ...], turn: int, item: Any) -> dict[str, Any]:
    """What one turn of a loop binds."""
    bound: dict[str, Any] = {}
    if len(targets) == 2 and isinstance(targets[0], ast.Name):
        bound[targets[0].text] = turn
    target = targets[-1]
    if isinstance(target, ast.Name):
        bound[target.text] = item
    else:
        values = list(item) if isinstance(item, Extent) else item
        bound.update((name.text, value) for name, value in zip(target.names, values, strict=True))
    return bound
