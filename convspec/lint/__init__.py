"""Warnings: what a spec may say and probably does not mean. The exit status never depends on them.

Two kinds of rules: those on the text look at what is declared and used in a file, those on the network at every layer that a
line of the text led to. A line is warned of only where each of its layers, in every module given, is found suspicious: what is
right once, in one block or configuration, is right. `docs/errors` has a page for each code.
"""

from __future__ import annotations

from collections.abc import Sequence

from convspec.diagnostics import Diagnostic
from convspec.elaborate.module import Module
from convspec.lint.allow import silenced
from convspec.lint.network import network_warnings
from convspec.lint.place import is_shipped, place
from convspec.lint.text import text_warnings
from convspec.recursion import deep_recursion
from convspec.syntax import ast


def warnings(module: Module, *others: Module, shipped: bool = False) -> list[Diagnostic]:
    """What is suspicious in the files of a network, sorted by place; `# allow` is honoured. Never fails.

    `others` are further models of the same file. Files that the package ships are left out, unless `shipped` is true.
    """
    modules = (module, *others)
    files: dict[object, ast.File] = {}
    for tree in (tree for each in modules for tree in each.files):
        files.setdefault(tree.span.file.path or tree.span.file, tree)
    return _warnings(module.files[0], [tree for tree in files.values() if shipped or not is_shipped(tree.span.file)], modules)


def text_only(tree: ast.File) -> list[Diagnostic]:
    """The same of a file of which no model can be elaborated by itself: what its text alone tells."""
    return _warnings(tree, [] if is_shipped(tree.span.file) else [tree], ())


def _warnings(main: ast.File, trees: Sequence[ast.File], modules: Sequence[Module]) -> list[Diagnostic]:
    if not trees:
        return []
    with deep_recursion():
        found = [*text_warnings(trees, main), *network_warnings(modules, trees)]
        return sorted(silenced(found, trees, modules), key=place)


__all__ = ["text_only", "warnings"]
