"""Files as features see them: their items and imports, also where something else in them is wrong."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from convspec.diagnostics import Failure
from convspec.elaborate.libraries import LIBRARIES, library_of
from convspec.elaborate.walk import descendants
from convspec.limits import DEFAULT
from convspec.lsp.names import Word, words_of
from convspec.source import SourceFile, Span
from convspec.syntax import ast

if TYPE_CHECKING:
    from convspec.lsp.project import Project

_MOST_FILES = 2_000
_MOST_ITEMS = 20_000


class View:
    """One file: its tree, what it declares, what it imports."""

    def __init__(self, file: SourceFile, tree: ast.File | None) -> None:
        self.file, self.tree = file, tree

    @property
    def shipped(self) -> bool:
        """Whether the file came with convspec, and is not the author's."""
        return self.file.path is not None and library_of(self.file.path.resolve()) is not None

    @cached_property
    def items(self) -> dict[str, ast.Let | ast.Block | ast.Configuration]:
        """What the file declares."""
        found: dict[str, ast.Let | ast.Block | ast.Configuration] = {}
        for item in self.tree.items if self.tree is not None else ():
            if not isinstance(item, ast.Use | ast.Default):
                found.setdefault(item.name.text, item)
        return found

    @cached_property
    def imports(self) -> dict[str, ast.Use]:
        """What the file imports."""
        uses = [item for item in self.tree.items if isinstance(item, ast.Use)] if self.tree is not None else []
        return {name.text: use for use in uses for name in use.names}

    def item_at(self, offset: int) -> ast.Item | None:
        """The item that holds a character, its end included."""
        items = self.tree.items if self.tree is not None else ()
        return next((item for item in items if item.span.start <= offset <= item.span.end), None)


class Views:
    """The files of a project by path, open ones as they are in the editor."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._words: dict[ast.Item, list[Word]] = {}
        self._brackets: dict[ast.Item, list[Span]] = {}

    def words(self, item: ast.Item) -> list[Word]:
        """The words of an item, worked out once."""
        if len(self._words) > _MOST_ITEMS:
            self._words.clear()
        if item not in self._words:
            self._words[item] = words_of(item)
        return self._words[item]

    def brackets(self, item: ast.Item) -> list[Span]:
        """The bodies, groups and lists of an item, worked out once."""
        if len(self._brackets) > _MOST_ITEMS:
            self._brackets.clear()
        if item not in self._brackets:
            nodes = (node for node in descendants(item) if isinstance(node, ast.Body | ast.Group | ast.ListLit))
            self._brackets[item] = [node.span for node in nodes if "\n" in node.span.text]
        return self._brackets[item]

    def of_path(self, path: Path) -> View | None:
        """The file at a path; None where it cannot be read or parsed."""
        for document in self.project.documents.values():
            if document.path == path:
                return View(document.buffer, document.tree)
        try:
            return View(*self.project.disk.read(path, path.name, DEFAULT))
        except Failure:
            return None

    def target(self, view: View, named: str) -> Path | None:
        """The file that stands behind `from`, if there may be one."""
        library, separator, rest = named.partition(":")
        try:
            if separator:
                return (LIBRARIES[library] / f"{rest}.cnn").resolve() if library in LIBRARIES else None
            return (view.file.path.resolve().parent / named).resolve() if view.file.path is not None else None
        except (OSError, ValueError, RuntimeError):
            return None

    def declaration(self, view: View, name: str) -> tuple[View, ast.Let | ast.Block | ast.Configuration] | None:
        """What a name of a file means, there or where it is imported from, and the file that holds it."""
        seen: set[Path] = set()
        current: View | None = view
        while current is not None:
            if name in current.items:
                return current, current.items[name]
            use = current.imports.get(name)
            path = self.target(current, use.path) if use is not None else None
            if path is None or path in seen:
                return None
            seen.add(path)
            current = self.of_path(path)
        return None

    def block(self, view: View, name: str) -> tuple[View, ast.Block | ast.Let] | None:
        """The block, model or function whose parameters a name takes, through configurations."""
        for _ in range(64):
            found = self.declaration(view, name)
            if found is None:
                return None
            view, item = found
            if not isinstance(item, ast.Configuration):
                return view, item
            name = item.base.text
        return None

    def all(self) -> list[View]:
        """Every file that is open or lies in a folder of the workspace."""
        found: dict[object, View] = {}
        for document in self.project.documents.values():
            found[document.path or document.uri] = View(document.buffer, document.tree)
        for folder in self.project.folders:
            for count, path in enumerate(folder.rglob("*.cnn")):
                if count >= _MOST_FILES:
                    break
                resolved = path.resolve()
                view = self.of_path(resolved) if resolved not in found and path.is_file() else None
                if view is not None:
                    found[resolved] = view
        return list(found.values())
