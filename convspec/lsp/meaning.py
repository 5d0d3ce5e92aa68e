"""What a name means, in Markdown: layers, blocks, functions, parameters. What `convspec explain` says, in short."""

from __future__ import annotations

import re
import sys
from dataclasses import MISSING, Field
from inspect import cleandoc
from typing import Any

from convspec import ops
from convspec.diagnostics import Failure
from convspec.ir.opdef import OpDef
from convspec.syntax import ast

KEYWORDS = {
    "language": "The version of the language that the file is written in; it stands first.",
    "use": "Imports blocks, models and constants of another file.",
    "let": "Names a constant, or a function of one expression.",
    "default": "Changes what a layer takes by default, from here to the end of the enclosing braces or file.",
    "block": "A part of a network with parameters, used as a layer is.",
    "model": "A network with inputs and outputs, or a configuration of one.",
    "input": "Declares an input of the network: its element type and its sizes.",
    "output": "Gives out tensors under names.",
    "return": "What a block gives; it stands last.",
    "for": "Repeats statements for every element of a list or range.",
    "if": "Takes one of two branches, decided while the network is built.",
    "else": "The branch that is taken where the condition does not hold.",
    "assert": "Something that must hold, of shapes, parameters or the finished network.",
    "layer": "One instance of a layer or block, whose weights every use shares.",
}
"""Words that a statement or item begins with, and what they do."""

BUILTINS = {
    "abs": "The absolute value.",
    "ceil": "The next integer from there on.",
    "floor": "The last integer up to there.",
    "int": "The number without its fraction.",
    "len": "The number of elements of a list.",
    "log2": "The logarithm to base 2.",
    "max": "The largest of some numbers, or of a list.",
    "min": "The smallest of some numbers, or of a list.",
    "reversed": "The list from its end.",
    "round": "The nearest integer, halves to even.",
    "sqrt": "The square root.",
    "sum": "The sum of a list of numbers or tensors.",
    "zip": "Lists side by side: rows of their elements.",
}
QUANTITIES = {
    "params": "The learnable elements of the network, shared ones once.",
    "macs": "Multiply-accumulates; `macs(N = 1, …)` at given sizes.",
    "flops": "Floating-point operations; `flops(N = 1, …)` at given sizes.",
    "activation_memory": "Bytes of activations at the peak of inference.",
    "receptive_field": "The cells of the input that a unit of the output sees.",
}
TYPES = {
    "tensor": "a tensor",
    "stage": "a layer, a block or a group in brackets",
    "int": "an integer",
    "float": "a number",
    "bool": "`true` or `false`",
    "string": "a text in quotes",
    "list": "a list",
    "size": "one number per spatial axis, `3x3`",
}


def usable(name: str) -> OpDef | None:
    """The layer of that name, if there is one that can be used."""
    try:
        return ops.find(name)
    except Failure:
        return None


def layer(op: OpDef) -> str:
    """A layer: what it is, its parameters, its formula and shapes."""
    from convspec.explain.layer import shown_signature

    parts = [f"```cnn\n{shown_signature(op)}\n```"]
    module = sys.modules.get(op.attrs.__module__)
    text = re.sub(rf"^`{re.escape(op.name)}`:\s*", "", cleandoc((module.__doc__ if module else None) or ""))
    if not text.lower().startswith(op.summary.lower()):
        parts.append(f"{op.summary[:1].upper()}{op.summary[1:]}.")
    parts += [text[:1].upper() + text[1:]] if text else []
    if op.formula:
        parts.append(f"```text\n{op.formula}\n```")
    if op.shape:
        parts.append(f"```text\n{op.shape}\n```")
    if op.attributes:
        parts.append("\n".join(f"- {attribute(each)}" for each in op.attributes))
    return "\n\n".join(parts)


def attribute(each: Field[Any]) -> str:
    """A parameter of a layer: its name, what it takes, its default."""
    from convspec.explain.layer import kind_text

    return f"`{each.name}`{default_of(each)}: {each.metadata['doc']} ({kind_text(each.metadata['kind'])})"


def default_of(each: Field[Any]) -> str:
    """` = 1`; nothing where a parameter must be given, or where its default is worked out."""
    return "" if each.default is MISSING or each.default is None else f" = {written(each.default)}"


def written(value: Any) -> str:
    """A value as a spec writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(written, value))}]"
    return str(value)


def item(found: ast.Let | ast.Block | ast.Configuration) -> str:
    """A block, model, configuration, constant or function: how it is called, and its documentation."""
    text = f"```cnn\n{head(found)}\n```"
    return f"{text}\n\n{found.doc}" if found.doc else text


def head(found: ast.Let | ast.Block | ast.Configuration) -> str:
    """The first line of a declaration, as it is written."""
    match found:
        case ast.Block():
            shown = f"({', '.join(each.span.text for each in found.params)})" if found.params or found.kind == "block" else ""
            return f"{found.kind} {found.name.text}{_spaces(shown)}"
        case ast.Let():
            return _spaces(found.span.text)
        case ast.Configuration():
            return _spaces(found.span.text)


def _spaces(text: str) -> str:
    flat = re.sub(r"\s+", " ", text)
    return flat if len(flat) <= 200 else f"{flat[:200]}…"
