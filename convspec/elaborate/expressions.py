"""The value of each kind of expression."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convspec import ops
from convspec.elaborate import tensors
from convspec.elaborate.arithmetic import ValueProblem, binary, negate
from convspec.elaborate.builtins import BUILTINS
from convspec.elaborate.evaluation import EVALUATORS, Wanted, condition, evaluate, integer
from convspec.elaborate.frame import Frame
from convspec.elaborate.lists import new_list
from convspec.elaborate.lookup import MISSING, find, undefined
from convspec.elaborate.loops import bind, iterate, run_turns
from convspec.elaborate.module import BranchEvent, LoopEvent
from convspec.elaborate.stages import apply_pipeline, evaluate_call
from convspec.elaborate.values import BlockValue, BudgetFunction, FunctionValue, StageValue, describe
from convspec.elaborate.walk import target_names
from convspec.ir.attrs import Extent
from convspec.ir.graph import Value
from convspec.source import Span
from convspec.syntax import ast


def _literal(frame: Frame, expr: Any, wanted: Wanted) -> Any:
    return expr.value


def _size(frame: Frame, expr: ast.SizeLit, wanted: Wanted) -> Extent:
    return Extent(expr.values)


def _string(frame: Frame, expr: ast.StrLit, wanted: Wanted) -> str:
    parts = [part if isinstance(part, str) else _shown(frame, part) for part in expr.parts]
    length = sum(map(len, parts))
    frame.context.meter.check_list(length, expr.span, "a string")
    frame.context.meter.add_length(length, expr.span)
    return "".join(parts)


def _shown(frame: Frame, expr: ast.Expr) -> str:
    value = evaluate(frame, expr)
    if isinstance(value, bool) or not isinstance(value, int | str | float | Extent):
        raise frame.fail("CNN040", f"{describe(value)} cannot stand in a string", expr.span)
    return str(value)


def _name(frame: Frame, expr: ast.NameRef, wanted: Wanted) -> Any:
    value = find(frame, expr.text)
    if isinstance(value, BudgetFunction):
        return value.call({})
    if wanted == "stage" and isinstance(value, BlockValue | FunctionValue):
        return StageValue(expr, frame.snapshot(expr.span))
    if value is not MISSING:
        return value
    if wanted == "word":
        return expr.text
    if ops.known(expr.text) and (wanted == "stage" or expr.text not in BUILTINS):
        return StageValue(expr, frame.snapshot(expr.span))
    raise undefined(frame, expr)


def _attribute(frame: Frame, expr: ast.Attribute, wanted: Wanted) -> Any:
    value = evaluate(frame, expr.value)
    if isinstance(value, Value):
        return tensors.attribute(frame, value, expr)
    raise frame.fail("CNN025", f"{describe(value)} has no `.{expr.name.text}`", expr.name.span)


def _index(frame: Frame, expr: ast.Index, wanted: Wanted) -> Any:
    value = evaluate(frame, expr.value)
    items = _sequence(frame, value, expr.value.span)
    index = integer(frame, expr.index, "an index")
    if not -len(items) <= index < len(items):
        message = f"index {index} is out of range for {describe(value)}"
        raise frame.fail(
            "CNN044", message, expr.index.span, f"valid: {-len(items)} to {len(items) - 1}" if items else "it is empty"
        )
    return items[index]


def _slice(frame: Frame, expr: ast.Slice, wanted: Wanted) -> Any:
    items = _sequence(frame, evaluate(frame, expr.value), expr.value.span)
    start = None if expr.start is None else integer(frame, expr.start, "the start of a slice")
    stop = None if expr.stop is None else integer(frame, expr.stop, "the end of a slice")
    part = items[start:stop]
    frame.context.meter.add_length(len(part), expr.span)
    return part


def _sequence(frame: Frame, value: Any, span: Span) -> Any:
    if isinstance(value, Extent):
        return list(value)
    if isinstance(value, list | str):
        return value
    raise frame.fail("CNN040", f"{describe(value)} cannot be indexed", span)


def _list(frame: Frame, expr: ast.ListLit, wanted: Wanted) -> Any:
    if wanted == "stage":
        return StageValue(_group(frame, expr), frame.snapshot(expr.span))
    frame.context.meter.check_list(len(expr.items), expr.span)
    return new_list(frame.context.meter, [evaluate(frame, item, wanted) for item in expr.items], expr.span)


def _labelled_group(frame: Frame, expr: ast.Group, wanted: Wanted) -> StageValue:
    if wanted != "stage":
        hint = "feed it a tensor: x -> [a -> b]"
        raise frame.fail("CNN040", "a group of stages is no value", expr.span, hint=hint)
    return StageValue(expr, frame.snapshot(expr.span))


def _group(frame: Frame, expr: ast.ListLit) -> ast.Group:
    """`[conv(8, 3x3) -> relu]` where a stage is wanted: read as a group of stages."""
    if len(expr.items) != 1:
        raise frame.fail("CNN040", "a stage is needed here, not a list", expr.span, hint="write [a -> b] for a group of stages")
    item = expr.items[0]
    source, rest = (item.source, item.stages) if isinstance(item, ast.Pipeline) else (item, ())
    return ast.Group((_first_stage(frame, source), *rest), expr.span)


def _first_stage(frame: Frame, expr: ast.Expr) -> ast.Stage:
    """What was read as a value in `[2 * conv(8, 3x3) -> relu]`, as the stage that it is."""
    count, stage = (expr.left, expr.right) if isinstance(expr, ast.Binary) and expr.operator == "*" else (None, expr)
    body: ast.StageCall | ast.Group
    match stage:
        case ast.NameRef():
            body = ast.StageCall(stage, (), False, stage.span)
        case ast.Call(function=function, args=args):
            body = ast.StageCall(function, args, True, stage.span)
        case ast.ListLit():
            body = _group(frame, stage)
        case _:
            raise frame.fail("CNN040", "a group of stages begins with a stage", stage.span)
    return ast.Stage(None, count, body, expr.span)


def _comprehension(frame: Frame, expr: ast.Comprehension, wanted: Wanted) -> list[Any]:
    items = iterate(frame, expr.iterable)
    frame.record(expr, LoopEvent(tuple(items)))
    targets = [name.text for target in expr.targets for name in target_names(target)]
    hidden = {name: frame.names[name] for name in targets if name in frame.names}
    results: list[Any] = []

    def turn(index: int) -> None:
        bind(frame, expr.targets, index, items[index])
        results.append(evaluate(frame, expr.item))

    run_turns(frame, expr, len(items), turn)
    for name in targets:
        frame.names.pop(name, None)
    frame.names.update(hidden)
    results.extend(results[-1:] * (len(items) - len(results)))  # turns that were counted only
    return new_list(frame.context.meter, results, expr.span)


def _unary(frame: Frame, expr: ast.Unary, wanted: Wanted) -> Any:
    if expr.operator == "not":
        return not condition(frame, expr.operand)
    value = evaluate(frame, expr.operand)
    if isinstance(value, Value):
        return tensors.negate(frame, expr, value)
    try:
        return negate(value)
    except ValueProblem as problem:
        raise frame.fail(problem.code, problem.message, expr.span, hint=problem.hint) from None


def _binary(frame: Frame, expr: ast.Binary, wanted: Wanted) -> Any:
    if expr.operator in ("and", "or"):
        left = condition(frame, expr.left)
        return left if left == (expr.operator == "or") else condition(frame, expr.right)
    # Left-deep chains such as a + b + c are walked in a loop: they may be long.
    chain = [expr]
    while isinstance(chain[-1].left, ast.Binary) and chain[-1].left.operator not in ("and", "or"):
        chain.append(chain[-1].left)
    value = _operand(frame, chain[-1], chain[-1].left)
    for link in reversed(chain):
        value = _operate(frame, link, value, _operand(frame, link, link.right))
    return value


def _operand(frame: Frame, expr: ast.Binary, operand: ast.Expr) -> Any:
    """The value of one side; a bare word that is compared has a hint of its own."""
    compared = expr.operator in ("==", "!=")
    if compared and isinstance(operand, ast.NameRef) and not _is_known(frame, operand.text):
        raise undefined(frame, operand, compared=True)
    return evaluate(frame, operand)


def _is_known(frame: Frame, name: str) -> bool:
    return find(frame, name) is not MISSING or ops.known(name)


def _operate(frame: Frame, expr: ast.Binary, left: Any, right: Any) -> Any:
    if isinstance(left, Value) or isinstance(right, Value):
        return tensors.operate(frame, expr, left, right)
    meter = frame.context.meter
    if isinstance(left, list | str) and isinstance(right, list | str):
        meter.add_length(len(left) + len(right), expr.span)
    try:
        result = binary(expr.operator, left, right)
    except ValueProblem as problem:
        raise frame.fail(problem.code, problem.message, expr.span, hint=problem.hint) from None
    if isinstance(result, str):
        meter.check_list(len(result), expr.span, "a string")
    return new_list(meter, result, expr.span) if isinstance(result, list) else result


def _range(frame: Frame, expr: ast.Range, wanted: Wanted) -> list[int]:
    start = integer(frame, expr.start, "the start of a range")
    stop = integer(frame, expr.stop, "the end of a range")
    length = max(stop - start, 0)
    frame.context.meter.check_list(length, expr.span)
    frame.context.meter.add_length(length, expr.span)
    return list(range(start, stop))


def _conditional(frame: Frame, expr: ast.Conditional, wanted: Wanted) -> Any:
    taken = condition(frame, expr.condition)
    frame.record(expr, BranchEvent(taken))
    return evaluate(frame, expr.then if taken else expr.orelse, wanted)


def _call(frame: Frame, expr: ast.Call, wanted: Wanted) -> Any:
    if wanted == "stage":
        return StageValue(expr, frame.snapshot(expr.span))
    return evaluate_call(frame, expr)


def _pipeline(frame: Frame, expr: ast.Pipeline, wanted: Wanted) -> Any:
    if wanted == "stage":
        hint = "several stages stand in brackets: [conv(8, 3x3) -> relu]"
        raise frame.fail("CNN040", "a stage is needed here, not a value", expr.span, hint=hint)
    return apply_pipeline(frame, expr)


_EVALUATORS: dict[type, Callable[[Frame, Any, Wanted], Any]] = {
    ast.IntLit: _literal,
    ast.FloatLit: _literal,
    ast.BoolLit: _literal,
    ast.SizeLit: _size,
    ast.StrLit: _string,
    ast.NameRef: _name,
    ast.Attribute: _attribute,
    ast.Index: _index,
    ast.Slice: _slice,
    ast.ListLit: _list,
    ast.Group: _labelled_group,
    ast.Comprehension: _comprehension,
    ast.Call: _call,
    ast.Unary: _unary,
    ast.Binary: _binary,
    ast.Range: _range,
    ast.Conditional: _conditional,
    ast.Pipeline: _pipeline,
}
EVALUATORS.update(_EVALUATORS)
