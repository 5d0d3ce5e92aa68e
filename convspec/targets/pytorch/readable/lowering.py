"""Lowerings of an op at all moments, computed with tracked numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from convspec.ir.graph import Node
from convspec.ir.types import TensorType
from convspec.syntax import ast
from convspec.targets.pytorch.equivalents import RULES
from convspec.targets.pytorch.readable.body import Body
from convspec.targets.pytorch.readable.holes import Sources, hole_code
from convspec.targets.pytorch.readable.values import Unsayable, Val, Varied
from convspec.targets.source import code
from convspec.targets.source.code import Code
from convspec.targets.source.merge import Differ, Hole, merge
from convspec.targets.source.tracked import Ref, TrackedInt, track


def merged_lowering(body: Body, nodes: Sequence[Node], attrs: Mapping[str, ast.Expr], inputs: Sequence[Val]) -> Any:
    """The lowering that all nodes have, its constants as Holes."""
    made: dict[Any, Any] = {}
    for node in nodes:  # many nodes of a large network are alike
        key = node.attrs, node.input_types
        if key not in made:
            made[key] = node.op.lower["pytorch"](tracked_attrs(node, attrs), *tracked_types(node, inputs))
    trees = [made[node.attrs, node.input_types] for node in nodes]
    try:
        return merge(trees, RULES)
    except Differ as problem:
        raise Varied("the form of a layer", body.moments, problem.keys) from None


def tracked_attrs(node: Node, attrs: Mapping[str, ast.Expr]) -> Any:
    """The node's attributes; numbers that were written in the source remember for which attribute."""
    tracked = {name: track(getattr(node.attrs, name), ("attr", name)) for name in attrs if hasattr(node.attrs, name)}
    return replace(node.attrs, **tracked) if tracked else node.attrs


def tracked_types(node: Node, inputs: Sequence[Val]) -> list[TensorType]:
    """The types of the inputs; channels remember of which input they are."""
    types = list(node.input_types)
    if any(val.many for val in inputs) or len(types) != len(inputs):
        return types
    return [_tracked(tensor_type, index) for index, tensor_type in enumerate(types)]


def _tracked(tensor_type: TensorType, index: int) -> TensorType:
    shape = tensor_type.shape
    if len(shape) < 2 or not isinstance(shape[1], int):
        return tensor_type
    channels = TrackedInt(shape[1], Ref(("channels", index)))
    return tensor_type.with_shape((shape[0], channels, *shape[2:]))


def channels_after(sources: Sources, nodes: Sequence[Node]) -> list[Code | None]:
    """The number of channels of each output as an expression of `__init__`; None where it cannot be said."""
    counts = {len(node.outputs) for node in nodes}
    if len(counts) > 1:
        raise Varied("the number of outputs", sources.body.moments, [len(node.outputs) for node in nodes])
    made: dict[Any, tuple[TensorType, ...]] = {}
    for node in nodes:
        key = node.attrs, node.input_types
        if key not in made:
            made[key] = _inferred(node, sources)
    inferred = [made[node.attrs, node.input_types] for node in nodes]
    return [_channels(sources, [row[index] for row in inferred]) for index in range(counts.pop())]


def _inferred(node: Node, sources: Sources) -> tuple[TensorType, ...]:
    found = node.op.infer(tracked_attrs(node, sources.attrs), *tracked_types(node, sources.inputs))
    return (found,) if isinstance(found, TensorType) else tuple(found)


def _channels(sources: Sources, types: Sequence[TensorType]) -> Code | None:
    values = [tensor_type.shape[1] if tensor_type.rank > 1 else None for tensor_type in types]
    if not all(isinstance(value, int) for value in values):
        return None
    listed = _sum_of_lists(sources, values)
    if listed is not None:
        return listed
    try:
        return hole_code(sources, Hole(tuple(values), False), "init")
    except Unsayable:
        return None


def _sum_of_lists(sources: Sources, values: Sequence[Any]) -> Code | None:
    """The channels of `concat(skips)` and the like."""
    if not any(val.many for val in sources.inputs):
        return None
    total: Code | None = None
    for val in sources.inputs:
        if val.init is None:
            return None
        part = code.call("sum", [val.init]) if val.many else val.init
        total = part if total is None else code.binary("+", total, part)
    return total if total is not None and sources.body.evaluates(total, values) is not False else None
