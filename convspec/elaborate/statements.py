"""Running the statements of a body, so that one mistake does not hide the next.

A statement that fails is reported, the names that it would have bound are poisoned, and the body goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convspec.diagnostics import Failure
from convspec.elaborate.budgets import run_assert
from convspec.elaborate.certain import MISPLACED, gives_nothing
from convspec.elaborate.defaults import add_default
from convspec.elaborate.evaluation import condition, evaluate
from convspec.elaborate.frame import Frame
from convspec.elaborate.inputs import bind_symbols, declare_input
from convspec.elaborate.labels import check_label
from convspec.elaborate.lookup import find_callable
from convspec.elaborate.loops import bind, iterate, loop_names, run_turns, unpack
from convspec.elaborate.module import BindEvent, BranchEvent, LoopEvent
from convspec.elaborate.ops import apply_op
from convspec.elaborate.outputs import declare_outputs
from convspec.elaborate.place import Place
from convspec.elaborate.use import Use
from convspec.elaborate.values import POISON, FunctionValue, LayerValue
from convspec.elaborate.walk import assigned_names
from convspec.ir.dims import DimError
from convspec.ir.opdef import OpDef
from convspec.syntax import ast


def run_body(frame: Frame, block: ast.Block) -> list[Any]:
    """Run a block's body and give what it returns; a model gives its outputs."""
    outcome = _Outcome()
    if block.kind == "model" and not frame.chain:
        bind_symbols(frame, block.body)
    _run(frame, block.body, outcome)
    if outcome.failed:
        raise Failure([])
    if not outcome.results:
        raise frame.failed(gives_nothing(block))
    return outcome.results


class _Outcome:
    """What a body gave so far, whether giving it failed, and how many statements failed."""

    def __init__(self) -> None:
        self.results: list[Any] = []
        self.failed = False
        self.failures = 0


def _run(frame: Frame, body: ast.Body, outcome: _Outcome) -> None:
    saved = frame.defaults
    for statement in body.statements:
        try:
            frame.context.meter.add_steps(1, statement.span)
            _execute(frame, statement, outcome)
        except Failure as failure:
            outcome.failures += 1
            frame.context.report(failure)
            for name in assigned_names(ast.Body((statement,), statement.span)):
                frame.names[name] = POISON
            if isinstance(statement, ast.Return | ast.Output):
                outcome.failed = True
            if frame.context.full or any(diagnostic.code in _FATAL for diagnostic in failure.diagnostics):
                raise  # with its diagnostics, so that the bodies around this one stop as well; they are reported once
    frame.defaults = saved


def _execute(frame: Frame, statement: ast.Statement, outcome: _Outcome) -> None:
    misplaced = MISPLACED.get((frame.application.block.kind, type(statement)))
    if misplaced is not None:
        raise frame.fail("CNN007", misplaced[0], statement.span, hint=misplaced[1])
    try:
        _STATEMENTS[type(statement)](frame, statement, outcome)
    except DimError as problem:
        # Sizes that outgrow what is kept of them; whoever knows a nearer place reports it first.
        raise frame.fail("CNN033", problem.message, statement.span, hint=problem.hint) from None


_FAILED_TURNS = 10
"""Turns of a loop in which something failed, after which it is left."""

_FATAL = ("CNN060", "CNN063")
"""Going on after the whole was found too large would take just as long."""


def _input(frame: Frame, statement: ast.Input, outcome: _Outcome) -> None:
    name = statement.name.text
    if not frame.chain:  # otherwise the model's caller has bound it
        frame.names[name] = declare_input(frame, statement)
    frame.record(statement, BindEvent((frame.names[name],)))


def _output(frame: Frame, statement: ast.Output, outcome: _Outcome) -> None:
    values = declare_outputs(frame, statement)
    frame.record(statement, BindEvent(tuple(values)))
    outcome.results.extend(values)


def _return(frame: Frame, statement: ast.Return, outcome: _Outcome) -> None:
    values = [evaluate(frame, expr) for expr in statement.values]
    frame.record(statement, BindEvent(tuple(values)))
    outcome.results.extend(values)


