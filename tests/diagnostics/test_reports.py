"""Diagnostics in forms for programs: JSON after its schema, SARIF, and GitHub's commands."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from convspec.diagnostics import Failure, Fix, Label, error
from convspec.diagnostics.render import to_json
from convspec.diagnostics.reports import to_github, to_sarif
from convspec.elaborate import loads
from convspec.source import SourceFile, Span

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs/diagnostics.schema.json").read_text(encoding="utf-8"))


def full(path: Path | None = None) -> tuple[SourceFile, list[object]]:
    """A diagnostic of every part, and one of the least."""
    file = SourceFile("nets/ä b.cnn", "first\nsécond: 100%,\nthird", path)
    spans = Span(file, 8, 13), Span(file, 0, 5), Span(file, 6, 24)
    given = {"frames": ["in A"], "notes": ["a note"], "hint": "a hint", "related": [Label(spans[1], "beside")]}
    made = error("CNN031", "two\nlines: 100%", spans[0], "here", fix=Fix(spans[2], "x", "write x"), **given)  # type: ignore[arg-type]
    return file, [made, error("CNN401", "an option")]


def test_json_is_as_its_schema_says() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate({"diagnostics": to_json(full()[1])}, SCHEMA)  # type: ignore[arg-type]
    jsonschema.validate({"models": ["A"], "diagnostics": []}, SCHEMA)
    for broken in ({}, {"diagnostics": [{"code": "CNN031"}]}, {"diagnostics": [], "more": 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, SCHEMA)


def test_the_diagnostics_of_real_mistakes_fit_the_schema() -> None:
    texts = ["model M {", "model M { input x: float32[N, 3 x 3] output relo(x) }", "model A { output b }", "%", ""]
    for text in texts:
        with pytest.raises(Failure) as caught:
            loads(text)
        jsonschema.validate({"diagnostics": to_json(caught.value.diagnostics)}, SCHEMA)


def test_sarif() -> None:
    (run,) = to_sarif(full()[1])["runs"]  # type: ignore[arg-type]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["CNN031", "CNN401"]
    placed, bare = run["results"]
    assert (placed["ruleIndex"], placed["level"]) == (0, "error")
    assert placed["message"]["text"] == "two\nlines: 100%\nin A\na note\nhelp: a hint"
    physical = placed["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "nets/%C3%A4%20b.cnn"
    assert physical["region"] == {"startLine": 2, "startColumn": 3, "endLine": 2, "endColumn": 8}
    assert placed["locations"][0]["message"] == {"text": "here"}
    assert placed["relatedLocations"][0]["physicalLocation"]["region"]["startLine"] == 1
    (change,) = placed["fixes"][0]["artifactChanges"]
    assert change["replacements"][0]["insertedContent"] == {"text": "x"}
    assert change["replacements"][0]["deletedRegion"] == {"startLine": 2, "startColumn": 1, "endLine": 3, "endColumn": 5}
    assert "locations" not in bare and bare["message"] == {"text": "an option"}


def test_paths_are_those_of_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _, inside = full(tmp_path / "nets" / "a.cnn")
    assert "file=nets/a.cnn," in to_github(inside)  # type: ignore[arg-type]
    _, outside = full(tmp_path.parent / "a.cnn")
    assert "file=nets/ä b.cnn," in to_github(outside)  # type: ignore[arg-type]


def test_github_commands_are_one_line_each() -> None:
    placed, bare = to_github(full()[1]).splitlines()  # type: ignore[arg-type]
    properties = "title=CNN031,file=nets/ä b.cnn,line=2,endLine=2,col=3,endColumn=8"
    assert placed == f"::error {properties}::two%0Alines: 100%25%0Ain A%0Aa note%0Ahelp: a hint"
    assert bare == "::error title=CNN401::an option"


def test_what_a_property_cannot_hold_is_escaped() -> None:
    file = SourceFile("a,b:c%.cnn", "x\ny")
    (line,) = to_github([error("CNN001", "m", Span(file, 0, 3))]).splitlines()
    assert line == "::error title=CNN001,file=a%2Cb%3Ac%25.cnn,line=1,endLine=2::m"
