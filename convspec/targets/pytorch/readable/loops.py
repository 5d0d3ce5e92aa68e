"""`for` and comprehensions: kept as loops, an nn.Sequential where every turn feeds the next, unrolled where they must be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from convspec.elaborate.module import LoopEvent
from convspec.elaborate.walk import assigned_names
from convspec.syntax import ast
from convspec.targets.pytorch.readable.body import Body
from convspec.targets.pytorch.readable.expressions import comprehension_moments, value
from convspec.targets.pytorch.readable.sequence import in_sequence
from convspec.targets.pytorch.readable.stages import looping
from convspec.targets.pytorch.readable.values import (
    Moment,
    NotSequential,
    Unsayable,
    Val,
    Varied,
    frozen,
    holds_tensors,
    shadow,
)
from convspec.targets.source import code
from convspec.targets.source.code import Code
from convspec.targets.source.replay import bind
from convspec.targets.source.statements import assign


def walk_for(body: Body, statement: ast.For) -> None:
    """A `for` statement."""
    moments = _turn_moments(body, statement)
    if not moments:
        return
    if id(statement) in body.unrolled:
        _unroll(body, statement)
        return
    if body.sequence is None and _as_sequence(body, statement, moments):
        return
    _loop(body, statement, moments)


def _turn_moments(body: Body, statement: ast.For) -> list[Moment]:
    found = []
    for moment, event in zip(body.moments, body.events(statement), strict=True):
        items = event.items if isinstance(event, LoopEvent) else ()
        for turn in range(len(items)):
            found.append(Moment(moment.application, (*moment.turns, turn), moment.names))
    return found


# ── as a loop ────────────────────────────────────────────────────────────────────────────────────────────────


def _loop(body: Body, statement: ast.For, moments: Sequence[Moment]) -> None:
    iterables = _iterables(body, statement)
    carried, body.carried = body.carried, body.carried | prepare(body, assigned_names(statement.body))
    targets = _Targets(body, statement, moments)
    with looping(body, statement, iterables, moments, targets.index, targets.items):
        targets.bind()
        walk_statements(body, statement.body)
    body.carried = carried
    after(body, assigned_names(statement.body))


def walk_statements(body: Body, inner: ast.Body) -> None:
    """The statements of a loop's body."""
    from convspec.targets.pytorch.readable.walk import walk_body

    walk_body(body, inner)


def prepare(body: Body, names: set[str]) -> set[str]:
    """Put what a loop or branch may change into variables before it; gives the names that hold tensors."""
    tensors = set()
    for name in sorted(names):
        val = body.env.get(name)
        if val is None:
            tensors.add(name)  # the first value comes inside: what it is shows then
        elif body.is_tensor(name):
            tensors.add(name)
            body.carried_names.add(body.channels(name))
            body.keep(name)
        else:
            python = body.local(name)
            if val.init is not None and val.init.text != python:
                body.init.append(assign(python, val.init))
            if val.fwd is not None and val.fwd.text != python:
                body.fwd.append(assign(python, val.fwd))
            body.env[name] = Val(code.name(python), code.name(python), val.many)
    return tensors


def after(body: Body, names: set[str]) -> None:
    """After a loop or branch: what it bound is in variables."""
    for name in names & body.env.keys():
        body.env[name] = replace(body.env[name], items=None)


def _iterables(body: Body, statement: ast.For | ast.Comprehension) -> tuple[Code, Code]:
    val = _plainly(body, statement.iterable)
    if val.init is not None and val.fwd is not None:
        return val.init, val.fwd
    rows = [event.items for event in body.events(statement) if isinstance(event, LoopEvent)]
    literal = body.constant([list(row) for row in rows])
    if literal is None:
        raise Varied("what a loop goes through", body.moments, [frozen(list(row)) for row in rows])
    return literal, literal


def _plainly(body: Body, iterable: ast.Expr) -> Val:
    """What a loop goes through, without the `list(…)` that a list would need elsewhere."""
    try:
        val = value(body, iterable)
    except Unsayable:
        return Val(None, None)
    if isinstance(iterable, ast.Call) and iterable.function.text in ("zip", "reversed"):
        return Val(_bare(val.init), _bare(val.fwd), many=True)
    return val


def _bare(expression: Code | None) -> Code | None:
    if expression is not None and expression.text.startswith(("list(zip(", "list(reversed(")):
        return replace(expression, text=expression.text.removeprefix("list(")[:-1])
    return expression


