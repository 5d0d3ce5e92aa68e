"""Expressions of the source as expressions of Python. What they apply is written into the body on the way, if need be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from convspec.elaborate.module import BranchEvent, LoopEvent, OpEvent
from convspec.syntax import ast
from convspec.targets.source import code
from convspec.targets.source.code import Code
from convspec.targets.source.replay import bind
from convspec.targets.source.statements import Branch, Line, Loop, assign
from convspec.targets.tensorflow.readable import functions, layers, stages
from convspec.targets.tensorflow.readable.body import Body, LoopFrame
from convspec.targets.tensorflow.readable.holes import constant
from convspec.targets.tensorflow.readable.values import Moment, Stand, Unsayable, Val, Varied


def value(body: Body, expr: ast.Expr) -> Val:
    """`expr` as Python."""
    return _VALUES[type(expr)](body, expr)


def _plain(expression: Code, many: bool = False) -> Val:
    return Val(expression, many=many)


# ── leaves ───────────────────────────────────────────────────────────────────────────────────────────────────


def _literal(body: Body, expr: Any) -> Val:
    return _plain(code.value(expr.value))


def _size(body: Body, expr: ast.SizeLit) -> Val:
    return _plain(code.value(tuple(expr.values)), many=True)


def _string(body: Body, expr: ast.StrLit) -> Val:
    return _plain(code.formatted([part if isinstance(part, str) else value(body, part).code for part in expr.parts]))


def _name(body: Body, expr: ast.NameRef) -> Val:
    found = body.name(expr.text)
    if found is not None:
        return found
    constant = body.program.constant(body.applications[0].scope, expr.text)
    return _plain(constant) if constant is not None else _plain(code.value(expr.text))  # an enumerated word


_SPATIAL = {3: ("length",), 4: ("height", "width"), 5: ("depth", "height", "width")}


def _attribute(body: Body, expr: ast.Attribute) -> Val:
    """A size of a tensor, channels last."""
    tensor = value(body, expr.value)
    shape = code.attribute(tensor.code, "shape")
    if expr.name.text == "channels":
        return _plain(code.index(shape, code.value(-1)))
    ranks = {len(found.shape) for found in body.values(tensor.code) if isinstance(found, Stand)}
    axes = _SPATIAL.get(next(iter(ranks)), ()) if len(ranks) == 1 else ()
    if expr.name.text not in axes:
        raise Unsayable(f"the {expr.name.text} of a tensor")
    return _plain(code.index(shape, code.value(1 + axes.index(expr.name.text))))


# ── lists ────────────────────────────────────────────────────────────────────────────────────────────────────


def _index(body: Body, expr: ast.Index) -> Val:
    with body.aiming(None):
        sequence, index = value(body, expr.value), value(body, expr.index)
    return body.seen(code.index(sequence.code, index.code), sequence.tensors)


def _slice(body: Body, expr: ast.Slice) -> Val:
    with body.aiming(None):
        sequence = value(body, expr.value)
        ends = [value(body, end).code if end is not None else None for end in (expr.start, expr.stop)]
    return Val(code.slice_of(sequence.code, *ends), sequence.tensors, many=True)


def _list(body: Body, expr: ast.ListLit) -> Val:
    with body.aiming(None):
        items = separately(body, expr.items)
    codes = tuple(item.code for item in items)
    return Val(code.sequence(codes), any(item.tensors for item in items), many=True, items=codes)


def separately(body: Body, exprs: Sequence[ast.Expr]) -> list[Val]:
    """Several expressions side by side, each with variables of its own for its steps."""
    found = []
    for expr in exprs:
        with body.aiming(None):
            found.append(value(body, expr))
    return found


def _comprehension(body: Body, expr: ast.Comprehension) -> Val:
    """A comprehension; a loop that appends where an item takes several statements; item by item where they differ."""
    inner = loop_moments(body, expr, expr.targets)
    if not inner:
        return Val(code.sequence([]), many=True)
    if id(expr) in body.unrolled:
        return _item_by_item(body, expr, inner)
    iterable = functions.iterable(body, expr.iterable)
    index, names = loop_names(body, expr.targets)
    loop = LoopFrame(expr, len(body.loops), index)
    with body.looping(loop), body.writing() as written, body.only(inner), body.aiming(None):
        found = value(body, expr.item)
    if not written:
        counted = loop.turn is not None and loop.turn in found.code.reads
        targets = f"{loop.turn}, {packed(names)}" if counted else packed(names)
        source = code.call("enumerate", [iterable]) if counted else iterable
        bound = [*names, *([loop.turn] if loop.turn else [])]
        return Val(code.comprehension(found.code, targets, bound, source), found.tensors, many=True)
    collected = body.names.fresh("items")
    body.block.append(assign(collected, code.sequence([])))
    append = Line(f"{collected}.append({found.code})", found.code.reads | {collected}, frozenset((collected,)))
    body.block.append(Loop(loop.turn, packed(names), frozenset(names), iterable, [*written, append]))
    return Val(code.name(collected), found.tensors, many=True)


def _item_by_item(body: Body, expr: ast.Comprehension, inner: Sequence[Moment]) -> Val:
    """The list with every item written by itself, the loop's names replaced by what they are bound to."""
    items = []
    for turn in range(same_count(body, expr)):
        moments = [moment for moment in inner if moment.turns[-1] == turn]
        saved = dict(body.env)
        with body.looping(None), body.only(moments), body.aiming(None):
            for target in expr.targets:
                for name in target_names(target):
                    body.env[name] = _bound(body, name)
            items.append(value(body, expr.item))
        body.env = saved
    return Val(code.sequence([item.code for item in items]), any(item.tensors for item in items), many=True)


