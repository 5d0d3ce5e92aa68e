"""The Pygments lexer."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import pytest
from pygments.token import Comment, Error, Keyword, Name, Number, Operator, String

from convspec.highlight import CnnLexer
from convspec.syntax import grammar

ROOT = Path(__file__).parents[2]
SPECS = sorted([*(ROOT / "convspec").rglob("*.cnn"), *(ROOT / "examples").glob("*.cnn")])


def kinds(text: str) -> list[tuple[object, str]]:
    """Tokens with something in them."""
    return [(kind, value) for kind, value in CnnLexer().get_tokens(text) if value.strip()]


@pytest.mark.parametrize("path", SPECS, ids=[path.stem for path in SPECS])
def test_a_spec_has_no_odd_token_and_is_all_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = list(CnnLexer(stripnl=False).get_tokens(text))
    assert "".join(value for _, value in found) == text
    assert not [value for kind, value in found if kind in Error]


def test_every_keyword_of_the_grammar_is_one() -> None:
    expected = {"and", "or", "not"}
    for word in grammar.loaded().words:
        if word.isalpha():
            ((kind, _),) = kinds(word)
            assert kind in (Operator.Word if word in expected else Keyword), word


def test_what_the_words_are() -> None:
    text = (
        "## Doc.\n# note\nblock B(x: tensor, width: int = 3) {\n"
        '    y = x -> "a{i + 1}\\n": conv(width, 3x3, eps = 1e-5) -> norm1: batchnorm -> foo\n}'
    )
    found = {value: kind for kind, value in kinds(text)}
    expected = {
        "## Doc.": String.Doc, "# note": Comment.Single, "block": Keyword.Declaration, "B": Name.Class, "tensor": Keyword.Type,
        "int": Keyword.Type, "y": Name.Variable, "conv": Name.Builtin, "3x3": Number.Integer, "eps": Name.Variable,
        "1e-5": Number.Float, "norm1": Name.Label, "batchnorm": Name.Builtin, "foo": Name, "{": String.Interpol, "i": Name,
        "\\n": String.Escape, "->": Operator,
    }  # fmt: skip
    assert {value: found[value] for value in expected if value != "{"} == {v: k for v, k in expected.items() if v != "{"}
    assert (String.Interpol, "{") in kinds(text)


@pytest.mark.parametrize("text", ['x = "open', 'x = "a{b', 'x = "{"', "%&§ ß 1.2.3 0x", '"\\'])
def test_any_text_is_taken_whole(text: str) -> None:
    assert "".join(value for _, value in CnnLexer(stripnl=False, ensurenl=False).get_tokens(text)) == text


def test_an_open_string_ends_with_its_line() -> None:
    assert (Name.Builtin, "relu") in kinds('x = "open\ny = relu')
    assert (Name.Builtin, "relu") in kinds('x = "open {a\ny = relu')


def test_it_is_registered() -> None:
    (point,) = entry_points(group="pygments.lexers", name="cnn")
    assert point.load() is CnnLexer
