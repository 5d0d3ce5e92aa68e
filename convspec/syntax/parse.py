"""Text to syntax tree, or every independent syntax error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convspec.diagnostics import Diagnostic, Failure, error
from convspec.limits import DEFAULT, Limits
from convspec.source import SourceFile, Span
from convspec.syntax import ast, grammar
from convspec.syntax.build import Builder, TooDeep

if TYPE_CHECKING:
    from lark import Token

_IGNORED = ("SPACE", "COMMENT", "DOC")


def parse(file: SourceFile, limits: Limits = DEFAULT) -> ast.File:
    """The syntax tree of `file`. Raises Failure with every syntax error."""
    from lark import Token
    from lark.exceptions import UnexpectedToken

    def interpolated(start: int, end: int) -> ast.Expr:
        run(grammar.START_EXPRESSION, start, end)
        return results.pop()

    builder = Builder(file, limits, {}, interpolated)
    results: list = []

    def run(start_rule: str, start: int, end: int) -> None:
        machine = grammar.machine(start_rule, builder)
        try:
            for token in grammar.tokens(file.text[start:end], start):
                if token.type not in _IGNORED:
                    machine.feed_token(token)
            results.append(machine.feed_token(Token("$END", "", start_pos=end, end_pos=end)))
        except UnexpectedToken as e:
            raise Failure([error("CNN001", f"`{e.token}` is not expected here", Span(file, e.token.start_pos, e.token.end_pos))])

    run(grammar.START_FILE, 0, len(file.text))
    if builder.diagnostics:
        raise Failure(builder.diagnostics)
    return results.pop()
