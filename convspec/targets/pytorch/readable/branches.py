"""`if`: dropped where every instance took it alike, printed in both methods where they differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from convspec.elaborate.module import BranchEvent
from convspec.elaborate.walk import assigned_names, descendants
from convspec.syntax import ast
from convspec.targets.pytorch.readable.body import Body
from convspec.targets.pytorch.readable.expressions import value
from convspec.targets.pytorch.readable.loops import after, prepare
from convspec.targets.pytorch.readable.values import NotSequential, Unsayable, Val, Varied
from convspec.targets.source import code
from convspec.targets.source.code import Code
from convspec.targets.source.statements import Block, Branch, Line, assign


def walk_if(body: Body, statement: ast.If) -> None:
    """An `if` statement."""
    from convspec.targets.pytorch.readable.walk import walk_body

    taken = [isinstance(event, BranchEvent) and event.taken for event in body.events(statement)]
    if len(set(taken)) == 1:
        drop(body, statement.condition)
        branch = statement.then if taken[0] else statement.orelse
        if branch is not None:
            walk_body(body, branch)
        return
    names = assigned_names(statement.then) | (assigned_names(statement.orelse) if statement.orelse else set())
    carried, body.carried = body.carried, body.carried | prepare(body, names)

    def walk_orelse() -> None:
        if statement.orelse is not None:
            walk_body(body, statement.orelse)

    branches(body, statement.condition, taken, lambda: walk_body(body, statement.then), walk_orelse)
    body.carried = carried
    after(body, names)


def drop(body: Body, condition: ast.Expr) -> None:
    """A condition is not printed: parameters in it must not seem to be free."""
    params = {param.name.text for param in body.applications[0].block.params}
    body.dropped |= {n.text for n in descendants(condition) if isinstance(n, ast.NameRef) and n.text in params}


def branches(
    body: Body, condition: ast.Expr, taken: Sequence[bool], then: Callable[[], None], orelse: Callable[[], None]
) -> None:
    """Write an `if` into both methods. A branch without modules in `forward` asks whether its first module is there."""
    if body.sequence is not None:
        raise NotSequential("a branch")
    said = _condition(body, condition, taken)
    init, fwd = Branch(said.init or Code("False")), Branch(said.fwd or Code("False"))
    moments, outer = body.moments, (body.init, body.fwd)
    outer[0].append(init)
    outer[1].append(fwd)
    attached, env = list(body.attached), dict(body.env)
    ends = []
    for branch, walk, wanted in ((0, then, True), (1, orelse, False)):
        with body.only([m for m, t in zip(moments, taken, strict=True) if t is wanted]), body.blocks():
            body.env = dict(env)
            body.init, body.fwd = (init.then, fwd.then) if branch == 0 else (init.orelse, fwd.orelse)
            walk()
            ends.append(body.env)
    body.env = _joined(*ends)
    new = [name for name in body.attached if name not in attached and _always_made(init.then, name)]
    if new and not body.loops and not fwd.orelse:
        position = next(i for i, statement in enumerate(outer[0]) if statement is init)
        outer[0].insert(position, Line(f"self.{new[0]} = None", essential=True))
        fwd.condition = Code(f"self.{new[0]} is not None")
    elif said.fwd is None:
        raise Varied("a condition that forward cannot say", moments, list(taken))


def _always_made(branch: Block, name: str) -> bool:
    """Whether a branch makes a module whatever else holds, and not in a branch of its own."""
    texts = [statement.text for statement in branch if isinstance(statement, Line)]
    return any(text.startswith(f"self.{name} = ") and text != f"self.{name} = None" for text in texts)


def _joined(then: dict[str, Val], orelse: dict[str, Val]) -> dict[str, Val]:
    """What names are after both branches: where they differ, channels are in variables already."""
    joined = {**then, **orelse}
    for name in then.keys() & orelse.keys():
        one, other = then[name], orelse[name]
        if one.init != other.init and (one.init is None or other.init is None):
            joined[name] = replace(one, init=None)
    return joined


def _condition(body: Body, condition: ast.Expr, taken: Sequence[bool]) -> Val:
    try:
        said = value(body, condition)
    except Unsayable:
        said = Val(None, None)
    if said.init is None or body.evaluates(said.init, list(taken)) is False:
        raise Varied("a condition", body.moments, list(taken))
    return said


def conditional_tensor(body: Body, expr: ast.Conditional, taken: Sequence[bool]) -> Val:
    """`if c then x -> a else x -> b`, where both were taken: an `if` that binds a variable."""
    python = body.target or body.temporary()
    channels = body.names.of(("carried", python), f"{python}_channels")
    found: list[Val] = []

    def bind(part: ast.Expr) -> Callable[[], None]:
        def walk() -> None:
            val = value(body, part)
            if val.fwd is None:
                raise Unsayable("a tensor that forward cannot say")
            if val.fwd.text != python:
                body.fwd.append(assign(python, val.fwd))
            if val.init is not None:
                body.init.append(assign(channels, val.init))
            found.append(val)

        return walk

    branches(body, expr.condition, taken, bind(expr.then), bind(expr.orelse))
    known = all(val.init is not None for val in found)
    return Val(code.name(channels) if known else None, code.name(python), found[0].many)
