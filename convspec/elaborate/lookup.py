"""What a name means: the body's own names first, then the file's, then built-in functions and layers."""

from __future__ import annotations

from typing import Any

from convspec import ops
from convspec.diagnostics import Failure
from convspec.elaborate.builtins import BUILTINS
from convspec.elaborate.defaults import defaults_at
from convspec.elaborate.evaluation import evaluate
from convspec.elaborate.files import FileScope
from convspec.elaborate.foreign import hint_for_callable
from convspec.elaborate.frame import Frame
from convspec.elaborate.installed import find_op
from convspec.elaborate.nearest import did_you_mean
from convspec.elaborate.values import (
    BUDGETS,
    POISON,
    BlockValue,
    BudgetFunction,
    FunctionValue,
    LayerValue,
    StageValue,
    describe,
)
from convspec.ir.opdef import OpDef
from convspec.syntax import ast

MISSING = object()

CALLABLE = (StageValue, LayerValue, BlockValue, FunctionValue, BudgetFunction, OpDef)


def find(frame: Frame, name: str) -> Any:
    """The value of a name in the body or the file, or MISSING."""
    if name in frame.names:
        value = frame.names[name]
        if value is POISON:
            raise Failure([])
        return value
    return find_in_file(frame.scope, name)


def find_in_file(scope: FileScope, name: str) -> Any:
    """The value of a name declared or imported at the top of a file, or MISSING."""
    owned = scope.owner(name)
    if owned is None:
        return MISSING
    owner, item = owned
    if isinstance(item, ast.Block | ast.Configuration):
        return BlockValue(item, owner)
    assert isinstance(item, ast.Let) and owner.frame is not None
    if item.params is not None:
        return FunctionValue(item, owner.frame)
    return _constant(owner, item)


def _constant(scope: FileScope, let: ast.Let) -> Any:
    name = let.name.text
    if name not in scope.constants:
        scope.constants[name] = POISON
        assert scope.frame is not None
        frame = scope.frame.snapshot(let.span)
        frame.defaults = defaults_at(scope, let)
        scope.constants[name] = evaluate(frame, let.value)
    value = scope.constants[name]
    if value is POISON:
        raise Failure([])
    return value


def find_callable(frame: Frame, reference: ast.NameRef) -> Any:
    """What `name(…)` or `-> name` calls: a stage, layer, block, function, built-in (its name) or op. Else CNN021.

    A plain value of that name does not hide a layer, so that `pad = 1` leaves `-> pad(1)` alone.
    """
    name = reference.text
    value = find(frame, name)
    if isinstance(value, CALLABLE):
        return value
    if name in BUILTINS:
        return name
    op = find_op(reference, frame)
    if op is not None:
        return op
    if value is not MISSING:
        raise frame.fail("CNN021", f"`{name}` is not a layer or block", reference.span, f"this is {describe(value)}")
    known = [*_known_callables(frame), *BUILTINS, *ops.names()]
    hint = hint_for_callable(name, known)
    raise frame.fail("CNN021", f"there is no layer or block called `{name}`", reference.span, hint=hint)


def _known_callables(frame: Frame) -> list[str]:
    own = [name for name, value in frame.names.items() if isinstance(value, CALLABLE)]
    return own + frame.scope.names()


def undefined(frame: Frame, reference: ast.NameRef, compared: bool = False) -> Failure:
    """The error for a name that means nothing as a value. `compared`: it stands beside `==` or `!=`."""
    name, span = reference.text, reference.span
    if name in BUILTINS:
        return frame.fail("CNN040", f"`{name}` is a function, and needs its arguments", span, hint=f"write {name}(…)")
    if name in BUDGETS:
        return frame.fail("CNN020", f"`{name}` is known only in an `assert`", span)
    if compared:
        hint = f'a word that is compared stands in quotes: "{name}"'
        return frame.fail("CNN020", f"`{name}` is not defined", span, hint=hint)
    known = [*frame.names, *frame.scope.names(), *BUILTINS, *ops.names()]
    return frame.fail("CNN020", f"`{name}` is not defined", span, hint=did_you_mean(name, known))