class _Targets:
    """What a loop binds, in both methods."""

    def __init__(self, body: Body, statement: ast.For | ast.Comprehension, moments: Sequence[Moment]) -> None:
        self.body, self.statement = body, statement
        event = next(e for e in body.events(statement) if isinstance(e, LoopEvent) and e.items)
        self.example = bind(statement.targets, 0, event.items[0])
        index_target = statement.targets[0] if len(statement.targets) == 2 else None
        self.index = body.local(index_target.text) if isinstance(index_target, ast.Name) else None
        target = statement.targets[-1]
        self.names = (target,) if isinstance(target, ast.Name) else target.names
        self.counts = self.index is None and isinstance(target, ast.Name) and _from_zero(statement.iterable)
        if self.counts:
            self.index = body.local(self.names[0].text)
        self.items = self._texts("init"), self._texts("fwd")

    def _texts(self, scope: str) -> tuple[str, frozenset[str]]:
        if self.counts:
            return "_", frozenset()
        names = [self._python(name.text, scope) for name in self.names]
        text = names[0] if isinstance(self.statement.targets[-1], ast.Name) else ", ".join(names)
        if len(names) > 1 and self.index is not None:
            text = f"({text})"
        return (text if len(names) > 1 or isinstance(self.statement.targets[-1], ast.Name) else f"{text},"), frozenset(names)

    def _python(self, name: str, scope: str) -> str:
        if scope == "init" and holds_tensors(self.example.get(name)):
            return self.body.channels(name)
        return self.body.local(name)

    def bind(self) -> None:
        """Bind the targets in the environment of the loop's body."""
        if len(self.statement.targets) == 2 and isinstance(self.statement.targets[0], ast.Name) and self.index is not None:
            self._set(self.statement.targets[0].text, Val(code.name(self.index), code.name(self.index)))
        for name in self.names:
            init, fwd = self._python(name.text, "init"), self._python(name.text, "fwd")
            self._set(name.text, Val(code.name(init), code.name(fwd), isinstance(self.example.get(name.text), list)))

    def _set(self, name: str, val: Val) -> None:
        if val.init is not None:
            for other, held in list(self.body.env.items()):
                if other != name and held.init is not None and val.init.text in held.init.reads:
                    self.body.keep(other)
        self.body.env[name] = val


def _from_zero(iterable: ast.Expr) -> bool:
    return isinstance(iterable, ast.Range) and isinstance(iterable.start, ast.IntLit) and iterable.start.value == 0


# ── turn by turn ─────────────────────────────────────────────────────────────────────────────────────────────


def _unroll(body: Body, statement: ast.For) -> None:
    counts = [len(event.items) for event in body.events(statement) if isinstance(event, LoopEvent)]
    if len(set(counts)) != 1:
        raise Varied("the number of turns", body.moments, counts)
    iterable = _plainly(body, statement.iterable)
    outer = body.moments
    for turn in range(counts[0]):
        moments = [Moment(m.application, (*m.turns, turn), m.names) for m in outer]
        with body.only(moments):
            _bind_turn(body, statement, outer, turn, iterable)
            walk_statements(body, statement.body)


def _bind_turn(body: Body, statement: ast.For, outer: Sequence[Moment], turn: int, iterable: Val) -> None:
    """Bind one turn's targets to numbers, or to an item of the list of tensors that is gone through."""
    with body.only(outer):
        items = [event.items[turn] for event in body.events(statement) if isinstance(event, LoopEvent)]
    rows = [bind(statement.targets, turn, item) for item in items]
    for name in rows[0]:
        values = [row[name] for row in rows]
        literal = body.constant([shadow(v) for v in values])
        if any(holds_tensors(v) for v in values):
            if not isinstance(statement.targets[-1], ast.Name) or iterable.fwd is None:
                raise Unsayable("a loop over lists of tensors, turn by turn")
            at = code.value(turn)
            init = code.index(iterable.init, at) if iterable.init is not None else literal
            body.env[name] = Val(init, code.index(iterable.fwd, at), isinstance(values[0], list))
        elif literal is not None:
            body.env[name] = Val(literal, literal, isinstance(values[0], list))
        else:
            raise Varied(f"`{name}`", outer, [frozen(v) for v in values])


# ── as nn.Sequential ─────────────────────────────────────────────────────────────────────────────────────────


def _as_sequence(body: Body, statement: ast.For, moments: Sequence[Moment]) -> bool:
    """Write a loop that sends one tensor through layers on one level of labels as an nn.Sequential, if it is one."""
    names = [name for name in sorted(assigned_names(statement.body)) if name in body.env and body.is_tensor(name)]
    depth = _common_depth(body, statement, moments)
    if len(names) != 1 or depth is None or body.env[names[0]].many:
        return False
    name = names[0]
    before = body.env[name]

    def walk(val: Val) -> Val:
        body.env[name] = val
        _loop(body, statement, moments)
        return body.env[name]

    found = in_sequence(body, depth, _holder(body, statement, depth), before, walk)
    if found is None or found.fwd is None:
        return False
    python = body.local(name)
    body.fwd.append(assign(python, found.fwd))
    body.env[name] = replace(found, fwd=code.name(python), depth=0)
    return True


