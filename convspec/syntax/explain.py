"""Why a token does not fit, in the author's terms: the first rule that knows the slip, else what was expected."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from convspec.diagnostics import Diagnostic, Label
from convspec.syntax import slips_brackets, slips_expressions, slips_labels, slips_statements
from convspec.syntax.expected import THE_END, describe, describe_found
from convspec.syntax.lexing import CLOSER, unknown_characters
from convspec.syntax.situation import Situation

Rule: TypeAlias = Callable[[Situation], Diagnostic | None]


def explain(situation: Situation) -> Diagnostic:
    """The error for a token that does not fit."""
    for rule in _RULES:
        diagnostic = rule(situation)
        if diagnostic is not None:
            return diagnostic
    return _unexpected(situation)


_INSTEAD = {
    "?": "a value is chosen by `if c then a else b`",
    "|": "`->` feeds a tensor into a layer; `or` joins conditions",
}


def _malformed(s: Situation) -> Diagnostic | None:
    if s.found.type == "UNKNOWN" and s.found in _INSTEAD:
        message = f"`{s.found}` is not a character of the language"
        return s.error(message, code="CNN002", hint=_INSTEAD[s.found])
    if s.found.type == "UNKNOWN":
        return unknown_characters(s.file, s.found)
    if s.found.type == "MALFORMED_NUMBER":
        element, before = s.found[1:], s.token(-1)
        if before is not None and before.type == "RANGE" and before.end_pos == s.found.start_pos:
            return s.error(
                "there is no `...`", before, hint=f"a range is written with two dots, the end excluded: 0..{element}"
            )
        hint = f"an element of a list is `{s.token(-1)}[{element}]`" if element.isdigit() and s.kind(-1) == "NAME" else None
        return s.error(f"expected a name after `.`, found `{element}`", hint=hint)
    if s.found.type == "UNTERMINATED_STRING":
        return s.error("this string is not closed on its line", code="CNN002", hint='a `"` is missing')
    return None


def _unexpected(s: Situation) -> Diagnostic:
    opener = s.opener
    related: tuple[Label, ...] = ()
    if opener is not None and opener.type != "LBRACE" and s.line(opener) != s.line(s.found):
        related = s.related(opener, "opened here") if CLOSER[opener.type] in s.accepts else ()
    expected, found = describe(s.accepts), describe_found(s.found)
    if s.interpolated:
        expected, found = (words.replace(THE_END, "`}`") for words in (expected, found))
    return s.error(f"expected {expected}, found {found}", related=related)


_RULES: tuple[Rule, ...] = (
    *slips_labels.RULES,
    _malformed,
    *slips_brackets.EARLY,
    *slips_statements.EARLY,
    *slips_expressions.RULES,
    *slips_statements.LATE,
    *slips_brackets.LATE,
)
