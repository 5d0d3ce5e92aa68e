"""`##` lines: which thing they document."""

from __future__ import annotations

import pytest

from convspec.syntax import ast
from tests.syntax.helpers import file

MODEL = "model M { input x: float32[N] output x }"


def docs(text: str) -> tuple[str, list[str]]:
    """The file's documentation, and that of each item that can have some."""
    tree = file(text)
    return tree.doc, [item.doc for item in tree.items if isinstance(item, ast.Block | ast.Configuration | ast.Let)]


@pytest.mark.parametrize(
    ("text", "of_file", "of_items"),
    [
        (f"## one\n{MODEL}", "", ["one"]),
        (f"## one\n##   two\n##\n## three  \n{MODEL}", "", ["one\n  two\n\nthree"]),
        (f"##one\n{MODEL}", "", ["one"]),
        (f"## file\n\n{MODEL}", "file", [""]),
        (f"## file\n## more\n\n## model\n{MODEL}", "file\nmore", ["model"]),
        (f"# licence\n\n## file\n\n## model\n{MODEL}", "file", ["model"]),
        (f"## file\nlanguage 1\n## model\n{MODEL}", "file", ["model"]),
        (f'## file\nuse A from "a.cnn"\n## model\n{MODEL}', "file", ["model"]),
        (f"language 1\n## model\n{MODEL}", "", ["model"]),
        (f"language 1\n\n## model\n\n{MODEL}", "", ["model"]),
        ("## a\nlet A = 1\n## b\nlet B = 2 ## not c\nlet C = 3", "", ["a", "b", ""]),
        ("let A = 1\n## one\n\n## two\nlet B = 2", "", ["", "one\n\ntwo"]),
        (f"### a line\n#### another\n# plain\n{MODEL}", "", [""]),
        (f"## one\n# plain\n## two\n{MODEL}", "", ["one\ntwo"]),
        (f"\r\n## file\r\n\r\n## model\r\n{MODEL}\r\n", "file", ["model"]),
        (f"## ends\n\n{MODEL}\n## after everything", "ends", [""]),
        ("## a\nmodel A = B()", "", ["a"]),
    ],
)
def test_docs(text: str, of_file: str, of_items: list[str]) -> None:
    assert docs(text) == (of_file, of_items)


def test_inputs_and_constants_of_a_body() -> None:
    (model,) = file(
        """
        model M {
            ## the picture
            input x: float32[N]
            ## lost: a binding has no documentation
            y = x
            input z: float32[N]
            ## a half
            let n = 2 ** -1
            output y
        }
        """
    ).items
    assert isinstance(model, ast.Block)
    found = [s.doc for s in model.body.statements if isinstance(s, ast.Input | ast.Let)]
    assert found == ["the picture", "", "a half"]


def test_a_hash_in_a_string_is_no_comment() -> None:
    (let,) = file('let A = "## b # c"').items
    assert isinstance(let, ast.Let)
    assert isinstance(let.value, ast.StrLit)
    assert let.value.parts == ("## b # c",)
