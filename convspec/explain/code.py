"""The page of a diagnostic: what it means, a spec that gives it, and the spec put right.

What is said of a code beyond its one line stands in `codes/<code>.md`, in the form of docs/layers: text, and fenced specs.
"""

from __future__ import annotations

from pathlib import Path

from convspec.diagnostics.codes import CODES
from convspec.explain.page import Page, Section, Text

FOLDER = Path(__file__).parent / "codes"


def code_page(code: str) -> Page:
    """The page of `CNN031`."""
    meaning = CODES[code]
    path = FOLDER / f"{code}.md"
    parts = [Text(f"{meaning[:1].upper()}{meaning[1:]}.")]
    if path.is_file():
        parts.append(Text(path.read_text(encoding="utf-8").strip()))
    return Page(code, (Section("", tuple(parts)),))


__all__ = ["FOLDER", "code_page"]
