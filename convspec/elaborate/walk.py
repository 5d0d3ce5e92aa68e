"""Walking the syntax tree without recursion, and small questions asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from convspec.source import Span
from convspec.syntax import ast

_FIELD_NAMES: dict[type, tuple[str, ...]] = {}


def _field_names(kind: type) -> tuple[str, ...]:
    if kind not in _FIELD_NAMES:
        _FIELD_NAMES[kind] = tuple(f.name for f in fields(kind) if f.name not in ("span", "path_span"))
    return _FIELD_NAMES[kind]


def children(node: Any) -> Iterator[Any]:
    """The syntax nodes directly below `node`, in the order of its fields."""
    for name in _field_names(type(node)):
        value = getattr(node, name)
        if isinstance(value, tuple):
            yield from (item for item in value if is_dataclass(item))
        elif is_dataclass(value) and not isinstance(value, Span):
            yield value


def descendants(node: Any) -> Iterator[Any]:
    """`node` and everything below it, parents first."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(children(current))


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
