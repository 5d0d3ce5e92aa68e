"""Where names are declared and used, in a file and across `use`; and giving them other names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from convspec import ops
from convspec.elaborate.builtins import BUILTINS
from convspec.elaborate.values import BUDGETS
from convspec.lsp.document import Document
from convspec.lsp.hover import word_at
from convspec.lsp.names import Local, Word
from convspec.lsp.positions import range_of
from convspec.lsp.project import Project
from convspec.lsp.views import View
from convspec.records import dataclass
from convspec.source import SourceFile, Span
from convspec.syntax import ast, grammar

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Refused(JsonRpcException):
    """A rename that cannot be; the editor shows why."""

    CODE = -32803  # RequestFailed
    MESSAGE = "refused"


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What a word stands for: a local of an item, a declaration of a file, or a parameter of one."""

    view: View
    name: str
    item: ast.Item
    local: Local | None = None

    @property
    def span(self) -> Span:
        """Where it is declared."""
        if self.local is not None:
            return self.local.span
        assert not isinstance(self.item, ast.Use | ast.Default)
        return self.item.name.span

    def is_same(self, other: Target | None) -> bool:
        return other is not None and other.span is self.span


def target_of(project: Project, view: View, item: ast.Item, word: Word) -> Target | None:
    """What a word stands for; None for layers and other words of the language."""
    if word.kind == "local" and word.local is not None:
        return Target(view, word.text, item, word.local)
    if word.kind == "global":
        found = project.views.declaration(view, word.text)
        return Target(found[0], word.text, found[1]) if found is not None else None
    if word.kind == "argument":
        block = project.views.block(view, word.callee)
        return _parameter(project, *block, word.text) if block is not None else None
    return None


def _parameter(project: Project, view: View, item: ast.Block | ast.Let, name: str) -> Target | None:
    words = project.views.words(item)
    found = next((word for word in words if word.text == name and word.declares and isinstance(word.node, ast.Param)), None)
    return Target(view, name, item, found.local) if found is not None else None


def definition(project: Project, document: Document, position: types.Position) -> list[types.Location] | None:
    """Where what is under the cursor is declared; for a path the file."""
    found = word_at(project, document, document.lines.offset(position))
    if found is None:
        return None
    item, word = found
    view = project.view(document)
    if word.kind == "path":
        path = project.views.target(view, word.text)
        target_view = project.views.of_path(path) if path is not None else None
        return [_location(project, Span(target_view.file, 0, 0))] if target_view is not None else None
    target = target_of(project, view, item, word)
    return [_location(project, target.span)] if target is not None else None


def references(
    project: Project, document: Document, position: types.Position, declaration: bool = True
) -> list[types.Location] | None:
    """Every place of the project where what is under the cursor is meant."""
    found = word_at(project, document, document.lines.offset(position))
    target = target_of(project, project.view(document), *found) if found is not None else None
    if target is None:
        return None
    spans = [word.span for word in _uses(project, target) if declaration or word.span is not target.span]
    return [_location(project, span) for span in spans]


def highlights(project: Project, document: Document, position: types.Position) -> list[types.DocumentHighlight] | None:
    """Every place of this file where the word under the cursor means the same."""
    found = word_at(project, document, document.lines.offset(position))
    if found is None:
        return None
    view = project.view(document)
    target = target_of(project, view, *found)
    if target is None:
        items = view.tree.items if view.tree is not None else ()
        same = [w for each in items for w in project.views.words(each) if (w.kind, w.text) == (found[1].kind, found[1].text)]
    else:
        same = list(_uses_in(project, view, target))
    kinds = {True: types.DocumentHighlightKind.Write, False: types.DocumentHighlightKind.Read}
    return [types.DocumentHighlight(range_of(word.span, document.encoding), kinds[word.declares]) for word in same]


def _uses(project: Project, target: Target) -> Iterator[Word]:
    """The words of all files that stand for something."""
    if target.local is not None and not isinstance(target.local.node, ast.Param):
        yield from _uses_in(project, target.view, target)
        return
    for view in project.views.all():
        if target.name in view.file.text:
            yield from _uses_in(project, view, target)
    if target.view.file not in [view.file for view in project.views.all()]:
        yield from _uses_in(project, target.view, target)


