"""Definitions that generated files carry with them, taken one by one from the text of a package, which is not imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

_BLOCK = re.compile(r"^(?:@.*\n)*(?:class|def) (\w+).*\n(?:(?:[ \t)].*)?\n)*", re.MULTILINE)
"""A decorated class or function at the top of a file, to the next line that is not indented."""


class Material:
    """The classes and functions in the files of a folder. Their names are unique in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def texts(self) -> dict[str, str]:
        """The text of every definition by its name, in the order of the files."""
        found: dict[str, str] = {}
        for path in sorted(self.folder.glob("[a-z]*.py")):
            for match in _BLOCK.finditer(path.read_text(encoding="utf-8") + "\n"):
                name = match.group(1)
                if name in found:
                    raise ValueError(f"`{name}` is defined twice in {self.folder.name}")
                found[name] = match.group().rstrip()
        return found

    def tree(self, name: str) -> ast.stmt:
        """The syntax tree of a definition."""
        return _parsed(self.texts[name])

    def needed(self, names: Iterable[str]) -> list[str]:
        """`names` and all that they use, each after what it uses."""
        found: dict[str, None] = {}

        def visit(name: str, above: frozenset[str]) -> None:
            if name in found or name in above:
                return
            for used in sorted(globals_of(self.tree(name)) & self.texts.keys()):
                visit(used, above | {name})
            found[name] = None

        for name in sorted(names):
            visit(name, frozenset())
        return list(found)

    def text_of(self, names: Iterable[str]) -> list[str]:
        """The definitions that `names` need, themselves included."""
        return [self.texts[name] for name in self.needed(names)]


def globals_of(tree: ast.AST) -> set[str]:
    """The names that a definition reads and does not bind itself."""
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    bound = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    bound |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node is not tree}
    return {node.id for node in names} - bound


@cache
def _parsed(text: str) -> ast.stmt:
    return ast.parse(text).body[0]


def lookup(package: str) -> Callable[[str], Any]:
    """A `__getattr__` for a package of material: `package.Name`, whichever file it stands in. Imports what that needs."""

    def find(name: str) -> Any:
        module = import_module(package)
        for path in sorted(Path(str(module.__file__)).parent.glob("[a-z]*.py")):
            if re.search(rf"^(?:class|def) {re.escape(name)}\b", path.read_text(encoding="utf-8"), re.MULTILINE):
                return getattr(import_module(f"{package}.{path.stem}"), name)
        raise AttributeError(name)

    return find


__all__ = ["Material", "globals_of", "lookup"]
