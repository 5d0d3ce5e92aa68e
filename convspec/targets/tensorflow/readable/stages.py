"""Pipelines and calls: stages one after the other, groups, repeats, blocks, and stages that came as arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from convspec.elaborate.module import BlockEvent, LoopEvent, OpEvent, StageEvent
from convspec.elaborate.values import LayerValue
from convspec.elaborate.walk import descendants
from convspec.ir.graph import Value
from convspec.syntax import ast
from convspec.targets.source import code
from convspec.targets.source.arguments import in_order
from convspec.targets.source.code import Code
from convspec.targets.source.statements import Loop, assign
from convspec.targets.tensorflow.readable import calls, functions, layers
from convspec.targets.tensorflow.readable.body import Body, LoopFrame
from convspec.targets.tensorflow.readable.values import Moment, Unsayable, Val, Varied


def pipeline(body: Body, expr: ast.Pipeline) -> Val:
    """`source -> stage -> stage`."""
    from convspec.targets.tensorflow.readable.expressions import value

    target = body.target
    with body.aiming(target if _free(target, [expr.source, *expr.stages][1:]) else None):
        val = value(body, expr.source)
    return _stages(body, expr.stages, val)


def _stages(body: Body, chain: Sequence[ast.Stage], val: Val) -> Val:
    target = body.target
    for position, stage in enumerate(chain):
        with body.aiming(target if _free(target, chain[position:]) else None):
            val = apply_stage(body, stage, val)
            if body.target is not None and _free(body.target, chain[position + 1 :]):
                target = body.target  # a variable that was made for the first step serves for the others
    body.target = target
    return val


def _free(target: str | None, rest: Sequence[Any]) -> bool:
    """Whether none of the stages to come reads the source's variable of this name, which may be overwritten then."""
    if target is None:
        return True
    names = (node.text for part in rest for node in descendants(part) if isinstance(node, ast.NameRef))
    return target not in names


def apply_stage(body: Body, stage: ast.Stage, val: Val) -> Val:
    """One stage with its label and count."""
    if stage.label is not None:
        body.labels.append(stage.label)
    try:
        return _repeated(body, stage, val) if stage.count is not None else _once(body, stage, val)
    finally:
        if stage.label is not None:
            body.labels.pop()


def _once(body: Body, stage: ast.Stage, val: Val) -> Val:
    if isinstance(stage.body, ast.Group):
        return _stages(body, stage.body.stages, val)
    return apply(body, stage.body, stage.body.function, stage.body.args, val)


def _repeated(body: Body, stage: ast.Stage, val: Val) -> Val:
    """`n * stage` as a loop over a variable; turn by turn where one text will not do for all."""
    from convspec.targets.tensorflow.readable.expressions import value

    assert stage.count is not None
    inner = turns(body.moments, stage)
    if not inner:
        return val
    if id(stage) in body.unrolled:
        return _turn_by_turn(body, stage, val)
    name = body.target or body.spare()
    body.target = name
    if val.code.text != name:
        body.block.append(assign(name, val.code))
    count = value(body, stage.count).code
    loop = LoopFrame(stage, len(body.loops))
    with body.looping(loop), body.only(inner), body.writing() as written, body.aiming(name):
        last = _once(body, stage, val.named(code.name(name)))
        written.append(assign(name, last.code))
    index = loop.turn or "_"
    body.block.append(Loop(None, index, frozenset((index,)), code.call("range", [count]), written))
    return val.named(code.name(name))


def _turn_by_turn(body: Body, stage: ast.Stage, val: Val) -> Val:
    events = [event for event in body.events(stage) if isinstance(event, LoopEvent)]
    counts = [len(event.items) for event in events]
    if len(counts) != len(body.moments) or len(set(counts)) > 1:
        raise Varied("a count", body.moments, counts)
    for turn in range(counts[0]):
        with body.looping(None), body.only([Moment(m.application, (*m.turns, turn), m.names) for m in body.moments]):
            if val.depth:
                val = body.keep(val)
            val = _once(body, stage, val)
    return val


def turns(moments: Sequence[Moment], site: Any) -> list[Moment]:
    """The moments inside a repeated stage, which binds no names."""
    found = []
    for moment in moments:
        event = moment.event(site)
        items = event.items if isinstance(event, LoopEvent) else ()
        found += [Moment(moment.application, (*moment.turns, turn), moment.names) for turn in range(len(items))]
    return found


# ── what is called ───────────────────────────────────────────────────────────────────────────────────────────


def apply(body: Body, site: Any, function: ast.NameRef, args: Sequence[ast.Arg], piped: Val | None) -> Val:
    """What a stage or call names, applied: an op, block, stage value, layer or function."""
    if piped is not None and piped.depth:
        piped = body.keep(piped)
    given = [piped] if piped is not None else []
    events = body.events(site)
    kinds = {type(event) for event in events}
    if len(kinds) > 1:
        raise Varied("what is applied", body.moments, [type(event).__name__ for event in events])
    kind = kinds.pop()
    if kind is OpEvent:
        return layers.apply_op(body, events, _inputs(body, events, given, args), {})
    if kind is BlockEvent:
        return calls.call_block(body, events, given, args)
    if kind is StageEvent:
        return _stage_value(body, events, function, [*given, *_tensors(body, args)])
    return functions.call(body, function.text, given, args)