def _assign(frame: Frame, statement: ast.Assign, outcome: _Outcome) -> None:
    values = [evaluate(frame, expr) for expr in statement.values]
    if len(values) == 1 and len(statement.targets) > 1:
        values = unpack(frame, values[0], len(statement.targets), statement.values[0].span)
    elif len(values) != len(statement.targets):
        raise frame.fail("CNN046", f"{len(statement.targets)} names cannot take {len(values)} values", statement.span)
    for name, value in zip(statement.targets, values, strict=True):
        frame.names[name.text] = value
    frame.record(statement, BindEvent(tuple(values)))


def _for(frame: Frame, statement: ast.For, outcome: _Outcome) -> None:
    items = iterate(frame, statement.iterable)
    frame.record(statement, LoopEvent(tuple(items)))
    failed = 0

    def turn(index: int) -> None:
        nonlocal failed
        bind(frame, statement.targets, index, items[index])
        before = outcome.failures
        _run(frame, statement.body, outcome)
        failed += outcome.failures > before
        if failed == _FAILED_TURNS:
            raise Failure([])  # what else is wrong is found once this is mended

    outer = frame.loop_names
    frame.loop_names = (*outer, *loop_names(statement.targets))
    try:
        run_turns(frame, statement, len(items), turn)
        if items:
            bind(frame, statement.targets, len(items) - 1, items[-1])  # also where the last turns were counted only
    finally:
        frame.loop_names = outer


def _if(frame: Frame, statement: ast.If, outcome: _Outcome) -> None:
    taken = condition(frame, statement.condition)
    frame.record(statement, BranchEvent(taken))
    body = statement.then if taken else statement.orelse
    if body is not None:
        _run(frame, body, outcome)


def _assert(frame: Frame, statement: ast.Assert, outcome: _Outcome) -> None:
    run_assert(frame, statement)


def _default(frame: Frame, statement: ast.Default, outcome: _Outcome) -> None:
    add_default(frame, statement)


def _layer(frame: Frame, statement: ast.Layer, outcome: _Outcome) -> None:
    stage, place = statement.stage, Place.of(frame)
    if stage.count is not None:
        hint = "write the repeat inside a group: layer x = [3 * conv(8, 3x3)]"
        raise frame.fail("CNN057", "a layer is one stage", stage.count.span, hint=hint)
    if stage.label is not None:
        name = check_label(str(evaluate(frame, stage.label)), stage.label.span)
    else:
        name = ".".join([statement.name.text, *map(str, frame.name_turns)])
    spot = place.claim(name, statement.name.span)
    op = _constant_op(frame, stage.body)
    if op is not None and isinstance(stage.body, ast.StageCall):
        call = stage.body
        use = Use(frame, place, call, call.function, call.args, (), call.span, stage.label)
        value: Any = apply_op(use, op, spot)
    else:
        value = LayerValue(statement, stage.body, frame.snapshot(statement.span), spot.path, spot.label)
    frame.names[statement.name.text] = value
    frame.record(statement, BindEvent((value,)))


def _constant_op(frame: Frame, body: ast.StageCall | ast.Group) -> OpDef | None:
    """The op of a layer that takes no tensor: it is a tensor, so that its name stands for one (`layer pos = parameter(…)`)."""
    target = find_callable(frame, body.function) if isinstance(body, ast.StageCall) else None
    return target if isinstance(target, OpDef) and target.anchored else None


def _let(frame: Frame, statement: ast.Let, outcome: _Outcome) -> None:
    if statement.params is not None:
        value: Any = FunctionValue(statement, frame.snapshot(statement.span))
    else:
        value = evaluate(frame, statement.value)
    frame.names[statement.name.text] = value
    frame.record(statement, BindEvent((value,)))


_STATEMENTS: dict[type, Callable[[Frame, Any, _Outcome], None]] = {
    ast.Input: _input,
    ast.Output: _output,
    ast.Return: _return,
    ast.Assign: _assign,
    ast.For: _for,
    ast.If: _if,
    ast.Assert: _assert,
    ast.Default: _default,
    ast.Layer: _layer,
    ast.Let: _let,
}
