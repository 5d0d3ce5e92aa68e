"""Blocks, models and functions may not use each other in a circle: found before anything is expanded."""

from __future__ import annotations

from collections.abc import Iterator

from convspec.diagnostics import error, fail
from convspec.elaborate.files import FileScope
from convspec.elaborate.walk import assigned_names, descendants
from convspec.source import Span
from convspec.syntax import ast

_Key = tuple[FileScope, str]


def check_cycles(scopes: list[FileScope]) -> None:
    """Fail with CNN024 if an item of these files leads back to itself."""
    done: set[_Key] = set()
    for scope in scopes:
        for name in scope.items:
            _visit((scope, name), done)


def _visit(start: _Key, done: set[_Key]) -> None:
    """Depth-first search without recursion, since chains of blocks may be long."""
    if start in done:
        return
    path: dict[_Key, None] = {start: None}
    pending = [_references(start)]
    while pending:
        for key, span in pending[-1]:
            if key in path:
                keys = list(path)
                raise _cycle([name for _, name in keys[keys.index(key) :]], span)
            if key not in done:
                path[key] = None
                pending.append(_references(key))
                break
        else:
            pending.pop()
            done.add(path.popitem()[0])


def _cycle(names: list[str], span: Span) -> Exception:
    chain = " → ".join([*names, names[0]])
    message = f"`{names[0]}` uses itself" if len(names) == 1 else f"these use each other in a circle: {chain}"
    hint = "a network is finite: use a loop, or `n * stage`"
    return fail(error("CNN024", message, span, "which leads back here", hint=hint))


def _references(key: _Key) -> Iterator[tuple[_Key, Span]]:
    """The items that an item names, outside its own parameters and variables."""
    scope, name = key
    item = scope.items[name]
    if isinstance(item, ast.Configuration):
        owned = scope.owner(item.base.text)
        if owned is not None:
            yield (owned[0], item.base.text), item.base.span
    local, sizes = _local_names(item), _size_names(item)
    for node in descendants(item):
        if isinstance(node, ast.NameRef) and node.text not in local and node not in sizes:
            owned = scope.owner(node.text)
            if owned is not None:
                yield (owned[0], node.text), node.span


def _size_names(item: ast.Item) -> set[ast.NameRef]:
    """The names in the shapes of inputs: where one is that of a block, it is refused there, for what it is."""
    inputs = (node for node in descendants(item) if isinstance(node, ast.Input))
    return {node for each in inputs for dim in each.dims for node in descendants(dim) if isinstance(node, ast.NameRef)}


def _local_names(item: ast.Item) -> set[str]:
    match item:
        case ast.Block(params=params, body=body):
            return {param.name.text for param in params} | assigned_names(body)
        case ast.Let(params=params):
            return {param.name.text for param in params or ()}
    return set()
