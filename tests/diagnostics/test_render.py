"""How diagnostics look: the exact text, JSON, colour, and what hostile text cannot do to a terminal."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from convspec.diagnostics import Diagnostic, Fix, Label, error
from convspec.diagnostics.render import render, render_one, to_json
from convspec.source import SourceFile, Span

TEXT = "model M {\n    up = x -> relu\n    y = up + skip\n\tz = 日本 + é́x\n}\n"
FILE = SourceFile("unet.cnn", TEXT)


def at(piece: str, nth: int = 0, file: SourceFile = FILE) -> Span:
    """The span of the nth occurrence of a piece of text."""
    start = -1
    for _ in range(nth + 1):
        start = file.text.index(piece, start + 1)
    return Span(file, start, start + len(piece))


def lines(diagnostic: Diagnostic) -> list[str]:
    return render_one(diagnostic).splitlines()


def test_the_example_of_the_language() -> None:
    diagnostic = error(
        "CNN031",
        "the two sides of `+` differ in height",
        at("skip"),
        "height H",
        related=[Label(at("up", 1), "height 2*(H // 2)")],
        hint="these agree when H is even: declare the input as float32[N, 3, 2*h, 2*w]",
    )
    assert (
        render_one(diagnostic)
        == """\
error[CNN031]: the two sides of `+` differ in height
 --> unet.cnn:3:14
  |
