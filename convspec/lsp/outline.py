"""The parts of a file: symbols for the outline, and ranges that fold."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from convspec.elaborate.walk import descendants, target_names
from convspec.lsp.document import Document
from convspec.lsp.meaning import head
from convspec.syntax import ast, grammar

_S = types.SymbolKind


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
    found: dict[str, types.DocumentSymbol] = {}
    outputs: list[types.DocumentSymbol] = []
    for statement in _statements(body):
        match statement:
            case ast.Input(name=name):
                found[name.text] = _symbol(document, name, statement, _S.Field, "input")
            case ast.Layer(name=name):
                found[name.text] = _symbol(document, name, statement, _S.Object, "layer")
            case ast.Let(name=name):
                found[name.text] = _symbol(document, name, statement, _S.Constant, "let")
            case ast.Assign(targets=targets):
                for name in targets:
                    found.setdefault(name.text, _symbol(document, name, statement, _S.Variable, ""))
            case ast.For(targets=loops):
                for name in (each for target in loops for each in target_names(target)):
                    found.setdefault(name.text, _symbol(document, name, statement, _S.Variable, "for"))
            case ast.Output(items=items):
                for item in items:
                    if item.name is not None:
                        text = item.name.span.text.strip('"') or "output"
                        outputs.append(_symbol(document, ast.Name(text, item.name.span), item, _S.Interface, "output"))
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


def folding(document: Document) -> list[types.FoldingRange]:
    """Bodies, brackets over several lines, comments over several lines, and imports."""
    lines = document.lines
    found: dict[tuple[int, int], types.FoldingRange] = {}

    def add(start: int, end: int, kind: types.FoldingRangeKind | None = None, closed: bool = True) -> None:
        first, last = lines.position(start).line, lines.position(end).line - closed
        if last > first:
            found.setdefault((first, last), types.FoldingRange(first, last, kind=kind))

    for item in document.syntax_items():
        for node in descendants(item):
            if isinstance(node, ast.Body | ast.Group | ast.ListLit):
                add(node.span.start, node.span.end)
    for start, end in _comments(document):
        add(start, end, types.FoldingRangeKind.Comment, closed=False)
    uses = [item for item in document.syntax_items() if isinstance(item, ast.Use)]
    if len(uses) > 1:
        add(uses[0].span.start, uses[-1].span.end, types.FoldingRangeKind.Imports, closed=False)
    return [found[key] for key in sorted(found)]


def _comments(document: Document) -> Iterator[tuple[int, int]]:
    """Runs of comments on lines of their own."""
    run: tuple[int, int, int] | None = None
    text, lines = document.text, document.lines
    for token in grammar.tokens(text, 0, len(text)):
        if token.type not in ("COMMENT", "DOC"):
            continue
        line = lines.position(token.start_pos).line
        own = not text[lines.starts[line] : token.start_pos].strip()
        if run is not None and own and line == run[2] + 1:
            run = run[0], token.end_pos, line
            continue
        if run is not None:
            yield run[:2]
        run = (token.start_pos, token.end_pos, line) if own else None
    if run is not None:
        yield run[:2]
