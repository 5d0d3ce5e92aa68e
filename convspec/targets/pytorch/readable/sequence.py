"""nn.Sequential: for chains of modules whose labels stand side by side on one level, each feeding the next."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass, field, replace

from convspec.elaborate.module import Turns
from convspec.targets.pytorch.readable.body import Body
from convspec.targets.pytorch.readable.registry import Level, attach, level_codes, path_code
from convspec.targets.pytorch.readable.trace import Trace
from convspec.targets.pytorch.readable.values import Moment, NotSequential, Val
from convspec.targets.pytorch.reserved import RESERVED
from convspec.targets.source import code, quote
from convspec.targets.source.code import Code
from convspec.targets.source.statements import Block, Line, assign, lines

TAKEN = RESERVED | {"append", "extend", "insert", "pop"}
"""Names that a module in an nn.Sequential cannot have."""


@dataclass(slots=True, eq=False)
class Sequence:
    """A chain being walked. `depth` is the number of levels of its own path."""

    depth: int
    outer: list[Moment]
    """The moments at which the container is made."""
    mark: Code
    """Stands for the tensor that flows through it, which `forward` never names."""
    holder: str
    """How the container is called while it is filled: a variable, or an attribute of `self`."""
    levels: list[Level] = field(default_factory=list)
    numbered: bool = True
    items: list[tuple[Level, Code]] = field(default_factory=list)
    names: dict[tuple[int, str, Turns], set[str]] = field(default_factory=dict)
    """Names of the items, by application, path of the container, and turn at which that is made."""
    statements: set[int] = field(default_factory=set)
    """ids of the statements that add the items."""


def in_sequence(body: Body, depth: int, wanted: str, val: Val, walk: Callable[[Val], Val]) -> Val | None:
    """Walk a chain as an nn.Sequential at `depth` levels below the block; None if it cannot be one.

    `walk` takes the chain's input and gives its output; it applies layers with `add_item`.
    """
    return body.attempt(lambda: _walk(body, depth, wanted, val, walk))  # type: ignore[no-any-return]


def _walk(body: Body, depth: int, wanted: str, val: Val, walk: Callable[[Val], Val]) -> Val:
    parent = body.sequence
    mark = Code(f"<{wanted}>", code.ATOM, frozenset((f"<{wanted}>", "<sequence>")))
    sequence = Sequence(depth, list(body.moments), mark, body.names.fresh(wanted))
    body.sequence = sequence
    with body.blocks() as (init, fwd):
        out = walk(replace(val, fwd=mark, depth=0))
    body.sequence = parent
    if out.fwd is not mark or any(
        "<sequence>" in line.reads and line.text.split(" = ")[-1] != mark.text for line in lines(fwd)
    ):
        raise NotSequential("the tensor is used on the way")
    if any(line.essential for line in lines(fwd)):
        raise NotSequential("forward does something of its own on the way")
    body.fwd.extend(line for line in lines(fwd) if "<sequence>" not in line.reads)
    if not sequence.items:
        raise NotSequential("no module in it")
    reached = _finish(body, sequence, init)
    if reached is None or reached.fwd is None or val.fwd is None:
        return replace(out, fwd=val.fwd, depth=val.depth)
    return replace(out, fwd=code.call(reached.fwd, [val.fwd]), depth=val.depth + 1)


def add_item(body: Body, labels: Items[str], made: Code) -> Code:
    """Add a module to the chain being walked; gives how `__init__` reaches it."""
    sequence = body.sequence
    assert sequence is not None
    split = [label.split(".") for label in labels]
    if any(len(levels) != sequence.depth + 1 for levels in split):
        raise NotSequential("labels on other levels")
    if any(levels[-1] in TAKEN for levels in split):
        raise NotSequential("a name that nn.Sequential has already")
    prefixes = [".".join(levels[:-1]) for levels in split]
    if not sequence.levels:
        _name_container(body, sequence, prefixes)
    _check_prefix(body, sequence, prefixes)
    for moment, levels, prefix in zip(body.moments, split, prefixes, strict=True):
        turns = moment.turns[: len(sequence.outer[0].turns)]
        sequence.names.setdefault((id(moment.application), prefix, turns), set()).add(levels[-1])
    name = level_codes(body, [levels[-1] for levels in split])[0]
    sequence.items.append((name, made))
    if sequence.numbered:
        line = Line(f"{sequence.holder}.append({made})", made.reads, essential=True)
    else:
        key = path_code([name], "init")
        line = Line(f"{sequence.holder}.add_module({key}, {made})", made.reads | key.reads, essential=True)
    line.reads = line.reads | {sequence.holder}
    sequence.statements.add(id(line))
    body.init.append(line)
    return Code(f"{sequence.holder}[-1]", code.ATOM, frozenset((sequence.holder, f"<{sequence.holder}>")))


def _name_container(body: Body, sequence: Sequence, prefixes: list[str]) -> None:
    """Work out the container's path, from the first item, at the moments at which the container is made."""
    outer = {(id(m.application), m.turns): m for m in sequence.outer}
    known: dict[tuple[int, Turns], str] = {}
    depth = len(sequence.outer[0].turns)
    for moment, prefix in zip(body.moments, prefixes, strict=True):
        known.setdefault((id(moment.application), moment.turns[:depth]), prefix)
    found = [(outer[key], prefix) for key, prefix in known.items() if key in outer]
    loops, body.loops = body.loops, [frame for frame in body.loops if frame.depth < depth]
    with body.only([moment for moment, _ in found]):
        sequence.levels = level_codes(body, [prefix for _, prefix in found])
    body.loops = loops
    sequence.numbered = all(_is_numbered(body.program.trace(moment.application), prefix) for moment, prefix in found)
    if len(sequence.levels) == 1 and isinstance(sequence.levels[0], str) and quote.is_identifier(sequence.levels[0]):
        sequence.holder = f"self.{sequence.levels[0]}"


