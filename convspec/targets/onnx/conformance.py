"""Does an op type, with these inputs and attributes, exist at an opset? And attributes as the schema types them, encoded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from convspec.diagnostics import Diagnostic, Failure
from convspec.targets.onnx.opsets import REDEFINED, SINCE, first_opset, schema
from convspec.targets.onnx.plan import OnnxNode, not_expressible
from convspec.targets.onnx.wire import attributes


def encoded_attributes(nodes: Iterable[OnnxNode], opset: int) -> list[bytes]:
    """Each node's attributes as fields of a NodeProto, typed by the schema of its op type at `opset`.

    Failure CNN090 with one diagnostic for each node that the opset cannot express.
    """
    schemas: dict[str, Any] = {}
    found: dict[tuple[str, int, int], str | bytes] = {}  # layers that are alike share the mapping of their attributes
    encoded: list[bytes] = []
    problems: list[Diagnostic] = []
    for node in nodes:
        key = (node.op_type, id(node.attributes), len(node.inputs))
        if key not in found:
            if node.op_type not in schemas:
                schemas[node.op_type] = schema(node.op_type, opset)
            reason = _misfit(node, schemas[node.op_type], opset)
            found[key] = _encoded(node.attributes, schemas[node.op_type]) if reason is None else reason
        result = found[key]
        if isinstance(result, bytes):
            encoded.append(result)
        elif node.origin is not None:
            problems.append(not_expressible(node.origin, result))
    if problems:
        raise Failure(problems)
    return encoded


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


def _encoded(values: Mapping[str, Any], found: Any) -> bytes:
    given = {name: value for name, value in values.items() if value is not None}
    return attributes(given, {name: found.attributes[name].type.name for name in given})
