"""Diagnostics as other programs read them: SARIF for code scanning, and the commands of GitHub's log."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from convspec.diagnostics.codes import CODES
from convspec.diagnostics.model import Diagnostic, Label
from convspec.source import Span
from convspec.version import VERSION

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def to_sarif(diagnostics: Sequence[Diagnostic]) -> dict[str, Any]:
    """A log with one run (OASIS, SARIF 2.1.0). Columns count code points from 1; a region ends before its end column."""
    codes = sorted({diagnostic.code for diagnostic in diagnostics})
    driver = {
        "name": "convspec",
        "semanticVersion": VERSION,
        "rules": [_rule(code) for code in codes],
    }
    results = [_result(diagnostic, codes.index(diagnostic.code)) for diagnostic in diagnostics]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, Any]:
    level = "warning" if code.startswith("CNN1") else "error"
    return {
        "id": code,
        "shortDescription": {"text": CODES[code]},
        "help": {"text": f"convspec explain {code}"},
        "defaultConfiguration": {"level": level},
    }


def _result(diagnostic: Diagnostic, rule: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": diagnostic.severity,
        "message": {"text": _words(diagnostic)},
    }
    if diagnostic.primary is not None:
        found["locations"] = [_location(diagnostic.primary)]
    if diagnostic.related:
        found["relatedLocations"] = [_location(label) for label in diagnostic.related]
    if diagnostic.fix is not None:
        replacement = {"deletedRegion": _region(diagnostic.fix.span), "insertedContent": {"text": diagnostic.fix.replacement}}
        change = {"artifactLocation": _artifact(diagnostic.fix.span), "replacements": [replacement]}
        found["fixes"] = [{"description": {"text": diagnostic.fix.title or "fix it"}, "artifactChanges": [change]}]
    return found


def _words(diagnostic: Diagnostic) -> str:
    """The message with what stands below it when it is shown in a terminal."""
    hint = [] if diagnostic.hint is None else [f"help: {diagnostic.hint}"]
    return "\n".join([diagnostic.message, *diagnostic.frames, *diagnostic.notes, *hint])


def _location(label: Label) -> dict[str, Any]:
    found: dict[str, Any] = {"physicalLocation": {"artifactLocation": _artifact(label.span), "region": _region(label.span)}}
    if label.text:
        found["message"] = {"text": label.text}
    return found


def _artifact(span: Span) -> dict[str, str]:
    from urllib.parse import quote

    return {"uri": quote(_path(span))}


def _path(span: Span) -> str:
    """The file as seen from the current folder, which is where such programs look; its name where it lies elsewhere."""
    path = span.file.path
    if path is None or not path.resolve().is_relative_to(Path.cwd()):
        return span.file.name
    return path.resolve().relative_to(Path.cwd()).as_posix()


def _region(span: Span) -> dict[str, int]:
    line, column = span.file.line_column(span.start)
    end_line, end_column = span.file.line_column(span.end)
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def to_github(diagnostics: Sequence[Diagnostic]) -> str:
    """A line a diagnostic, which a workflow's log turns into an annotation: `::error file=a.cnn,line=3,…::message`."""
    return "".join(f"::{each.severity} {_properties(each)}::{_escaped(_words(each))}\n" for each in diagnostics)


def _properties(diagnostic: Diagnostic) -> str:
    found = {"title": diagnostic.code}
    if diagnostic.primary is not None:
        region = _region(diagnostic.primary.span)
        found |= {"file": _path(diagnostic.primary.span), "line": str(region["startLine"])}
        found |= {"endLine": str(region["endLine"])}
        if region["startLine"] == region["endLine"]:  # columns are read only within a line
            found |= {"col": str(region["startColumn"]), "endColumn": str(region["endColumn"])}
    return ",".join(f"{name}={_escaped(value).replace(':', '%3A').replace(',', '%2C')}" for name, value in found.items())


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
