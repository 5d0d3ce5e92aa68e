"""Where warnings stand, and in whose files."""

from __future__ import annotations

from dataclasses import replace

from convspec.diagnostics import Diagnostic
from convspec.elaborate.libraries import library_of
from convspec.source import SourceFile
from convspec.syntax import ast


def is_shipped(file: SourceFile) -> bool:
    """Whether a file belongs to the package: nothing in it is the author's to change."""
    return file.path is not None and library_of(file.path.resolve()) is not None


def place(diagnostic: Diagnostic) -> tuple[str, int, str]:
    """Warnings are shown file by file, in the order of the text."""
    assert diagnostic.primary is not None
    span = diagnostic.primary.span
    return span.file.name, span.start, diagnostic.code


def warning(found: Diagnostic) -> Diagnostic:
    """The same, said as a warning."""
    return replace(found, severity="warning")


def same_file(a: SourceFile, b: SourceFile) -> bool:
    """Whether two sources are one file, which may have been read twice."""
    return a is b or (a.path is not None and a.path == b.path) or (a.path is None and a.name == b.name and a.text == b.text)


def models_of(tree: ast.File) -> list[ast.Block | ast.Configuration]:
    """The models and configurations of a file; one without any is there for others to import."""
    return [
        item
        for item in tree.items
        if isinstance(item, ast.Configuration) or (isinstance(item, ast.Block) and item.kind == "model")
    ]
