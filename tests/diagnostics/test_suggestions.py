"""Near names as suggestions: what an editor offers, and `--fix` leaves alone."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import jsonschema
import pytest

from convspec.diagnostics import Diagnostic, Failure, Guess, error
from convspec.diagnostics.fixes import apply_fixes
from convspec.diagnostics.render import to_json
from convspec.diagnostics.reports import to_sarif
from convspec.elaborate import load, loads
from convspec.source import SourceFile, Span

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/diagnostics.schema.json").read_text(encoding="utf-8"))

BODY = "model M {{ input x: float32[N, 3, 8, 8]\n {} }}"
GUESSES = [
    ("CNN020", BODY.format("let width = 3\n output x -> conv(widht, 3x3)"), "widht", "width"),
    ("CNN020", BODY.format("let width = 3\n if false { y = widht }\n output x"), "widht", "width"),
    ("CNN021", BODY.format("output x -> Conv2d(3, 3x3)"), "Conv2d", "conv"),
    ("CNN021", BODY.format("output x -> relo"), "relo", "relu"),
    ("CNN022", BODY.format("output x -> conv(3, 3x3, strid = 2)"), "strid", "stride"),
    ("CNN022", "block B(x: tensor, width: int = 1) { return x }" + BODY.format("output x -> B(widht = 2)"), "widht", "width"),
    ("CNN025", BODY.format("output x -> conv(x.chanels, 3x3)"), "chanels", "channels"),
    ("CNN047", BODY.format("output x -> conv(3, 3x3, pad = sam)"), "sam", "same"),
    ("CNN047", BODY.format('output x -> conv(3, 3x3, pad = "sam")'), '"sam"', '"same"'),
    ("CNN047", BODY.format('let how = "sam" output x -> conv(3, 3x3, pad = how)'), None, None),
    ("CNN047", BODY.format("output x -> conv(3, 3x3, pad = valid)"), "valid", "0"),
    ("CNN047", BODY.format('output x -> conv(3, 3x3, pad = "valid")'), '"valid"', "0"),
    ("CNN202", BODY.format("output x -> conv(3, 3x3, init = kaiming)"), "kaiming", "kaiming_normal"),
    ("CNN013", 'use Squeeze from "std:attention"' + BODY.format("output x"), "Squeeze", "SqueezeExcite"),
]


def mistake(text: str, code: str) -> Diagnostic:
    with pytest.raises(Failure) as caught:
        loads(text)
    return next(each for each in caught.value.diagnostics if each.code == code)


@pytest.mark.parametrize(("code", "text", "wrong", "right"), GUESSES)
def test_a_near_name_is_suggested(code: str, text: str, wrong: str | None, right: str | None) -> None:
    found = mistake(text, code)
    assert found.fix is None
    assert [(each.span.text, each.replacement) for each in found.suggestions] == ([(wrong, right)] if wrong else [])
    assert apply_fixes([found]) == {}, "a guess is never applied"
    jsonschema.validate({"diagnostics": to_json([found])}, SCHEMA)
    assert len(to_json([found])[0]["suggestions"]) == len(found.suggestions)
    assert "fixes" not in to_sarif([found])["runs"][0]["results"][0], "SARIF's fixes are such as a machine applies"


@pytest.mark.parametrize(("code", "text", "wrong", "right"), [case for case in GUESSES if case[2]])
def test_what_is_suggested_mends_it(code: str, text: str, wrong: str, right: str) -> None:
    (change,) = mistake(text, code).suggestions
    mended = text[: change.span.start] + change.replacement + text[change.span.end :]
    assert right in mended
    with suppress(Failure):  # `Conv2d` may stand for `conv`, and what it was given still be wrong
        loads(mended)
        return
    assert wrong == "Conv2d"


def test_a_file_that_lacks_its_suffix(tmp_path: Path) -> None:
    (tmp_path / "blocks.cnn").write_text("block B(x: tensor) { return x }")
    (tmp_path / "net.cnn").write_text('use B from "blocks"\n' + BODY.format("output x -> B"))
    with pytest.raises(Failure) as caught:
        load(tmp_path / "net.cnn")
    (change,) = caught.value.diagnostics[0].suggestions
    assert (change.span.text, change.replacement) == ('"blocks"', '"blocks.cnn"')


def test_a_guess_is_offered_only_where_the_word_stands() -> None:
    file = SourceFile("a.cnn", "one 'two' three")
    guess = Guess("two", "too")
    assert error("CNN020", "m", Span(file, 0, 3), hint=guess).suggestions == ()
    assert error("CNN020", "m", hint=guess).suggestions == ()
    assert error("CNN020", "m", Span(file, 3, 3), hint=guess).suggestions == ()
    (change,) = error("CNN020", "m", Span(file, 4, 9), hint=guess).suggestions
    assert (change.replacement, change.title) == ("'too'", "change `two` to `too`")
