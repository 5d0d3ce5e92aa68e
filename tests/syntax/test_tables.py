"""The stored tables are those of the grammar, and are not trusted where they are not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from convspec.source import SourceFile
from convspec.syntax import grammar, parse, tables
from tests.syntax.helpers import short


def test_the_stored_tables_are_fresh() -> None:
    text = grammar.grammar_path().read_text("utf-8")
    assert json.loads(tables.PATH.read_text("utf-8")) == json.loads(tables.dump(text, grammar.build(text))), "run `make tables`"
    assert tables.load(text) is not None


@pytest.mark.parametrize("content", [None, '{"grammar": "file: NAME", "form": 2}', '{"data": {}, "memo": {}}'])
def test_other_tables_are_not_used(content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tables.json"
    if content is not None:
        path.write_text(content)
    monkeypatch.setattr(tables, "PATH", path)
    assert tables.load(grammar.grammar_path().read_text("utf-8")) is None


def test_tables_of_another_form_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = json.loads(tables.PATH.read_text("utf-8"))
    monkeypatch.setattr(tables, "PATH", tmp_path / "tables.json")
    tables.PATH.write_text(json.dumps(stored | {"form": 1}), "utf-8")
    assert tables.load(stored["grammar"]) is None


def test_both_ways_give_one_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = "model A { input x: float32[N, 3, 8, 8]\n output x -> a: 2 * [conv(4, 3x3) -> relu], x + 2 ** 3 * x }"
    first = parse(SourceFile("a", spec))
    grammar.loaded.cache_clear()
    monkeypatch.setattr(tables, "load", lambda *_: None)
    try:
        second = parse(SourceFile("a", spec))
    finally:
        grammar.loaded.cache_clear()
    assert short(first.items) == short(second.items)
