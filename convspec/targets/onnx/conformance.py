"""Does an op type, with these inputs and attributes, exist at an opset? And attributes as the schema types them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from convspec.diagnostics import Diagnostic, Failure
from convspec.targets.onnx.opsets import REDEFINED, SINCE, first_opset, schema
from convspec.targets.onnx.plan import OnnxNode, not_expressible


def typed_attributes(nodes: Iterable[OnnxNode], opset: int) -> list[dict[str, Any]]:
    """Each node's attributes as ints, floats, strings and lists of them, by the schema of its op type at `opset`.

    Failure CNN090 with one diagnostic for each node that the opset cannot express.
    """
    schemas: dict[str, Any] = {}
    typed: list[dict[str, Any]] = []
    problems: list[Diagnostic] = []
    for node in nodes:
        if node.op_type not in schemas:
            schemas[node.op_type] = schema(node.op_type, opset)
        reason = _misfit(node, schemas[node.op_type], opset)
        if reason is None:
            typed.append(_typed(node.attributes, schemas[node.op_type]))
        elif node.origin is not None:
            problems.append(not_expressible(node.origin, reason))
    if problems:
        raise Failure(problems)
    return typed


def _misfit(node: OnnxNode, found: Any | None, opset: int) -> str | None:
    if found is None:
        since = REDEFINED.get(node.op_type) or first_opset(node.op_type)
        if since is None or since <= opset:
            return f"opset {opset} has no {node.op_type}"
        return f"opset {opset} has no {node.op_type}; opset {since} has"
    for name, value in node.attributes.items():
        if name not in found.attributes:
            return f"{node.op_type} of opset {opset} has no attribute `{name}`"
        since = SINCE.get((node.op_type, name, value)) if isinstance(value, str) else None
        if since is not None and opset < since:
            return f"{node.op_type} of opset {opset} has no `{name}` of {value!r}; opset {since} has"
    if not found.min_input <= len(node.inputs) <= found.max_input:
        return f"{node.op_type} of opset {opset} takes {found.min_input} to {found.max_input} inputs, not {len(node.inputs)}"
    return None


def _typed(attributes: Mapping[str, Any], found: Any) -> dict[str, Any]:
    return {name: _value(value, found.attributes[name].type.name) for name, value in attributes.items() if value is not None}


def _value(value: Any, kind: str) -> Any:
    """`kind` is the schema's: INT, INTS, FLOAT, FLOATS, STRING, STRINGS. Integers may be subclasses, and floats integers."""
    match kind:
        case "INT":
            return int(value)
        case "FLOAT":
            return float(value)
        case "STRING":
            return str(value)
        case "INTS":
            return [int(item) for item in value]
        case "FLOATS":
            return [float(item) for item in value]
        case "STRINGS":
            return [str(item) for item in value]
    raise TypeError(f"lowerings give no attributes of kind {kind}")
