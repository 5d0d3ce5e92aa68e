"""Applying stages: pipelines, groups, `n * stage`, stage values and shared layers."""

from __future__ import annotations

from typing import Any

from convspec import ops
from convspec.elaborate.blocks import apply_block
from convspec.elaborate.evaluation import evaluate, integer
from convspec.elaborate.frame import Frame
from convspec.elaborate.functions import apply_function
from convspec.elaborate.lookup import CALLABLE, MISSING, find, find_callable
from convspec.elaborate.module import LoopEvent, StageEvent
from convspec.elaborate.ops import apply_op
from convspec.elaborate.place import Place, Spot
from convspec.elaborate.use import Use
from convspec.elaborate.values import BlockValue, LayerValue, StageValue
from convspec.ir.opdef import OpDef
from convspec.syntax import ast


def apply_pipeline(frame: Frame, expr: ast.Pipeline) -> Any:
    """The value of `source -> stage -> stage`."""
    value = evaluate(frame, expr.source)
    place = Place.of(frame)
    for stage in expr.stages:
        value = apply_stage(frame, place, stage, value)
    return value


def evaluate_call(frame: Frame, expr: ast.Call) -> Any:
    """The value of a call in an expression."""
    frame.context.meter.add_steps(1, expr.span)
    use = Use(frame, Place.of(frame), expr, expr.function, expr.args, (), expr.span)
    return apply_call(use, bare=False)


def apply_stage(env: Frame, place: Place, stage: ast.Stage, value: Any) -> Any:
    """One stage with its label and count."""
    env.context.meter.add_steps(1, stage.span)
    if stage.count is not None:
        return _repeat(env, place, stage, value)
    return apply_body(env, place, stage.body, stage.label, value)


def apply_body(env: Frame, place: Place, body: ast.StageCall | ast.Group, label: ast.StrLit | None, value: Any) -> Any:
    """A stage without its count: a group or a call."""
    if isinstance(body, ast.StageCall):
        use = Use(env, place, body, body.function, body.args, (value,), body.span, label)
        return apply_call(use, bare=not body.parenthesised)
    if label is not None:
        spot = place.claim(place.name(env, label, body, ""), label.span)
        place = place.inside(spot, numbered=True)
    return _apply_group(env, place, body, value)


def _apply_group(env: Frame, place: Place, group: ast.Group, value: Any) -> Any:
    for stage in group.stages:
        value = apply_stage(env, place, stage, value)
    return value


def _repeat(env: Frame, place: Place, stage: ast.Stage, value: Any) -> Any:
    """`n * stage`: with a label it adds a level; in a labelled group it is the stage written n times; else turns are named."""
    assert stage.count is not None
    count = integer(env, _count(env, stage.count), "the count of a repeated stage")
    if count < 0:
        raise env.fail("CNN045", f"a stage cannot be repeated {count} times", stage.count.span)
    env.context.meter.check_list(count, stage.count.span)
    env.context.meter.add_steps(count, stage.count.span)
    place.record(stage, LoopEvent(tuple(range(count))))
    level, named = place, stage.label is None and place.numbering is None
    if stage.label is not None:
        level = place.inside(place.claim(place.name(env, stage.label, stage.body, ""), stage.label.span), numbered=True)

    def turn(index: int) -> None:
        nonlocal value
        with place.frame.turn(index, named=named):
            value = _turn(env, level, stage, index, value)

    counting = env.context.counting
    if counting is None:
        for index in range(count):
            turn(index)
    else:
        counting.run_alike(env.context.meter, lambda: (value,), stage.count.span, count, turn)
    return value


def _count(env: Frame, count: ast.Expr) -> ast.Expr:
    """The count, or CNN003 for `x -> relu * y`, which reads as `relu` times the stage `y`."""
    if isinstance(count, ast.NameRef):
        value = find(env, count.text)
        if isinstance(value, CALLABLE) or (value is MISSING and ops.known(count.text)):
            message = "`->` and `*` are mixed without parentheses"
            hint = f"`(x -> {count.text}) * y` multiplies tensors; `n * stage` applies a stage n times"
            raise env.fail("CNN003", message, count.span, "this is a layer, not a count", hint=hint)
    return count


def _turn(env: Frame, level: Place, stage: ast.Stage, index: int, value: Any) -> Any:
    if stage.label is None or isinstance(stage.body, ast.StageCall):
        return apply_body(env, level, stage.body, None, value)
    # A labelled repeat of a group gets its turn as a level, and its stages are numbered below that.
    spot = level.claim(str(index), stage.span)
    return _apply_group(env, level.inside(spot, numbered=True), stage.body, value)


def apply_call(use: Use, *, bare: bool) -> Any:
    """Apply what a stage or call names: an op, block, model, stage value, layer or function."""
    target = find_callable(use.env, use.function)
    if isinstance(target, LayerValue):
        return _apply_layer(use, target, bare)
    if not isinstance(target, StageValue | BlockValue | OpDef):
        return apply_function(use, target)
    if isinstance(target, StageValue) and not bare:
        message = f"`{use.function.text}` is a stage and takes no arguments where it is used"
        raise use.env.fail("CNN042", message, use.span, hint=f"write `-> {use.function.text}`")
    spot = use.claim(use.name())
    if isinstance(target, StageValue):
        return _apply_value(use, target, spot)
    if isinstance(target, BlockValue):
        return apply_block(use, target, spot)
    return apply_op(use, target, spot)


def _apply_value(use: Use, value: StageValue, spot: Spot) -> Any:
    place = use.place.collecting(shared=False)
    result = _apply_inner(use, value.frame, place, value.body, spot)
    use.place.record(use.site, StageEvent(tuple(place.collected or ()), spot.label))
    return result


def _apply_layer(use: Use, layer: LayerValue, bare: bool) -> Any:
    name = layer.declaration.name.text
    if not bare:
        message = f"`{name}` is a layer and takes no arguments where it is used"
        raise use.env.fail("CNN042", message, use.span, hint=f"write `-> {name}`")
    if use.label is not None and layer.frame.application is use.env.application:
        hint = f'give the label where the layer is declared: layer {name} = "…": …'
        raise use.env.fail("CNN057", f"the layer `{name}` has its label already", use.label.span, hint=hint)
    if use.label is not None:
        use.claim(use.name())  # the label that a block gives to a stage it was passed, which happens to be a layer
    elif use.place.numbering is not None:
        use.place.numbering.take()
    place = use.place.collecting(shared=True)
    result = _apply_inner(use, layer.frame, place, layer.body, Spot(layer.path, layer.label, shared=True))
    layer.applied += 1
    use.place.record(use.site, StageEvent(tuple(place.collected or ()), layer.label))
    return result


def _apply_inner(use: Use, env: Frame, place: Place, body: Any, spot: Spot) -> Any:
    """Apply the stage that a value stands for, at a spot that is already named."""
    if isinstance(body, ast.Group):
        return _apply_group(env, place.inside(spot, numbered=True), body, use.piped[0])
    function, args = (body, ()) if isinstance(body, ast.NameRef) else (body.function, body.args)
    site = use.site if isinstance(body, ast.NameRef) else body
    inner = Use(env, place, site, function, args, use.piped, use.span)
    target = find_callable(env, function)
    match target:
        case OpDef():
            return apply_op(inner, target, spot)
        case BlockValue():
            return apply_block(inner, target, spot)
        case StageValue():
            return _apply_inner(inner, target.frame, place, target.body, spot)
        case LayerValue():
            return _apply_layer(inner, target, bare=True)
    return apply_function(inner, target, spot)
