"""The shape after each stage, written into the margin of the code."""

from __future__ import annotations

from lsprotocol import types

from convspec.elaborate.walk import descendants
from convspec.lsp.document import Document
from convspec.lsp.facts import shapes
from convspec.lsp.project import Project
from convspec.syntax import ast

_MOST = 60
"""Letters of a hint; a longer one is cut, and said in full where the mouse is held over it."""


def inlay_hints(project: Project, document: Document, wanted: types.Range) -> list[types.InlayHint]:
    """The shapes that come out of the stages in a range."""
    start, end = document.lines.offset(wanted.start), document.lines.offset(wanted.end)
    facts = project.facts(document)
    hints: list[types.InlayHint] = []
    for item in document.shown_items():
        if item.span.end < start or item.span.start > end or not isinstance(item, ast.Block):
            continue
        for node in descendants(item.body):
            if isinstance(node, ast.StageCall | ast.Call) and start <= node.span.end <= end and _is_there(node):
                shown = shapes(facts.at(node))
                if "[" in shown:
                    hints.append(_hint(document, node.span.end, shown))
    return sorted(hints, key=lambda hint: (hint.position.line, hint.position.character))


def _is_there(node: ast.StageCall | ast.Call) -> bool:
    """Whether a stage still stands in the text, which may have syntax errors now."""
    return node.function.span.text == node.function.text


def _hint(document: Document, offset: int, shown: str) -> types.InlayHint:
    cut = shown if len(shown) <= _MOST else f"{shown[:_MOST]}…"
    tooltip = shown if cut != shown else None
    return types.InlayHint(document.lines.position(offset), cut, tooltip=tooltip, padding_left=True, padding_right=False)
