"""Where a parse stands when the next token does not fit."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from convspec.diagnostics import Diagnostic, Fix, Label, error
from convspec.records import dataclass
from convspec.source import SourceFile, Span
from convspec.syntax.brackets import Brackets
from convspec.syntax.lexing import CLOSER, CLOSERS, OPENERS
from convspec.syntax.tokens import Token

ITEMS = frozenset({"BLOCK", "MODEL", "USE", "LANGUAGE"})
"""Keywords that begin an item of a file and nothing else."""
STATEMENTS = frozenset({"INPUT", "OUTPUT", "RETURN", "ASSERT", "DEFAULT", "LAYER", "LET", "FOR", "IF"})
"""Keywords that begin a statement (`for` and `if` also stand in expressions)."""
KEYWORDS = ITEMS | STATEMENTS | {"ELSE", "THEN", "IN", "AND", "OR", "NOT", "AS", "FROM", "TRUE", "FALSE"}
COMPARISONS = frozenset({"EQ", "NE", "LESSTHAN", "MORETHAN", "LE", "GE"})
ARITHMETIC = frozenset({"PLUS", "MINUS", "STAR", "SLASH", "FLOORDIV", "PERCENT", "POWER"})
OPERATORS = ARITHMETIC | COMPARISONS | {"AND", "OR", "RANGE"}
LITERALS = frozenset({"INT", "FLOAT", "SIZE", "STRING", "TRUE", "FALSE"})


@dataclass(frozen=True, slots=True)
class Situation:
    """`tokens[at]` does not fit. `values` is the parser's stack: tokens and nodes, innermost last."""

    file: SourceFile
    tokens: list[Token]
    at: int
    accepts: frozenset[str]
    """Types of the tokens that would fit."""
    values: list[Any]
    brackets: Brackets
    interpolated: bool = False
    """Whether this is an expression in the braces of a string; its end is `}`."""

    @property
    def found(self) -> Token:
        return self.tokens[self.at]

    def token(self, offset: int) -> Token | None:
        """The token `offset` places from the one found; None past either end."""
        index = self.at + offset
        return self.tokens[index] if 0 <= index < len(self.tokens) else None

    def kind(self, offset: int) -> str:
        """The type of that token, "" past either end."""
        token = self.token(offset)
        return token.type if token is not None else ""

    def span(self, token: Token) -> Span:
        return Span(self.file, token.start_pos, token.end_pos)

    def line(self, token: Token) -> int:
        return self.file.line_column(token.start_pos)[0]

    def begins_line(self, index: int) -> bool:
        """Whether the token of that index is the first on its line."""
        if index == 0:
            return True
        return self.line(self.tokens[index - 1]) < self.line(self.tokens[index])

    @property
    def same_line(self) -> bool:
        """Whether the token found stands on the line of the one before it."""
        return not self.begins_line(self.at)

    @property
    def statement(self) -> int:
        """The index of the token with which the statement or item begins that is being read; `at` if none is."""
        rest = self.values[settled(self.values) :]
        if not rest:
            return self.at
        start = start_of(rest[0])
        return bisect_left(self.tokens, start, hi=self.at, key=start_of)

    @property
    def fresh(self) -> bool:
        """Whether a statement or item could begin with the token found, and it stands where one would."""
        return (bool(self.accepts & {"RETURN", "BLOCK"}) and self.begins_line(self.at)) or self.at == self.statement

    @property
    def head(self) -> str:
        """The type of the token with which the statement begins."""
        return str(self.tokens[self.statement].type)

    @property
    def opener(self) -> Token | None:
        """The innermost bracket that is open."""
        index = innermost_open(self.values, OPENERS)
        return None if index is None else self.values[index]

    def kinds(self, count: int) -> tuple[str, ...]:
        """What stands on top of the stack: the types of tokens and the class names of nodes."""
        return tuple(kind_of(value) for value in self.values[-count:])

    def index_of(self, token: Token) -> int:
        """The index of a token of the file."""
        return bisect_left(self.tokens, start_of(token), key=start_of)

    def error(
        self, message: str, token: Token | None = None, label: str = "", *,
        code: str = "CNN001", related: tuple[Label, ...] = (), hint: str | None = None, fix: Fix | None = None,
        suggestions: tuple[Fix, ...] = (),
    ) -> Diagnostic:  # fmt: skip
        """An error at `token`, or at the one found."""
        span = self.span(token or self.found)
        return error(code, message, span, label, related=related, hint=hint, fix=fix, suggestions=suggestions)

    def related(self, token: Token | None, text: str) -> tuple[Label, ...]:
        return (Label(self.span(token), text),) if token is not None else ()


def kind_of(value: Any) -> str:
    """The type of a token, the class of a node, the rule of a list that is being read."""
    return str(getattr(value, "type", None) or getattr(value, "data", None) or type(value).__name__)


def start_of(value: Any) -> int:
    """Where a token or node begins."""
    start: int = value.span.start if hasattr(value, "span") else value.start_pos
    return start


def settled(values: list[Any]) -> int:
    """How much of the stack lies before the statement or item that is being read."""
    brace = innermost_open(values, ("LBRACE",))
    index = 0 if brace is None else brace + 1
    while index < len(values) and (isinstance(values[index], int) or kind_of(values[index]).startswith("__")):
        index += 1
    return index


def innermost_open(values: list[Any], openers: tuple[str, ...]) -> int | None:
    """The index on the stack of the innermost opening bracket of those kinds that is not closed yet."""
    closed: dict[str, int] = {}
    for index in range(len(values) - 1, -1, -1):
        kind = getattr(values[index], "type", None)
        if kind in CLOSERS:
            closed[kind] = closed.get(kind, 0) + 1
        elif kind in OPENERS:
            closer = CLOSER[kind]
            if closed.get(closer, 0):
                closed[closer] -= 1
            elif kind in openers:
                return index
    return None
