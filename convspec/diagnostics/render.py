"""Diagnostics as text for a person, with the source and carets, and as JSON for a program."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, TypeAlias

from convspec.diagnostics.model import Diagnostic, Fix, Label
from convspec.diagnostics.snippet import Segment, Snippet, clean
from convspec.source import SourceFile, Span

_FRAMES_SHOWN = 8
_NOTES_SHOWN = 12
"""Notes of one kind, which begin with one word and a colon: `missing: …`."""
_Line: TypeAlias = list[Segment]


def render(diagnostics: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """All diagnostics, an empty line between them, each line ended by a newline. `colour` writes ANSI codes."""
    paint = _ansi() if colour else _plain
    blocks = ("".join(f"{paint(line)}\n" for line in _lines(diagnostic)) for diagnostic in diagnostics)
    return "\n".join(blocks)


def render_one(diagnostic: Diagnostic, *, colour: bool = False) -> str:
    """One diagnostic as text, each line ended by a newline."""
    return render([diagnostic], colour=colour)


def _plain(line: _Line) -> str:
    return "".join(text for text, _ in line).rstrip()


def _ansi() -> Callable[[_Line], str]:
    """Rich is imported here only: plain text needs none of it."""
    from rich.color import ColorSystem
    from rich.style import Style

    styles = {
        "error": Style.parse("bold red"),
        "warning": Style.parse("bold yellow"),
        "message": Style.parse("bold"),
        "gutter": Style.parse("bold blue"),
        "related": Style.parse("bold blue"),
        "": Style(),
    }

    def paint(line: _Line) -> str:
        stripped = list(line)
        while stripped and not stripped[-1][0].strip():
            stripped.pop()
        runs = [(style, "".join(text for text, _ in run)) for style, run in groupby(stripped, key=lambda part: part[1])]
        return "".join(styles[style].render(text, color_system=ColorSystem.STANDARD) for style, text in runs)

    return paint


def _lines(diagnostic: Diagnostic) -> list[_Line]:
    severity = diagnostic.severity
    lines: list[_Line] = [
        [(f"{severity}[{diagnostic.code}]", severity), (f": {clean(diagnostic.message)}", "message")],
    ]
    snippets = _snippets(diagnostic)
    margin = " " * max((snippet.digits for snippet in snippets), default=1)
    for arrow, snippet in zip(("-->", *[":::"] * len(snippets)), snippets, strict=False):
        lines.append([(f"{margin}{arrow} ", "gutter"), (clean(snippet.place), "")])
        lines.extend(snippet.lines(len(margin), severity))
    for note in _notes(diagnostic):
        first, *rest = note.split("\n")
        lines.append([(f"{margin} = ", "gutter"), (clean(first), "")])
        lines.extend([(f"{margin}   {clean(line)}", "")] for line in rest)
    return lines


def _snippets(diagnostic: Diagnostic) -> list[Snippet]:
    """One snippet for each file that has a label, that of the primary label first."""
    if diagnostic.primary is None:
        return []
    labels: dict[SourceFile, list[tuple[Label, bool]]] = {diagnostic.primary.span.file: [(diagnostic.primary, True)]}
    for label in diagnostic.related:
        labels.setdefault(label.span.file, []).append((label, False))
    return [Snippet(file, found) for file, found in labels.items()]


def _notes(diagnostic: Diagnostic) -> list[str]:
    """What stands behind `=`: notes, the way that led there (innermost first), the hint."""
    frames = list(reversed(diagnostic.frames))
    if len(frames) > _FRAMES_SHOWN:
        half = _FRAMES_SHOWN // 2
        frames[half:-half] = [f"… {len(frames) - 2 * half} more …"]
    hint = [diagnostic.hint] if diagnostic.hint else []
    return [*_first_of_each_kind(diagnostic.notes), *frames, *hint]


def _first_of_each_kind(notes: Sequence[str]) -> Iterator[str]:
    """The notes, of many of one kind the first few and how many more there are. JSON has them all."""
    for kind, alike in groupby(notes, key=_kind_of_note):
        found = list(alike)
        shown = len(found) if not kind or len(found) <= _NOTES_SHOWN + 1 else _NOTES_SHOWN
        yield from found[:shown]
        if found[shown:]:
            yield f"{kind}: … and {len(found) - shown} more (--format json lists all)"


def _kind_of_note(note: str) -> str:
    """What stands before the first colon, if it is a word or a few."""
    kind, colon, _ = note.partition(": ")
    return kind if colon and len(kind) < 20 and "`" not in kind else ""


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────


def to_json(diagnostics: Sequence[Diagnostic]) -> list[dict[str, Any]]:
    """One object a diagnostic, made of plain JSON values:

    - `code`, `severity` ("error" or "warning"), `message`
    - `file`, `line`, `column`, `end` {`line`, `column`}, `label`: the main place; null where no source is concerned.
      Lines and columns count from 1, columns in characters (code points); `end` is the first character not covered.
    - `related`: other places, each with `file`, `line`, `column`, `end`, `label`
    - `frames` (outermost first) and `notes`: lists of strings
    - `hint`: a string or null
    - `fix`: null, or `file`, `line`, `column`, `end`, `replacement`, `title`: the text there becomes `replacement`
    - `suggestions`: what may have been meant, likeliest first, each like `fix`; `check --fix` applies none of them
    """
    return [_diagnostic_json(diagnostic) for diagnostic in diagnostics]


def _diagnostic_json(diagnostic: Diagnostic) -> dict[str, Any]:
    nowhere: dict[str, Any] = {"file": None, "line": None, "column": None, "end": None, "label": None}
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        **(_label_json(diagnostic.primary) if diagnostic.primary else nowhere),
        "related": [_label_json(label) for label in diagnostic.related],
        "frames": list(diagnostic.frames),
        "notes": list(diagnostic.notes),
        "hint": diagnostic.hint,
        "fix": _fix_json(diagnostic.fix) if diagnostic.fix else None,
        "suggestions": [_fix_json(guess) for guess in diagnostic.suggestions],
    }


def _label_json(label: Label) -> dict[str, Any]:
    return {**_span_json(label.span), "label": label.text}


def _fix_json(fix: Fix) -> dict[str, Any]:
    return {**_span_json(fix.span), "replacement": fix.replacement, "title": fix.title}


def _span_json(span: Span) -> dict[str, Any]:
    line, column = span.file.line_column(span.start)
    end_line, end_column = span.file.line_column(span.end)
    return {"file": span.file.name, "line": line, "column": column, "end": {"line": end_line, "column": end_column}}
