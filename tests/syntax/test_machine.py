"""Our lexer and machine against Lark's own, on every spec there is and on broken ones: the same tokens, trees and errors."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lark import Tree, UnexpectedToken
from lark.lexer import LexerThread
from lark.parse_tree_builder import ParseTreeBuilder
from lark.parsers.lalr_interactive_parser import InteractiveParser

from convspec.diagnostics import Failure
from convspec.diagnostics.render import render
from convspec.source import SourceFile
from convspec.syntax import grammar, parse, tables
from convspec.syntax.tokens import Token

ROOT = Path(__file__).parent.parent.parent
ODD = [
    "&&",
    "“",
    "..",
    ".5",
    "1x",
    "##x\n",
    "#y\n",
    "é",
    ";;",
    "'",
    "3.",
    "1_",
    "5M",
    '"a{b',
    '"{x + 1}"',
    "[[[",
    "}}",
    "->",
    "-" * 90,
]
LEXER = tables.lexer(grammar.lark())


def specs() -> list[str]:
    """Examples, libraries, and every piece of text in the cases of the tests."""
    files = sorted([*(ROOT / "examples").rglob("*.cnn"), *(ROOT / "convspec" / "std").rglob("*.cnn")])
    cases = sorted((ROOT / "tests" / "cases").rglob("*.md"))
    found = [path.read_text("utf-8") for path in files]
    return found + [text for path in cases for text in re.findall(r"```\w*\n(.*?)```", path.read_text("utf-8"), re.DOTALL)]


def broken(count: int) -> Iterator[str]:
    """Small specs with a few words or signs left out, put in, or replaced."""
    rng = random.Random(7)
    small = [re.findall(r"\w+|\s+|[^\w\s]", text) for text in specs() if len(text) < 1200]
    for _ in range(count):
        words = list(rng.choice(small))
        for _ in range(rng.choice([1, 1, 2, 3])):
            at = rng.randrange(len(words) + 1)
            words[at : at + rng.randrange(2)] = rng.choice([[], [rng.choice(ODD)], [rng.choice(rng.choice(small))]])
        yield "".join(words)


class LarksMachine:
    """Lark's machine behind the face of ours."""

    def __init__(self, start_rule: str, actions: Any) -> None:
        builder = ParseTreeBuilder(grammar.lark().rules, Tree)
        self.parser: InteractiveParser = grammar.lark().parse_interactive(start=start_rule)
        self.parser.parser_state.parse_conf.callbacks = builder.create_callback(actions)
        self.values, self.states = self.parser.parser_state.value_stack, self.parser.parser_state.state_stack
        self.complete = False

    def feed(self, token: Token) -> None:
        self.parser.feed_token(token)

    def run(self, tokens: list[Token], index: int, tallest: int) -> int:
        for at in range(index, len(tokens)):
            try:
                self.parser.feed_token(tokens[at])
            except UnexpectedToken:
                return at
            if tokens[at].type == "$END":
                self.complete = True
                return at
            if len(self.values) > tallest:
                return at
        return len(tokens)

    def accepts(self) -> frozenset[str]:
        return frozenset(self.parser.accepts())


def parsed(text: str) -> str:
    try:
        return repr(parse(SourceFile("a.cnn", text)))
    except Failure as failure:
        return render(failure.diagnostics)


def parsed_by_lark(text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    with monkeypatch.context() as patch:
        patch.setattr(grammar, "callbacks", lambda actions: actions)
        patch.setattr(grammar, "machine", LarksMachine)
        return parsed(text)


def test_the_tokens_are_larks() -> None:
    for text in [
        *specs(),
        *broken(150),
        "".join(chr(code) for code in range(1, 300)),
        "1.e5 .. ... .5.5 a.b 3x3x 1..2 ==> <=- **-",
    ]:
        larks = [(str(t), t.type, t.start_pos, t.end_pos) for t in LexerThread.from_text(LEXER, text).lex(None)]
        assert [(str(t), t.type, t.start_pos, t.end_pos) for t in grammar.tokens(text, 0, len(text))] == larks, text


def test_a_part_of_a_text_has_the_offsets_of_the_whole() -> None:
    assert [(str(t), t.start_pos, t.end_pos) for t in grammar.tokens("ab cd ef", 1, 5)] == [("b", 1, 2), ("cd", 3, 5)]
    assert [str(t) for t in grammar.tokens("123456", 1, 3)] == ["23"]


def test_the_trees_of_all_specs_are_larks(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in specs():
        assert parsed(text) == parsed_by_lark(text, monkeypatch), text


def test_the_errors_of_broken_specs_are_larks(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = 0
    for text in broken(250):
        found = parsed(text)
        assert found == parsed_by_lark(text, monkeypatch), text
        wrong += found.startswith("error")
    assert wrong > 150


def test_what_would_fit_is_what_fits() -> None:
    """`accepts` tries without building; each type it names can be taken, and no other."""
    tokens = grammar.tokens("model A { input x: float32[N, 3] output x -> a: 2 * [conv(4", 0, 60)
    kinds = {kind for row in grammar.loaded().rows for kind in row if kind.isupper() and kind != "$END"}
    for end in range(len(tokens) + 1):
        fitting = set()
        for kind in sorted(kinds):
            machine = grammar.machine(grammar.START_FILE, [None if rule.single else list for rule in grammar.loaded().rules])
            machine.run(tokens[:end])
            fitting |= {kind} if machine.run([Token(kind, "", 0, 0)]) == 1 else set()
        machine = grammar.machine(grammar.START_FILE, [None if rule.single else list for rule in grammar.loaded().rules])
        machine.run(tokens[:end])
        assert machine.accepts() - {"$END"} == fitting
