"""The tree of a network: which layers its author put together, by blocks, labels and loops.

Every group is a stretch of the order of execution. So no group is left and entered again, and the groups of one level, each
taken as one, have no cycle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from itertools import takewhile
from typing import Any, TypeAlias

from convspec.draw.diagram import What
from convspec.elaborate.module import Application, BlockEvent, Event, LoopEvent, Module, OpEvent, Site, StageEvent
from convspec.elaborate.walk import children, target_names
from convspec.ir.graph import Node, Value
from convspec.records import dataclass
from convspec.source import Span
from convspec.syntax import ast

Loop = ast.For | ast.Comprehension | ast.Stage
TurnNames: TypeAlias = "Callable[[tuple[tuple[Loop, int], ...]], str]"
_LONGEST = 40


@dataclass(slots=True, eq=False)
class Branch:
    """A group before it has numbers: what it is called, and what is below."""

    what: What
    title: str
    path: str
    children: list[Branch | Node]
    label: str = ""
    arguments: str = ""
    doc: str = ""
    shared: bool = False
    span: Span | None = None
    definition: Span | None = None


@dataclass(slots=True, eq=False)
class _Item:
    """A layer, or a use of a block, in the body of an application."""

    thing: Branch | Node
    order: int
    """The place of its first layer in the order of execution."""
    levels: tuple[str, ...]
    """The levels of its label above its own."""
    turns: tuple[tuple[Loop, int], ...] = field(default=())
    """The loops around it, outermost first, and which turn of each it stands in."""


def grow(module: Module) -> Branch:
    """The tree of a module. Where its graph was rewritten, and the source no longer leads to it, labels alone make it."""
    order = {node: index for index, node in enumerate(module.graph.nodes)}
    root = module.root
    items = [] if module.rewritten else list(_items(root, order))
    if sum(len(_nodes(item.thing)) for item in items) != len(order):
        items = [_Item(node, index, _levels(node.path)) for node, index in order.items()]
    names = _turn_names(root)
    return Branch(
        "model", module.name, "", _nest(items, "", names), doc=module.doc, span=root.block.span, definition=root.block.span
    )


def _nodes(thing: Branch | Node) -> list[Node]:
    found, pending = [], [thing]
    while pending:
        each = pending.pop()
        if isinstance(each, Node):
            found.append(each)
        else:
            pending.extend(each.children)
    return found


# ── what happened in a body ──────────────────────────────────────────────────────────────────────────────────


def _items(application: Application, order: Mapping[Node, int]) -> list[_Item]:
    """The layers and uses of blocks of one body, in the order of execution."""
    loops = _loops(application.block.body)
    found = []
    for (site, turns), event in application.events.items():
        around = loops.get(site, ())
        counted = tuple(zip(around, turns, strict=True)) if len(around) == len(turns) else ()
        found += [_Item(item.thing, item.order, item.levels, counted) for item in _of(event, application, site, order)]
    return sorted(found, key=lambda item: item.order)


def _of(event: Event, application: Application, site: Site, order: Mapping[Node, int]) -> Iterator[_Item]:
    match event:
        case OpEvent(nodes=nodes):
            for node in nodes:
                yield _Item(node, order[node], _levels(_below(node.path, application.path)))
        case BlockEvent(application=inner):
            items = _items(inner, order)
            if items:
                yield _Item(_block(event, items, site), items[0].order, _levels(_below(inner.path, application.path)))
        case StageEvent(events=events):
            for each in events:
                yield from _of(each, application, site, order)


def _block(event: BlockEvent, items: list[_Item], site: Site) -> Branch:
    inner = event.application
    block = inner.block
    return Branch(
        "block",
        block.name.text,
        inner.path,
        _nest(items, inner.path, _turn_names(inner)),
        arguments=_arguments(event),
        doc=block.doc,
        shared=event.shared,
        span=site.span,
        definition=block.span,
    )


def _arguments(event: BlockEvent) -> str:
    """What was given at the use, with its values and without what is as by default: `width = 64, stride = 2`."""
    usual = {param.name.text: param.default for param in event.application.block.params}
    written = []
    for name, expr in event.args.items():
        text = _value_text(event.application.bindings.get(name))
        if text is None and isinstance(expr, ast.NameRef):  # a stage by its name; a tensor is seen as a wire
            text = None if isinstance(event.application.bindings.get(name), Value) else expr.text
        default = usual.get(name)
        if text is not None and len(text) <= _LONGEST and (default is None or text != default.span.text):
            written.append(f"{name} = {text}")
    return ", ".join(written)


def _value_text(value: Any) -> str | None:
    """A number, word or list of such as it is written; None for anything else."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float | str):
        return str(value)
    if isinstance(value, list | tuple):
        texts = [_value_text(item) for item in value]
        return None if None in texts else "[" + ", ".join(text or "" for text in texts) + "]"
    return None


