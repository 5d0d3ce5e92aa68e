"""Statements of a body as Python statements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from convspec.elaborate.module import BindEvent, BranchEvent, OpEvent, StageEvent
from convspec.elaborate.values import FunctionValue, LayerValue
from convspec.elaborate.walk import assigned_names
from convspec.ir.graph import Value
from convspec.syntax import ast
from convspec.targets.source import code
from convspec.targets.source.code import Code
from convspec.targets.source.statements import Branch, Line, Loop, assign
from convspec.targets.tensorflow.readable import functions, layers, stages
from convspec.targets.tensorflow.readable.body import Body, LoopFrame
from convspec.targets.tensorflow.readable.expressions import (
    decided,
    loop_moments,
    loop_names,
    packed,
    same_count,
    separately,
    value,
)
from convspec.targets.tensorflow.readable.holes import constant
from convspec.targets.tensorflow.readable.values import Moment, Unsayable, Val, Varied


def walk(body: Body, statements: ast.Body) -> None:
    """Write every statement, for the moments at which it is run."""
    outer = body.moments
    for statement in statements.statements:
        body.moments = outer
        body.at(statement)
        _STATEMENTS[type(statement)](body, statement)
    body.moments = outer


def _nothing(body: Body, statement: Any) -> None:
    """Assertions and defaults leave no trace; inputs are parameters or stand at the top."""


def _assign(body: Body, statement: ast.Assign) -> None:
    if len(statement.targets) == 1 == len(statement.values):
        python = body.local(statement.targets[0].text)
        with body.aiming(python):
            found = value(body, statement.values[0])
        if found.code.text != python:
            body.block.append(assign(python, found.code))
        return
    names = [body.local(target.text) for target in statement.targets]
    found_all = separately(body, statement.values)
    reads = code.reads(val.code for val in found_all)
    line = f"{', '.join(names)} = {', '.join(val.code.text for val in found_all)}"
    body.block.append(Line(line, reads, frozenset(names)))


def _let(body: Body, statement: ast.Let) -> None:
    bound = [event.values[0] for event in body.events(statement) if isinstance(event, BindEvent)]
    if bound and not isinstance(bound[0], FunctionValue):
        python = body.local(statement.name.text)
        with body.aiming(python):
            found = value(body, statement.value)
        body.block.append(assign(python, found.code))


def _layer(body: Body, statement: ast.Layer) -> None:
    """A shared layer is made where it is declared, if it has weights; its uses say with what."""
    bound = [event.values[0] for event in body.events(statement)]
    if all(isinstance(found, Value) for found in bound) and isinstance(statement.stage.body, ast.StageCall):
        _constant(body, statement, statement.stage.body)
        return
    if not all(isinstance(found, LayerValue) for found in bound):
        raise Unsayable("a layer that is none")
    uses = [_first_use(moment, found) for moment, found in zip(body.moments, bound, strict=True)]
    if any(use is None for use in uses):
        return
    nodes = [use.nodes[0] for use in uses if use is not None]
    label = statement.stage.label or ast.StrLit((statement.name.text,), statement.name.span)
    body.labels.append(label)
    made = layers.make_layer(body, nodes, uses[0].args if uses[0] is not None else {})
    body.labels.pop()
    if made is not None:
        python = body.local(statement.name.text)
        body.block.append(assign(python, made))
        body.layers[statement.name.text] = Code(python, code.ATOM, frozenset((python,)))


def _constant(body: Body, statement: ast.Layer, call: ast.StageCall) -> None:
    """A learned tensor, which the layer's name stands for."""
    python = body.local(statement.name.text)
    body.labels.append(statement.stage.label or ast.StrLit((statement.name.text,), statement.name.span))
    with body.aiming(python):
        found = stages.apply(body, call, call.function, call.args, None)
    body.labels.pop()
    body.block.append(assign(python, found.code))


def _first_use(moment: Moment, layer: LayerValue) -> OpEvent | None:
    """The first application of a layer that is one op; None if it is never used, or more than an op."""
    for event in moment.application.events.values():
        if isinstance(event, StageEvent) and event.label == layer.label and len(event.events) == 1:
            (inner,) = event.events
            if isinstance(inner, OpEvent) and inner.shared:
                return inner
    return None


# ── control ──────────────────────────────────────────────────────────────────────────────────────────────────


def _for(body: Body, statement: ast.For) -> None:
    inner = loop_moments(body, statement, statement.targets)
    if not inner:
        return
    if id(statement) in body.unrolled:
        _unrolled(body, statement, inner)
        return
    with body.aiming(None):
        iterable = functions.iterable(body, statement.iterable)
    index, names = loop_names(body, statement.targets)
    loop = LoopFrame(statement, len(body.loops), index)
    with body.looping(loop), body.only(inner), body.writing() as written, body.aiming(None):
        walk(body, statement.body)
    body.block.append(Loop(loop.turn, packed(names), frozenset(names), iterable, written))


