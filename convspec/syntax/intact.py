"""What of a file with syntax errors can still be read: its intact items, so that one run can check them too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convspec.diagnostics import Failure
from convspec.limits import DEFAULT, Limits
from convspec.records import dataclass
from convspec.source import SourceFile
from convspec.syntax import ast
from convspec.syntax.lexing import Lexed
from convspec.syntax.parse import parse_tokens, tokens_of
from convspec.syntax.tokens import Token

_ITEMS = ("BLOCK", "MODEL", "USE")
_ALSO_STATEMENTS = ("LET", "DEFAULT")


@dataclass(frozen=True, slots=True)
class Intact:
    """The items without syntax errors, and every name that stands in the others: those may be declared there."""

    tree: ast.File
    lost: frozenset[str]


def intact_items(file: SourceFile, limits: Limits = DEFAULT) -> Intact | None:
    """The intact items of a file that does not parse; None where there are none, or where it cannot be said what they mean.

    An item begins with its keyword at the margin, and ends where the next begins. A `default` that is broken may change what
    any layer behind it means, and so nothing is left then.
    """
    try:
        lexed = tokens_of(file, limits)
    except Failure:
        return None
    kept: list[Token] = []
    lost: set[str] = set()
    for tokens in items_of(file, lexed.tokens[:-1]):
        if parses(file, tokens, lexed, limits) is not None:
            kept += tokens
        elif any(token.type == "DEFAULT" for token in tokens[:1]):
            return None
        else:
            lost.update(token for token in tokens if token.type == "NAME")
    if not kept:
        return None
    return Intact(parse_tokens(file, _ended(kept, lexed), limits), frozenset(lost))


def items_of(file: SourceFile, tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The tokens of each item; what stands before the first is one by itself."""
    item: list[Token] = []
    depth = 0
    for token in tokens:
        begins = token.type in _ITEMS or (token.type in _ALSO_STATEMENTS and depth <= 0)
        if begins and item and file.line_column(token.start_pos)[1] == 1:
            yield item
            item, depth = [], 0
        item.append(token)
        depth += (token.type == "LBRACE") - (token.type == "RBRACE")
    if item:
        yield item


def parses(file: SourceFile, tokens: Sequence[Token], lexed: Lexed, limits: Limits = DEFAULT) -> ast.File | None:
    """The tree of some tokens of a file; None where they do not parse by themselves."""
    start, end = tokens[0].start_pos, tokens[-1].end_pos
    if any(problem.primary is not None and start <= problem.primary.span.start < end for problem in lexed.diagnostics):
        return None
    try:
        return parse_tokens(file, _ended(tokens, lexed), limits)
    except Failure:
        return None


def _ended(tokens: Sequence[Token], lexed: Lexed) -> Lexed:
    """Tokens of a file as one by themselves."""
    last = tokens[-1].end_pos
    return Lexed([*tokens, Token("$END", "", last, last)], lexed.docs)
