"""The parts of a file: symbols for the outline, and ranges that fold."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lsprotocol import types

from convspec.lsp.document import Document
from convspec.lsp.meaning import head
from convspec.lsp.names import bound_names
from convspec.lsp.project import Project
from convspec.syntax import ast

_S = types.SymbolKind
_COMMENT = re.compile(r"^[ \t]*#[^\r\n]*(?:\r?\n[ \t]*#[^\r\n]*)*", re.MULTILINE)
_BOUND: dict[type, tuple[types.SymbolKind, str]] = {
    ast.Input: (_S.Field, "input"),
    ast.Layer: (_S.Object, "layer"),
    ast.Let: (_S.Constant, "let"),
    ast.For: (_S.Variable, "for"),
}


def symbols(document: Document) -> list[types.DocumentSymbol]:
    """Blocks, models, configurations, constants and functions; in bodies inputs, layers, names and outputs."""
    found: list[types.DocumentSymbol] = []
    for item in document.syntax_items():
        match item:
            case ast.Block():
                kind = _S.Class if item.kind == "model" else _S.Function
                inner = [_symbol(document, each.name, each, _S.Variable, _type(each)) for each in item.params]
                inner += _inside(document, item.body)
                found.append(_symbol(document, item.name, item, kind, head(item), inner))
            case ast.Configuration():
                found.append(_symbol(document, item.name, item, _S.Class, head(item)))
            case ast.Let():
                kind = _S.Constant if item.params is None else _S.Function
                found.append(_symbol(document, item.name, item, kind, head(item)))
    return found


def _type(param: ast.Param) -> str:
    return param.type.text if param.type is not None else ""


def _inside(document: Document, body: ast.Body) -> list[types.DocumentSymbol]:
    """What the statements of a body bind, each where it is bound first, and the outputs that have names."""
    found: dict[str, types.DocumentSymbol] = {}
    outputs: list[types.DocumentSymbol] = []
    for statement in _statements(body):
        kind, detail = _BOUND.get(type(statement), (_S.Variable, ""))
        for name in bound_names(statement):
            found.setdefault(name.text, _symbol(document, name, statement, kind, detail))
        for item in statement.items if isinstance(statement, ast.Output) else ():
            if item.name is not None:
                name = ast.Name(item.name.span.text.strip('"') or "output", item.name.span)
                outputs.append(_symbol(document, name, item, _S.Interface, "output"))
    return sorted([*found.values(), *outputs], key=lambda each: (each.range.start.line, each.range.start.character))


def _statements(body: ast.Body) -> Iterator[ast.Statement]:
    for statement in body.statements:
        yield statement
        match statement:
            case ast.For(body=inner):
                yield from _statements(inner)
            case ast.If(then=then, orelse=orelse):
                yield from _statements(then)
                yield from _statements(orelse) if orelse is not None else ()


def _symbol(
    document: Document,
    name: ast.Name,
    node: ast.Item | ast.Statement | ast.Param | ast.OutputItem,
    kind: types.SymbolKind,
    detail: str,
    inner: list[types.DocumentSymbol] | None = None,
) -> types.DocumentSymbol:
    lines = document.lines
    whole = lines.range(min(node.span.start, name.span.start), max(node.span.end, name.span.end))
    return types.DocumentSymbol(
        name.text, kind, whole, lines.range(name.span.start, name.span.end), detail or None, children=inner
    )


def folding(project: Project, document: Document) -> list[types.FoldingRange]:
    """Bodies, brackets over several lines, comments over several lines, and imports."""
    lines = document.lines
    found: dict[tuple[int, int], types.FoldingRange] = {}

    def add(start: int, end: int, kind: types.FoldingRangeKind | None = None, closed: bool = True) -> None:
        first, last = lines.position(start).line, lines.position(end).line - closed
        if last > first:
            found.setdefault((first, last), types.FoldingRange(first, last, kind=kind))

    for item in document.syntax_items():
        for span in project.views.brackets(item):
            add(span.start, span.end)
    for start, end in _comments(document):
        add(start, end, types.FoldingRangeKind.Comment, closed=False)
    uses = [item for item in document.syntax_items() if isinstance(item, ast.Use)]
    if len(uses) > 1:
        add(uses[0].span.start, uses[-1].span.end, types.FoldingRangeKind.Imports, closed=False)
    return [found[key] for key in sorted(found)]


def _comments(document: Document) -> Iterator[tuple[int, int]]:
    """Runs of comments on lines of their own."""
    return (match.span() for match in _COMMENT.finditer(document.text))
