"""Fixes applied: the mistakes that have one right answer, mended in the text."""

from __future__ import annotations

from collections.abc import Iterable

from convspec.diagnostics.model import Diagnostic, Fix
from convspec.source import SourceFile


def apply_fixes(diagnostics: Iterable[Diagnostic]) -> dict[SourceFile, tuple[str, int]]:
    """For each file that has fixes the mended text, and how many mistakes were mended in it.

    Where two fixes touch, the first in the text is applied, and the other left for another run.
    """
    found: dict[SourceFile, set[Fix]] = {}
    for diagnostic in diagnostics:
        if diagnostic.fix is not None:
            found.setdefault(diagnostic.fix.span.file, set()).add(diagnostic.fix)
    return {file: _mended(file.text, fixes) for file, fixes in found.items()}


def _mended(text: str, fixes: Iterable[Fix]) -> tuple[str, int]:
    parts: list[str] = []
    at, count = 0, 0
    for fix in sorted(fixes, key=lambda each: (each.span.start, each.span.end)):
        if count and fix.span.start <= at:
            continue
        parts += [text[at : fix.span.start], fix.replacement]
        at, count = fix.span.end, count + 1
    return "".join([*parts, text[at:]]), count
