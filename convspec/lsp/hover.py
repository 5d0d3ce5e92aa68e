"""What is under the mouse: a layer's meaning and what it does here, the value of a name, the shape of a tensor."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from lsprotocol import types

from convspec.analysis.receptive_field import show
from convspec.elaborate.module import BindEvent, BlockEvent
from convspec.elaborate.walk import descendants
from convspec.ir.graph import Node, Value
from convspec.lsp import meaning
from convspec.lsp.document import Document
from convspec.lsp.facts import Fact, Facts, cost, distinct, nodes_of, plain, results, shape, shapes, shortened
from convspec.lsp.names import Local, Word
from convspec.lsp.project import Project
from convspec.lsp.views import View
from convspec.syntax import ast

_WORD = re.compile(r"[^\W\d]\w*")


def hover(project: Project, document: Document, position: types.Position) -> types.Hover | None:
    """What is to be said about a place, and which characters it is about."""
    offset = document.lines.offset(position)
    found = _of_word(project, document, offset) or _of_token(document, offset)
    if found is None:
        return None
    text, start, end = found
    content = types.MarkupContent(types.MarkupKind.Markdown, text)
    return types.Hover(content, document.lines.range(start, end))


def word_at(project: Project, document: Document, offset: int) -> tuple[ast.Item, Word] | None:
    """The word that a character is in or stands behind, and its item."""
    for item in document.shown_items():
        if item.span.start <= offset <= item.span.end:
            near = [word for word in project.views.words(item) if word.span.start <= offset <= word.span.end]
            near.sort(key=lambda word: (offset == word.span.end, word.span.end - word.span.start))
            found = next((word for word in near if word.text in word.span.text), None)
            return (item, found) if found is not None else None
    return None


def _of_word(project: Project, document: Document, offset: int) -> tuple[str, int, int] | None:
    found = word_at(project, document, offset)
    if found is None:
        return None
    item, word = found
    text = _said(project, project.view(document), project.facts(document), item, word)
    return (text, word.span.start, word.span.end) if text else None


def _said(project: Project, view: View, facts: Facts, item: ast.Item, word: Word) -> str | None:
    match word.kind:
        case "local":
            assert word.local is not None
            return _local(facts, item, word, word.local)
        case "global":
            return _global(project, view, facts, word)
        case "argument":
            return _argument(project, view, word)
        case "function":
            return f"```cnn\n{word.text}(…)\n```\n\n{meaning.BUILTINS.get(word.text, '')}"
        case "quantity":
            return f"`{word.text}`: {meaning.QUANTITIES[word.text]}"
        case "type":
            return f"`{word.text}`: {meaning.TYPES.get(word.text, 'an element type')}"
        case "label":
            return _label(facts, word)
        case "property":
            return _property(facts, item, word)
    return None


def _of_token(document: Document, offset: int) -> tuple[str, int, int] | None:
    """Of a word by itself: a keyword, or a layer where the text around it does not parse."""
    line = document.lines.position(offset).line
    start = document.lines.starts[line]
    for match in _WORD.finditer(document.text, start, min(len(document.text), offset + 200)):
        if match.start() <= offset <= match.end():
            op = None if match[0] in meaning.KEYWORDS else meaning.usable(match[0])
            text = meaning.KEYWORDS.get(match[0])
            said = meaning.layer(op) if op is not None else f"`{match[0]}`: {text}" if text else None
            inside = document.text[start : match.start()]
            return (said, *match.span()) if said and "#" not in inside and inside.count('"') % 2 == 0 else None
    return None


# ── what is applied ──────────────────────────────────────────────────────────────────────────────────────────


def _global(project: Project, view: View, facts: Facts, word: Word) -> str | None:
    found = project.views.declaration(view, word.text)
    here = _here(facts, facts.at(word.node)) if word.called else ""
    if found is not None:
        owner, item = found
        where = f"\n\nfrom `{owner.file.name}`" if owner.file is not view.file else ""
        values = _constant(facts, item) if isinstance(item, ast.Let) else ""
        return f"{here}{meaning.item(item)}{values}{where}"
    op = meaning.usable(word.text)
    return f"{here}{meaning.layer(op)}" if op is not None else None


def _constant(facts: Facts, let: ast.Let) -> str:
    values = shortened(plain(value) for value in facts.constants(let))
    return f"\n\n= `{values}`" if values and let.params is None else ""


def _here(facts: Facts, found: list[Fact]) -> str:
    """What a stage does where it stands: shapes, weights, cost, receptive field."""
    if not found:
        return ""
    rows = [f"`{_inputs(fact)}` → `{', '.join(map(shape, results(fact.event)))}`" for fact in found]
    rows = distinct(rows)
    lines = [*rows[:4], *([f"and {len(rows) - 4} more shapes"] if len(rows) > 4 else [])]
    costs = [cost(fact.event) for fact in found]
    lines.append(f"parameters: {shortened(f'{weights:,}' for weights, _ in costs)}")
    lines.append(f"MACs: {shortened(_number(macs) for _, macs in costs)}")
    fields = shortened(_field(facts, fact) for fact in found)
    lines += [f"receptive field: {fields}"] if fields.strip("- |") else []
    resolved = shortened((_resolved(fact) for fact in found), 2)
    lines += [f"`{resolved}`"] if resolved.strip(" |") else []
    labels = distinct(filter(None, map(_path, found)))
    lines.append(f"label: {', '.join(f'`{label}`' for label in labels[:4])}{' …' if len(labels) > 4 else ''}")
    return "  \n".join(lines) + "\n\n---\n\n"


def _path(fact: Fact) -> str:
    """The label path of a stage."""
    if isinstance(fact.event, BlockEvent):
        return fact.event.application.path
    return next((node.path for node in nodes_of(fact.event)), "")


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _inputs(fact: Fact) -> str:
    """The tensors that go in, which for a block are its tensor arguments."""
    nodes = getattr(fact.event, "nodes", None)
    if nodes:
        return ", ".join(shape(value) for value in nodes[0].inputs)
    application = getattr(fact.event, "application", None)
    if application is not None:
        return ", ".join(shape(value) for value in application.bindings.values() if isinstance(value, Value)) or "…"
    inner = next(nodes_of(fact.event), None)
    return ", ".join(shape(value) for value in inner.inputs) if inner is not None else "…"


def _field(facts: Facts, fact: Fact) -> str:
    found = next((value for value in results(fact.event) if isinstance(value, Value)), None)
    fields = facts.fields(fact)
    return show(fields[found]) if found is not None and found in fields else "-"


def _resolved(fact: Fact) -> str:
    """The attributes as they were resolved: `kernel = [3, 3], stride = [2, 2]`."""
    nodes: tuple[Node, ...] = getattr(fact.event, "nodes", ())
    if len(nodes) != 1:
        return ""
    node = nodes[0]
    given = ((each.name, getattr(node.attrs, each.name)) for each in node.op.attributes)
    return ", ".join(f"{name} = {meaning.written(value)}" for name, value in given if value is not None)


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────


def _local(facts: Facts, item: ast.Item, word: Word, local: Local) -> str | None:
    here = _here(facts, facts.at(word.node)) if word.called else ""
    values = shortened(map(_value, _values(facts, item, word, local)))
    shown = f"\n\n= `{values}`" if values else ""
    match local.node:
        case ast.Param():
            kind = local.node.type.text if local.node.type is not None else ""
            said = f" ({meaning.TYPES[kind]})" if kind in meaning.TYPES else ""
            return f"{here}```cnn\n{local.node.span.text}\n```\n\na parameter{said}{shown}"
        case ast.Input() if local.kind == "input":
            doc = f"\n\n{local.node.doc}" if local.node.doc else ""
            return f"```cnn\n{local.node.span.text}\n```{doc}{shown}"
        case ast.Input():
            return f"`{local.name}`: a size of the input `{local.node.name.text}`, any integer from 1 or its bound on"
        case ast.Layer():
            return f"{here}```cnn\n{local.node.span.text}\n```\n\na layer whose weights every use shares{shown}"
        case ast.Let():
            return f"```cnn\n{meaning.head(local.node)}\n```{shown}"
    return f"`{local.name}`{shown}"


def _value(value: Any) -> str:
    return str(value.type) if isinstance(value, Value) else plain(value)


def _values(facts: Facts, item: ast.Item, word: Word, local: Local) -> list[Any]:
    """What a name stands for where it is written: bound just above, or as a parameter."""
    if isinstance(local.node, ast.Param):
        runs = facts.runs(item)
        own = [run.bindings[local.name] for run in runs if local.name in run.bindings]
        bound = _bound(facts, word, local)
        return bound or own
    return _bound(facts, word, local)


def _bound(facts: Facts, word: Word, local: Local) -> list[Any]:
    found: list[Any] = []
    node = word.node if word.declares else local.last(word.span.start)
    for fact in facts.at(node):
        if isinstance(fact.event, BindEvent):
            names = _targets(node)
            found += [value for name, value in zip(names, fact.event.values, strict=False) if name == local.name]
        else:
            found += _turns(node, local.name, fact)
    return found


def _targets(node: Any) -> list[str]:
    match node:
        case ast.Assign(targets=targets):
            return [name.text for name in targets]
        case ast.Input(name=name) | ast.Layer(name=name) | ast.Let(name=name):
            return [name.text]
    return []


def _turns(node: Any, name: str, fact: Fact) -> Iterable[Any]:
    """What a loop has bound to one of its names."""
    items = getattr(fact.event, "items", ())
    if not isinstance(node, ast.For | ast.Comprehension):
        return
    targets = list(node.targets)
    for index, value in enumerate(items):
        bound = [index, value] if len(targets) == 2 else [value]
        for target, each in zip(targets, bound, strict=False):
            if isinstance(target, ast.Name):
                if target.text == name:
                    yield each
            elif isinstance(each, list | tuple):
                yield from (inner for inner_name, inner in zip(target.names, each, strict=False) if inner_name.text == name)


def _argument(project: Project, view: View, word: Word) -> str | None:
    """A parameter given by name."""
    found = project.views.block(view, word.callee)
    if found is not None:
        params = found[1].params or ()
        return next((f"```cnn\n{each.span.text}\n```" for each in params if each.name.text == word.text), None)
    op = meaning.usable(word.callee)
    return next((meaning.attribute(each) for each in op.attributes if each.name == word.text), None) if op is not None else None


def _label(facts: Facts, word: Word) -> str:
    body = word.node.body
    inside = (node for node in descendants(body) if isinstance(node, ast.StageCall))
    found = facts.at(body) or [fact for node in inside for fact in facts.at(node)]
    paths = distinct(node.path for fact in found for node in nodes_of(fact.event))
    weights = distinct(
        f"`{parameter.name}` {'x'.join(map(str, parameter.shape))}"
        for fact in found
        for node in nodes_of(fact.event)
        for parameter in node.params.values()
    )
    said = f"the label `{word.text}`: it names the weights of this stage"
    owned = "\n".join(f"- {each}" for each in weights[:8]) + ("\n- …" if len(weights) > 8 else "")
    out = f"\n\n`{shapes(found)}`" if isinstance(body, ast.StageCall) and shapes(found) else ""
    return f"{said}{out}\n\n{owned}" if paths else said


def _property(facts: Facts, item: ast.Item, word: Word) -> str:
    return f"`.{word.text}` of a tensor" if word.text != "shape" else "`.shape` of a tensor: the list of its sizes"


__all__ = ["hover", "word_at"]
