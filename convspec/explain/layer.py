"""The page of a layer, from its OpDef alone."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import MISSING, Field
from inspect import cleandoc
from typing import Any

from convspec.diagnostics import Failure
from convspec.elaborate import Module, loads
from convspec.elaborate.ops import signature
from convspec.explain.emitted import LANGUAGES, NAMES, emitted
from convspec.explain.geometry import draw, geometry_of
from convspec.explain.page import Code, Page, Part, Picture, Section, Table, Text
from convspec.ir import attrs as kinds
from convspec.ir.graph import Node
from convspec.ir.opdef import ITSELF, OpDef

DRAWN = {
    "conv": ("conv(1, 3, stride = 2, pad = 1)", "conv(1, 3, dilation = 2)", "conv(1, 4, pad = same)"),
    "depthwise_conv": ("depthwise_conv(3, pad = 1)",),
    "separable_conv": ("separable_conv(1, 3, stride = 2, pad = 1)",),
    "ws_conv": ("ws_conv(1, 3, stride = 2, pad = 1)",),
    "maxpool": ("maxpool(3, stride = 2, pad = 1)", "maxpool(2, ceil = true)"),
    "avgpool": ("avgpool(2)", "avgpool(3, stride = 2, pad = 1)"),
    "lppool": ("lppool(2)",),
}
"""Layers with windows, and the stages whose geometry is drawn, on 7x7 cells."""


def layer_page(op: OpDef) -> Page:
    """Meaning, parameters, shapes, cost, what targets emit, pictures, an example."""
    sections = [Section("", tuple(_opening(op)))]
    sections += [Section("Parameters", tuple(_parameters(op)))] if op.attributes else []
    module = loads(model_text(op), f"{op.name}.cnn") if op.example else None
    node = _node(module, op) if module is not None else None
    sections.append(Section("Shapes, weights and cost", tuple(_sizes(op, node))))
    pictures = _pictures(op)
    sections += [Section("Geometry", pictures)] if pictures else []
    if node is not None:
        sections.append(Section("Example", (Code(model_text(op), "cnn"), *_result(node))))
        sections += [_target(node, target) for target in ("pytorch", "tensorflow", "onnx")]
    return Page(f"`{op.name}`", tuple(sections))


def model_text(op: OpDef) -> str:
    """The op's example as a whole spec."""
    body = "\n".join(f"    {line}" if line else "" for line in op.example.splitlines())
    return f"model Example {{\n{body}\n}}"


def shown_signature(op: OpDef) -> str:
    """`x -> conv(filters, kernel, stride = 1, …)`, with the tensors that are piped or given first."""
    written = signature(op).removeprefix("it takes ")
    if op.anchored:
        return written
    return f"{op.inputs[0].removeprefix('*')} -> {written}"


def _opening(op: OpDef) -> Iterator[Part]:
    yield Text(f"{op.summary[:1].upper()}{op.summary[1:]}.")
    yield Code(shown_signature(op), "cnn")
    doc = cleandoc(sys.modules[op.evaluate.__module__].__doc__ or "")
    own = _module_doc(op)
    yield Text(own or doc)
    if op.attrs.__doc__ and not op.attrs.__doc__.startswith(f"{op.attrs.__name__}("):
        yield Text(cleandoc(op.attrs.__doc__))
    if op.formula:
        yield Code(op.formula)
    if op.source:
        yield Text(f"Source: {op.source}.")


def _module_doc(op: OpDef) -> str:
    """The docstring of the op's own file, without the name it begins with."""
    module = sys.modules.get(op.attrs.__module__)
    text = cleandoc((module.__doc__ if module else None) or "")
    text = re.sub(rf"^`{re.escape(op.name)}`:\s*", "", text)
    return text[:1].upper() + text[1:]


def _parameters(op: OpDef) -> Iterator[Part]:
    rows = tuple(_parameter(op, attribute) for attribute in op.attributes)
    yield Table(("name", "takes", "default", "meaning"), rows)
    if op.positional:
        names = " and ".join(f"`{name}`" for name in op.positional)
        yield Text(f"{names} may be given by position.")


def _parameter(op: OpDef, attribute: Field[Any]) -> tuple[str, ...]:
    kind, default = attribute.metadata["kind"], attribute.default
    shown = "required" if default is MISSING else f"`{_value(default)}`"
    return f"`{attribute.name}`", kind_text(kind), "" if default is None else shown, attribute.metadata["doc"]


def kind_text(kind: kinds.Kind) -> str:
    """What an attribute takes: its type with its bounds, or its words."""
    words: tuple[str, ...] = getattr(kind, "words", ())
    listed = ", ".join(f"`{word}`" for word in words)
    if isinstance(kind, kinds.Word):
        return f"one of {listed}"
    said = {"least": "at least", "most": "at most", "above": "above", "below": "below"}
    bounds = [f"{text} {bound:g}" for name, text in said.items() if (bound := getattr(kind, name, None)) is not None]
    bounded = f"{kind.name}, {' and '.join(bounds)}" if bounds else kind.name
    return f"{bounded}; or {listed}" if listed else bounded


def _value(default: Any) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple | list):
        return f"[{', '.join(map(_value, default))}]"
    return str(default)


def _sizes(op: OpDef, node: Node | None) -> Iterator[Part]:
    if op.shape:
        yield Code(op.shape)
    if node is None:
        return
    if node.params:
        rows = tuple(
            (_stored_name(role), _shape(p.shape), "" if p.trainable else "not learned") for role, p in node.params.items()
        )
        yield Table(("stored in the example", "shape", ""), rows)
    yield Text(_cost(op, node))


def _stored_name(role: str) -> str:
    return "under the label itself" if role == ITSELF else f"`{role}`"


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "1"


def _cost(op: OpDef, node: Node) -> str:
    if op.training_only:
        return "In inference it does nothing and costs nothing."
    if op.cost is None:
        return "It moves data and computes nothing."
    cost = op.cost(node.attrs, *node.input_types)
    macs = f"{_number(cost.macs)} multiply-accumulates" if cost.macs != 0 else "no multiply-accumulates"
    return f"In the example below it costs {macs} and {_number(cost.flops)} other operations."


def _number(size: Any) -> str:
    return f"{size:,}" if isinstance(size, int) else f"`{size}`"


def _node(module: Module, op: OpDef) -> Node:
    return next(node for node in module.graph.nodes if node.op.name == op.name)


def _result(node: Node) -> Iterator[Part]:
    inputs = " and ".join(f"`{tensor}`" for tensor in node.input_types)
    outputs = " and ".join(f"`{tensor}`" for tensor in node.output_types)
    yield Text(f"gives {outputs}." if node.op.anchored else f"takes {inputs} to {outputs}.")


def _target(node: Node, target: str) -> Section:
    return Section(f"On {NAMES[target]}", (Code(emitted(node, target), LANGUAGES[target]),))


def _pictures(op: OpDef) -> tuple[Picture, ...]:
    found = []
    for number, stage in enumerate(DRAWN.get(op.name, ()), 1):
        try:
            node = _node(loads(f"model Drawn {{ input x: float32[1, 1, 7, 7]  output x -> {stage} }}"), op)
        except Failure:
            continue
        outputs = node.output_types[0].shape[2]
        assert isinstance(outputs, int), "the input has 7x7 cells"
        found.append(draw(f"{op.name}-{number}", geometry_of(node.attrs, 7, outputs)))
    return tuple(found)


__all__ = ["layer_page", "model_text", "shown_signature"]
