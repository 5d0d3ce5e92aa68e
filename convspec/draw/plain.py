"""The diagram as plain data, for the HTML page and for programs. The keys are described in docs/drawing.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convspec.analysis.receptive_field import Field
from convspec.draw.diagram import Diagram, Edge, Group, Layer, Numbers, Terminal
from convspec.draw.words import shape_text
from convspec.ir.dims import Size
from convspec.ir.types import TensorType
from convspec.recursion import deep_recursion
from convspec.source import SourceFile, Span

FORMAT = 1


def to_json(drawn: Diagram) -> dict[str, Any]:
    """Numbers where sizes are known, else expressions as strings."""
    files = {file: index for index, file in enumerate(dict.fromkeys(drawn.files))}
    with deep_recursion():
        root = _group(drawn.root, files)
    totals = drawn.root.numbers
    return {
        "format": FORMAT,
        "name": drawn.name,
        "doc": drawn.doc,
        "files": [{"name": file.name, "text": file.text} for file in files],
        "sizes": dict(drawn.sizes),
        "open_sizes": list(drawn.open_sizes),
        "basis": dict(drawn.basis),
        "inputs": [_terminal(each, files) for each in drawn.inputs],
        "outputs": [_terminal(each, files) for each in drawn.outputs],
        "edges": [_edge(each) for each in drawn.edges],
        "totals": {**_numbers(totals), "activation_memory": _plain(drawn.activation_memory)},
        "root": root,
    }


def _group(group: Group, files: Mapping[SourceFile, int]) -> dict[str, Any]:
    return {
        "id": group.id,
        "kind": "group",
        "what": group.what,
        "title": group.title,
        "label": group.label,
        "path": group.path,
        "arguments": group.arguments,
        "doc": group.doc,
        "shared": group.shared,
        "source": _source(group.span, files),
        "definition": _source(group.definition, files),
        **_numbers(group.numbers),
        "stacks": [{"first": stack.first, "count": stack.count, "parallel": stack.parallel} for stack in group.stacks],
        "children": [_group(child, files) if isinstance(child, Group) else _layer(child, files) for child in group.children],
    }


def _layer(layer: Layer, files: Mapping[SourceFile, int]) -> dict[str, Any]:
    op = layer.node.op
    return {
        "id": layer.id,
        "kind": "layer",
        "index": layer.index,
        "op": op.name,
        "label": layer.label,
        "path": layer.node.path,
        "text": layer.text,
        "arguments": layer.text.removeprefix(op.name).removeprefix("(").removesuffix(")"),
        "doc": op.summary,
        "shared_with": layer.shared_with,
        "inputs": [_type(kind) for kind in layer.inputs],
        "outputs": [_type(kind) for kind in layer.outputs],
        **_numbers(layer.numbers),
        "receptive_field": [_field(field) for field in layer.field],
        "source": _source(layer.span, files),
    }


def _numbers(numbers: Numbers) -> dict[str, Any]:
    return {
        "parameters": numbers.parameters,
        "running_statistics": numbers.statistics,
        "macs": _plain(numbers.macs),
        "flops": _plain(numbers.flops),
        "activation_bytes": _plain(numbers.activation_bytes),
        "weights": dict(numbers.weights),
    }


def _terminal(terminal: Terminal, files: Mapping[SourceFile, int]) -> dict[str, Any]:
    source = _source(terminal.span, files)
    return {"id": terminal.id, "name": terminal.name, **_type(terminal.type), "doc": terminal.doc, "source": source}


def _edge(edge: Edge) -> dict[str, Any]:
    return {"from": edge.source, "to": edge.target, **_type(edge.type), "anchor": edge.anchor}


def _type(kind: TensorType) -> dict[str, Any]:
    return {"dtype": kind.dtype, "shape": [_plain(size) for size in kind.shape], "text": shape_text(kind)}


def _field(field: Field | None) -> dict[str, Any] | None:
    return None if field is None else {"size": field.size, "jump": str(field.jump), "offset": str(field.offset)}


def _source(span: Span | None, files: Mapping[SourceFile, int]) -> dict[str, int] | None:
    """1-based lines and columns; the end is excluded. None for what is in no file of the module, such as a made layer."""
    if span is None or span.file not in files:
        return None
    line, column = span.file.line_column(span.start)
    end_line, end_column = span.file.line_column(span.end)
    return {"file": files[span.file], "line": line, "column": column, "end_line": end_line, "end_column": end_column}


def _plain(size: Size | None) -> int | str | None:
    return size if size is None or isinstance(size, int) else str(size)