def _bound(body: Body, name: str) -> Val:
    """What a loop's name is bound to, written out."""
    literal = constant([moment.names[name] for moment in body.moments])
    if literal is None:
        raise Unsayable(f"the items that `{name}` stands for")
    return Val(literal, many=isinstance(body.moments[0].names[name], list | tuple))


def packed(names: Sequence[str]) -> str:
    """The target of a loop: a name, or several in parentheses."""
    return names[0] if len(names) == 1 else f"({', '.join(names)})"


def target_names(target: ast.Target) -> list[str]:
    """The names of the source that a target binds."""
    return [target.text] if isinstance(target, ast.Name) else [name.text for name in target.names]


def loop_moments(body: Body, site: Any, targets: tuple[ast.Target, ...]) -> list[Moment]:
    """The moments inside a loop."""
    inner = []
    for moment in body.moments:
        event = moment.event(site)
        items = event.items if isinstance(event, LoopEvent) else ()
        for turn, item in enumerate(items):
            inner.append(Moment(moment.application, (*moment.turns, turn), {**moment.names, **bind(targets, turn, item)}))
    return inner


def loop_names(body: Body, targets: tuple[ast.Target, ...]) -> tuple[str | None, list[str]]:
    """The Python names of a loop's index, if the source has one, and of what each item is bound to."""
    index = body.local(targets[0].text) if len(targets) == 2 and isinstance(targets[0], ast.Name) else None
    return index, [body.local(name) for name in target_names(targets[-1])]


def same_count(body: Body, site: Any) -> int:
    """How often a loop runs, which must be the same at every moment."""
    counts = [len(event.items) if isinstance(event, LoopEvent) else 0 for event in body.events(site)]
    if len(set(counts)) > 1:
        raise Varied("how often a loop runs", body.moments, counts)
    return counts[0]


# ── operators ────────────────────────────────────────────────────────────────────────────────────────────────


def _unary(body: Body, expr: ast.Unary) -> Val:
    operand = value(body, expr.operand)
    if operand.tensors:
        return layers.apply_op(body, body.events(expr), [operand], {})
    return _plain(code.unary(expr.operator, operand.code))


def _binary(body: Body, expr: ast.Binary) -> Val:
    left, right = separately(body, (expr.left, expr.right))
    if any(isinstance(event, OpEvent) for event in body.events(expr)):
        inputs = [operand for operand in (left, right) if operand.tensors]
        return layers.apply_op(body, body.events(expr), inputs, {"left": expr.left, "right": expr.right})
    both = code.binary(_operator(body, expr, left, right), left.code, right.code)
    return Val(both, left.tensors or right.tensors, left.many or right.many)


def _operator(body: Body, expr: ast.Binary, left: Val, right: Val) -> str:
    """`/` of integers is exact in the language."""
    if expr.operator != "/":
        return expr.operator
    found = [*body.values(left.code), *body.values(right.code)]
    return "//" if all(isinstance(item, int) and not isinstance(item, bool) for item in found) else "/"


def _range(body: Body, expr: ast.Range) -> Val:
    start, stop = separately(body, (expr.start, expr.stop))
    ends = [stop.code] if start.code.text == "0" else [start.code, stop.code]
    return _plain(code.call("range", ends), many=True)


def _conditional(body: Body, expr: ast.Conditional) -> Val:
    """The branch that every moment takes, else a conditional expression, else an `if`."""
    taken: list[Any] = [event.taken if isinstance(event, BranchEvent) else None for event in body.events(expr)]
    if None in taken:  # within a function, whose events are not kept
        taken = body.values(value(body, expr.condition).code)
    if not all(isinstance(side, bool) for side in taken):
        raise Unsayable("a condition that was not decided")
    if len(set(taken)) == 1:
        return value(body, expr.then if taken[0] else expr.orelse)
    condition = decided(body, expr.condition, taken)
    target = body.target
    branches: list[Val] = []
    written = []
    for side, wanted in ((expr.then, True), (expr.orelse, False)):
        moments = [moment for moment, found in zip(body.moments, taken, strict=True) if found is wanted]
        with body.only(moments), body.writing() as block, body.aiming(target):
            branches.append(value(body, side))
        written.append(block)
    tensors, many = branches[0].tensors or branches[1].tensors, branches[0].many or branches[1].many
    if not any(written):
        expression = code.conditional(condition, branches[0].code, branches[1].code)
        return Val(expression, tensors, many, max(branch.depth for branch in branches))
    name = target or body.spare()
    for block, branch in zip(written, branches, strict=True):
        block.append(assign(name, branch.code))
    body.block.append(Branch(condition, *written))
    return Val(code.name(name), tensors, many)


def decided(body: Body, condition: ast.Expr, taken: Sequence[bool]) -> Code:
    """A condition that has the value that was found at every moment. Varied where it cannot be told from names."""
    found = value(body, condition).code
    if not body.agrees(found, list(taken)):
        raise Varied("a condition", body.moments, list(taken))
    return found


# ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────


def _call(body: Body, expr: ast.Call) -> Val:
    events = body.events(expr)
    if any(event is not None for event in events):
        return stages.apply(body, expr, expr.function, expr.args, None)
    return functions.call(body, expr.function.text, [], expr.args)


def _pipeline(body: Body, expr: ast.Pipeline) -> Val:
    return stages.pipeline(body, expr)


_VALUES: dict[type, Callable[[Body, Any], Val]] = {
    ast.IntLit: _literal,
    ast.FloatLit: _literal,
    ast.BoolLit: _literal,
    ast.SizeLit: _size,
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

__all__ = ["decided", "loop_moments", "loop_names", "packed", "same_count", "separately", "target_names", "value"]