def _below(path: str, prefix: str) -> str:
    """`path` as it reads below `prefix`; a shared layer that was made elsewhere keeps its own."""
    return path.removeprefix(f"{prefix}.") if prefix else path


def _levels(path: str) -> tuple[str, ...]:
    return tuple(path.split(".")[:-1])


# ── loops ────────────────────────────────────────────────────────────────────────────────────────────────────


def _loops(body: ast.Body) -> dict[Any, tuple[Loop, ...]]:
    """The loops around every node of a body that has some, outermost first."""
    found: dict[Any, tuple[Loop, ...]] = {}
    pending: list[tuple[Any, tuple[Loop, ...]]] = [(body, ())]
    while pending:
        node, around = pending.pop()
        if around:
            found[node] = around
        repeated: Any = None
        if isinstance(node, ast.For):
            repeated = node.body
        elif isinstance(node, ast.Comprehension):
            repeated = node.item
        elif isinstance(node, ast.Stage) and node.count is not None:
            repeated = node.body
        pending += [(child, (*around, node) if child is repeated else around) for child in children(node)]
    return found


def _turn_names(application: Application) -> TurnNames:
    """What a turn of a loop is called: `i = 2`, or its number where the loop binds no plain value.

    The turns are those of a site, outermost first, up to the one that is named.
    """
    items = {key: event.items for key, event in application.events.items() if isinstance(event, LoopEvent)}

    def name(turns: tuple[tuple[Loop, int], ...]) -> str:
        loop, turn = turns[-1]
        bound = items.get((loop, tuple(number for _, number in turns[:-1])), ())
        if isinstance(loop, ast.Stage) or turn >= len(bound):
            return f"turn {turn}"
        shown = [
            f"{name} = {text}" for name, value in _bound(loop, turn, bound[turn]) if (text := _value_text(value)) is not None
        ]
        text = ", ".join(shown)
        return text if text and len(text) <= _LONGEST else f"turn {turn}"

    return name


def _bound(loop: ast.For | ast.Comprehension, turn: int, item: Any) -> Iterator[tuple[str, Any]]:
    """The names that a turn binds, with their values."""
    *index, target = loop.targets
    yield from ((name.text, turn) for each in index for name in target_names(each))
    if isinstance(target, ast.Name):
        yield target.text, item
    elif isinstance(item, list | tuple):
        yield from zip((name.text for name in target.names), item, strict=False)


# ── labels and loops as groups ───────────────────────────────────────────────────────────────────────────────


def _nest(items: Sequence[_Item], path: str, names: TurnNames, depth: int = 0, loop: int = 0) -> list[Any]:
    """Neighbours that share a level of their labels, or the turn of a loop, as groups; the longer stretch is the outer one.

    `depth` levels and `loop` loops are spent on the groups around.
    """
    found: list[Branch | Node] = []
    at = 0
    while at < len(items):
        labelled = _run(items, at, lambda item: item.levels[: depth + 1] if len(item.levels) > depth else None)
        turned = _run(items, at, lambda item: item.turns[: loop + 1] if len(item.turns) > loop else None)
        length = max(labelled, turned)
        inside = items[at : at + length]
        if length < 2:
            found.append(items[at].thing)
            length = 1
        elif length == len(items):  # all of it: no group of its own
            return _nest(items, path, names, depth + (labelled == length), loop + (turned == length))
        else:
            below = _nest(inside, path, names, depth + (labelled == length), loop + (turned == length))
            found.append(_level(inside, path, depth, labelled == length, loop, names, below))
        at += length
    return found


def _run(items: Sequence[_Item], start: int, key: Callable[[_Item], Any]) -> int:
    """How many items from `start` on have the same key; 0 where that is None."""
    wanted = key(items[start])
    if wanted is None:
        return 0
    end = start + 1
    while end < len(items) and key(items[end]) == wanted:
        end += 1
    return end - start


def _level(
    inside: Sequence[_Item],
    path: str,
    depth: int,
    labelled: bool,
    loop: int,
    names: TurnNames,
    below: list[Any],
) -> Branch:
    if not labelled:
        turns = inside[0].turns[: loop + 1]
        where = ".".join(filter(None, (path, *inside[0].levels[:depth])))
        return Branch("turn", names(turns), where, below, span=turns[-1][0].span)
    levels: tuple[str, ...] = _common(inside)
    label = ".".join(levels[depth:])
    where = ".".join(filter(None, (path, *levels)))
    return Branch("label", label, where, below, label=label, span=inside[0].thing.span)


def _common(items: Sequence[_Item]) -> tuple[str, ...]:
    """The levels that the labels of all items begin with."""
    low, high = min(item.levels for item in items), max(item.levels for item in items)
    same = takewhile(lambda pair: pair[0] == pair[1], zip(low, high, strict=False))
    return tuple(level for level, _ in same)
