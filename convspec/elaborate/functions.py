"""Applying functions: built-in ones, `let` functions, and the quantities of an assertion."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from convspec import ops
from convspec.elaborate import tensors
from convspec.elaborate.arithmetic import ValueProblem
from convspec.elaborate.builtins import BUILTINS
from convspec.elaborate.defaults import defaults_at
from convspec.elaborate.evaluation import evaluate, integer
from convspec.elaborate.frame import Frame
from convspec.elaborate.lists import new_list
from convspec.elaborate.module import BlockEvent, OpEvent, StageEvent
from convspec.elaborate.ops import apply_op
from convspec.elaborate.parameters import bind_parameters
from convspec.elaborate.place import Spot
from convspec.elaborate.use import Use
from convspec.elaborate.values import BudgetFunction, FunctionValue, holds_tensors
from convspec.ir.graph import Value


def apply_function(use: Use, target: Any, spot: Spot | None = None) -> Any:
    """A built-in (by its name), a `let` function, or a quantity of an assertion; a piped value is the first argument.

    `spot` is where its layers are named, if a stage value already has one.
    """
    if isinstance(target, FunctionValue):
        return _apply_let(use, target, spot)
    if isinstance(target, BudgetFunction):
        return target.call(_sizes(use))
    assert isinstance(target, str)
    return _apply_builtin(use, target, spot)


def _apply_builtin(use: Use, name: str, spot: Spot | None) -> Any:
    """The function of that name, or the layer of that name on a tensor: `sqrt(2)` is a number, `sqrt(x)` a tensor."""
    op = ops.find(name)
    values = [*use.piped]
    for arg in use.args:
        if op is not None and values and isinstance(values[0], Value):
            break
        if arg.name is not None:
            raise use.env.fail("CNN022", f"`{name}` takes no named arguments", arg.name.span)
        values.append(evaluate(use.env, arg.value))
    if op is not None and values and isinstance(values[0], Value):
        rest = use.args[len(values) - len(use.piped) :]
        return apply_op(replace(use, piped=tuple(values), args=rest), op, spot or use.claim(use.name()))
    if name == "sum" and len(values) == 1 and holds_tensors(values[0]):
        return tensors.total(use, values[0], spot or use.claim(use.name()))
    if use.label is not None:
        raise use.env.fail("CNN052", f"`{name}` makes a value, which has no label", use.label.span)
    meter = use.env.context.meter
    meter.add_length(sum(len(value) for value in values if isinstance(value, list | str)), use.span)
    try:
        result = BUILTINS[name](values)
    except ValueProblem as problem:
        raise use.env.fail(problem.code, problem.message, use.span, hint=problem.hint) from None
    return new_list(meter, result, use.span) if isinstance(result, list) else result


def _apply_let(use: Use, function: FunctionValue, spot: Spot | None) -> Any:
    """A function's value; layers that it applies are named below the call, `scaled1.mul1`, as in a block."""
    let, meter = function.let, use.env.context.meter
    assert let.params is not None
    meter.enter(f"`{let.name.text}`", use.span, steps=3)
    try:
        name = spot.label if spot is not None else use.name()
        frame = use.place.level(function.frame, let.value, spot, name)
        if function.frame is function.frame.scope.frame:
            frame.defaults = defaults_at(function.frame.scope, let)
        bind_parameters(use, frame, let.name.text, let.params, {}, use.piped)
        result = _value(use, function, frame)
    finally:
        meter.leave()
    if use.env.context.counting is not None:
        return result
    events = frame.collected or []
    if any(isinstance(event, OpEvent | BlockEvent | StageEvent) for event in events):
        taken = spot or use.claim(name)
        use.place.record(use.site, StageEvent(tuple(events), taken.label))
    elif use.label is not None:
        raise use.env.fail("CNN052", f"`{let.name.text}` makes a value, which has no label", use.label.span)
    return result


def _value(use: Use, function: FunctionValue, frame: Frame) -> Any:
    """The value of the function's expression in `frame`, where its parameters are bound."""
    let, counting = function.let, use.env.context.counting
    if counting is None:
        return evaluate(frame, let.value)
    arguments = [frame.names[param.name.text] for param in let.params or ()]
    key = (function.frame, *arguments)
    return counting.run(use.env.context.meter, let, key, use.span, lambda: evaluate(frame, let.value))


def _sizes(use: Use) -> dict[str, int]:
    sizes = {}
    for arg in use.args:
        if arg.name is None:
            hint = f"write {use.function.text}(N = 1)"
            raise use.env.fail("CNN042", f"`{use.function.text}` takes sizes by name", arg.span, hint=hint)
        sizes[arg.name.text] = integer(use.env, arg.value, "a size")
    return sizes
