"""Where a parse goes on after an error, so that one run reports every independent one."""

from __future__ import annotations

from typing import Any

from convspec.syntax.machine import Machine
from convspec.syntax.situation import ITEMS, STATEMENTS, Situation, innermost_open, settled, start_of
from convspec.syntax.slips_brackets import begins_statement
from convspec.syntax.tokens import Token

_FILE_LEVEL = ITEMS | {"LET", "DEFAULT"}


def recover(machine: Machine, situation: Situation) -> int:
    """Takes the broken statement off the machine's stack; returns the index of the token to go on with.

    The statements already read in the body stay, so that what follows is read in its place. A body whose head is broken
    is read for its own errors, behind a stand-in for the head.
    """
    s = situation
    if _brace_forgotten(s):
        machine.feed(_token("LBRACE", "{", s.found))
        return s.at
    start = _after_open_brackets(s)
    margin = _column(s, s.tokens[s.statement])
    _cut(machine, settled(s.values))
    in_body = innermost_open(s.values, ("LBRACE",)) is not None
    if in_body and s.found.type in ITEMS and s.begins_line(s.at) and _unclosed_body(s):
        _cut(machine, _file_level(s.values))
        return s.at
    index = _resume_at(s, start, in_body, margin)
    if s.tokens[index].type == "LBRACE":
        _stand_in(machine, s.tokens[index], in_body)
    return index


def _brace_forgotten(s: Situation) -> bool:
    """Whether a head lacks its `{` while the `}` is there."""
    return "LBRACE" in s.accepts and s.begins_line(s.at) and any(token.type == "RBRACE" for token in s.brackets.extra)


def _cut(machine: Machine, length: int) -> None:
    del machine.values[length:]
    del machine.states[length + 1 :]


def _file_level(values: list[Any]) -> int:
    """How much of the stack lies before the item that is being read."""
    first_brace = next(i for i, value in enumerate(values) if getattr(value, "type", "") == "LBRACE")
    return settled(values[:first_brace])


def _unclosed_body(s: Situation) -> bool:
    index = innermost_open(s.values, ("LBRACE",))
    return index is not None and s.values[index].start_pos not in s.brackets.match


def _after_open_brackets(s: Situation) -> int:
    """The index past the parentheses and lists that are open and will be closed; `at` if there are none."""
    index = s.at
    if s.found.type == "EQUAL" and s.kind(-1) == "NAME" and s.begins_line(s.at - 1):
        index -= 1  # a new statement, of which the name was read as a part of the broken one
    for value in s.values[settled(s.values) :]:
        if getattr(value, "type", "") in ("LPAR", "LSQB"):
            index = max(index, s.brackets.match.get(value.start_pos, -1) + 1)
    return index


def _column(s: Situation, token: Token) -> int:
    return s.file.line_column(token.start_pos)[1]


def _resume_at(s: Situation, index: int, in_body: bool, margin: int) -> int:
    """The index of the next token that begins a statement or item, closes the body, or opens one; else of the last."""
    while s.tokens[index].type != "$END":
        token = s.tokens[index]
        if (token.type == "RBRACE" and in_body) or _begins(s, index, in_body, margin):
            return index
        if token.type == "LBRACE" and s.begins_line(index + 1):
            return index
        skips = token.type in ("LPAR", "LSQB", "LBRACE")
        index = s.brackets.match.get(start_of(token), index) + 1 if skips else index + 1
    return index


def _begins(s: Situation, index: int, in_body: bool, margin: int) -> bool:
    token = s.tokens[index]
    if not s.begins_line(index):
        return in_body and index > s.at and token.type in STATEMENTS - {"IF", "FOR", "DEFAULT"}
    if token.type in _FILE_LEVEL:
        misplaced = token.type in ITEMS if in_body else token.type == "LANGUAGE"
        return index > s.at or not misplaced
    if not in_body:
        return False
    return begins_statement(s, index) and (token.type != "NAME" or _column(s, token) <= margin)


def _stand_in(machine: Machine, brace: Token, in_body: bool) -> None:
    """Feeds `if true` or `block x()` before a brace, so that the body behind it can be read."""
    head = [("IF", "if"), ("TRUE", "true")] if in_body else [("BLOCK", "block"), ("NAME", "x"), ("LPAR", "("), ("RPAR", ")")]
    for kind, text in head:
        machine.feed(_token(kind, text, brace))


def _token(kind: str, text: str, before: Token) -> Token:
    """A token that the text does not have."""
    return Token(kind, text, before.start_pos, before.start_pos)
