"""Mistakes that are certain from the text alone, whatever the sizes are and whether or not an elaboration gets there.

A literal that a layer's parameter cannot take, a malformed label, a statement in the wrong kind of body: found behind another
mistake in the same pipeline, and in blocks that nothing uses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from convspec.diagnostics import Diagnostic, Failure, error
from convspec.elaborate.labels import check_label
from convspec.elaborate.parameters import TYPE_NAMES, fits, misfit, unknown_type
from convspec.ir import attrs as kinds
from convspec.ir.opdef import AttrError, OpDef
from convspec.syntax import ast

_NO_LITERAL = object()
MISPLACED: dict[tuple[str, type], tuple[str, str | None]] = {
    ("block", ast.Input): ("only a model has inputs", "a block takes tensors: (x: tensor)"),
    ("block", ast.Output): ("only a model has outputs", "a block ends with `return`"),
    ("model", ast.Return): ("a model has `output`, not `return`", None),
}
"""By the kind of body: statements that cannot stand in it, why, and what to write."""
_GIVES: dict[str, tuple[type, str]] = {"model": (ast.Output, "output"), "block": (ast.Return, "return")}


def check_block(block: ast.Block) -> Iterator[Diagnostic]:
    """What is wrong with a block or model as a whole: its parameters' types, and statements of the other kind."""
    for param in block.params:
        if param.type is not None and param.type.text not in TYPE_NAMES:
            yield unknown_type(param.type)
        elif param.type is not None and param.default is not None:
            value = _literal(param.default)
            if value is not _NO_LITERAL and not fits(param, value):
                yield misfit(param, value, param.default.span)
    statements = list(_statements(block.body))
    for statement in statements:
        if (block.kind, type(statement)) in MISPLACED:
            message, hint = MISPLACED[block.kind, type(statement)]
            yield error("CNN007", message, statement.span, hint=hint)
    wanted, word = _GIVES[block.kind]
    if not any(isinstance(statement, wanted) or (block.kind, type(statement)) in MISPLACED for statement in statements):
        yield gives_nothing(block, word)


def gives_nothing(block: ast.Block, word: str | None = None) -> Diagnostic:
    """The error for a body without `return` or `output`."""
    word = word or _GIVES[block.kind][1]
    return error("CNN055", f"the {block.kind} `{block.name.text}` has no {word}", block.name.span)


def _statements(body: ast.Body) -> Iterator[ast.Statement]:
    """Every statement of a body and of the bodies in it."""
    pending = list(reversed(body.statements))
    while pending:
        statement = pending.pop()
        yield statement
        inner = [statement.body] if isinstance(statement, ast.For) else []
        if isinstance(statement, ast.If):
            inner = [each for each in (statement.then, statement.orelse) if each is not None]
        pending += [each for part in reversed(inner) for each in reversed(part.statements)]


def check_stage_label(stage: ast.Stage) -> Iterator[Diagnostic]:
    """CNN052 for a label without `{…}` that is none."""
    value = _NO_LITERAL if stage.label is None else _literal(stage.label)
    if stage.label is None or not isinstance(value, str):
        return
    try:
        check_label(value, stage.label.span)
    except Failure as failure:
        yield from failure.diagnostics


def check_literals(op: OpDef, call: ast.StageCall | ast.Call, bound: Callable[[str], bool]) -> Iterator[Diagnostic]:
    """The literals among a layer's arguments that its parameters cannot take. `bound` names are no bare words."""
    positional = positional_arguments(op, call)
    for attribute in op.attributes:
        name, kind = attribute.name, attribute.metadata["kind"]
        named = next((arg for arg in call.args if arg.name is not None and arg.name.text == name), None)
        arg = named or positional.get(name)
        if arg is None:
            continue
        value = _literal(arg.value)
        if isinstance(arg.value, ast.NameRef) and not bound(arg.value.text) and (named or kind.bare_words):
            value = arg.value.text
        if value is _NO_LITERAL:
            continue
        try:
            kind.convert(name, value)
        except AttrError as problem:
            yield error(problem.code, problem.message, arg.value.span, hint=problem.hint)


def positional_arguments(op: OpDef, call: ast.StageCall | ast.Call) -> dict[str, ast.Arg]:
    """The arguments given by position, by the parameter that each is for; none where one may be a tensor.

    Of `conv(n, 3x3)` outside a pipeline one cannot tell: `n` is the tensor, or this is a stage for a block and `n` its filters.
    """
    args = [arg for arg in call.args if arg.name is None]
    if op.variadic or len(op.inputs) > 1:
        return {}
    if isinstance(call, ast.Call) and args and _literal(args[0].value) is _NO_LITERAL:
        return {}
    return dict(zip(op.positional, args, strict=False))


def _literal(expr: ast.Expr) -> Any:
    """The value that is written out, or _NO_LITERAL."""
    if isinstance(expr, ast.IntLit | ast.FloatLit | ast.BoolLit):
        return expr.value
    if isinstance(expr, ast.SizeLit):
        return kinds.Extent(expr.values)
    if isinstance(expr, ast.StrLit):
        whole = [part for part in expr.parts if isinstance(part, str)]
        return "".join(whole) if len(whole) == len(expr.parts) else _NO_LITERAL
    if isinstance(expr, ast.Unary) and expr.operator == "-" and isinstance(expr.operand, ast.IntLit | ast.FloatLit):
        return -expr.operand.value
    if isinstance(expr, ast.ListLit):
        items = [_literal(item) for item in expr.items]
        return _NO_LITERAL if _NO_LITERAL in items else items
    return _NO_LITERAL
