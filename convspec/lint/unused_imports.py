"""CNN100: a name is imported and never used."""

from __future__ import annotations

from collections.abc import Iterator

from convspec.diagnostics import Diagnostic, Fix, error
from convspec.lint.flow import Studies
from convspec.source import Span
from convspec.syntax import ast


def find(tree: ast.File, studies: Studies) -> Iterator[Diagnostic]:
    """The names of `use` that no item of the file takes. A file without a model may only hand them on: it is not asked."""
    used = {name for studied in studies.values() for name in studied.free}
    for use in tree.items:
        if not isinstance(use, ast.Use):
            continue
        spare = [name for name in use.names if name.text not in used]
        for name in spare:
            fix = _without(use, name) if len(spare) < len(use.names) else _without_all(use, name)
            yield error("CNN100", f"`{name.text}` is imported and never used", name.span, fix=fix)


def _without(use: ast.Use, name: ast.Name) -> Fix:
    """The name and the comma on one side of it fall away."""
    text, at = name.span.file.text, use.names.index(name)
    if at + 1 < len(use.names):
        span = Span(name.span.file, name.span.start, use.names[at + 1].span.start)
    else:
        span = Span(name.span.file, use.names[at - 1].span.end, name.span.end)
    kept = "#" not in text[span.start : span.end]
    return Fix(span if kept else name.span, "", f"leave out `{name.text}`")


def _without_all(use: ast.Use, name: ast.Name) -> Fix:
    """The whole import falls away, with its line where it has one for itself."""
    text, start, end = use.span.file.text, use.span.start, use.span.end
    rest = text[end:].split("\n", 1)
    if not rest[0].strip() and (start == 0 or text[start - 1] == "\n"):
        end += len(rest[0]) + (len(rest) > 1)
    return Fix(Span(use.span.file, start, end), "", f"leave out the import of `{name.text}`")
