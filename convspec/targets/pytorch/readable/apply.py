"""Applying layers: what a stage or call in the source becomes in `__init__` and `forward`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from convspec.elaborate.module import BlockEvent, Event, OpEvent, StageEvent
from convspec.elaborate.values import LayerValue, StageValue
from convspec.ir.graph import Node
from convspec.ir.lowering import Apply, Arg, Call
from convspec.syntax import ast
from convspec.targets.pytorch.equivalents import as_module
from convspec.targets.pytorch.readable import factories, functions
from convspec.targets.pytorch.readable.body import Body
from convspec.targets.pytorch.readable.expressions import value
from convspec.targets.pytorch.readable.holes import Sources, hole_code
from convspec.targets.pytorch.readable.lowering import channels_after, merged_lowering
from convspec.targets.pytorch.readable.registry import register
from convspec.targets.pytorch.readable.sequence import add_item
from convspec.targets.pytorch.readable.values import NotSequential, Scope, Unsayable, Val, Varied
from convspec.targets.source import code
from convspec.targets.source.arguments import in_order
from convspec.targets.source.code import Code
from convspec.targets.source.merge import Hole
from convspec.targets.source.render import HELPERS, find_apply, render, uses


@dataclass(slots=True)
class Given:
    """What a layer is applied to, and the expressions written for its attributes."""

    tensors: list[Val]
    attrs: Mapping[str, ast.Expr] = field(default_factory=dict)
    positional: frozenset[int] = frozenset()
    """ids of the expressions that were written by position."""


def apply_call(body: Body, site: ast.Call | ast.StageCall, piped: Val | None, args: Sequence[ast.Arg]) -> Val:
    """A stage or call by name: an op, a block, a stage value, a layer or a function."""
    events = body.events(site)
    if all(event is None for event in events):
        return functions.call(body, site.function.text, [piped] if piped is not None else [], args)
    first = events[0]
    if any(type(event) is not type(first) for event in events):
        raise Varied("what is applied", body.moments, [type(event).__name__ for event in events])
    if isinstance(first, StageEvent):
        if piped is None:
            raise Unsayable("a stage that is called")
        return _stage_value(body, site, events, piped)
    attrs = first.args if isinstance(first, OpEvent | BlockEvent) else {}
    written = {id(expr) for expr in attrs.values()}
    tensors = [piped] if piped is not None else []
    if isinstance(first, OpEvent):
        tensors += [value(body, arg.value) for arg in in_order(first, args) if id(arg.value) not in written]
    given = Given(tensors, attrs, frozenset(id(arg.value) for arg in args if arg.name is None))
    return _apply_events(body, site, events, given, args)


def _apply_events(body: Body, site: Any, events: Sequence[Event | None], given: Given, args: Sequence[ast.Arg]) -> Val:
    from convspec.targets.pytorch.readable.blocks import apply_block

    if isinstance(events[0], BlockEvent):
        return apply_block(body, [event for event in events if isinstance(event, BlockEvent)], given, args)
    return apply_op(body, site, events, given)


def _stage_value(body: Body, site: ast.Call | ast.StageCall, events: Sequence[Event | None], piped: Val) -> Val:
    """A stage that was passed in, or a layer: what it stands for is written here."""
    inner = [event.events for event in events if isinstance(event, StageEvent)]
    name = site.function.text
    if factories.is_parameter(body, name) and len({factories.signature(event) for event in events}) > 1:
        return _from_factory(body, name, [event for event in events if isinstance(event, StageEvent)], piped)
    forms = [tuple(type(event).__name__ for event in row) for row in inner]
    if len(set(forms)) > 1:
        raise Varied("a stage", body.moments, forms)
    own = _is_own(body, site.function.text)
    if not own and any(isinstance(moment.names.get(site.function.text), LayerValue) for moment in body.moments):
        raise Unsayable("a layer that is passed in, whose weights live elsewhere")
    for row in zip(*inner, strict=True):
        if isinstance(row[0], StageEvent):
            raise Unsayable("a stage within a stage")
        attrs = row[0].args if own and isinstance(row[0], OpEvent | BlockEvent) else {}
        piped = _apply_events(body, site, row, Given([piped], attrs), ())
    return piped


def _from_factory(body: Body, name: str, events: Sequence[StageEvent], piped: Val) -> Val:
    """A use of a stage that instances are given as a function: `self.act1 = act(channels)`."""
    made, channels = factories.from_parameter(body, name, events, piped)
    labels = [event.label for event in events]
    if body.sequence is not None:
        if piped.fwd is not body.sequence.mark:
            raise NotSequential("another input")
        add_item(body, labels, made)
        return Val(channels, body.sequence.mark)
    reached = layer(body, labels, made, shared=False)
    return Val(channels, code.call(_tensor(reached), [_tensor(piped)]), depth=piped.depth + 1)


def _is_own(body: Body, name: str) -> bool:
    """Whether a stage or layer was written in this body, so that its expressions mean something here."""
    for moment in body.moments:
        found = moment.names.get(name)
        if not isinstance(found, StageValue | LayerValue) or found.frame.application is not moment.application:
            return False
    return True


# ── ops ──────────────────────────────────────────────────────────────────────────────────────────────────────


def apply_op(body: Body, site: Any, events: Sequence[Event | None], given: Given) -> Val:
    """One op at every moment."""
    ops = [event for event in events if isinstance(event, OpEvent)]
    if len(ops) != len(body.moments):
        raise Varied("whether an op is applied", body.moments, [isinstance(event, OpEvent) for event in events])
    if getattr(getattr(site, "function", None), "text", None) == "sum" and not _is_op(ops[0], "sum"):
        return _total(body, given.tensors[0])
    nodes = [event.nodes[0] for event in ops]
    names = [node.op.name for node in nodes]
    if len(set(names)) > 1:
        raise Varied("the op that is applied", body.moments, names)
    sources = Sources(body, given.attrs, given.tensors, nodes)
    tree = merged_lowering(body, nodes, given.attrs, given.tensors)
    channels = channels_after(sources, nodes)
    labels = [event.label for event in ops]
    if body.sequence is not None:
        return _in_chain(body, sources, tree, labels, channels[0])
    return _stated(body, sources, nodes[0], tree, labels, channels, shared=ops[0].shared)


def _is_op(event: OpEvent, name: str) -> bool:
    return any(node.op.name == name for node in event.nodes)


def _stated(
    body: Body,
    sources: Sources,
    node: Node,
    tree: Any,
    labels: list[str],
    channels: list[Code | None],
    shared: bool,
) -> Val:
    sources.inputs = [_named_once(body, tree, index, val) for index, val in enumerate(sources.inputs)]
    inputs = [_tensor(val) for val in sources.inputs]
    apply = find_apply(tree)
    reached = layer(body, labels, creation(sources, apply), shared, apply.kept) if apply is not None else None
    as_list = None
    if any(val.many for val in sources.inputs):
        as_list = (
            inputs[0]
            if len(inputs) == 1
            else code.sequence([_spread(v, c) for v, c in zip(sources.inputs, inputs, strict=True)])
        )

    def constant(part: Any) -> Code:
        return hole_code(sources, part, "fwd") if isinstance(part, Hole) else code.value(part)

    called = _tensor(reached) if reached is not None else Code("")
    result = render(tree, inputs, lambda _: called, constant, as_list)
    depth = max((val.depth for val in sources.inputs), default=0) + (result.text not in [c.text for c in inputs])
    if node.op.is_single(node.attrs):
        return Val(channels[0], result, depth=depth, function=apply is None)
    items = tuple(Val(each, None) for each in channels)
    init = code.sequence([each for each in channels if each is not None]) if None not in channels else None
    return Val(init, result, many=True, items=items, depth=depth)


def _named_once(body: Body, tree: Any, index: int, val: Val) -> Val:
    """An input, under a name if the lowering uses it more than once: what makes it must not run twice."""
    return body.step(val) if val.depth and uses(tree, index) > 1 else val


def _tensor(val: Val) -> Code:
    if val.fwd is None:
        raise Unsayable("a tensor that forward cannot say")
    return val.fwd


def _spread(val: Val, expression: Code) -> Code:
    return Code(f"*{expression.at(code.OR)}", code.ATOM, expression.reads) if val.many else expression


def creation(sources: Sources, made: Apply) -> Code:
    """`nn.Conv2d(in_channels, width, 3)`."""
    found = _made(sources, made.fn, made.args, made.kwargs)
    return code.call(made.kept, [found]) if made.kept else found


def _made(sources: Sources, fn: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Code:
    scope: Scope = "init"
    return code.call(
        fn.removeprefix(HELPERS),
        [hole_code(sources, arg, scope) for arg in args],
        {name: hole_code(sources, arg, scope) for name, arg in kwargs.items()},
    )


def layer(body: Body, labels: list[str], made: Code, shared: bool, kept: str = "") -> Val:
    """Keep a layer in `__init__`, once where it is shared; gives how each method reaches it. `kept`: see Apply."""
    if not shared:
        return register(body, labels, made, kept)
    key = tuple(sorted({f"{moment.application.path} {label}" for moment, label in zip(body.moments, labels, strict=True)}))
    if key not in body.made:
        if body.loops:
            body.made[key] = _before_loops(body, labels, made, kept)
        else:
            body.made[key] = register(body, labels, made, kept)
    return body.made[key]


def _before_loops(body: Body, labels: list[str], made: Code, kept: str) -> Val:
    """A shared layer whose first use is inside a loop is made before it."""
    frame, saved = body.loops[0], body.init
    bound = {name for loop in body.loops for name in (*loop.statement.item_names, loop.statement.index)}
    if made.reads & bound or len(set(labels)) > 1 or "." in labels[0]:
        raise Unsayable("a shared layer that is made in a loop")
    body.init = []
    reached = register(body, labels, made, kept)
    made_here, body.init = body.init, saved
    position = next(i for i, statement in enumerate(frame.parent) if statement is frame.statement)
    frame.parent[position:position] = made_here
    return reached


def _total(body: Body, tensors: Val) -> Val:
    """`sum(xs)`: additions from the left."""
    if body.sequence is not None:
        raise NotSequential("a sum")
    if tensors.items and all(item.fwd is not None for item in tensors.items):
        total = _tensor(tensors.items[0])
        for item in tensors.items[1:]:
            total = code.binary("+", total, _tensor(item))
        return Val(tensors.items[0].init, total, depth=tensors.depth + 1)
    first = code.index(tensors.init, code.value(0)) if tensors.init is not None else None
    return Val(first, code.call("reduce", [Code("operator.add"), _tensor(tensors)]), depth=tensors.depth + 1)


# ── in nn.Sequential ─────────────────────────────────────────────────────────────────────────────────────────


def _in_chain(body: Body, sources: Sources, tree: Any, labels: list[str], channels: Code | None) -> Val:
    """An op as an item of the nn.Sequential being walked."""
    assert body.sequence is not None
    if len(sources.inputs) != 1 or sources.inputs[0].fwd is not body.sequence.mark:
        raise NotSequential("another input")
    made = as_item(sources, tree)
    if made is None:
        raise NotSequential("a function that no module stands for")
    add_item(body, labels, made)
    return Val(channels, body.sequence.mark)


def as_item(sources: Sources, tree: Any) -> Code | None:
    """A lowering of one input as the expression that makes a module of it; None if no module does that."""
    if isinstance(tree, Apply) and tree.inputs == (Arg(0),):
        return creation(sources, tree)
    if isinstance(tree, Call):
        found = as_module(Call(tree.fn, tuple(_bare(arg) for arg in tree.args), tree.kwargs))
        return _made(sources, found[0], [_hole(arg) for arg in found[1]], found[2]) if found else None
    return None


def _bare(arg: Any) -> Any:
    """A hole that is 1 at every moment as 1, for the one function whose module depends on its argument."""
    return 1 if isinstance(arg, Hole) and all(v == 1 and not isinstance(v, bool) for v in arg.values) else arg


def _hole(arg: Any) -> Hole:
    return arg if isinstance(arg, Hole) else Hole((arg,), False)


__all__ = ["Given", "apply_call", "apply_op", "creation", "layer"]
