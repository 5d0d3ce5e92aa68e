"""What is offered at a place, and what is said of the call that is being written."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types

from convspec.lsp.completion import completion
from convspec.lsp.signature import signature_help
from tests.lsp.helpers import Session, ask, at, run

HEAD = "block Twice(x: tensor, width: int, act: stage = relu) {\n    return x -> first: conv(width, 3x3) -> act\n}\n\n"
HEAD += "let BASE = 8\n\n"
MODEL = HEAD + "model Net {\n    input image: float32[N, 3, 8, 8]\n    y = image -> relu\n    "


def offered(marked: str) -> list[str]:
    return [item.label for item in ask(marked, completion).items]


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("x = y -> |", ["conv", "relu", "Twice"], ["BASE", "image", "input", "len"]),
        ('x = y -> "stage{|', ["image", "y"], ["conv"]),
        ("x = y -> |", ["first:"], []),
        ("x = y -> first: conv(8, 1) -> |", ["relu"], ["first:"]),
        ("x = y -> co|", ["conv", "Twice"], ["image"]),
        ("x = y -> conv(|", ["filters", "kernel", "stride", "image", "BASE"], ["return"]),
        ("x = y -> conv(8, 3x3, |", ["stride", "pad", "groups"], ["filters", "kernel"]),
        ("x = y -> conv(8, 3x3, stride = 2, |)", ["pad"], ["stride", "filters"]),
        ("x = y -> conv(8, 3x3, pad = |", ["same"], ["stride"]),
        ("x = y -> conv(8, 3x3, init = |", ["kaiming_normal", "zeros"], []),
        ("x = y -> conv(8, 3x3, bias = |", ["true", "false"], []),
        ("x = y -> conv(8, 3x3, pad_mode = |", ["zeros", "reflect"], ["same"]),
        ("z = y -> Twice(|", ["width", "act"], ["x"]),
        ("x = y -> Twice(8, act = |", ["relu", "gelu"], ["width"]),
        ("x = Twice(|", ["x", "width"], []),
        ("x = y.|", ["channels", "height"], ["conv"]),
        ("x = y.ch|", ["channels"], ["conv"]),
        ("|", ["output", "for", "if", "layer", "let", "default"], ["return", "block"]),
        ("x = |", ["image", "y", "BASE", "concat", "len"], []),
        ("x = y -> stem: |", ["conv", "Twice"], ["BASE"]),
        ("x = y -> 2 * |", ["conv", "Twice"], []),
        ("layer tower = |", ["conv", "Twice"], []),
        ("input mask: |", ["float32", "bool"], ["conv"]),
        ('x = "|', [], ["conv", "image"]),
        ("# |", [], ["conv", "output"]),
        ("assert |", ["params", "macs", "y"], []),
    ],
)
def test_in_a_model(text: str, wanted: list[str], unwanted: list[str]) -> None:
    found = offered(MODEL + text + ("" if "\n" in text else "\n}\n"))
    assert set(wanted) <= set(found), found
    assert not set(unwanted) & set(found)


def test_at_the_top_of_a_file() -> None:
    assert offered("|") == ["block", "model", "let", "use", "default"]
    assert offered(HEAD + "|") == ["block", "model", "let", "use", "default"]
    assert "conv" in offered("default |")


def test_in_a_block() -> None:
    found = offered("block B(x: tensor) {\n    |\n}\n")
    assert "return" in found and "input" not in found
    assert "tensor" in offered("block B(x: |) {\n}\n")


def test_the_word_that_was_begun_is_replaced() -> None:
    async def work(session: Session) -> None:
        text, offset = at("model M {\n    input é: float32[1, 3, 4, 4]\n    # 😀\n    x = é -> co|nv\n}\n")
        document = await session.open(text)
        found = completion(session.project, document, document.lines.position(offset))
        edit = next(item.text_edit for item in found.items if item.label == "conv_transpose")
        assert edit is not None and hasattr(edit, "range")
        assert document.lines.offset(edit.range.start) == offset - 2
        assert edit.new_text == "conv_transpose"

    run(work)


def test_a_space_asks_only_where_something_is_expected() -> None:
    def asked(marked: str) -> list[types.CompletionItem]:
        return ask(MODEL + marked, lambda project, document, at: list(completion(project, document, at, " ").items))

    assert asked("x = y -> |\n}\n") and asked("x = |\n}\n")
    assert not asked("x = y |\n}\n") and not asked("# a |\n}\n") and not asked('x = "a |"\n}\n')


def test_a_parameter_brings_its_default() -> None:
    found = {item.label: item for item in ask(MODEL + "x = y -> conv(8, 3, |)\n}\n", completion).items}
    assert found["stride"].detail == "stride = 1"
    assert getattr(found["stride"].text_edit, "new_text", "") == "stride = "


def test_paths_and_the_names_behind_them(tmp_path: Path) -> None:
    (tmp_path / "blocks").mkdir()
    (tmp_path / "blocks" / "mine.cnn").write_text("block Mine(x: tensor) { return x }\n")
    uri = (tmp_path / "net.cnn").as_uri()

    async def work(session: Session) -> None:
        for marked, wanted in (
            ('use Mine from "|"', "blocks/mine.cnn"),
            ('use Mine from "|"', "std:attention"),
            ('use | from "blocks/mine.cnn"', "Mine"),
            ('use | from "std:attention"', "SqueezeExcite"),
            ('use Mine |', "from"),
        ):  # fmt: skip
            text, offset = at(marked)
            document = await session.open(text, uri)
            found = completion(session.project, document, document.lines.position(offset))
            assert wanted in [item.label for item in found.items]
            session.project.close(uri)

    run(work, tmp_path)


@pytest.mark.parametrize(
    ("text", "label", "active"),
    [
        ("x = y -> conv(|", "conv(filters, kernel, stride = 1", 0),
        ("x = y -> conv(8, |", "conv(filters", 1),
        ("x = y -> conv(8, 3, pad = |", "conv(filters", 3),
        ("x = y -> Twice(8, |", "Twice(width: int, act: stage = relu)", 1),
        ("x = Twice(y, |", "Twice(x: tensor, width: int", 1),
        ("x = y -> conv(len([1, |", "", None),
        ("x = y -> relu |", "", None),
    ],
)
def test_signatures(text: str, label: str, active: int | None) -> None:
    found = ask(MODEL + text + "\n}\n", signature_help)
    if active is None:
        assert found is None
    else:
        assert found is not None and found.signatures[0].label.startswith(label)
        assert found.active_parameter == active
