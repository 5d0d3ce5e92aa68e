"""CNN101: a block, constant or function of the file is never used."""

from __future__ import annotations

from collections.abc import Iterator

from convspec.diagnostics import Diagnostic, error
from convspec.lint.flow import Studies
from convspec.syntax import ast


def find(studies: Studies) -> Iterator[Diagnostic]:
    """The items that no other item takes. Models are what a file is for; one without a model is there for others."""
    used = {name for studied in studies.values() for name in studied.free}
    for item in studies:
        if isinstance(item, ast.Use | ast.Default | ast.Configuration):
            continue
        if (isinstance(item, ast.Let) or item.kind == "block") and item.name.text not in used:
            yield error("CNN101", f"the {_kind(item)} `{item.name.text}` is never used", item.name.span)


def _kind(item: ast.Let | ast.Block) -> str:
    if isinstance(item, ast.Block):
        return item.kind
    return "constant" if item.params is None else "function"
