"""The one grammar, loaded once: lexing of a text, and a fresh LALR machine for each parse."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convspec.syntax import tables
from convspec.syntax.machine import Build, Machine, Part, Rule, Tables
from convspec.syntax.tokens import Token

if TYPE_CHECKING:
    from lark import Lark

MALFORMED = ("MALFORMED_NUMBER", "UNTERMINATED_STRING", "UNKNOWN")
"""Tokens that no rule takes: what the lexer calls characters that make no sense."""

START_FILE = "file"
START_EXPRESSION = "interpolated"


def grammar_path() -> Path:
    """`convspec/grammar/convspec.lark` in an installed copy, `grammar/convspec.lark` beside the package in a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "grammar" / "convspec.lark"
    return installed if installed.is_file() else package.parent / "grammar" / "convspec.lark"


class _KeepMalformed:
    """Lark drops tokens that no rule uses, except those that a post-lexer asks for."""

    always_accept = MALFORMED

    def process(self, stream: Iterable[Any]) -> Iterable[Any]:
        return stream


def build(text: str) -> Lark:
    """A grammar as Lark understands it. Lark is imported here, and only to make tables."""
    from lark import Lark

    return Lark(
        text,
        parser="lalr",
        lexer="basic",
        start=[START_FILE, START_EXPRESSION],
        postlex=_KeepMalformed(),
        keep_all_tokens=True,
        maybe_placeholders=False,
    )


@cache
def lark() -> Lark:
    """The grammar as Lark understands it: what the tables are made from, and held against."""
    return build(grammar_path().read_text("utf-8"))


@cache
def loaded() -> Tables:
    """The tables, stored or made."""
    text = grammar_path().read_text("utf-8")
    return tables.load(text) or tables.read(json.loads(tables.dump(text, build(text))))


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile(loaded().pattern)


def tokens(text: str, start: int, end: int) -> list[Token]:
    """Every token of `text[start:end]`, comments too, with the offsets that it has in `text`. Never fails."""
    words, make = loaded().words, str.__new__
    found: list[Token] = []
    for match in _pattern().finditer(text, start, end):
        kind = match.lastgroup
        if kind == "SPACE":
            continue
        # As `Token(kind, word, *match.span())`, in half the time: this is done for every token of a spec.
        token = make(Token, match.group())
        token.type = words.get(token, "NAME") if kind is None or kind == "NAME" else kind
        token.start_pos, token.end_pos = match.span()
        found.append(token)
    return found


def callbacks(actions: Any) -> list[Build]:
    """For every rule what is to be done when it is complete: the method of `actions` that has its name."""
    return [_callback(rule, actions) for rule in loaded().rules]


def _callback(rule: Rule, actions: Any) -> Build:
    if rule.single:
        return None
    make = (lambda children: Part(rule.name, children)) if rule.name.startswith("_") else getattr(actions, rule.name)
    return _splicing(make, rule.spliced) if rule.spliced else make


def _splicing(make: Any, spliced: tuple[int, ...]) -> Build:
    """What lays open the children of parts, and then makes a value of all."""

    def build(children: list[Any]) -> Any:
        # A list that grows at its end is the first child: it is lengthened, not copied.
        found = children[0].children if spliced[0] == 0 else children[:1]
        for at in range(1, len(children)):
            if at in spliced:
                found += children[at].children
            else:
                found.append(children[at])
        return make(found)

    return build


def machine(start_rule: str, builds: list[Build]) -> Machine:
    """An LALR machine that begins with `start_rule` and does what `callbacks` gave."""
    return Machine(loaded(), start_rule, builds)
