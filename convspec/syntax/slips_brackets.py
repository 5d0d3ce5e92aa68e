"""Slips with brackets: not closed, closed by another kind, closing nothing."""

from __future__ import annotations

from convspec.diagnostics import Diagnostic, Fix, error
from convspec.syntax.lexing import CLOSER, CLOSERS
from convspec.syntax.situation import ARITHMETIC, ITEMS, STATEMENTS, Situation, start_of
from convspec.syntax.tokens import Token

_HEAD = 200
"""More tokens than the head of a statement has."""
_TEXT = {"RPAR": "`)`", "RSQB": "`]`", "RBRACE": "`}`"}


def begins_statement(s: Situation, index: int) -> bool:
    """Whether a token looks like the first of a statement: first on its line, and a keyword or a name that is bound."""
    token = s.tokens[index]
    if not s.begins_line(index):
        return False
    if token.type == "IF":
        return is_if_statement(s.tokens, index)
    return token.type in STATEMENTS or (token.type == "NAME" and is_binding(s.tokens, index))


def is_if_statement(tokens: list[Token], index: int) -> bool:
    """Whether `{`, or the `:` of another language, comes before `then` after an `if`."""
    following = (tokens[i].type for i in range(index, min(index + _HEAD, len(tokens))))
    return next((kind for kind in following if kind in ("THEN", "LBRACE", "COLON")), "") in ("LBRACE", "COLON")


def is_binding(tokens: list[Token], index: int) -> bool:
    """Whether `a =` or `a, b =` begins at a name, or what another language has: `a += `."""
    kinds = [token.type for token in tokens[index + 1 : index + 20]]
    while kinds[:2] == ["COMMA", "NAME"]:
        del kinds[:2]
    return kinds[:1] == ["EQUAL"] or (kinds[1:2] == ["EQUAL"] and kinds[0] in ARITHMETIC)


def _unclosed(s: Situation) -> Diagnostic | None:
    opener = s.opener
    if opener is None or (opener.start_pos in s.brackets.match and s.found.type != "$END"):
        return None
    at = s.at
    if s.found.type == "EQUAL" and s.kind(-1) == "NAME" and s.begins_line(at - 1):
        at -= 1  # the name was read as part of what is open; the `=` shows that a statement begins with it
    if opener.type == "LBRACE":
        ends = s.found.type == "$END" or (s.found.type in ITEMS and s.begins_line(at))
        opener = _culprit(s, opener)
    else:
        ends = s.found.type in ("$END", "RBRACE", *ITEMS) or begins_statement(s, at)
    if not ends:
        return None
    at = _first_swallowed(s, opener, at)
    missing = _TEXT[CLOSER[opener.type]]
    related = s.related(s.tokens[at], f"{missing} is missing before this") if s.found.type != "$END" else ()
    return s.error(f"this `{opener}` is not closed", opener, related=related)


def _first_swallowed(s: Situation, opener: Token, at: int) -> int:
    """The first statement that was read as a part of what is open (`z = y` as a named argument), else `at`."""
    if opener.type == "LBRACE":
        return at
    margin = _indent(s, s.tokens[s.statement])
    first = s.index_of(opener) + 1
    swallowed = (i for i in range(first, at) if begins_statement(s, i) and _indent(s, s.tokens[i]) <= margin)
    return next(swallowed, at)


def _culprit(s: Situation, opener: Token) -> Token:
    """The brace that was forgotten: the last whose closing line is indented less than its own, as its parent's would be."""
    for brace, closer in reversed(s.brackets.pairs):
        within = start_of(opener) < start_of(brace) and start_of(closer) < start_of(s.found)
        candidate = brace.type == "LBRACE" and within and s.begins_line(s.index_of(closer))
        if candidate and _indent(s, closer) == _indent(s, opener) < _indent(s, brace):
            return brace
    return opener


def _indent(s: Situation, token: Token) -> int:
    line = s.file.line(s.line(token))
    return len(line) - len(line.lstrip())


def _wrong_closer(s: Situation) -> Diagnostic | None:
    if s.found.type not in CLOSERS:
        return None
    opener = s.opener
    if opener is None or (opener.type == "LBRACE" and s.found.type != "RBRACE"):
        return s.error(f"this `{s.found}` closes nothing")
    if CLOSER[opener.type] != s.found.type:
        wanted = _TEXT[CLOSER[opener.type]]
        return s.error(f"expected {wanted}, found `{s.found}`", related=s.related(opener, f"{wanted} would close this"))
    return None


def _tuple(s: Situation) -> Diagnostic | None:
    opener = s.opener
    if opener is None or opener.type != "LPAR":
        return None
    before = s.index_of(opener) - 1
    if before >= 0 and s.tokens[before].type == "NAME":
        return None
    if s.found.type == "COMMA" and "RPAR" in s.accepts:
        size = _size(s, opener)
        if size is not None:
            span = s.span(opener).to(s.span(s.tokens[s.index_of(opener) + 2 * (size.count("x") + 1)]))
            hint = f"write `{size}`"
            return error("CNN001", "a size has no parentheses", span, hint=hint, suggestions=(Fix(span, size, hint),))
        return s.error("parentheses hold one value", hint="a list is written [a, b]", related=s.related(opener, "opened here"))
    if s.found.type == "RPAR" and s.kind(-1) == "LPAR":
        return s.error("there is nothing between these parentheses", hint="the empty list is written []")
    return None


def _size(s: Situation, opener: Token) -> str | None:
    """`(3, 3)` as `3x3`, where it is an argument; elsewhere it may be meant as a list."""
    at = s.index_of(opener) + 1
    named = [token.type for token in s.tokens[max(0, at - 4) : at - 1]]
    if named[-1:] != ["COMMA"] and named not in (["LPAR", "NAME", "EQUAL"], ["COMMA", "NAME", "EQUAL"]):
        return None
    kinds = [token.type for token in s.tokens[at : at + 6]]
    for axes in (2, 3):
        if kinds[: 2 * axes] == [*["INT", "COMMA"] * (axes - 1), "INT", "RPAR"]:
            return "x".join(s.tokens[at : at + 2 * axes : 2])
    return None


EARLY = (_unclosed,)
LATE = (_tuple, _wrong_closer)
