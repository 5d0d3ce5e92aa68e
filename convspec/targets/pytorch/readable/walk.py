"""The statements of a body, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from convspec.elaborate.module import BindEvent
from convspec.elaborate.values import FunctionValue
from convspec.elaborate.walk import descendants
from convspec.ir.graph import Value
from convspec.syntax import ast
from convspec.targets.pytorch.readable.apply import apply_call
from convspec.targets.pytorch.readable.body import Body
from convspec.targets.pytorch.readable.branches import walk_if
from convspec.targets.pytorch.readable.expressions import value
from convspec.targets.pytorch.readable.loops import walk_for
from convspec.targets.pytorch.readable.outputs import walk_output, walk_return
from convspec.targets.pytorch.readable.values import Unsayable, Val
from convspec.targets.source import code
from convspec.targets.source.code import Code
from convspec.targets.source.statements import Block, Line, assign


def walk_body(body: Body, statements: ast.Body) -> None:
    """Walk the statements of a body for its present moments."""
    for statement in statements.statements:
        body.at(statement)
        body.temporaries = set()
        _STATEMENTS[type(statement)](body, statement)


def _nothing(body: Body, statement: Any) -> None:
    """Inputs are parameters of `forward`; assertions and defaults have done their work."""


def _assign(body: Body, statement: ast.Assign) -> None:
    names = [target.text for target in statement.targets]
    tensors = [body.is_tensor(name) for name in names]
    if len(statement.values) == 1:
        with body.aiming(_aim(body, statement, names[0]) if len(names) == 1 and tensors[0] else None):
            val = value(body, statement.values[0])
        if len(names) == 1:
            bind(body, names[0], _as_list(val, statement.values[0]), tensors[0])
        else:
            _unpack(body, names, val, tensors)
        return
    with body.aiming(None):
        vals = [value(body, expr) for expr in statement.values]
    if _reads_targets(statement):
        _bind_together(body, names, vals, tensors)
        return
    for name, val, tensor in zip(names, vals, tensors, strict=True):
        bind(body, name, val, tensor)


def _aim(body: Body, statement: ast.Assign, name: str) -> str | None:
    """The name that a statement assigns, for steps on the way; not if it is a list that a comprehension goes through."""
    if isinstance(statement.values[0], ast.Comprehension):
        read = {n.text for n in descendants(statement.values[0]) if isinstance(n, ast.NameRef)}
        return body.local(name) if name not in read else None
    return body.local(name)


def _as_list(val: Val, expr: ast.Expr) -> Val:
    """The tuple that a call gives, as the list that it is in the source."""
    if val.many and val.items is not None and val.fwd is not None and not isinstance(expr, ast.ListLit):
        return replace(val, fwd=code.call("list", [val.fwd]))
    return val


def _reads_targets(statement: ast.Assign) -> bool:
    names = {target.text for target in statement.targets}
    read = {n.text for expr in statement.values[1:] for n in descendants(expr) if isinstance(n, ast.NameRef)}
    return bool(names & read)


def bind(body: Body, name: str, val: Val, tensor: bool) -> None:
    """`name = val`, in both methods."""
    python = body.local(name)
    if not tensor:
        if val.init is not None:
            body.set_init(python, val.init)
        if val.fwd is not None and val.fwd.text != python:
            body.fwd.append(assign(python, val.fwd))
        init, fwd = (code.name(python) if part is not None else None for part in (val.init, val.fwd))
        body.env[name] = Val(init, fwd, val.many)
        return
    init = _channels(body, name, val)
    if body.sequence is not None and val.fwd is body.sequence.mark:
        body.env[name] = replace(val, init=init, depth=0, items=None)
        return
    if val.fwd is None:
        raise Unsayable("a tensor that forward cannot say")
    if val.fwd.text != python:
        body.fwd.append(assign(python, val.fwd))
    items = None if val.items is None else tuple(replace(item, fwd=None) for item in val.items)
    body.env[name] = replace(val, init=init, fwd=code.name(python), depth=0, items=items)


def _channels(body: Body, name: str, val: Val) -> Code | None:
    """The channels of a tensor being bound: kept in a variable where loops change them, and for lists."""
    if val.init is None:
        return None
    python = body.channels(name)
    body.env.pop(name, None)
    if (name not in body.carried or python in body.invariant) and not val.many:
        return val.init
    entry = body.entries.get(python)
    stays = entry is not None and entry.text == val.init.text and not val.init.reads - body.constants_of_block
    if val.init.text != python and not stays:
        body.changed.add(python)
    body.set_init(python, val.init)
    return code.name(python)


def _unpack(body: Body, names: list[str], val: Val, tensors: list[bool]) -> None:
    """`a, b = value`."""
    pythons = [body.local(name) for name in names]
    if val.fwd is None:
        raise Unsayable("a list that forward cannot say")
    for python in pythons:
        _free(body, python)
    text = f"{', '.join(pythons)} = {val.fwd}" if len(pythons) > 1 else f"({pythons[0]},) = {val.fwd}"
    body.fwd.append(Line(text, val.fwd.reads, frozenset(pythons)))
    if val.items is None and val.init is not None:
        targets = [body.channels(n) if t else body.local(n) for n, t in zip(names, tensors, strict=True)]
        for target in targets:
            _free(body, target)
        body.init.append(Line(f"{', '.join(targets)} = {val.init}", val.init.reads, frozenset(targets)))
        inits: list[Code | None] = [code.name(target) for target in targets]
    else:
        inits = [item.init for item in val.items or [Val(None, None)] * len(names)]
    for name, python, init, tensor in zip(names, pythons, inits, tensors, strict=True):
        kept = _channels(body, name, Val(init, None)) if tensor else init
        body.env[name] = Val(kept, code.name(python))


def _free(body: Body, python: str, spared: Sequence[str] = ()) -> None:
    """Before a name of `__init__` is bound anew: values written in terms of it move into variables of their own."""
    for name, held in list(body.env.items()):
        if name not in spared and held.init is not None and python in held.init.reads and held.init.text != python:
            body.keep(name)


def _bind_together(body: Body, names: list[str], vals: list[Val], tensors: list[bool]) -> None:
    """`a, b = b, a`."""
    pythons = [body.local(name) for name in names]
    shadows = [body.channels(name) if tensor else body.local(name) for name, tensor in zip(names, tensors, strict=True)]
    for python in (*pythons, *shadows):
        _free(body, python, spared=names)
    known = _together(body.init, shadows, [val.init for val in vals])
    if not _together(body.fwd, pythons, [val.fwd for val in vals]):
        raise Unsayable("tensors that change places")
    body.changed.update(shadow for shadow, tensor in zip(shadows, tensors, strict=True) if tensor)
    for name, shadow, python, val in zip(names, shadows, pythons, vals, strict=True):
        body.env[name] = Val(code.name(shadow) if known else None, code.name(python), val.many)


def _together(block: Block, targets: list[str], values: Sequence[Code | None]) -> bool:
    """`a, b = x, y`; whether all values can be said."""
    codes = [each for each in values if each is not None]
    if len(codes) != len(values):
        return False
    text = f"{', '.join(targets)} = {', '.join(each.at(code.TERNARY) for each in codes)}"
    block.append(Line(text, code.reads(codes), frozenset(targets)))
    return True


def _let(body: Body, statement: ast.Let) -> None:
    if any(isinstance(e, BindEvent) and isinstance(e.values[0], FunctionValue) for e in body.events(statement)):
        return  # put in where it is called
    bind(body, statement.name.text, value(body, statement.value), tensor=False)


def _layer(body: Body, statement: ast.Layer) -> None:
    """A layer is written where it is used, but for a learned tensor, which its name stands for."""
    stage = statement.stage
    tensors = [isinstance(e, BindEvent) and isinstance(e.values[0], Value) for e in body.events(statement)]
    if not any(tensors) or not isinstance(stage.body, ast.StageCall):
        return
    body.labels.append(stage.label or ast.StrLit((statement.name.text,), statement.name.span))
    found = apply_call(body, stage.body, None, stage.body.args)
    body.labels.pop()
    bind(body, statement.name.text, found, tensor=True)


_STATEMENTS: dict[type, Callable[[Body, Any], None]] = {
    ast.Input: _nothing,
    ast.Assert: _nothing,
    ast.Default: _nothing,
    ast.Layer: _layer,
    ast.Assign: _assign,
    ast.Let: _let,
    ast.For: walk_for,
    ast.If: walk_if,
    ast.Return: walk_return,
    ast.Output: walk_output,
}
