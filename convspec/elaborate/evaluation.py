"""Evaluating an expression, for all who need it.

Expressions apply layers, and layers evaluate the expressions of their arguments. This table breaks the circle:
`expressions.py` fills it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from convspec.elaborate.frame import Frame
from convspec.elaborate.values import describe
from convspec.ir.dims import Dim
from convspec.ir.graph import Value
from convspec.syntax import ast

Wanted: TypeAlias = Literal["value", "word", "stage"]

EVALUATORS: dict[type, Callable[[Frame, Any, Wanted], Any]] = {}


def evaluate(frame: Frame, expr: ast.Expr, wanted: Wanted = "value") -> Any:
    """The value of `expr` in `frame`; raises Failure.

    `wanted` says what kind of value the place takes, for the two things that depend on it: in a place for a word a bare name
    that is not bound is that word, and in a place for a stage a call such as `leaky_relu(0.1)` is a stage and is not applied.
    """
    return EVALUATORS[type(expr)](frame, expr, wanted)


def wanted_by(param: ast.Param) -> Wanted:
    """What a parameter's type makes of the expression given for it."""
    kinds: dict[str, Wanted] = {"stage": "stage", "string": "word"}
    return kinds.get(param.type.text, "value") if param.type else "value"


def integer(frame: Frame, expr: ast.Expr, what: str) -> int:
    """The value of an expression that must be a plain integer."""
    value = evaluate(frame, expr)
    if isinstance(value, Dim):
        raise frame.fail("CNN033", f"{what} must be a plain number, but {value} is symbolic", expr.span)
    if isinstance(value, bool) or not isinstance(value, int):
        raise frame.fail("CNN040", f"{what} must be an integer, not {describe(value)}", expr.span)
    return value


def condition(frame: Frame, expr: ast.Expr) -> bool:
    """The value of an expression that must be true or false."""
    value = evaluate(frame, expr)
    if not isinstance(value, bool):
        hint = "on tensors there are logical_not, logical_and, logical_or and where" if isinstance(value, Value) else None
        raise frame.fail("CNN040", f"a condition must be true or false, not {describe(value)}", expr.span, hint=hint)
    return value