def _inputs(body: Body, events: Sequence[OpEvent], given: Sequence[Val], args: Sequence[ast.Arg]) -> list[Val]:
    """What an op is applied to; one that takes no tensor of the author's hangs on a variable around it."""
    nodes = [node for event in events for node in event.nodes]
    if nodes and nodes[0].op.anchored:
        return [_found(body, [event.nodes[0].inputs[0] for event in events], {}, ())]
    named = [replace(arg, name=None) for arg in in_order(events[0], args)]
    return [*given, *_tensors(body, named)]


def _tensors(body: Body, args: Sequence[ast.Arg]) -> list[Val]:
    """The arguments that are tensors; the others are attributes."""
    from convspec.targets.tensorflow.readable.expressions import value

    found = []
    for arg in args:
        if arg.name is None and not isinstance(arg.value, ast.IntLit | ast.FloatLit | ast.SizeLit | ast.StrLit | ast.BoolLit):
            with body.aiming(None):
                val = value(body, arg.value)
                found += [body.keep(val) if val.depth else val] if val.tensors else []
    return found


def _stage_value(body: Body, events: Sequence[StageEvent], function: ast.NameRef, inputs: Sequence[Val]) -> Val:
    """A stage that came as an argument, a layer, or a function with layers in it: its events one after the other."""
    rows = [[event for event in moment.events if isinstance(event, OpEvent | BlockEvent)] for moment in map(_flat, events)]
    shapes = [tuple(_described(event) for event in row) for row in rows]
    if len(set(shapes)) > 1:
        raise Varied("a stage", body.moments, shapes)
    if not rows[0]:
        raise Unsayable("a stage without layers")
    shared = _shared(body, function)
    layer = body.layers.get(shared.declaration.name.text) if shared is not None else None
    reusing, body.reusing = body.reusing, body.reusing or (shared is not None and shared.applied > 1)
    if shared is not None and shared.declaration.stage.label is not None:
        body.labels.append(shared.declaration.stage.label)
    last = _events(body, rows, inputs, layer)
    if shared is not None and shared.declaration.stage.label is not None:
        body.labels.pop()
    body.reusing = reusing
    return last


def _events(body: Body, rows: Sequence[Sequence[Any]], inputs: Sequence[Val], layer: Code | None) -> Val:
    """What the events of a stage, a row for each moment, make of its inputs."""
    known: dict[tuple[Value, ...], Val] = {}
    last = None
    for column in zip(*rows, strict=True):
        if last is not None and last.depth:
            known = {key: body.keep(val) if val is last else val for key, val in known.items()}
        last = _inner(body, column, known, inputs, layer)
        for position in range(len(_results(column[0]))):
            val = last if len(_results(column[0])) == 1 else Val(code.index(last.code, code.value(position)), tensors=True)
            known[tuple(_results(event)[position] for event in column)] = val
    assert last is not None
    return last


def _flat(event: StageEvent) -> StageEvent:
    """The event with stages within stages taken apart."""
    found: list[Any] = []
    for inner in event.events:
        found += _flat(inner).events if isinstance(inner, StageEvent) else [inner]
    return StageEvent(tuple(found), event.label)


def _described(event: OpEvent | BlockEvent) -> str:
    if isinstance(event, OpEvent):
        return " ".join(node.op.name for node in event.nodes)
    return f"block {event.application.block.name.text}"


def _results(event: OpEvent | BlockEvent) -> tuple[Value, ...]:
    found = event.nodes[-1].outputs if isinstance(event, OpEvent) else event.application.results
    if not all(isinstance(value, Value) for value in found):
        raise Unsayable("a stage that gives lists")
    return found


def _inner(
    body: Body,
    column: Sequence[Any],
    known: dict[tuple[Value, ...], Val],
    inputs: Sequence[Val],
    layer: Code | None,
) -> Val:
    if isinstance(column[0], BlockEvent):
        bound = calls.tensor_bindings(column[0].application)
        given = [_found(body, [event.application.bindings[name] for event in column], known, inputs) for name in bound]
        return calls.call_known(body, column, dict(zip(bound, given, strict=True)))
    counts = {len(event.nodes[0].inputs) for event in column}
    if len(counts) > 1:
        raise Unsayable("a stage with different numbers of tensors")
    columns = range(counts.pop())
    given = [_found(body, [event.nodes[0].inputs[position] for event in column], known, inputs) for position in columns]
    return layers.apply_op(body, column, given, {}, layer)


def _found(body: Body, values: Sequence[Value], known: dict[tuple[Value, ...], Val], inputs: Sequence[Val]) -> Val:
    """The expression for a tensor that a stage reads: made in it, piped into it, or a variable around it."""
    if tuple(values) in known:
        return known[tuple(values)]
    for name, first in body.moments[0].names.items():
        if first is values[0] and all(m.names.get(name) is v for m, v in zip(body.moments, values, strict=True)):
            found = body.name(name)
            if found is not None and (len(inputs) != 1 or found.code.text == inputs[0].code.text):
                return found
    if len(inputs) == 1:
        return inputs[0]
    raise Unsayable("a tensor that a stage reads")


def _shared(body: Body, function: ast.NameRef) -> LayerValue | None:
    """The `layer` that a name stands for, if it is one."""
    found = body.moments[0].names.get(function.text)
    return found if isinstance(found, LayerValue) else None