def _holder(body: Body, statement: ast.For, depth: int) -> str:
    """A name for the variable that holds the chain: the letters of its label."""
    for moment in body.moments:
        for (site, turns), event in moment.application.events.items():
            label = _label_of(event)
            if label and len(turns) > len(moment.turns) and _inside(site, statement):
                return "".join(c for c in label.split(".")[depth - 1] if c.isalpha() or c == "_").strip("_").lower() or "stage"
    return "stage"


def _common_depth(body: Body, statement: ast.For, moments: Sequence[Moment]) -> int | None:
    """How many levels the labels below a loop share, if they differ in the last level only."""
    depths = set()
    for moment in body.moments:
        found = body.program.trace(moment.application).within(moment.turns)
        labels = [label for site, label in found if _inside(site, statement)]
        prefixes = {label.rpartition(".")[0] for label in labels}
        if not labels:
            continue
        if len(prefixes) != 1 or prefixes == {""}:
            return None
        depths.add(prefixes.pop().count(".") + 1)
    return depths.pop() if len(depths) == 1 else None


def _inside(site: Any, statement: ast.For) -> bool:
    return bool(statement.span.start <= site.span.start and site.span.end <= statement.span.end)


def _label_of(event: Any) -> str | None:
    label = getattr(event, "label", None)
    return label if isinstance(label, str) else None


# ── comprehensions ───────────────────────────────────────────────────────────────────────────────────────────


def comprehension(body: Body, expr: ast.Comprehension) -> Val:
    """`[item for x in xs]`; where the item makes layers or takes steps, a loop that appends."""
    if body.sequence is not None:
        raise NotSequential("a list")
    moments = comprehension_moments(body, expr)
    if not moments:
        return Val(Code("[]"), Code("[]"), many=True, items=())
    iterables = _iterables(body, expr)
    targets = _Targets(body, expr, moments)
    saved, results = dict(body.env), body.target or body.temporary()
    channels = body.names.of(("channels", results), f"{results}_channels")
    blocks = len(body.init), len(body.fwd)
    with body.aiming(None), looping(body, expr, iterables, moments, targets.index, targets.items):
        targets.bind()
        item = value(body, expr.item)
        loops, turn = (body.init, body.fwd), body.loops[-1].turn.text
    body.env = saved
    plain = _in_one(expr, targets, iterables, item, loops, turn)
    init, fwd = plain
    if fwd is not None:
        del body.fwd[blocks[1]]
    elif item.fwd is not None:
        body.fwd.insert(blocks[1], assign(results, Code("[]")))
        loops[1].append(_append(results, item.fwd))
        fwd = code.name(results)
    if init is not None:
        body.init.remove(next(s for s in body.init[blocks[0] :] if getattr(s, "body", None) is loops[0]))
    elif item.init is not None:
        position = next(i for i, s in enumerate(body.init) if getattr(s, "body", None) is loops[0])
        body.init.insert(position, assign(channels, Code("[]")))
        loops[0].append(_append(channels, item.init))
        init = code.name(channels)
    return Val(init, fwd, many=True)


def _append(name: str, item: Code) -> Any:
    from convspec.targets.source.statements import Line

    return Line(f"{name}.append({item})", item.reads, frozenset((name,)))


def _in_one(
    expr: ast.Comprehension, targets: _Targets, iterables: tuple[Code, Code], item: Val, loops: Any, turn: str
) -> tuple[Code | None, Code | None]:
    """The comprehension in each method as one expression, where its item takes no statements there."""
    found: list[Code | None] = []
    for scope, block, iterable, texts in zip((item.init, item.fwd), loops, iterables, targets.items, strict=True):
        if block or scope is None:
            found.append(None)
            continue
        index = targets.index if targets.index is not None else turn
        names = texts[1] | {index}
        if targets.counts:
            found.append(code.comprehension(scope, index, names, iterable))
        elif index in scope.reads:
            item_text = f"({texts[0]})" if "," in texts[0] else texts[0]
            found.append(code.comprehension(scope, f"{index}, {item_text}", names, code.call("enumerate", [iterable])))
        else:
            found.append(code.comprehension(scope, texts[0].strip("()"), names, iterable))
    return found[0], found[1]