def _unrolled(body: Body, statement: ast.For, inner: list[Moment]) -> None:
    """The body once for each turn, the loop's names set before."""
    with body.aiming(None):
        iterable = value(body, statement.iterable).code
    index, names = loop_names(body, statement.targets)
    for turn in range(same_count(body, statement)):
        if index is not None:
            body.block.append(assign(index, code.value(turn)))
        if iterable.text.startswith("range("):
            iterable = code.call("list", [iterable])
        item = code.index(iterable, code.value(turn))
        body.block.append(Line(f"{', '.join(names)} = {item}", item.reads, frozenset(names)))
        with body.looping(None), body.only([m for m in inner if m.turns[-1] == turn]), body.aiming(None):
            walk(body, statement.body)


def _if(body: Body, statement: ast.If) -> None:
    events = body.events(statement)
    taken = [isinstance(event, BranchEvent) and event.taken for event in events]
    sides = [(statement.then, True), (statement.orelse, False)]
    if len(set(taken)) == 1:
        branch = statement.then if taken[0] else statement.orelse
        if branch is not None:
            walk(body, branch)
        return
    condition = decided(body, statement.condition, taken)
    blocks = []
    for branch, wanted in sides:
        moments = [moment for moment, side in zip(body.moments, taken, strict=True) if side is wanted]
        with body.only(moments), body.writing() as written:
            if branch is not None:
                walk(body, branch)
        blocks.append(written)
    body.block.append(Branch(condition, blocks[0], blocks[1]))


# ── results ──────────────────────────────────────────────────────────────────────────────────────────────────


def _return(body: Body, statement: ast.Return) -> None:
    with body.aiming(_spare(body, statement.values[0]) if len(statement.values) == 1 else None):
        found = (
            [value(body, expr) for expr in statement.values]
            if len(statement.values) == 1
            else separately(body, statement.values)
        )
    result = found[0].code if len(found) == 1 else code.sequence([val.code for val in found])
    body.block.append(Line(f"return {result}", result.reads, essential=True))


def _spare(body: Body, expr: ast.Expr) -> str | None:
    """The variable at the head of a pipeline, which nobody reads after the last statement."""
    if isinstance(expr, ast.Pipeline) and isinstance(expr.source, ast.NameRef):
        found = body.name(expr.source.text)
        inputs = [] if body.prefix is not None else [item.value.name for item in body.program.network.graph.inputs]
        given = {result.text for _, result in body.results}
        if found is None or found.code.text in given or expr.source.text in inputs:
            return None
        if found.tensors and not found.many:
            return found.code.text
    return None


def _output(body: Body, statement: ast.Output) -> None:
    """Each output in a variable of its own; in the dict of outputs where it is given under conditions or in a loop."""
    statements = body.applications[0].block.body.statements
    later = statements[statements.index(statement) + 1 :] if statement in statements else statements
    last = len(statement.items) == 1 and all(isinstance(other, ast.Assert | ast.Default) for other in later)
    for position, item in enumerate(statement.items):
        names = [body.program.output_name(moment, statement, position) for moment in body.moments]
        with body.aiming(_spare(body, item.value) if last else None):
            found = value(body, item.value)
        if statement in statements and not body.collects:
            _result(body, statement, names, found)
        else:
            _collected(body, names, item, found)


def _result(body: Body, statement: ast.Output, names: Sequence[str], found: Val) -> None:
    """The output as a variable that keeps its value to the end."""
    statements = body.applications[0].block.body.statements
    later = ast.Body(statements[statements.index(statement) + 1 :], statement.span)
    changed = {body.local(name) for name in assigned_names(later)}
    python = found.code.text
    if not python.isidentifier() or python in changed:
        python = body.names.fresh(names[0])
        body.block.append(assign(python, found.code))
    body.results.append((names[0], code.name(python)))


def _collected(body: Body, names: Sequence[str], item: ast.OutputItem, found: Val) -> None:
    if body.prefix is not None:
        raise Unsayable("an output of an inner model under conditions")
    key = constant(names)
    if item.name is not None and key is None:
        key = value(body, item.name).code
        if not body.agrees(key, names):
            key = None
    if key is None:
        raise Varied("the name of an output", body.moments, names)
    reads = found.code.reads | key.reads
    body.block.append(Line(f"outputs[{key}] = {found.code}", reads, frozenset(("outputs",)), essential=True))


_STATEMENTS: dict[type, Callable[[Body, Any], None]] = {
    ast.Input: _nothing,
    ast.Assert: _nothing,
    ast.Default: _nothing,
    ast.Assign: _assign,
    ast.Let: _let,
    ast.Layer: _layer,
    ast.For: _for,
    ast.If: _if,
    ast.Return: _return,
    ast.Output: _output,
}

__all__ = ["walk"]
