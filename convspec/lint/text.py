"""The rules on the text of a file: what is declared, and whether anything uses it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from convspec.diagnostics import Diagnostic
from convspec.lint import unused_imports, unused_items, unused_parameters, unused_values
from convspec.lint.place import warning
from convspec.syntax import ast


def text_warnings(trees: Iterable[ast.File], main: ast.File) -> Iterator[Diagnostic]:
    """The warnings of all text rules. Names at the top of other files than `main` may be there for more than this network."""
    for tree in trees:
        found = [*_within_items(tree)]
        if tree is main:
            found += [*unused_imports.find(tree), *unused_items.find(tree)]
        yield from map(warning, found)


def _within_items(tree: ast.File) -> Iterator[Diagnostic]:
    for item in tree.items:
        if isinstance(item, ast.Block):
            yield from unused_parameters.find(item)
            yield from unused_values.find(item)
        elif isinstance(item, ast.Let) and item.params is not None:
            yield from unused_parameters.find(item)
