"""`assert`: decided here where it is about values and shapes, kept for analysis where it is about params, macs and the like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convspec.elaborate.evaluation import condition, evaluate
from convspec.elaborate.frame import Frame
from convspec.elaborate.lookup import MISSING, find
from convspec.elaborate.module import BudgetAssert
from convspec.elaborate.values import BUDGETS, describe
from convspec.elaborate.walk import descendants
from convspec.recursion import deep_recursion
from convspec.syntax import ast


def run_assert(frame: Frame, statement: ast.Assert) -> None:
    """Decide an assertion, or keep it as a BudgetAssert."""
    message = evaluate(frame, statement.message) if statement.message is not None else None
    if is_budget(frame, statement.condition):
        frame.context.asserts.append(_budget(frame, statement, message))
        return
    nodes = frame.context.meter.nodes
    holds = condition(frame, statement.condition)
    _check_no_layers(frame, statement.condition, nodes)
    if not holds:
        notes = [str(message)] if message else []
        raise frame.fail(
            "CNN070", "the assertion does not hold", statement.condition.span, sides(frame, statement), notes=notes
        )


def is_budget(frame: Frame, expr: ast.Expr) -> bool:
    """Whether an expression names a quantity that only the finished network has."""
    return any(
        isinstance(node, ast.NameRef) and node.text in BUDGETS and find(frame, node.text) is MISSING
        for node in descendants(expr)
    )


def _budget(frame: Frame, statement: ast.Assert, message: Any) -> BudgetAssert:
    own = frame.snapshot(statement.span)

    def evaluate_with(expr: ast.Expr, names: Mapping[str, Any]) -> Any:
        scratch = own.snapshot(expr.span)
        scratch.names.update(names)
        nodes = frame.context.meter.nodes
        with deep_recursion():
            value = evaluate(scratch, expr)
        _check_no_layers(own, expr, nodes)
        return value

    text = str(message) if message is not None else None
    return BudgetAssert(statement, frame.application.path, text, frame.frames(), evaluate_with)


def _check_no_layers(frame: Frame, expr: ast.Expr, nodes: int) -> None:
    """An assertion is no part of the network: it may look at tensors, and makes none."""
    if frame.context.meter.nodes > nodes:
        hint = "apply the layer before the assertion, and look at its result"
        raise frame.fail("CNN007", "an assertion applies no layers", expr.span, hint=hint)


def sides(frame: Frame, statement: ast.Assert) -> str:
    """The numbers on both sides of a comparison: `5 < 4`."""
    expr = statement.condition
    if isinstance(expr, ast.Binary) and expr.operator in ("==", "!=", "<", "<=", ">", ">="):
        left, right = evaluate(frame, expr.left), evaluate(frame, expr.right)
        return f"{_shown(left)} {expr.operator} {_shown(right)} is false"
    return "this is false"


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_shown, value)) + "]"
    if isinstance(value, int | float | str) or type(value).__name__ == "Dim":
        return str(value).lower() if isinstance(value, bool) else str(value)
    return describe(value)