3 |     y = up + skip
  |         --   ^^^^ height H
  |         |
  |         height 2*(H // 2)
  = these agree when H is even: declare the input as float32[N, 3, 2*h, 2*w]
"""
    )


def test_the_gutter_is_as_wide_as_the_greatest_line_number() -> None:
    file = SourceFile("net.cnn", "\n" * 98 + "first\nsecond\n")
    diagnostic = error("CNN001", "no", at("first", file=file), related=[Label(at("second", file=file), "here")])
    assert lines(diagnostic) == [
        "error[CNN001]: no",
        "   --> net.cnn:99:1",
        "    |",
        " 99 | first",
        "    | ^^^^^",
        "100 | second",
        "    | ------ here",
    ]


def test_without_a_place() -> None:
    diagnostic = error(
        "CNN200", "w.safetensors cannot be read", notes=["it ends after 10 bytes", "two\nlines"], hint="write it anew"
    )
    assert lines(diagnostic) == [
        "error[CNN200]: w.safetensors cannot be read",
        "  = it ends after 10 bytes",
        "  = two",
        "    lines",
        "  = write it anew",
    ]


def test_a_warning() -> None:
    diagnostic = Diagnostic(code="CNN001", message="hm", severity="warning", primary=Label(at("relu")))
    assert lines(diagnostic)[0] == "warning[CNN001]: hm"


def test_three_labels_on_a_line_are_stacked() -> None:
    diagnostic = error("CNN001", "m", at("skip"), "c", related=[Label(at("y"), "a"), Label(at("up", 1), "b")])
    assert lines(diagnostic)[3:] == [
        "3 |     y = up + skip",
        "  |     -   --   ^^^^ c",
        "  |     |   |",
        "  |     |   b",
        "  |     a",
    ]


def test_a_label_around_another() -> None:
    diagnostic = error("CNN001", "m", at("up", 1), "inner", related=[Label(at("y = up + skip"), "outer")])
    assert lines(diagnostic)[3:] == [
        "3 |     y = up + skip",
        "  |     ----^^-------",
        "  |     |   |",
        "  |     |   inner",
        "  |     outer",
    ]


def test_the_main_label_left_of_another() -> None:
    diagnostic = error("CNN001", "m", at("y"), "this", related=[Label(at("skip"), "that")])
    assert lines(diagnostic)[3:] == [
        "3 |     y = up + skip",
        "  |     ^        ---- that",
        "  |     |",
        "  |     this",
    ]


def test_labels_without_text() -> None:
    diagnostic = error("CNN001", "m", at("skip"), related=[Label(at("up", 1))])
    assert lines(diagnostic)[3:] == ["3 |     y = up + skip", "  |         --   ^^^^"]


def test_two_labels_at_one_place() -> None:
    diagnostic = error("CNN001", "m", at("up", 1), "one", related=[Label(at("up", 1), "two")])
    assert lines(diagnostic)[3:] == ["3 |     y = up + skip", "  |         ^^ one", "  |         |", "  |         two"]


def test_lines_apart_and_side_by_side() -> None:
    diagnostic = error("CNN001", "m", at("skip"), related=[Label(at("relu"), "above"), Label(at("}"), "far")])
    assert lines(diagnostic)[2:] == [
        "  |",
        "2 |     up = x -> relu",
        "  |               ---- above",
        "3 |     y = up + skip",
        "  |              ^^^^",
        "...",
        "5 | }",
        "  | - far",
    ]


def test_a_label_in_another_file() -> None:
    other = SourceFile("blocks/a.cnn", "\nblock A(x: tensor) {\n}\n")
    diagnostic = error("CNN041", "m", at("relu"), "used here", related=[Label(at("A", file=other), "declared here")])
    assert lines(diagnostic)[1:] == [
        " --> unet.cnn:2:15",
        "  |",
        "2 |     up = x -> relu",
        "  |               ^^^^ used here",
        " ::: blocks/a.cnn:2:7",
        "  |",
        "2 | block A(x: tensor) {",
        "  |       - declared here",
    ]


def test_a_span_over_several_lines_is_shown_by_its_first() -> None:
    diagnostic = error("CNN001", "m", Span(FILE, TEXT.index("up"), TEXT.index("skip")), "all of this")
    assert lines(diagnostic)[3:] == ["2 |     up = x -> relu", "  |     ^^^^^^^^^^^^^^ all of this"]


def test_an_empty_span_has_a_caret() -> None:
    end = TEXT.index("relu") + 4
    assert lines(error("CNN001", "m", Span(FILE, end, end)))[3:] == ["2 |     up = x -> relu", "  |                   ^"]


def test_the_end_of_a_file_without_a_line_end() -> None:
    file = SourceFile("a.cnn", "model M {")
    assert lines(error("CNN001", "m", Span(file, 9, 9)))[3:] == ["1 | model M {", "  |          ^"]


def test_an_empty_file() -> None:
    assert lines(error("CNN001", "m", Span(SourceFile("a.cnn", ""), 0, 0)))[1:] == [" --> a.cnn:1:1", "  |", "1 |", "  | ^"]


def test_tabs_and_wide_characters_keep_carets_aligned() -> None:
    """Columns count characters; carets count what a terminal shows: a tab as four, CJK as two, a combining mark as none."""
    diagnostic = error("CNN001", "m", at("x", 1), related=[Label(at("日本"), "wide"), Label(at("é́"), "marks")])
    assert lines(diagnostic)[1:] == [
        " --> unet.cnn:4:13",
        "  |",
        "4 |     z = 日本 + é́x",
        "  |         ----   -^",
        "  |         |      |",
        "  |         |      marks",
        "  |         wide",
    ]


def test_carriage_returns_are_not_shown() -> None:
    file = SourceFile("a.cnn", "let A = 1\r\nlet B = 2\r\n")
    assert lines(error("CNN001", "m", at("B", file=file)))[3:] == ["2 | let B = 2", "  |     ^"]


def test_the_chain_is_shown_innermost_first() -> None:
    frames = ["in Stage, called at a.cnn:9 with i = 1", "in Unit, called at a.cnn:5 with j = 0"]
    diagnostic = error("CNN001", "m", at("relu"), frames=frames, notes=["a note"], hint="a hint")
    assert lines(diagnostic)[5:] == [
        "  = a note",
        "  = in Unit, called at a.cnn:5 with j = 0",
        "  = in Stage, called at a.cnn:9 with i = 1",
        "  = a hint",
    ]


def test_a_long_chain_is_cut_in_the_middle() -> None:
    shown = lines(error("CNN001", "m", frames=[f"in F{n}" for n in range(20)]))
    assert shown[1:] == [
        *(f"  = in F{n}" for n in (19, 18, 17, 16)),
        "  = … 12 more …",
        *(f"  = in F{n}" for n in (3, 2, 1, 0)),
    ]


def test_a_long_line_is_cut_to_what_matters() -> None:
    file = SourceFile("a.cnn", "let A = " + "1 + " * 5000 + "oops" + " + 1" * 5000)
    (source, carets) = lines(error("CNN001", "m", at("oops", file=file)))[3:]
    assert len(source) < 140
    assert source.startswith("1 | …")
    assert source.endswith("…")
    assert carets.count("^") == 4
    assert source[carets.index("^") :].startswith("oops")


def test_many_errors_on_a_very_long_line_are_quick() -> None:
    """Each looks at two thousand characters around it, not at the whole line."""
    file = SourceFile("a.cnn", "$" * 1_000_000)
    shown = render([error("CNN001", "m", Span(file, n * 9000, n * 9000 + 1)) for n in range(100)])
    assert shown.count("^") == 100


def test_several_are_set_apart() -> None:
    assert render([error("CNN001", "one"), error("CNN002", "two")]) == "error[CNN001]: one\n\nerror[CNN002]: two\n"
    assert render([]) == ""


@pytest.mark.parametrize("hostile", ["\x1b[31mred", "\x07", "\u202eright to left", "\u200b", "a\rb", "\x9b1m"])
def test_nothing_reaches_the_terminal_but_text(hostile: str) -> None:
    file = SourceFile(f"a{hostile}.cnn", f'let A = "{hostile}"')
    diagnostic = error("CNN001", f"no {hostile}", Span(file, 8, 10), hostile, notes=[hostile], frames=[hostile], hint=hostile)
    shown = render_one(diagnostic)
    assert hostile not in shown
    assert "\x1b" not in shown
    assert "�" in shown


# ── colour ──


def test_colour_changes_no_text() -> None:
    diagnostics = [error("CNN031", "m", at("skip"), "c", related=[Label(at("up", 1), "b")], hint="h"), error("CNN001", "n")]
    coloured = render(diagnostics, colour=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render(diagnostics)


def test_plain_text_needs_no_rich() -> None:
    code = (
        "import sys; from convspec.diagnostics import error; from convspec.diagnostics.render import render\n"
        "render([error('CNN001', 'm')]); assert 'rich' not in sys.modules; assert 'lark' not in sys.modules\n"
        "render([error('CNN001', 'm')], colour=True); assert 'rich' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


# ── JSON ──


def test_json() -> None:
    span = at("up", 1)
    diagnostic = error(
        "CNN031", "m", at("skip"), "c", related=[Label(span, "b")], frames=["f"], notes=["n"], hint="h",
        fix=Fix(span, "down", "write down"),
    )  # fmt: skip
    (shown,) = json.loads(json.dumps(to_json([diagnostic])))
    place = {"file": "unet.cnn", "line": 3, "column": 9, "end": {"line": 3, "column": 11}}
    assert shown == {
        "code": "CNN031",
        "severity": "error",
        "message": "m",
        "file": "unet.cnn",
        "line": 3,
        "column": 14,
        "end": {"line": 3, "column": 18},
        "label": "c",
        "related": [{**place, "label": "b"}],
        "frames": ["f"],
        "notes": ["n"],
        "hint": "h",
        "fix": {**place, "replacement": "down", "title": "write down"},
        "suggestions": [],
    }


def test_json_without_a_place() -> None:
    (shown,) = to_json([error("CNN200", "m")])
    assert shown == {
        "code": "CNN200", "severity": "error", "message": "m", "file": None, "line": None, "column": None, "end": None,
        "label": None, "related": [], "frames": [], "notes": [], "hint": None, "fix": None, "suggestions": [],
    }  # fmt: skip


def test_json_columns_count_characters() -> None:
    (shown,) = to_json([error("CNN001", "m", at("é́"))])
    assert (shown["line"], shown["column"], shown["end"]) == (4, 11, {"line": 4, "column": 13})