def _is_numbered(trace: Trace, prefix: str) -> bool:
    depth = prefix.count(".") + 1
    names = list(dict.fromkeys(label.split(".")[depth] for label in trace.below(prefix)))
    return names == [str(index) for index in range(len(names))]


def _check_prefix(body: Body, sequence: Sequence, prefixes: list[str]) -> None:
    """All items made for one container must carry its path."""
    seen: dict[tuple[int, Turns], str] = {}
    depth = len(sequence.outer[0].turns)
    for moment, prefix in zip(body.moments, prefixes, strict=True):
        key = id(moment.application), moment.turns[:depth]
        if seen.setdefault(key, prefix) != prefix:
            raise NotSequential("a path that changes on the way")
    inner = {moment.turns[:depth] for moment in body.moments}
    with body.only([moment for moment in sequence.outer if moment.turns in inner]):
        wanted = [seen.get((id(m.application), m.turns)) for m in body.moments]
        expected = path_code(sequence.levels, "init")
        if any(p is not None and body.evaluate(expected, m) != p for m, p in zip(body.moments, wanted, strict=True)):
            raise NotSequential("a path that changes on the way")


def _finish(body: Body, sequence: Sequence, init: Block) -> Val | None:
    """Write the container: in one expression where nothing stands between its items, else filled step by step."""
    _check_whole(body, sequence)
    if body.sequence is not None:
        made = _whole(sequence, init)
        if made is None:
            raise NotSequential("a chain in a chain that takes several steps")
        labels = _labels_at(body, sequence)
        add_item(body, labels, made)
        return None
    made = _whole(sequence, init)
    if made is not None:
        return attach(body, sequence.levels, made)
    empty = Code("nn.Sequential()")
    if sequence.holder.startswith("self."):
        reached = attach(body, sequence.levels, empty)
        body.init.extend(init)
        return reached
    body.init.append(assign(sequence.holder, empty))
    body.init.extend(init)
    return attach(body, sequence.levels, code.name(sequence.holder))


def _check_whole(body: Body, sequence: Sequence) -> None:
    """A container is made once, and nothing else stands below its path."""
    applications = {id(moment.application): moment.application for moment in sequence.outer}
    for (application, prefix, _), names in sequence.names.items():
        depth = prefix.count(".") + 1
        if {label.split(".")[depth] for label in body.program.trace(applications[application]).below(prefix)} != names:
            raise NotSequential("other modules below its path")


def _labels_at(body: Body, sequence: Sequence) -> list[str]:
    path = path_code(sequence.levels, "init")
    found = [body.evaluate(path, moment) for moment in body.moments]
    if not all(isinstance(label, str) for label in found):
        raise NotSequential("a label that is not known")
    return found


def _whole(sequence: Sequence, init: Block) -> Code | None:
    """`nn.Sequential(a, b)`, or with names; None if other statements stand between the items."""
    if any(id(statement) not in sequence.statements for statement in init):
        return None
    if any(f"<{sequence.holder}>" in made.reads for _, made in sequence.items):
        return None
    items = [made for _, made in sequence.items]
    if sequence.numbered:
        return code.call("nn.Sequential", items)
    names = [name for name, _ in sequence.items]
    if any(not isinstance(name, str) for name in names):
        return None
    if all(isinstance(name, str) and quote.is_identifier(name) for name in names):
        ordered = code.call("OrderedDict", [], dict(zip(map(str, names), items, strict=True)))
    else:
        pairs = [code.sequence([code.value(name), item], "()") for name, item in zip(names, items, strict=True)]
        ordered = code.call("OrderedDict", [code.sequence(pairs)])
    return code.call("nn.Sequential", [ordered])


__all__ = ["Sequence", "add_item", "in_sequence"]
