"""Slips with labels and names: without the quotes that they need, or put together where they cannot be."""

from __future__ import annotations

from convspec.diagnostics import Diagnostic, Fix, error
from convspec.source import Span
from convspec.syntax.situation import KEYWORDS, Situation

_PARTS = frozenset({"NAME", "INT", "FLOAT", "SIZE", "DOT", "MINUS", "MALFORMED_NUMBER"}) | KEYWORDS
_GOES_ON = frozenset({"ELSE", "THEN"})
"""Keywords that rather go on with a value than name a stage."""


def bare_label(s: Situation) -> Diagnostic | None:
    """`-> layer1.0.conv1: conv(…)`, `-> conv-1: relu`, `-> stage{i}: relu`, `-> input: relu`, `output p{i} = x`."""
    first, end = _begin(s), _end(s)
    kind = s.tokens[first].type
    if kind not in KEYWORDS | {"NAME"} or s.tokens[end].type != _follower(s, first):
        return None
    if end <= first or (end == first + 1 and kind in _GOES_ON | {"NAME"}):
        return None
    span = _span(s, first, end)
    if '"' in span.text:
        return None
    what = "interpolates" if "{" in span.text else "is a keyword" if end == first + 1 else "has `.` or `-`"
    hint = f'write "{span.text}"'
    return error("CNN001", f"a label that {what} stands in quotes", span, hint=hint, fix=Fix(span, f'"{span.text}"', hint))


def built_name(s: Situation) -> Diagnostic | None:
    """`y{i} = x -> relu`."""
    first, end = _begin(s), _end(s)
    if s.found.type != "LBRACE" or first != s.statement or s.head != "NAME" or s.tokens[end].type != "EQUAL":
        return None
    hint = "a list holds several tensors: ys = [x -> relu for i in 0..3], and ys[0] is the first"
    return error("CNN001", "the name of a tensor does not interpolate", _span(s, first, end), hint=hint)


def _span(s: Situation, first: int, end: int) -> Span:
    """From a token to the one before `end`."""
    return s.span(s.tokens[first]).to(s.span(s.tokens[end - 1]))


def _follower(s: Situation, first: int) -> str | None:
    """What follows a label, by what stands before its first token; None where no label can be."""
    before = s.kind(first - s.at - 1)
    in_group = before == "LSQB" and s.kind(first - s.at - 2) in ("ARROW", "COLON", "STAR")
    return "EQUAL" if before == "OUTPUT" else "COLON" if before == "ARROW" or in_group else None


def _begin(s: Situation) -> int:
    """The index of the first of the tokens that are joined to the one found."""
    first = s.at
    while first > 0 and s.tokens[first - 1].type in _PARTS and s.tokens[first - 1].end_pos == s.tokens[first].start_pos:
        first -= 1
    return first


def _end(s: Situation) -> int:
    """The index of the token after what is joined to the one found: levels, and what stands in braces within a line."""
    end, last = s.at, len(s.tokens) - 1
    while end < last:
        if s.tokens[end].type == "LBRACE":
            while end < last and s.tokens[end].type != "RBRACE" and not s.begins_line(end + 1):
                end += 1
        elif s.tokens[end].type not in _PARTS:
            break
        end = min(end + 1, last)
        if s.tokens[end - 1].end_pos != s.tokens[end].start_pos:
            break
    return end


RULES = (bare_label, built_name)

__all__ = ["RULES"]
