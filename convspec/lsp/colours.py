"""Semantic tokens: what each word is, for its colour."""

from __future__ import annotations

from lsprotocol import types

from convspec import ops
from convspec.elaborate.builtins import BUILTINS
from convspec.lsp.document import Document
from convspec.lsp.names import Word
from convspec.lsp.project import Project
from convspec.lsp.views import View
from convspec.syntax import ast

TYPES = ("class", "function", "method", "parameter", "variable", "property", "enumMember", "type", "label", "namespace")
"""All are among the protocol's own, but for `label`, which is since 3.18."""
MODIFIERS = ("declaration", "readonly", "defaultLibrary")
LEGEND = types.SemanticTokensLegend(list(TYPES), list(MODIFIERS))
_LOCAL = {"parameter": "parameter", "layer": "function", "function": "function"}


def semantic_tokens(project: Project, document: Document, wanted: types.Range | None = None) -> types.SemanticTokens:
    """Every word that is a name, in the order of the text, in the protocol's steps from one to the next."""
    view = project.view(document)
    lines = document.lines
    start, end = (0, len(document.text)) if wanted is None else (lines.offset(wanted.start), lines.offset(wanted.end))
    data: list[int] = []
    line = character = 0
    for item in document.syntax_items():
        if item.span.end < start or item.span.start > end:
            continue
        for word in project.views.words(item):
            kind = _kind(project, view, word)
            if kind is None or not start <= word.span.start <= end or "\n" in word.span.text:
                continue
            at, until = lines.position(word.span.start), lines.position(word.span.end)
            ahead = at.character - (character if at.line == line else 0)
            if (at.line, at.character) < (line, character) or (data and at.line == line and ahead <= 0):
                continue
            modifiers = (word.declares << 0) | (_is_library(word, kind) << 2)
            data += [at.line - line, ahead, until.character - at.character, TYPES.index(kind), modifiers]
            line, character = at.line, at.character
    return types.SemanticTokens(data)


def _kind(project: Project, view: View, word: Word) -> str | None:
    match word.kind:
        case "local":
            return _LOCAL.get(word.local.kind, "variable") if word.local is not None else "variable"
        case "global":
            return _global(project, view, word)
        case "argument":
            return "parameter"
        case "function" | "quantity":
            return "function"
        case "type":
            return "type"
        case "property":
            return "property"
        case "label" | "output":
            return "label" if not word.span.text.startswith('"') else None
    return None


def _global(project: Project, view: View, word: Word) -> str | None:
    found = view.items.get(word.text)
    if found is None and word.text in view.imports:
        declared = project.views.declaration(view, word.text)
        found = declared[1] if declared is not None else None
    if isinstance(found, ast.Let):
        return "variable" if found.params is None else "function"
    if found is not None or word.text in view.imports:
        return "class"
    if ops.known(word.text) and (word.called or isinstance(word.node, ast.Default)):
        return "function"
    return "enumMember" if not word.called else None


def _is_library(word: Word, kind: str) -> bool:
    return word.kind in ("function", "quantity") or (kind == "function" and (ops.known(word.text) or word.text in BUILTINS))
