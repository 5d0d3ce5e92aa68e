"""Which bracket closes which, found before the parse: it bounds nesting and tells recovery what it may skip."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from convspec.diagnostics import Diagnostic, Failure, error
from convspec.source import SourceFile, Span

if TYPE_CHECKING:
    from lark import Token

CLOSER = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
_OPENER = {closer: opener for opener, closer in CLOSER.items()}
_ITEMS = ("BLOCK", "MODEL", "USE")


@dataclass(slots=True)
class Brackets:
    """`match[start of opener]` is the index of the token that closes it; unclosed openers are missing."""

    match: dict[int, int] = field(default_factory=dict)
    pairs: list[tuple[Token, Token]] = field(default_factory=list)
    extra: list[Token] = field(default_factory=list)
    """Closers that close nothing."""


def pair(file: SourceFile, tokens: list[Token], nesting: int) -> Brackets:
    """Pairs the brackets of a file. Raises Failure (CNN005) where they nest deeper than `nesting`."""
    found = Brackets()
    unclosed: list[Token] = []
    for index, token in enumerate(tokens):
        if token.type in CLOSER:
            unclosed.append(token)
            if len(unclosed) > nesting:
                raise Failure([_too_deep(file, token, nesting)])
        elif token.type in _OPENER:
            _close(found, unclosed, index, token)
        elif token.type in _ITEMS and file.line_column(token.start_pos or 0)[1] == 1:
            unclosed.clear()  # an item at the margin stands outside everything: what is open was forgotten
    return found


def _close(found: Brackets, unclosed: list[Token], index: int, token: Token) -> None:
    """Pairs a closer with the nearest opener of its kind; what was opened in between stays unclosed."""
    opener = _OPENER[token.type]
    for depth in range(len(unclosed) - 1, -1, -1):
        if unclosed[depth].type == opener:
            found.match[unclosed[depth].start_pos or 0] = index
            found.pairs.append((unclosed[depth], token))
            del unclosed[depth:]
            return
        if unclosed[depth].type == "LBRACE":
            break
    found.extra.append(token)


def _too_deep(file: SourceFile, token: Token, nesting: int) -> Diagnostic:
    span = Span(file, token.start_pos or 0, token.end_pos or 0)
    return error("CNN005", f"brackets nest more than {nesting} levels deep", span)
