"""`default op(…)`: what it says, and which of a file's hold at a place. It is lexical."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from convspec.elaborate.files import FileScope
from convspec.elaborate.frame import Defaults, Frame
from convspec.elaborate.installed import find_op
from convspec.elaborate.ops import evaluate_attribute, unknown_attribute
from convspec.elaborate.ops import signature as signature_of
from convspec.syntax import ast


def add_default(frame: Frame, statement: ast.Default) -> None:
    """Let a `default` hold from here on in `frame`."""
    op = find_op(statement.op, frame)
    if op is None:
        message = f"`default` takes a layer, and `{statement.op.text}` is none"
        raise frame.fail("CNN021", message, statement.op.span)
    kinds = {field.name: field.metadata["kind"] for field in op.attributes}
    added: dict[str, tuple[ast.Expr, Any]] = {}
    for arg in statement.args:
        if arg.name is None:
            raise frame.fail("CNN042", "a `default` names its parameters", arg.span, hint=signature_of(op))
        name = arg.name.text
        if name not in kinds:
            raise unknown_attribute(frame, op, arg.name)
        added[name] = (arg.value, evaluate_attribute(frame, kinds[name], name, arg.value))
    merged = {**frame.defaults.get(op.name, {}), **added}
    frame.defaults = MappingProxyType({**frame.defaults, op.name: merged})


def defaults_at(scope: FileScope, item: ast.Item) -> Defaults:
    """The file's `default` statements that stand before an item, worked out once."""
    if not scope.defaults:
        assert scope.frame is not None
        frame = scope.frame.snapshot(item.span)
        frame.defaults = {}
        # A default may need a constant, which asks for its own again: until then it has none.
        scope.defaults.update(dict.fromkeys(scope.tree.items, frame.defaults))
        for other in scope.tree.items:
            if isinstance(other, ast.Default):
                add_default(frame, other)
            scope.defaults[other] = frame.defaults
    return scope.defaults[item]
