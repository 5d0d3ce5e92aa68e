"""Walking the syntax tree without recursion, and small questions asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from convspec.source import Span
from convspec.syntax import ast

_NODES = frozenset(kind for kind in vars(ast).values() if is_dataclass(kind) and kind is not Span)
_LEAVES = ("str", "int", "float", "bool", "Span")


@cache
def _field_names(kind: Any) -> tuple[str, ...]:
    """The fields of a node that may hold others."""
    return tuple(field.name for field in fields(kind) if field.type not in _LEAVES)


def children(node: Any) -> list[Any]:
    """The syntax nodes directly below `node`, in the order of its fields."""
    found = []
    kind: Any = type(node)
    for name in _field_names(kind):
        value = getattr(node, name)
        if type(value) is tuple:
            found += [item for item in value if type(item) in _NODES]
        elif type(value) in _NODES:
            found.append(value)
    return found


def descendants(node: Any) -> Iterator[Any]:
    """`node` and everything below it, parents first."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending += children(current)


def assigned_names(body: ast.Body) -> set[str]:
    """Every name that statements of `body` may bind."""
    names: set[str] = set()
    for node in descendants(body):
        match node:
            case ast.Assign(targets=targets):
                names.update(name.text for name in targets)
            case ast.For(targets=targets):
                names.update(name.text for target in targets for name in target_names(target))
            case ast.Layer(name=name) | ast.Let(name=name) | ast.Input(name=name):
                names.add(name.text)
    return names


def target_names(target: ast.Target) -> tuple[ast.Name, ...]:
    """The names that a loop target binds."""
    return target.names if isinstance(target, ast.Unpack) else (target,)
