"""Which bracket closes which, found before the parse: it tells recovery what it may skip."""

from __future__ import annotations

from dataclasses import field

from convspec.records import dataclass
from convspec.source import SourceFile
from convspec.syntax.lexing import CLOSER
from convspec.syntax.tokens import Token

_OPENER = {closer: opener for opener, closer in CLOSER.items()}
_ITEMS = ("BLOCK", "MODEL", "USE")


@dataclass(slots=True)
class Brackets:
    """`match[start of opener]` is the index of the token that closes it; unclosed openers are missing."""

    match: dict[int, int] = field(default_factory=dict)
    pairs: list[tuple[Token, Token]] = field(default_factory=list)
    extra: list[Token] = field(default_factory=list)
    """Closers that close nothing."""


def pair(file: SourceFile, tokens: list[Token]) -> Brackets:
    """Pairs the brackets of a file."""
    found = Brackets()
    unclosed: list[Token] = []
    for index, token in enumerate(tokens):
        if token.type in CLOSER:
            unclosed.append(token)
        elif token.type in _OPENER:
            _close(found, unclosed, index, token)
        elif token.type in _ITEMS and file.line_column(token.start_pos)[1] == 1:
            unclosed.clear()  # an item at the margin stands outside everything: what is open was forgotten
    return found


def _close(found: Brackets, unclosed: list[Token], index: int, token: Token) -> None:
    """Pairs a closer with the nearest opener of its kind; what was opened in between stays unclosed."""
    opener = _OPENER[token.type]
    for depth in range(len(unclosed) - 1, -1, -1):
        if unclosed[depth].type == opener:
            found.match[unclosed[depth].start_pos] = index
            found.pairs.append((unclosed[depth], token))
            del unclosed[depth:]
            return
        if unclosed[depth].type == "LBRACE":
            break
    found.extra.append(token)
