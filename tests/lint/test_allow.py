"""Comments that silence warnings: what they reach, what is wrong with them, and that the formatter leaves them in force."""

from __future__ import annotations

from pathlib import Path

import pytest

from convspec.elaborate import opened, opened_text
from convspec.format import format_text
from convspec.lint import text_only, warnings

HEAD = "    input x: float32[N, 3, 32, 32]\n"


def codes(text: str, *models: str) -> list[str]:
    spec = opened_text(text)
    return [each.code for each in warnings(*(spec.module(name) for name in models or spec.models()))]


def model(body: str, above: str = "") -> str:
    return f"{above}model Net {{\n{HEAD}{body}\n}}\n"


BIAS = "conv(8, 3x3) -> batchnorm"

REACHES = {
    "the end of its line": model(f"    output x -> {BIAS}  # allow: CNN110 as published"),
    "the end of a line of a pipeline": model(f"    output x\n        -> {BIAS}  # allow: CNN110 as published\n        -> relu"),
    "the line below, in a pipeline": model(f"    output x\n        # allow: CNN110 as published\n        -> {BIAS}"),
    "a statement": model(f"    # allow: CNN110 as published\n    output x\n        -> relu\n        -> {BIAS}"),
    "a loop": model(
        "    # allow: CNN110 as published\n    for i in 0..2 {\n"
        f"        x = x -> {BIAS}\n        x = x -> {BIAS}\n    }}\n    output x"
    ),
    "a model": model(f"    y = x -> {BIAS}\n    output y -> {BIAS}", "# allow: CNN110 as published\n"),
    "a block, with its documentation between": "# allow: CNN110 as published\n## A unit.\n"
    + f"block Unit(x: tensor) {{\n    return x -> {BIAS}\n}}\n"
    + model("    output x -> Unit"),
    "several codes": model(f"    output x -> {BIAS} -> relu -> relu  # allow: CNN110, CNN114 as published"),
    "small letters, no space": model(f"    output x -> {BIAS}  #allow:cnn110: as published"),
    "a reason in another script": model(f"    output x -> {BIAS}  # allow: CNN110 論文の通り"),
    "two comments above each other": model(
        f"    # allow: CNN110 as published\n    # allow: CNN114 as published too\n    output x -> {BIAS} -> relu -> relu"
    ),
}

WRONG = {
    "no reason": (model(f"    output x -> {BIAS}  # allow: CNN110"), ["CNN190"]),
    "a dash is no reason": (model(f"    output x -> {BIAS}  # allow: CNN110 --"), ["CNN190"]),
    "another code": (model(f"    output x -> {BIAS}  # allow: CNN111 as published"), ["CNN110", "CNN191"]),
    "the wrong line": (model(f"    # allow: CNN110 as published\n    y = x\n    output y -> {BIAS}"), ["CNN191", "CNN110"]),
    "the end of the file": (model(f"    output x -> {BIAS}") + "# allow: CNN110 as published\n", ["CNN110", "CNN191"]),
    "one of two codes": (model(f"    output x -> {BIAS}  # allow: CNN110, CNN114 as published"), ["CNN191"]),
    "an error": (model("    output x  # allow: CNN031 why"), ["CNN192"]),
    "a warning of comments": (model("    output x  # allow: CNN190 why"), ["CNN192"]),
    "an unknown code": (model("    output x  # allow: CNN999 why"), ["CNN192"]),
    "no code": (model("    output x  # allow: all of it"), ["CNN192"]),
    "no colon": (model(f"    output x -> {BIAS}  # allow CNN110 as published"), ["CNN110", "CNN192"]),
    "documentation is no comment": (f"## allow: CNN110 as published\n{model(f'    output x -> {BIAS}')}", ["CNN110"]),
}

PROSE = ["# allow the user to choose", "# allowance: 3", "# we allow: CNN110 elsewhere", "# disallow: CNN110"]


@pytest.mark.parametrize("title", REACHES)
def test_what_a_comment_reaches(title: str) -> None:
    assert codes(REACHES[title]) == []
    assert codes(REACHES[title].replace("llow", "lowed")) != [], "without it there is something to silence"


@pytest.mark.parametrize("title", REACHES)
def test_the_formatter_leaves_it_in_force(title: str) -> None:
    made = format_text(REACHES[title])
    assert made.lower().replace(" ", "").count("#allow:cnn") == REACHES[title].lower().replace(" ", "").count("#allow:cnn")
    assert codes(made) == []


@pytest.mark.parametrize("title", WRONG)
def test_what_is_wrong_with_a_comment(title: str) -> None:
    text, expected = WRONG[title]
    assert codes(text) == expected


@pytest.mark.parametrize("comment", PROSE)
def test_prose_is_let_alone(comment: str) -> None:
    assert codes(model(f"    {comment}\n    output x -> relu")) == []


def test_text_in_a_string_is_no_comment() -> None:
    assert codes(model(f'    output x -> "# allow: CNN110 why": {BIAS}'.replace('"# allow: CNN110 why"', "a"))) == ["CNN110"]
    assert codes(model(f'    assert x.channels == 3, "# allow: CNN110 why"\n    output x -> {BIAS}')) == ["CNN110"]


def test_what_silences_nothing_is_told_only_when_all_models_were_looked_at() -> None:
    text = (
        "block Unit(x: tensor, norm: stage) {\n    return x -> conv(8, 3x3) -> norm  # allow: CNN110 as published\n}\n"
        + model("    output x -> Unit(batchnorm)").replace("Net", "A")
        + model("    output x -> Unit(identity)").replace("Net", "B")
    )
    assert codes(text, "A") == codes(text, "B") == []
    assert codes(text, "A", "B") == ["CNN191"]


def test_settings_may_be_the_reason_that_nothing_is_there() -> None:
    text = (
        "model Net(bias: bool = true) {\n"
        + HEAD
        + "    output x -> conv(8, 3x3, bias = bias) -> batchnorm  # allow: CNN110 why not\n}\n"
    )
    spec = opened_text(text)
    assert warnings(spec.module("Net", {"bias": False})) == []


def test_the_comments_of_files_that_are_imported(tmp_path: Path) -> None:
    """They are in force there; what they silence in another network is unknown here."""
    (tmp_path / "unit.cnn").write_text(
        "block Unit(x: tensor, spare: int = 1) {  # allow: CNN102 to come\n    return x -> relu  # allow: CNN110 elsewhere\n}\n"
    )
    (tmp_path / "net.cnn").write_text('use Unit from "unit.cnn"\n' + model("    output x -> Unit"))
    spec = opened(tmp_path / "net.cnn")
    assert warnings(spec.module()) == []
    (tmp_path / "unit.cnn").write_text("block Unit(x: tensor, spare: int = 1) {\n    return x -> relu\n}\n")
    assert [each.code for each in warnings(opened(tmp_path / "net.cnn").module())] == ["CNN102"]


def test_a_file_without_models() -> None:
    text = "block Unit(x: tensor, n: int) {  # allow: CNN102 to come\n"
    text += "    return x -> conv(8, 3x3) -> batchnorm  # allow: CNN110 why\n}\n"
    assert text_only(opened_text(text).scope.tree) == []
