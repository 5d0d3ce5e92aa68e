"""What the grammar lets through and a reader would not: `return` before the end, two parameters of one name."""

from __future__ import annotations

from collections.abc import Iterator

from convspec.diagnostics import Diagnostic, Label, error
from convspec.source import Span
from convspec.syntax import ast


def check_parameters(params: tuple[ast.Param, ...]) -> Iterator[Diagnostic]:
    """An error for each parameter whose name was taken by one before it."""
    first: dict[str, Span] = {}
    for param in params:
        name, span = param.name.text, param.name.span
        if name in first:
            yield error("CNN023", f"two parameters are called `{name}`", span, related=[Label(first[name], "the first one")])
        first.setdefault(name, span)


def check_returns(body: ast.Body) -> Iterator[Diagnostic]:
    """An error for each `return` that is not the last statement of a block's body."""
    for index, statement in enumerate(body.statements):
        if isinstance(statement, ast.Return) and index + 1 < len(body.statements):
            related = [Label(body.statements[index + 1].span, "this comes after it")]
            yield error("CNN007", "`return` stands last in a block", statement.span, related=related)
        yield from _nested_returns(statement)


def _nested_returns(statement: ast.Statement) -> Iterator[Diagnostic]:
    for body in _bodies(statement):
        for inner in body.statements:
            if isinstance(inner, ast.Return):
                hint = "bind the result to a name here, and return that at the end"
                yield error("CNN007", "`return` stands last in a block, not in an `if` or `for`", inner.span, hint=hint)
            yield from _nested_returns(inner)


def _bodies(statement: ast.Statement) -> list[ast.Body]:
    match statement:
        case ast.For(body=body):
            return [body]
        case ast.If(then=then, orelse=orelse):
            return [then, orelse] if orelse is not None else [then]
    return []