def _uses_in(project: Project, view: View, target: Target) -> Iterator[Word]:
    for item in view.tree.items if view.tree is not None else ():
        for word in project.views.words(item):
            if word.text == target.name and target.is_same(target_of(project, view, item, word)):
                yield word


def _location(project: Project, span: Span) -> types.Location:
    return types.Location(project.uri_of(span.file) or "", range_of(span, types.PositionEncodingKind(project.encoding)))


# ── rename ───────────────────────────────────────────────────────────────────────────────────────────────────


def prepare_rename(project: Project, document: Document, position: types.Position) -> types.Range:
    """The characters that would be renamed. Refused, with the reason, where that cannot be."""
    _, word = _renamed(project, document, position)
    return range_of(word.span, document.encoding)


def rename(project: Project, document: Document, position: types.Position, name: str) -> types.WorkspaceEdit:
    """The edits that give what is under the cursor another name, in every file. Refused where it cannot have it."""
    target, _ = _renamed(project, document, position)
    _check_name(name)
    changes: dict[SourceFile, list[types.TextEdit]] = {}
    touched: list[tuple[View, ast.Item]] = []
    for view in _all_views(project, target):
        for item in view.tree.items if view.tree is not None else ():
            same = [
                word
                for word in project.views.words(item)
                if word.text == target.name and target.is_same(target_of(project, view, item, word))
            ]
            for word in same:
                edit = types.TextEdit(range_of(word.span, document.encoding), name)
                changes.setdefault(view.file, []).append(edit)
            touched += [(view, item)] if same else []
    _check_clashes(project, target, touched, name)
    return types.WorkspaceEdit(changes={project.uri_of(file) or "": edits for file, edits in changes.items()})


def _all_views(project: Project, target: Target) -> list[View]:
    views = [view for view in project.views.all() if target.name in view.file.text]
    known = {view.file for view in views}
    return views if target.view.file in known else [*views, target.view]


def _renamed(project: Project, document: Document, position: types.Position) -> tuple[Target, Word]:
    """What is to be renamed. Refused for what belongs to the language, to convspec's own files, or to weights."""
    found = word_at(project, document, document.lines.offset(position))
    if found is None:
        raise Refused("there is no name here")
    item, word = found
    if word.kind in ("label", "output"):
        what = "a label is the name of weights" if word.kind == "label" else "an output's name is its name on every target"
        raise Refused(f"{what}: another one would not fit files that exist already; change it by hand where that is meant")
    target = target_of(project, project.view(document), item, word)
    if target is None:
        raise Refused(f"`{word.text}` belongs to the language, and has no other name")
    if target.view.shipped:
        raise Refused(f"`{word.text}` is declared in {target.view.file.name}, which is shipped with convspec")
    for view in _all_views(project, target):
        document_there = project.document_of(view.file)
        if document_there is not None and document_there.syntax.failure is not None:
            raise Refused(f"{view.file.name} has syntax errors: what is meant where cannot be told")
    return target, word


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise Refused(f'"{name}" is not a name: names are made of A-Z, a-z, 0-9 and `_`, and begin with no digit')
    if name in grammar.loaded().words:
        raise Refused(f"`{name}` is a word of the language")


def _check_clashes(project: Project, target: Target, touched: list[tuple[View, ast.Item]], name: str) -> None:
    """Refuse a name that means something else already where the old one is used."""
    for view, item in touched:
        for word in project.views.words(item):
            meant = word.kind in ("local", "global", "function", "quantity") and word.text == name
            if meant and not target.is_same(target_of(project, view, item, word)):
                raise Refused(f"`{name}` means something else already, at {word.span}")
        if target.local is None and (name in view.items or name in view.imports):
            raise Refused(f"{view.file.name} has a `{name}` already")
    hides = target.local is None or target.local.kind in ("layer", "function")
    if hides and (ops.known(name) or name in BUILTINS or name in BUDGETS):
        raise Refused(f"`{name}` is a layer or function of the language, which would be hidden")
