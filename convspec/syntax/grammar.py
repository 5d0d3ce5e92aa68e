"""The one grammar, loaded once: lexing of a text, and a fresh LALR machine for each parse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convspec.syntax import tables

if TYPE_CHECKING:
    from lark import Lark, Token
    from lark.lexer import Lexer
    from lark.parsers.lalr_interactive_parser import InteractiveParser

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

    def process(self, stream: Iterable[Token]) -> Iterable[Token]:
        return stream


@cache
def lark() -> Lark:
    """The parser generator's tables. Lark is imported here, at the first parse."""
    text = grammar_path().read_text("utf-8")
    return tables.load(text, _KeepMalformed()) or build(text)


def build(text: str) -> Lark:
    """The tables of a grammar, worked out."""
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
def _lexer() -> Lexer:
    """A lexer that gives out comments, too, which the grammar ignores."""
    from lark.lexer import BasicLexer

    conf = copy(lark().lexer_conf)
    conf.ignore = ("SPACE",)
    return BasicLexer(conf)


def tokens(text: str, offset: int = 0) -> Iterator[Token]:
    """Every token of `text`, comments too; positions count from `offset`. Never fails."""
    from lark.lexer import LexerThread

    for token in LexerThread.from_text(_lexer(), text).lex(None):
        token.start_pos += offset
        token.end_pos += offset
        yield token


def callbacks(actions: Any) -> dict[Any, Any]:
    """For every rule what is to be done when it is complete: the method of `actions` that has its name."""
    from lark import Tree
    from lark.parse_tree_builder import ParseTreeBuilder

    found: dict[Any, Any] = ParseTreeBuilder(lark().rules, Tree).create_callback(actions)
    return found


def machine(start: str, actions: dict[Any, Any]) -> InteractiveParser:
    """An LALR machine that begins with `start` and does what `callbacks` gave.

    A Lark object binds its actions when it is built; here each parse has its own, so that they may carry the file.
    """
    parser = lark().parse_interactive(start=start)
    parser.parser_state.parse_conf.callbacks = actions
    return parser
