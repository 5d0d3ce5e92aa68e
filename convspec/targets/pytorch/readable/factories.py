"""Stages as arguments: instances that are given different ones get functions from channels to a module."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from convspec.elaborate.module import Application, BlockEvent, Event, OpEvent, StageEvent
from convspec.elaborate.values import StageValue
from convspec.ir.graph import Value
from convspec.ir.lowering import Apply, Arg, Call
from convspec.syntax import ast
from convspec.targets.pytorch.equivalents import as_module
from convspec.targets.pytorch.readable.body import Body
from convspec.targets.pytorch.readable.holes import Sources
from convspec.targets.pytorch.readable.lowering import channels_after, merged_lowering
from convspec.targets.pytorch.readable.values import Moment, Unsayable, Val, Varied, frozen, shadow
from convspec.targets.source import code
from convspec.targets.source.code import Code

ANNOTATION = "Callable[[int], nn.Module]"


def signature(event: Event | None) -> Hashable:
    """What a stage does, so that two that do the same are the same."""
    match event:
        case StageEvent(events=events):
            return tuple(signature(inner) for inner in events)
        case OpEvent(nodes=nodes):
            return tuple((node.op.name, repr(node.attrs)) for node in nodes)
        case BlockEvent(application=application):
            plain = {name: value for name, value in application.bindings.items() if not isinstance(value, Value)}
            return application.block.name.text, frozen([[name, repr(value)] for name, value in plain.items()])
    return None


def is_parameter(body: Body, name: str) -> bool:
    """Whether a name is a parameter of the block that holds a stage at every moment."""
    params = {param.name.text for param in body.applications[0].block.params}
    return name in params and all(isinstance(moment.names.get(name), StageValue) for moment in body.moments)


def from_parameter(body: Body, name: str, events: Sequence[StageEvent], piped: Val) -> tuple[Code, Code | None]:
    """`act(channels)`, which makes the module of one use, and the channels after it. Varied if a stage cannot be passed so."""
    keys = [signature(event) for event in events]
    if piped.init is None or not all(_can_be_module(event) for event in events):
        raise Varied("a stage", body.moments, keys)
    ends = [_ends(event) for event in events]
    if all(before == after for before, after in ends):
        channels: Code | None = piped.init
    else:
        channels = body.constant([after for _, after in ends])
        if channels is None:
            raise Varied("the channels after a stage", body.moments, keys)
    python = body.factory(name)
    return code.call(code.name(python), [piped.init]), channels


def _can_be_module(event: StageEvent) -> bool:
    for inner in event.events:
        if isinstance(inner, OpEvent):
            (node,) = inner.nodes if len(inner.nodes) == 1 else (None,)
            tree = node.op.lower["pytorch"](node.attrs, *node.input_types) if node is not None else None
            if not (isinstance(tree, Apply) and tree.inputs == (Arg(0),)) and not (isinstance(tree, Call) and as_module(tree)):
                return False
        elif not isinstance(inner, BlockEvent) or len(inner.application.results) != 1:
            return False
    return bool(event.events)


def _ends(event: StageEvent) -> tuple[Any, Any]:
    """Channels before and after a stage."""
    first, last = event.events[0], event.events[-1]
    before = first.nodes[0].inputs[0] if isinstance(first, OpEvent) else _tensor(first)
    after = last.nodes[-1].outputs[0] if isinstance(last, OpEvent) else _result(last)
    return shadow(before), shadow(after)


def _tensor(event: Event) -> Any:
    bindings = event.application.bindings if isinstance(event, BlockEvent) else {}
    return next((value for value in bindings.values() if isinstance(value, Value)), None)


def _result(event: Event) -> Any:
    return event.application.results[0] if isinstance(event, BlockEvent) else None


# ── where a stage is passed ──────────────────────────────────────────────────────────────────────────────────


def argument(body: Body, name: str, applications: Sequence[Application], written: ast.Expr | None) -> Code:
    """The function that is passed for the stage `name` of a block: a class of torch, a lambda, or a parameter passed on."""
    uses = [_use(application, name) for application in applications]
    keys = [signature(event) for event in uses]
    if len(set(keys)) > 1:
        if isinstance(written, ast.NameRef) and is_parameter(body, written.text):
            return code.name(body.factory(written.text))
        raise Varied("a stage that is passed on", body.moments, keys)
    stages = [application.bindings[name] for application in applications]
    own = all(
        isinstance(stage, StageValue) and stage.frame.application is moment.application
        for stage, moment in zip(stages, body.moments, strict=True)
    )
    return factory(body, uses, own)


def default(body: Body, name: str) -> Code | None:
    """The default of a stage parameter, from an application that was left to it."""
    for application in body.applications:
        stage = application.bindings[name]
        if isinstance(stage, StageValue) and stage.frame.application is application:
            with body.only([Moment(application, (), application.bindings)]):
                return factory(body, [_use(application, name)], own=False)
    return None


def _use(application: Application, name: str) -> StageEvent:
    """What a stage parameter came to at its first use, here or in a block that it was passed on to."""
    for (site, _), event in application.events.items():
        called = getattr(getattr(site, "function", None), "text", None)
        if isinstance(event, StageEvent) and called == name:
            return event
        if isinstance(event, BlockEvent):
            for inner, expr in event.args.items():
                if isinstance(expr, ast.NameRef) and expr.text == name:
                    return _use(event.application, inner)
    raise Unsayable(f"a stage `{name}` that is not used")


def factory(body: Body, uses: Sequence[StageEvent], own: bool) -> Code:
    """`nn.BatchNorm2d`, or `lambda c: …` with the stage's modules. `own`: its expressions mean something in this body."""
    from convspec.targets.pytorch.readable.apply import as_item

    variable = body.spare(("c", "channels", "n"))
    val = Val(code.name(variable), Code("<stage>"))
    items: list[Code] = []
    for row in zip(*(event.events for event in uses), strict=True):
        nodes = [event.nodes[0] for event in row if isinstance(event, OpEvent)]
        if len(nodes) != len(row):
            raise Unsayable("a block that is passed as a stage")
        attrs = row[0].args if own and isinstance(row[0], OpEvent) else {}
        sources = Sources(body, attrs, [val], nodes)
        item = as_item(sources, merged_lowering(body, nodes, attrs, [val]))
        if item is None:
            raise Unsayable("a stage that no module stands for")
        items.append(item)
        val = Val(channels_after(sources, nodes)[0], Code("<stage>"))
    made = items[0] if len(items) == 1 and not _is_group(uses[0]) else code.call("nn.Sequential", items)
    bound = variable if variable in made.reads else "_"
    class_name, _, rest = made.text.partition("(")
    if rest == f"{variable})":
        return Code(class_name)
    return Code(f"lambda {bound}: {made.text}", code.LAMBDA, made.reads - {variable})


def _is_group(event: StageEvent) -> bool:
    """Whether the stage is a group, whose members have a level of labels of their own."""
    return any(getattr(inner, "label", event.label) != event.label for inner in event.events)
