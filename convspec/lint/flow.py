"""Which names a body needs, and which of its bindings nothing reads: liveness, statement by statement from the end.

A name is live where some way through the statements that follow reads it before it is bound anew. Loops may run never or often,
and branches either way. For a body, what is live before it is what it reads by itself (`gen`) and what is live after it and not
bound for certain in between; so a loop needs no fixed point: what its turns read is live at its end too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from convspec.elaborate.walk import children, target_names
from convspec.records import dataclass
from convspec.syntax import ast

Names = frozenset[str]
_NONE: Names = frozenset()
Binding = ast.Assign | ast.Let | ast.Layer | ast.Input
Report = Callable[[Binding, Names], None]
"""Called with a statement that binds names, and the names that are live after it."""


class Flow:
    """The liveness of one block, model or function."""

    def __init__(self, report: Report | None = None) -> None:
        self._report = report
        self._gen: dict[ast.Body, Names] = {}
        self._reads: dict[Any, Names] = {}

    def _read(self, node: Any) -> Names:
        """Of a statement or condition that may be come upon more than once."""
        found = self._reads.get(node)
        if found is None:
            found = self._reads[node] = reads(node)
        return found

    def before(self, body: ast.Body, after: Names, report: bool = True) -> Names:
        """The names that are live before a body, with those that are live after it."""
        live = after
        for statement in reversed(body.statements):
            live = self._statement(statement, live, report)
        return live

    def _statement(self, statement: ast.Statement, live: Names, report: bool) -> Names:
        match statement:
            case ast.For():
                return self._for(statement, live, report)
            case ast.If(condition=condition, then=then, orelse=orelse):
                taken = self.before(then, live, report)
                other = self.before(orelse, live, report) if orelse is not None else live
                return self._read(condition) | taken | other
            case ast.Assign() | ast.Let() | ast.Layer() | ast.Input():
                if report and self._report is not None:
                    self._report(statement, live)
                return (live - bound_by(statement)) | self._read(statement)
        return live | self._read(statement)

    def _for(self, loop: ast.For, live: Names, report: bool) -> Names:
        targets = frozenset(name.text for target in loop.targets for name in target_names(target))
        if loop.body not in self._gen:
            self._gen[loop.body] = self.before(loop.body, _NONE, report=False) - targets
        around = live | self._gen[loop.body]
        if report:
            self.before(loop.body, around)
        return around | self._read(loop.iterable)


def bound_by(statement: Binding) -> Names:
    """The names that a statement binds."""
    return frozenset(name.text for name in (statement.targets if isinstance(statement, ast.Assign) else (statement.name,)))


def reads(node: Any) -> Names:
    """The names that an expression, or a statement without a body, may read; those that it binds for itself are left out."""
    found: set[str] = set()
    pending: list[tuple[Any, Names]] = [(node, _NONE)]
    while pending:
        current, own = pending.pop()
        match current:
            case ast.NameRef(text=text):
                found.update({text} - own)
            case ast.Comprehension(item=item, targets=targets, iterable=iterable):
                inner = own | {name.text for target in targets for name in target_names(target)}
                pending += [(item, inner), (iterable, own)]
            case ast.Let(params=params, value=value) if params is not None:
                inner = own | {param.name.text for param in params}
                pending += [(value, inner), *((param.default, inner) for param in params if param.default is not None)]
            case _:
                pending += [(child, own) for child in children(current)]
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Study:
    """What one item needs and leaves unread."""

    free: Names
    """The names that it takes from the file."""
    live: Names
    """What its body, or a function's expression, reads of what stands before it."""
    bindings: tuple[tuple[Binding, Names], ...] = ()
    """The statements that bind names, with the names that are live after each."""


def study(item: ast.Item) -> Study:
    """One pass over an item of a file."""
    match item:
        case ast.Block(params=params, body=body):
            bindings: list[tuple[Binding, Names]] = []
            live = Flow(lambda statement, after: bindings.append((statement, after))).before(body, _NONE)
            free = live.union(*(reads(param.default) for param in params if param.default is not None))
            return Study(free - {param.name.text for param in params}, live, tuple(bindings))
        case ast.Configuration(base=base):
            return Study(reads(item) | {base.text}, _NONE)
        case ast.Use():
            return Study(_NONE, _NONE)
        case ast.Let(value=value):
            return Study(reads(item), reads(value))
    return Study(reads(item), _NONE)


Studies = Mapping[ast.Item, Study]
