"""The stored tables are those of the grammar, and are not trusted where they are not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from convspec.source import SourceFile
from convspec.syntax import grammar, parse, tables


def test_the_stored_tables_are_fresh() -> None:
    text = grammar.grammar_path().read_text("utf-8")
    stored, made = json.loads(tables.PATH.read_text()), json.loads(tables.dump(grammar.build(text), text))
    assert stored["made_from"] == made["made_from"], "run `make tables`"
    assert tables.load(text, None) is not None


@pytest.mark.parametrize("content", [None, '{"made_from": {"grammar": "0", "lark": "0"}, "data": {}, "memo": {}}'])
def test_other_tables_are_not_used(content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tables.json"
    if content is not None:
        path.write_text(content)
    monkeypatch.setattr(tables, "PATH", path)
    assert tables.load(grammar.grammar_path().read_text("utf-8"), None) is None


def test_both_ways_give_one_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = "model A { input x: float32[N, 3, 8, 8]\n output x -> a: 2 * [conv(4, 3x3) -> relu], x + 2 ** 3 * x }"
    first = parse(SourceFile("a", spec))
    grammar.lark.cache_clear()
    monkeypatch.setattr(tables, "load", lambda *_: None)
    second = parse(SourceFile("a", spec))
    grammar.lark.cache_clear()
    assert _shape(first) == _shape(second)


def _shape(node: object) -> object:
    """A tree as nested tuples, without places."""
    if isinstance(node, tuple):
        return tuple(_shape(item) for item in node)
    names = getattr(type(node), "__slots__", ())
    return (type(node).__name__, *(_shape(getattr(node, name)) for name in names if "span" not in name)) if names else node
