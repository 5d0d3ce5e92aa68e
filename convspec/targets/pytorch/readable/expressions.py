"""Expressions of the source as expressions of Python, for `__init__` and `forward` at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from convspec.elaborate.module import BranchEvent, LoopEvent, OpEvent
from convspec.ir.dims import Dim
from convspec.ir.graph import Value
from convspec.syntax import ast
from convspec.targets.pytorch.readable import functions
from convspec.targets.pytorch.readable.body import Body
from convspec.targets.pytorch.readable.values import UNKNOWN, Moment, Unsayable, Val, Varied, holds_tensors
from convspec.targets.source import code
from convspec.targets.source.code import Code
from convspec.targets.source.replay import bind

Combine = Callable[..., Code]


def both(combine: Combine, *parts: Val, many: bool = False) -> Val:
    """One expression made of others, in each method where all of them can be said."""
    init, fwd = ([getattr(part, scope) for part in parts] for scope in ("init", "fwd"))
    return Val(
        combine(*init) if None not in init else None,
        combine(*fwd) if None not in fwd else None,
        many,
        depth=max((part.depth for part in parts), default=0),
    )


def plain(expression: Code, many: bool = False) -> Val:
    """An expression that is the same in both methods."""
    return Val(expression, expression, many)


def value(body: Body, expr: ast.Expr) -> Val:
    """`expr` in both methods. What it applies is written into the body on the way."""
    found = _VALUES[type(expr)](body, expr)
    if found.init is None and found.fwd is not None and found.items is None:
        return replace(found, init=_number(body, expr))
    return found


def _number(body: Body, expr: ast.Expr) -> Code | None:
    """A size that is the same plain number at every moment, such as a height, as a literal."""
    values = [concrete(expr, moment) for moment in body.moments]
    return body.constant(values) if values and all(isinstance(v, int | float) for v in values) else None


def concrete(expr: ast.Expr, moment: Moment) -> Any:
    """The value of a simple expression at a moment (tensors are graph Values), or UNKNOWN."""
    match expr:
        case ast.NameRef(text=text):
            return moment.names.get(text, UNKNOWN)
        case ast.IntLit(value=number):
            return number
        case ast.Attribute(value=inner, name=name):
            tensor = concrete(inner, moment)
            return _size(tensor, name.text) if isinstance(tensor, Value) else UNKNOWN
        case ast.Index(value=inner, index=position):
            items, index = concrete(inner, moment), concrete(position, moment)
            if isinstance(items, list | tuple) and isinstance(index, int) and -len(items) <= index < len(items):
                return items[index]
    return UNKNOWN


_SPATIAL = {3: ("length",), 4: ("height", "width"), 5: ("depth", "height", "width")}


def _size(tensor: Value, name: str) -> Any:
    shape = tensor.type.shape
    if name == "shape":
        return list(shape)
    if name == "channels":
        return shape[1] if len(shape) > 1 else UNKNOWN
    axes = _SPATIAL.get(len(shape), ())
    return shape[2 + axes.index(name)] if name in axes else UNKNOWN


# ── leaves ───────────────────────────────────────────────────────────────────────────────────────────────────


def _literal(body: Body, expr: Any) -> Val:
    return plain(code.value(expr.value))


def _size_literal(body: Body, expr: ast.SizeLit) -> Val:
    return plain(code.value(expr.values), many=True)


def _string(body: Body, expr: ast.StrLit) -> Val:
    parts = [part if isinstance(part, str) else value(body, part) for part in expr.parts]
    init = [part if isinstance(part, str) else part.init for part in parts]
    fwd = [part if isinstance(part, str) else part.fwd for part in parts]
    return Val(
        code.formatted([part for part in init if part is not None]) if None not in init else None,
        code.formatted([part for part in fwd if part is not None]) if None not in fwd else None,
    )


def _name(body: Body, expr: ast.NameRef) -> Val:
    if expr.text in body.env:
        return body.env[expr.text]
    if any(expr.text in moment.names for moment in body.moments):
        raise Unsayable(f"`{expr.text}` is neither a number nor a tensor of this body")
    constant = body.program.constant(body.applications[0].scope, expr.text)
    return plain(constant) if constant is not None else plain(code.value(expr.text))  # an enumerated word


def _attribute(body: Body, expr: ast.Attribute) -> Val:
    tensor = value(body, expr.value)
    if tensor.fwd is None:
        return Val(tensor.init if expr.name.text == "channels" else None, None)
    shape = code.attribute(tensor.fwd, "shape")
    if expr.name.text == "channels":
        return Val(tensor.init, code.index(shape, code.value(1)))
    if expr.name.text == "shape":
        return Val(None, shape, many=True)
    ranks = {len(t.type.shape) for m in body.moments if isinstance(t := concrete(expr.value, m), Value)}
    if len(ranks) != 1:
        raise Unsayable("a size of a tensor whose rank is not known")
    axis = 2 + _SPATIAL.get(ranks.pop(), ()).index(expr.name.text)
    return Val(None, code.index(shape, code.value(axis)))


# ── lists ────────────────────────────────────────────────────────────────────────────────────────────────────


def _index(body: Body, expr: ast.Index) -> Val:
    sequence = value(body, expr.value)
    if sequence.items is not None and isinstance(expr.index, ast.IntLit) and expr.index.value < len(sequence.items):
        item = sequence.items[expr.index.value]
        return replace(item, fwd=item.fwd if item.fwd is not None else _at(sequence.fwd, code.value(expr.index.value)))
    found = [concrete(expr, moment) for moment in body.moments]
    return both(code.index, sequence, value(body, expr.index), many=any(isinstance(item, list) for item in found))


def _at(sequence: Code | None, position: Code) -> Code | None:
    return code.index(sequence, position) if sequence is not None else None


def _slice(body: Body, expr: ast.Slice) -> Val:
    parts = [value(body, end) if end is not None else None for end in (expr.start, expr.stop)]
    given = [part for part in parts if part is not None]

    def combine(sequence: Code, *ends: Code) -> Code:
        rest = list(ends)
        start = rest.pop(0) if parts[0] is not None else None
        return code.slice_of(sequence, start, rest.pop(0) if rest else None)

    return both(combine, value(body, expr.value), *given, many=True)


def _list(body: Body, expr: ast.ListLit) -> Val:
    items = [value(body, item) for item in expr.items]
    return replace(both(lambda *codes: code.sequence(codes), *items, many=True), items=tuple(items))


def _range(body: Body, expr: ast.Range) -> Val:
    start, stop = value(body, expr.start), value(body, expr.stop)
    if isinstance(expr.start, ast.IntLit) and expr.start.value == 0:
        return both(lambda end: code.call("range", [end]), stop, many=True)
    return both(lambda *ends: code.call("range", ends), start, stop, many=True)


def _comprehension(body: Body, expr: ast.Comprehension) -> Val:
    from convspec.targets.pytorch.readable.loops import comprehension

    return comprehension(body, expr)


def comprehension_moments(body: Body, expr: ast.Comprehension) -> list[Moment]:
    """The moments of every turn of a comprehension, its targets bound."""
    found = []
    for moment, event in zip(body.moments, body.events(expr), strict=True):
        items = event.items if isinstance(event, LoopEvent) else ()
        for turn, item in enumerate(items):
            names = {**moment.names, **bind(expr.targets, turn, item)}
            found.append(Moment(moment.application, (*moment.turns, turn), names))
    return found


# ── operators ────────────────────────────────────────────────────────────────────────────────────────────────


def _unary(body: Body, expr: ast.Unary) -> Val:
    if any(isinstance(event, OpEvent) for event in body.events(expr)):
        return _apply(body, expr, [expr.operand])
    return both(lambda operand: code.unary(expr.operator, operand), value(body, expr.operand))


def _binary(body: Body, expr: ast.Binary) -> Val:
    if any(isinstance(event, OpEvent) for event in body.events(expr)):
        return _apply(body, expr, [expr.left, expr.right])
    left, right = value(body, expr.left), value(body, expr.right)
    if expr.operator == "+" and (left.many or right.many):
        return both(
            lambda a, b: code.binary("+", a, b), _as_list(body, expr.left, left), _as_list(body, expr.right, right), many=True
        )
    operator = expr.operator
    if operator == "/" and _integers(body, left, right):
        operator = "//"  # exact in the source, so both are the same
    return both(lambda a, b: code.binary(operator, a, b), left, right)


def _as_list(body: Body, expr: ast.Expr, val: Val) -> Val:
    """A list that may have come in as a tuple, through a parameter, as a list."""
    root = expr
    while isinstance(root, ast.Index | ast.Slice):
        root = root.value
    params = {p.name.text for p in body.applications[0].block.params}
    tuples = isinstance(root, ast.NameRef) and not body.is_tensor(root.text) and (root.text in params or root is not expr)
    call = isinstance(expr, ast.Range) or tuples
    return both(lambda sequence: code.call("list", [sequence]), val, many=True) if call else val


def _integers(body: Body, *parts: Val) -> bool:
    for part in parts:
        values = [body.evaluate(part.init, moment) if part.init is not None else UNKNOWN for moment in body.moments]
        if not values or not all(isinstance(v, int | Dim) for v in values):
            return False
    return True


def _apply(body: Body, site: ast.Binary | ast.Unary, operands: Sequence[ast.Expr]) -> Val:
    """An operator on tensors; a plain number among the operands is an attribute."""
    from convspec.targets.pytorch.readable.apply import Given, apply_op

    sides = dict(zip(("left", "right"), operands, strict=False))
    tensors, numbers = [], {}
    events = body.events(site)
    counts = {len(event.nodes[0].inputs) for event in events if isinstance(event, OpEvent) and event.nodes}
    for side, operand in sides.items():
        if counts == {1} and len(operands) == 2 and _is_number(body, events, side):
            numbers[side] = operand
        else:
            tensors.append(value(body, operand))
    return apply_op(body, site, events, Given(tensors, numbers))


def _is_number(body: Body, events: Sequence[Any], side: str) -> bool:
    return all(getattr(event.nodes[0].attrs, side, None) is not None for event in events if isinstance(event, OpEvent))


def _conditional(body: Body, expr: ast.Conditional) -> Val:
    from convspec.targets.pytorch.readable.branches import drop

    taken = [event.taken for event in body.events(expr) if isinstance(event, BranchEvent)]
    if len(taken) != len(body.moments):
        return _written_conditional(body, expr)  # within a function: not recorded
    if len(set(taken)) == 1:
        try:
            if not _applies(body, expr.then) and not _applies(body, expr.orelse):
                return _written_conditional(body, expr)
        except Unsayable:
            pass
        drop(body, expr.condition)
        return value(body, expr.then if taken[0] else expr.orelse)
    if _applies(body, expr.then) or _applies(body, expr.orelse):
        from convspec.targets.pytorch.readable.branches import conditional_tensor

        return conditional_tensor(body, expr, taken)
    return _written_conditional(body, expr, taken)


def _written_conditional(body: Body, expr: ast.Conditional, taken: Sequence[bool] | None = None) -> Val:
    condition = value(body, expr.condition)
    if condition.init is not None and condition.init.text in ("True", "False"):
        return value(body, expr.then if condition.init.text == "True" else expr.orelse)
    then, orelse = value(body, expr.then), value(body, expr.orelse)
    if taken is not None and condition.init is not None and body.evaluates(condition.init, taken) is False:
        raise Varied("a conditional value", body.moments, taken)
    return both(code.conditional, condition, then, orelse, many=then.many or orelse.many)


def _applies(body: Body, expr: ast.Expr) -> bool:
    """Whether an expression applies layers, or is a tensor."""
    from convspec.elaborate.walk import descendants

    sites = {site for moment in body.moments for site, _ in moment.application.events}
    for node in descendants(expr):
        if isinstance(node, ast.StageCall | ast.Pipeline) or (isinstance(node, ast.Binary | ast.Call) and node in sites):
            return True
        if isinstance(node, ast.NameRef) and any(holds_tensors(m.names.get(node.text)) for m in body.moments):
            return not isinstance(expr, ast.Attribute)
    return False


# ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────


def _call(body: Body, expr: ast.Call) -> Val:
    if any(event is not None for event in body.events(expr)):
        from convspec.targets.pytorch.readable.apply import apply_call

        return apply_call(body, expr, None, expr.args)
    return functions.call(body, expr.function.text, [], expr.args)


def _pipeline(body: Body, expr: ast.Pipeline) -> Val:
    from convspec.targets.pytorch.readable.stages import pipeline

    return pipeline(body, expr)


_VALUES: dict[type, Callable[[Body, Any], Val]] = {
    ast.IntLit: _literal,
    ast.FloatLit: _literal,
    ast.BoolLit: _literal,
    ast.SizeLit: _size_literal,
    ast.StrLit: _string,
    ast.NameRef: _name,
    ast.Attribute: _attribute,
    ast.Index: _index,
    ast.Slice: _slice,
    ast.ListLit: _list,
    ast.Comprehension: _comprehension,
    ast.Call: _call,
    ast.Unary: _unary,
    ast.Binary: _binary,
    ast.Range: _range,
    ast.Conditional: _conditional,
    ast.Pipeline: _pipeline,
}
