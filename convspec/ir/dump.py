"""A flat graph as stable text, one line a node: what tests compare, and what `git diff` can show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from convspec.ir.graph import Graph, Node, Parameter, Value
from convspec.ir.init import Init


def dump(graph: Graph) -> str:
    """Inputs, nodes and outputs in order, each line ended by a newline:

        input image: float32[N, 1, 28, 28]
        conv1 = conv(image; filters=32, kernel=5x5, …): float32[N, 32, 28, 28] with weight[32, 1, 5, 5], bias[32]
        output logits = linear2

    Attributes are those of the node, fully resolved; one that is not set is left out. Parameters stand under their role; a
    name that is not that of the output with the role (a layer applied once more) is written out.
    """
    lines = [f"input {graph_input.value.name}: {graph_input.value.type}" for graph_input in graph.inputs]
    lines += [_node(node) for node in graph.nodes]
    lines += [_output(output.name, output.value) for output in graph.outputs]
    return "".join(f"{line}\n" for line in lines)


def _output(name: str, value: Value) -> str:
    return f"output {name}" if name == value.name else f"output {name} = {value.name}"


def _node(node: Node) -> str:
    outputs = ", ".join(value.name for value in node.outputs)
    inputs = ", ".join(value.name for value in node.inputs)
    values = ((field.name, getattr(node.attrs, field.name)) for field in fields(node.attrs))
    attrs = ", ".join(f"{name}={_shown(value)}" for name, value in values if value is not None)
    types = ", ".join(str(value.type) for value in node.outputs)
    arguments = f"{inputs}; {attrs}" if attrs else inputs
    return f"{outputs} = {node.op.name}({arguments}): {types}{_params(node.outputs[0].name, node.params)}"


def _params(name: str, params: Mapping[str, Parameter]) -> str:
    if not params:
        return ""
    shown = (_param(name, role, parameter) for role, parameter in params.items())
    return f" with {', '.join(shown)}"


def _param(name: str, role: str, parameter: Parameter) -> str:
    shown = role if role and parameter.name == f"{name}.{role}" else parameter.name
    return f"{shown}[{', '.join(map(str, parameter.shape))}]"


def _shown(value: Any) -> str:
    """An attribute: sizes as `3x3`, pads as `[1, 2]x[0, 0]`, words and truth values as they are written in a spec."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        inner = all(isinstance(item, tuple) for item in value) and value
        return "x".join(f"[{', '.join(map(str, item))}]" for item in value) if inner else "x".join(map(str, value))
    if isinstance(value, Init):
        return f"{value.name}({value.value or value.gain})"
    return str(value)
