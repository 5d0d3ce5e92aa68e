"""What every name of a body was bound to before each of its statements, in each turn: the trace, run again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from convspec.elaborate.module import Application, BindEvent, BranchEvent, LoopEvent, Turns
from convspec.ir.attrs import Extent
from convspec.ir.graph import Graph
from convspec.syntax import ast

Names: TypeAlias = Mapping[str, Any]
History: TypeAlias = dict[tuple[ast.Statement, Turns], Names]


def replay(application: Application, graph: Graph) -> History:
    """The bindings before every statement that was run, by statement and turns. Compile-time values and graph Values."""
    inputs = {graph_input.span: graph_input.value for graph_input in graph.inputs}
    history: History = {}
    _run(application, application.block.body, (), dict(application.bindings), history, inputs)
    return history


def _run(
    application: Application, body: ast.Body, turns: Turns, names: Names, history: History, inputs: Mapping[Any, Any]
) -> Names:
    for statement in body.statements:
        history[statement, turns] = names
        event = application.events.get((statement, turns)) if not isinstance(statement, _WITHOUT_EVENT) else None
        match statement, event:
            case (ast.Assign(targets=targets), BindEvent(values=values)):
                names = {**names, **{target.text: value for target, value in zip(targets, values, strict=True)}}
            case (ast.Let(name=name) | ast.Layer(name=name), BindEvent(values=values)):
                names = {**names, name.text: values[0]}
            case (ast.Input(name=name, span=span), _) if span in inputs and name.text not in names:
                names = {**names, name.text: inputs[span]}
            case (ast.For(targets=targets, body=inner), LoopEvent(items=items)):
                for turn, item in enumerate(items):
                    bound = bind(targets, turn, item)
                    names = _run(application, inner, (*turns, turn), {**names, **bound}, history, inputs)
            case (ast.If(then=then, orelse=orelse), BranchEvent(taken=taken)):
                branch = then if taken else orelse
                names = _run(application, branch, turns, names, history, inputs) if branch else names
    return names


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
