"""The grammar itself: LALR(1) without a conflict, complete, and found wherever the package lies."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from lark import Lark
from lark.grammar import NonTerminal

from convspec.syntax import grammar
from convspec.syntax.build import Builder
from convspec.syntax.situation import KEYWORDS

TEXT = grammar.grammar_path().read_text("utf-8")


def test_there_is_no_conflict(caplog: pytest.LogCaptureFixture) -> None:
    """Lark resolves shift/reduce conflicts in silence unless it is asked to speak."""
    from lark import logger

    caplog.set_level(logging.DEBUG, logger=logger.name)
    logger.addHandler(caplog.handler)
    try:
        Lark(TEXT, parser="lalr", lexer="basic", start=[grammar.START_FILE, grammar.START_EXPRESSION], debug=True)
        Lark('start: "when" start | "when" start "else" start | "x"', parser="lalr", debug=True)
    finally:
        logger.removeHandler(caplog.handler)
    conflicts = {record.getMessage() for record in caplog.records if "conflict" in record.getMessage().lower()}
    # That of the second grammar, which shows that a conflict would be seen.
    assert conflicts == {"Shift/Reduce conflict for terminal ELSE: (resolving as shift)"}


def test_every_rule_has_its_method() -> None:
    rules = {rule.alias or rule.origin.name for rule in grammar.lark().rules}
    inlined = {rule.origin.name for rule in grammar.lark().rules if rule.options.expand1 and not rule.alias}
    built = {rule for rule in rules if not rule.startswith("_")} - inlined
    assert built == {name for name in built if callable(getattr(Builder, name, None))}
    assert {"pipeline", "binary", "slice_to", "return_", "interpolated"} <= built


def test_what_is_inlined_never_has_two_children() -> None:
    """A rule that stands for its only child (`?sum`) must build a node by an alias wherever it has more."""
    for rule in grammar.lark().rules:
        if rule.options.expand1 and not rule.alias:
            assert len(rule.expansion) == 1, rule
            assert isinstance(rule.expansion[0], NonTerminal), rule


def test_keywords_are_those_of_the_grammar() -> None:
    words = {t.name for t in grammar.lark().terminals if t.pattern.type == "str" and t.pattern.value.isalpha()}
    assert words == KEYWORDS


def test_it_is_found_in_a_checkout_and_in_an_installed_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).parent.parent.parent
    assert grammar.grammar_path() == root / "grammar" / "convspec.lark"

    package = tmp_path / "site-packages" / "convspec"
    installed = package / "grammar" / "convspec.lark"
    installed.parent.mkdir(parents=True)
    installed.write_text(TEXT, "utf-8")
    monkeypatch.setattr(grammar, "__file__", str(package / "syntax" / "grammar.py"))
    assert grammar.grammar_path() == installed


def test_the_wheel_is_told_to_carry_it() -> None:
    import tomllib

    project = tomllib.loads((Path(__file__).parent.parent.parent / "pyproject.toml").read_text("utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included == {"grammar/convspec.lark": "convspec/grammar/convspec.lark"}
