"""Pipelines: stages one after the other, groups, and `n * stage`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from convspec.elaborate.module import BlockEvent, LoopEvent, OpEvent
from convspec.elaborate.walk import descendants
from convspec.syntax import ast
from convspec.targets.pytorch.readable.apply import apply_call
from convspec.targets.pytorch.readable.body import Body, LoopFrame
from convspec.targets.pytorch.readable.expressions import value
from convspec.targets.pytorch.readable.registry import label_depth
from convspec.targets.pytorch.readable.sequence import in_sequence
from convspec.targets.pytorch.readable.values import Moment, NotSequential, Unsayable, Val, Varied
from convspec.targets.source import code
from convspec.targets.source.statements import Loop, assign

DEEP = 3
"""How many calls stand in one expression."""
LONG = 64
"""How long an expression grows before it is named."""


def pipeline(body: Body, expr: ast.Pipeline) -> Val:
    """`source -> stage -> stage`."""
    with body.aiming(_target(body, expr)):
        return chain(body, expr.stages, value(body, expr.source))


def _target(body: Body, expr: ast.Pipeline) -> str | None:
    """The name for steps on the way: the one assigned, unless a later stage still reads what it held before."""
    if body.target is None:
        return None
    read = {body.local(node.text) for stage in expr.stages for node in descendants(stage) if isinstance(node, ast.NameRef)}
    return body.target if body.target not in read else None


def chain(body: Body, stages: Sequence[ast.Stage], val: Val) -> Val:
    """Stages one after the other."""
    for stage in stages:
        if val.fwd is not None and body.sequence is None and _is_enough(body, stage, val):
            val = body.step(val)
        val = apply_stage(body, stage, val)
    return val


def _is_enough(body: Body, stage: ast.Stage, val: Val) -> bool:
    """Whether an expression is long enough to be named before the next stage; best after a function and before a layer."""
    assert val.fwd is not None
    if val.depth >= DEEP or len(val.fwd.text) > LONG:
        return True
    if val.depth < DEEP - 1 or not val.function or not isinstance(stage.body, ast.StageCall):
        return False
    event = body.events(stage.body)[0]
    return isinstance(event, BlockEvent) or (isinstance(event, OpEvent) and any(node.params for node in event.nodes))


def apply_stage(body: Body, stage: ast.Stage, val: Val) -> Val:
    """One stage with its label and count."""
    with labelled(body, stage.label):
        if stage.count is not None:
            return _repeat(body, stage, val)
        if isinstance(stage.body, ast.StageCall):
            return apply_call(body, stage.body, val, stage.body.args)
        if stage.label is None:
            return chain(body, stage.body.stages, val)
        return _group(body, stage, stage.body, val)


@contextmanager
def labelled(body: Body, label: ast.StrLit | None) -> Iterator[None]:
    """Walk something that stands under a label."""
    if label is None:
        yield
        return
    body.labels.append(label)
    try:
        yield
    finally:
        body.labels.pop()


@contextmanager
def below(body: Body, levels: int) -> Iterator[None]:
    """Walk what lies some levels of labels further down."""
    body.depth += levels
    try:
        yield
    finally:
        body.depth -= levels


def _group(body: Body, stage: ast.Stage, group: ast.Group, val: Val) -> Val:
    """`label: [a -> b]`: an nn.Sequential if it can be one."""
    assert stage.label is not None
    with below(body, label_depth(stage.label)):
        found = in_sequence(body, body.depth, _holder(stage.label), val, lambda inner: chain(body, group.stages, inner))
        if found is not None:
            return found
        if body.sequence is not None:
            raise NotSequential("a group that is no chain")
        return chain(body, group.stages, val)


def _holder(label: ast.StrLit | None) -> str:
    """A name for the variable that holds a container while it is filled."""
    first = label.parts[0] if label is not None and label.parts else ""
    text = "".join(char for char in first.split(".")[0] if char.isalpha() or char == "_") if isinstance(first, str) else ""
    return text.strip("_").lower() or "stage"


# ── n * stage ────────────────────────────────────────────────────────────────────────────────────────────────


def _repeat(body: Body, stage: ast.Stage, val: Val) -> Val:
    levels = label_depth(stage.label) if stage.label is not None else 0
    inner_group = stage.label is not None and isinstance(stage.body, ast.Group)
    if body.sequence is not None:
        return _turns(body, stage, val)
    depth = body.depth + (levels if stage.label is not None else 1)
    if not inner_group and isinstance(stage.body, ast.StageCall):
        found = in_sequence(body, depth, _holder(stage.label), val, lambda inner: _turns(body, stage, inner))
        if found is not None:
            return found
    with below(body, levels + inner_group):
        return _turns(body, stage, val)


def _turns(body: Body, stage: ast.Stage, val: Val) -> Val:
    """The turns of `n * stage` as a loop that carries the tensor and its channels."""
    assert stage.count is not None
    count = value(body, stage.count)
    if count.init is None or count.fwd is None:
        raise Unsayable("how often a stage is repeated")
    moments = turn_moments(body, stage)
    if not moments:
        return val
    carried = _carry(body, val)
    counts = code.call("range", [count.init]), code.call("range", [count.fwd])
    with looping(body, stage, counts, moments):
        out = _one_turn(body, stage, carried)
        _carry_on(body, carried, out)
    return carried


def _one_turn(body: Body, stage: ast.Stage, val: Val) -> Val:
    with body.aiming(val.fwd.text if val.fwd is not None and body.sequence is None else None):
        if isinstance(stage.body, ast.StageCall):
            return apply_call(body, stage.body, val, stage.body.args)
        return chain(body, stage.body.stages, val)


def _carry(body: Body, val: Val) -> Val:
    """Put a tensor and its channels into variables that a loop can change."""
    python = body.target or body.temporary()
    channels = body.names.of(("carried", python), "channels" if python == body.short else f"{python}_channels")
    body.channel_names.setdefault(channels, python)
    init, fwd = val.init, val.fwd
    if init is not None:
        body.set_init(channels, init)
        init = code.name(channels)
    if body.sequence is None and fwd is not None:
        if fwd.text != python:
            body.fwd.append(assign(python, fwd))
        fwd = code.name(python)
    return replace(val, init=init, fwd=fwd, depth=0, items=None)


def _carry_on(body: Body, carried: Val, out: Val) -> None:
    """The end of a turn."""
    if carried.init is not None:
        if out.init is None:
            raise Unsayable("channels that change in a loop")
        if out.init.text != carried.init.text:
            body.init.append(assign(carried.init.text, out.init))
    if body.sequence is not None:
        if out.fwd is not body.sequence.mark:
            raise NotSequential("a tensor that is used on the way")
    elif carried.fwd is not None and out.fwd is not None and out.fwd.text != carried.fwd.text:
        body.fwd.append(assign(carried.fwd.text, out.fwd))


# ── what loops share ─────────────────────────────────────────────────────────────────────────────────────────


def turn_moments(body: Body, stage: ast.Stage) -> list[Moment]:
    """The moments of every turn of `n * stage`."""
    found = []
    for moment, event in zip(body.moments, body.events(stage), strict=True):
        turns = len(event.items) if isinstance(event, LoopEvent) else 0
        found += [Moment(moment.application, (*moment.turns, turn), moment.names) for turn in range(turns)]
    return found


@contextmanager
def looping(
    body: Body,
    site: object,
    iterables: tuple[code.Code, code.Code],
    moments: Sequence[Moment],
    index: str | None = None,
    items: tuple[tuple[str, frozenset[str]], tuple[str, frozenset[str]]] | None = None,
) -> Iterator[None]:
    """Write a loop into both methods and walk its body. `items`: what it binds in each method, as text and names."""
    depth = len(body.moments[0].turns)
    name = index or body.spare(("i", "j", "k"), [frame.turn.text for frame in body.loops])
    if index is None:
        body.meaning[name] = lambda moment: moment.turns[depth]
    (init_item, init_names), (fwd_item, fwd_names) = items or (("_", frozenset()), ("_", frozenset()))
    loops = Loop(name, init_item, init_names, iterables[0]), Loop(name, fwd_item, fwd_names, iterables[1])
    body.init.append(loops[0])
    body.fwd.append(loops[1])
    body.loops.append(LoopFrame(depth, code.name(name), body.init, loops[0], site))
    with body.only(moments), body.blocks():
        body.init, body.fwd = loops[0].body, loops[1].body
        yield
    body.loops.pop()


def varied_turns(what: str, moments: Sequence[Moment]) -> Varied:
    """A difference between the turns of a loop."""
    return Varied(what, moments, [moment.turns for moment in moments])


Walk = Callable[[Val], Val]
