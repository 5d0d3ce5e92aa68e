"""The one grammar, loaded once: lexing of a text, and a fresh LALR machine for each parse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lark import Lark, Token
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
    from lark import Lark

    return Lark(
        grammar_path().read_text("utf-8"),
        parser="lalr",
        lexer="basic",
        start=[START_FILE, START_EXPRESSION],
        postlex=_KeepMalformed(),
        keep_all_tokens=True,
        maybe_placeholders=False,
    )


def tokens(text: str, offset: int = 0) -> Iterator[Token]:
    """Every token of `text`, white space and comments too; positions count from `offset`. Never fails."""
    for token in lark().lex(text, dont_ignore=True):
        token.start_pos += offset
        token.end_pos += offset
        yield token


def machine(start: str, actions: Any) -> InteractiveParser:
    """An LALR machine that calls the method of `actions` named after each rule as soon as the rule is complete.

    A Lark object binds its actions when it is built; here each parse has its own, so that they may carry the file.
    """
    from lark import Tree
    from lark.parse_tree_builder import ParseTreeBuilder

    parser = lark().parse_interactive(start=start)
    parser.parser_state.parse_conf.callbacks = ParseTreeBuilder(lark().rules, Tree).create_callback(actions)
    return parser
