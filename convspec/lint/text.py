"""The rules on the text of a file: what is declared, and whether anything uses it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from convspec.diagnostics import Diagnostic
from convspec.lint import products, unused_imports, unused_items, unused_parameters, unused_values
from convspec.lint.flow import Studies, study
from convspec.lint.place import models_of, warning
from convspec.syntax import ast


def text_warnings(trees: Iterable[ast.File], main: ast.File) -> Iterator[Diagnostic]:
    """The warnings of all text rules. Names at the top of other files than `main` may be there for more than this network."""
    for tree in trees:
        studies = {item: study(item) for item in tree.items}
        found = [*_within_items(studies)]
        if tree is main and models_of(tree):
            found += [*unused_imports.find(tree, studies), *unused_items.find(studies)]
        found += products.find(tree)
        yield from map(warning, found)


def _within_items(studies: Studies) -> Iterator[Diagnostic]:
    for item, studied in studies.items():
        if isinstance(item, ast.Block):
            yield from unused_parameters.find(item, studied)
            yield from unused_values.find(item, studied)
        elif isinstance(item, ast.Let) and item.params is not None:
            yield from unused_parameters.find(item, studied)
