"""From the applications of a block to classes: one for all where one text serves them, more where they differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from convspec.elaborate.module import Application
from convspec.elaborate.walk import assigned_names, descendants
from convspec.ir.graph import Value
from convspec.syntax import ast
from convspec.targets.pytorch.readable.body import Body, tensor_names, top_labels
from convspec.targets.pytorch.readable.expressions import value
from convspec.targets.pytorch.readable.instance import unrolled_classes
from convspec.targets.pytorch.readable.outputs import OUT, finish_outputs
from convspec.targets.pytorch.readable.parameters import check_order, default_lines, parameter, stage_parameter
from convspec.targets.pytorch.readable.printing import class_lines
from convspec.targets.pytorch.readable.program import ClassInfo, Parameter, Program
from convspec.targets.pytorch.readable.values import Moment, Unsayable, Val, Varied, holds_tensors, same, shadow
from convspec.targets.pytorch.readable.walk import walk_body
from convspec.targets.source import code
from convspec.targets.source.code import Code
from convspec.targets.source.statements import Line, all_reads, lines, prune

TRIES = 100
"""How many ways of splitting a block are tried before it is printed instance by instance."""


def build_classes(program: Program, block: ast.Block) -> Iterator[tuple[list[Application], ClassInfo]]:
    """The classes of a block, each with the applications that are its instances."""
    pending: list[tuple[list[Application], frozenset[int]]] = [(program.applications_of(block), frozenset())]
    count = tries = 0
    name = program.class_names[block]
    while pending:
        group, unrolled = pending.pop(0)
        tries += 1
        try:
            if tries > TRIES or block in program.forced:
                raise Unsayable(program.forced.get(block, "too many differences between its instances"))
            made = [(group, _build(program, group, unrolled, name))]
        except _Retry as retry:
            pending[:0] = retry.groups
            continue
        except Exception as problem:  # whatever the walk could not do: its instances are written out, and proven as all else
            reason = str(problem) if isinstance(problem, Unsayable) else f"{type(problem).__name__} {problem}"
            made = list(unrolled_classes(program, block, group, reason))
            program.notes.append(f"{block.name.text} is written out instance by instance: {reason}")
        yield from made
        count += len(made)
        name = program.names.fresh(f"{block.name.text}{count + 1}") if pending else name


class _Retry(Exception):
    """The group must be walked again in other groups, or with more loops unrolled."""

    def __init__(self, groups: list[tuple[list[Application], frozenset[int]]]) -> None:
        super().__init__()
        self.groups = groups


def _build(program: Program, group: list[Application], unrolled: frozenset[int], name: str) -> ClassInfo:
    body = Body(program, tuple(group), unrolled)
    try:
        while True:
            _start(body)
            info = _walk(body, name)
            again = _improved(body)
            if again is None:
                return info
            body = again
    except Varied as problem:
        raise _retry(body, group, unrolled, problem) from None


def _improved(body: Body) -> Body | None:
    """The walk to take next, now that it is known what the first could not know; None if there is nothing to gain."""
    fixed = body.fixed | {name for name in body.dropped if _is_same(body, name)}
    if fixed != body.fixed:
        return Body(body.program, body.applications, body.unrolled, fixed)
    kept, _ = prune(body.init, all_reads(body.fwd) | {OUT})
    written = {name for line in lines(kept) for name in line.writes} & body.channel_names.keys()
    invariant = frozenset(body.invariant | (body.carried_names - body.changed))
    if invariant != body.invariant:
        return Body(body.program, body.applications, body.unrolled, fixed, invariant)
    short = _short(body, written)
    return Body(body.program, body.applications, body.unrolled, fixed, invariant, short) if short is not None else None


def _is_same(body: Body, name: str) -> bool:
    values = [application.bindings[name] for application in body.applications]
    return name in body.env_params and all(same(value, values[0]) for value in values)


def _short(body: Body, written: set[str]) -> str | None:
    """The one variable whose channels `__init__` keeps, which may then be called `channels`."""
    sources = {body.channel_names[name] for name in written}
    block = body.applications[0].block
    used = assigned_names(block.body) | {param.name.text for param in block.params}
    return sources.pop() if body.short is None and len(sources) == 1 and "channels" not in used else None


def _retry(body: Body, group: list[Application], unrolled: frozenset[int], problem: Varied) -> _Retry:
    """Split the group where its applications differ; where one differs from turn to turn, unroll the loop."""
    keys: dict[int, list[Any]] = {}
    for moment, key in zip(problem.moments, problem.keys, strict=True):
        keys.setdefault(id(moment.application), []).append((moment.turns, key))
    split: dict[Any, list[Application]] = {}
    for application in group:
        split.setdefault(tuple(keys.get(id(application), ())), []).append(application)
    if len(split) > 1:
        return _Retry([(part, unrolled) for part in split.values()])
    for site in [frame.site for frame in reversed(body.loops)]:
        if isinstance(site, ast.For) and id(site) not in unrolled:
            return _Retry([(group, unrolled | {id(site)})])
    raise Unsayable(str(problem))


# ── one class ────────────────────────────────────────────────────────────────────────────────────────────────


def _start(body: Body) -> None:
    """Names and values at the beginning of the block."""
    program, group = body.program, body.applications
    body.names = program.names.inner()
    body.names.reserve(*program.class_names.values())
    body.attributes.reserve(*top_labels(group))
    body.moments = [Moment(application, (), application.bindings) for application in group]
    block = group[0].block
    tensors = _tensors(body)
    bound = {n.text for n in descendants(block) if isinstance(n, ast.Name)}
    body.source_names = frozenset(bound)
    body.tensor_names = tensor_names(group) | frozenset(tensors)
    for param in block.params:
        if param.name.text not in tensors:
            body.local(param.name.text)  # parameters get their names before anything else
    for param in block.params:
        name = param.name.text
        values = [application.bindings[name] for application in group]
        if name not in tensors and all(_is_plain(value) for value in values):
            python = body.local(name)
            attribute = body.attribute(("param", name), python)
            saved = Code(f"self.{attribute}", code.ATOM, frozenset((f"self.{attribute}",)))
            body.env_params.add(name)
            literal = body.constant(values) if name in body.fixed else None
            many = any(isinstance(value, list | tuple) for value in values)
            body.env[name] = Val(code.name(python), saved, many) if literal is None else Val(literal, literal, many)
    for name in tensors:
        _bind_tensor(body, name, alone=len(tensors) == 1)


def _tensors(body: Body) -> list[str]:
    """The tensors that go into a block, or the inputs of a model."""
    block = body.applications[0].block
    if block.kind == "model":
        return [s.name.text for s in block.body.statements if isinstance(s, ast.Input)]
    return [p.name.text for p in block.params if any(holds_tensors(a.bindings[p.name.text]) for a in body.applications)]


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_plain(item) for item in value)
    return isinstance(value, bool | int | float | str)


def _bind_tensor(body: Body, name: str, alone: bool) -> None:
    python = body.local(name)
    if body.is_root:
        found = next(g.value for g in body.program.module.graph.inputs if g.span == _input(body, name).span)
        body.env[name] = Val(_input_channels(body, _input(body, name), found), code.name(python))
        return
    many = isinstance(body.applications[0].bindings.get(name), list)
    if alone and not many:
        init = body.names.of(("param", name), "in_channels")
        body.meaning[init] = lambda moment: shadow(moment.application.bindings.get(name))
    else:
        init = body.channels(name)
    body.env[name] = Val(code.name(init), code.name(python), many)


def _input_channels(body: Body, declared: ast.Input, found: Value) -> Code | None:
    """The channels of an input as declared, `channels` or `3`; None where they are symbolic."""
    channels = found.type.shape[1] if found.type.rank > 1 else None
    if not isinstance(channels, int):
        return None
    said = value(body, declared.dims[1]).init
    return said if said is not None and body.evaluates(said, [channels]) else code.value(channels)


def _input(body: Body, name: str) -> ast.Input:
    block = body.applications[0].block
    return next(s for s in block.body.statements if isinstance(s, ast.Input) and s.name.text == name)


def _walk(body: Body, name: str) -> ClassInfo:
    """Walk the block and make its class."""
    block = body.applications[0].block
    defaults = [
        parameter(body, param)
        for param in block.params
        if param.name.text in body.env and param.name.text not in _tensors(body)
    ]
    walk_body(body, block.body)
    finish_outputs(body)
    body.fwd, fwd_reads = prune(body.fwd)
    top = [line for each in defaults for line in default_lines(body, each)]
    top += _saved(body, fwd_reads)
    body.init[:0] = top
    told = frozenset() if name in body.program.silent else frozenset((OUT,))
    (_, reads), (_, without) = prune(body.init, fwd_reads | told), prune(body.init, fwd_reads)
    info = ClassInfo(name, block, _tensors(body), is_model=block.kind == "model")
    stages = [stage_parameter(body, param) for param in block.params if param.name.text in body.factories]
    order = [param.name.text for param in block.params]
    given = [each for each in [*defaults, *stages] if each.python in reads]
    info.parameters = [*_channel_parameters(body, reads), *sorted(given, key=lambda each: order.index(each.source))]
    check_order(info.parameters)
    info.needs_out = any(each.python not in without for each in info.parameters)
    if told and any(OUT in line.writes for line in body.init if isinstance(line, Line)):
        info.out = body.attribute("out_channels", "out_channels")
        info.out_code = body.told
    info.lines = lambda: class_lines(body, info, fwd_reads)
    return info


def _saved(body: Body, reads: frozenset[str]) -> list[Line]:
    """`self.stride = stride` for what `forward` reads."""
    found = []
    for param in body.applications[0].block.params:
        attribute = body.attribute(("param", param.name.text), param.name.text)
        token = f"self.{attribute}"
        if token in reads:
            python = body.local(param.name.text)
            found.append(Line(f"{token} = {python}", frozenset((python,)), frozenset((token,))))
    return found


def _channel_parameters(body: Body, reads: frozenset[str]) -> list[Parameter]:
    if body.is_root:
        return []
    found = []
    tensors = _tensors(body)
    for name in tensors:
        many = isinstance(body.applications[0].bindings.get(name), list)
        alone = len(tensors) == 1 and not many
        python = body.names.of(("param", name), "in_channels") if alone else body.channels(name)
        if python in reads:
            found.append(Parameter(name, python, True, "Sequence[int]" if many else "int"))
    return found
