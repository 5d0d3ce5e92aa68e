"""Tensors in expressions: their sizes as attributes, and the operators and `sum` on them."""

from __future__ import annotations

from typing import Any

from convspec import ops
from convspec.diagnostics import Guess
from convspec.elaborate.frame import Frame
from convspec.elaborate.labels import OPERATOR_OPS
from convspec.elaborate.module import OpEvent
from convspec.elaborate.ops import Site, add_node
from convspec.elaborate.place import Place, Spot
from convspec.elaborate.use import Use
from convspec.elaborate.values import describe
from convspec.ir.graph import Node, Value
from convspec.ir.opdef import OpDef
from convspec.syntax import ast

_SPATIAL = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
_ATTRIBUTES = ("channels", "shape", "height", "width", "length", "depth")


def attribute(frame: Frame, tensor: Value, expr: ast.Attribute) -> Any:
    """`x.channels`, `x.shape`, `x.height` and so on."""
    name, shape = expr.name.text, tensor.type.shape
    if name == "shape":
        return list(shape)
    if name not in _ATTRIBUTES:
        from difflib import get_close_matches  # only where something is wrong

        near = get_close_matches(name, _ATTRIBUTES, 1)
        hint = (
            Guess(name, near[0], f"did you mean `.{near[0]}`?")
            if near
            else f"it has {', '.join(f'.{known}' for known in _ATTRIBUTES)}"
        )
        raise frame.fail("CNN025", f"a tensor has no `.{name}`", expr.name.span, hint=hint)
    if name == "channels":
        if len(shape) > 1:
            return shape[1]
    elif name in (axes := _SPATIAL.get(len(shape) - 2, ())):
        return shape[2 + axes.index(name)]
    message = f"a tensor {tensor.type} has no {name}"
    raise frame.fail("CNN030", message, expr.span, hint=_rank_hint(len(shape)))


def _rank_hint(rank: int) -> str | None:
    axes = _SPATIAL.get(rank - 2)
    return f"a tensor of rank {rank} has channels, {', '.join(axes)}" if axes else None


def operate(frame: Frame, expr: ast.Binary, left: Any, right: Any) -> Value:
    """`left operator right`, at least one of them a tensor and the other a tensor or a plain number."""
    if expr.operator not in OPERATOR_OPS:
        hint = "elementwise operators are + - * / ** and comparisons"
        raise frame.fail("CNN048", f"`{expr.operator}` does not work on tensors", expr.span, hint=hint)
    op = _op(OPERATOR_OPS[expr.operator])
    numbers: dict[str, float] = {}
    tensors, spans = [], []
    for side, value, operand in (("left", left, expr.left), ("right", right, expr.right)):
        if isinstance(value, Value):
            tensors.append(value)
            spans.append(operand.span)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            numbers[side] = float(value)
        else:
            message = f"`{expr.operator}` of a tensor takes a tensor or a plain number, not {describe(value)}"
            raise frame.fail("CNN048", message, operand.span)
    place = Place.of(frame)
    spot = place.claim(place.name(frame, None, expr, op.name), expr.span)
    attributes = op.attrs(**numbers)
    node = add_node(Site(frame, frame, expr.span, {}, spans), op, attributes, tensors, spot)
    frame.record(expr, OpEvent((node,), spot.label, {}, spot.shared))
    return node.outputs[0]


def negate(frame: Frame, expr: ast.Unary, value: Value) -> Value:
    """`-x`, element by element."""
    op = _op("neg")
    place = Place.of(frame)
    spot = place.claim(place.name(frame, None, expr, op.name), expr.span)
    node = add_node(Site(frame, frame, expr.span, {}, [expr.operand.span]), op, op.attrs(), [value], spot)
    frame.record(expr, OpEvent((node,), spot.label, {}, spot.shared))
    return node.outputs[0]


def total(use: Use, values: Any, spot: Spot) -> Value:
    """`sum(xs)` of tensors: a chain of additions, from the left."""
    for value in values if isinstance(values, list) else [values]:
        if not isinstance(value, Value) or not isinstance(values, list):
            raise use.env.fail("CNN048", f"`sum` takes a list of tensors, not one with {describe(value)}", use.span)
    place, op = use.place, _op("add")
    site = Site(use.env, place.frame, use.span, {}, [None, None])
    nodes: list[Node] = []
    result: Value = values[0]
    for index, value in enumerate(values[1:]):
        suffix = f".{index}" if len(values) > 2 else ""
        step = Spot(spot.path + suffix, spot.label + suffix, spot.shared)
        nodes.append(add_node(site, op, op.attrs(), [result, value], step))
        result = nodes[-1].outputs[0]
    use.place.record(use.site, OpEvent(tuple(nodes), spot.label, {}, spot.shared))
    return result


def _op(name: str) -> OpDef:
    op = ops.find(name)
    assert op is not None
    return op
