"""Python statements as data, so that what nobody reads can be left out before they are written."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from convspec.targets.source.code import Code
from convspec.targets.source.layout import Writer

Nobody: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False)
class Line:
    """One statement. It is kept if it is essential, or if a name that it writes is read by a statement that is kept."""

    text: str
    reads: frozenset[str] = Nobody
    writes: frozenset[str] = Nobody
    essential: bool = False


@dataclass(slots=True, eq=False)
class Loop:
    """`for index, item in enumerate(iterable)`, with the index or the item left out where nobody reads it."""

    index: str | None
    item: str
    """A name, or names in parentheses."""
    item_names: frozenset[str]
    iterable: Code
    body: Block = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Branch:
    condition: Code
    then: Block = field(default_factory=list)
    orelse: Block = field(default_factory=list)


Statement: TypeAlias = Line | Loop | Branch
Block: TypeAlias = list[Statement]


def assign(name: str, value: Code) -> Line:
    """`name = value`, kept if somebody reads `name`."""
    return Line(f"{name} = {value}", value.reads, frozenset((name,)))


def essential(value: Code, text: str | None = None) -> Line:
    """A statement that is done for its effect; `text` if it is more than the expression."""
    return Line(text if text is not None else value.text, value.reads, essential=True)


def lines(block: Block) -> Iterator[Line]:
    """Every line in a block, inner ones too."""
    for statement in block:
        match statement:
            case Line():
                yield statement
            case Loop(body=body):
                yield from lines(body)
            case Branch(then=then, orelse=orelse):
                yield from lines(then)
                yield from lines(orelse)


def prune(block: Block, wanted: frozenset[str] = Nobody) -> tuple[Block, frozenset[str]]:
    """`block` without what nobody reads, and every name that is read in what remains. `wanted`: names read elsewhere."""
    needed = set(wanted)
    while True:
        before = len(needed)
        _mark(block, needed)
        if len(needed) == before:
            return _kept(block, needed), frozenset(needed)


def _mark(block: Block, needed: set[str]) -> bool:
    """Add the names that kept statements read; whether anything in the block is kept.

    From the end: what reads a name stands behind what writes it, but for loops, so that two rounds are nearly always enough.
    """
    kept = False
    for statement in reversed(block):
        match statement:
            case Line():
                if _is_kept(statement, needed):
                    needed |= statement.reads
                    kept = True
            case Loop():
                if _mark(statement.body, needed):
                    needed |= statement.iterable.reads
                    kept = True
            case Branch():
                inner = [_mark(part, needed) for part in (statement.orelse, statement.then)]
                if any(inner):
                    needed |= statement.condition.reads
                    kept = True
    return kept


def _is_kept(line: Line, needed: set[str]) -> bool:
    return line.essential or bool(line.writes & needed)


def _kept(block: Block, needed: set[str]) -> Block:
    kept: Block = []
    for statement in block:
        match statement:
            case Line():
                if _is_kept(statement, needed):
                    kept.append(statement)
            case Loop(index=index, item=item, item_names=names, iterable=iterable, body=body):
                inner = _kept(body, needed)
                if inner:
                    kept.append(Loop(index, item, names, iterable, inner))
            case Branch(condition=condition, then=then, orelse=orelse):
                branches = _kept(then, needed), _kept(orelse, needed)
                if any(branches):
                    kept.append(Branch(condition, *branches))
    return kept


def all_reads(block: Block) -> frozenset[str]:
    """Every name that a block reads."""
    found: set[str] = set()
    for statement in block:
        match statement:
            case Line(reads=reads):
                found |= reads
            case Loop(iterable=iterable, body=body):
                found |= iterable.reads | all_reads(body)
            case Branch(condition=condition, then=then, orelse=orelse):
                found |= condition.reads | all_reads(then) | all_reads(orelse)
    return frozenset(found)


def write(writer: Writer, block: Block) -> None:
    """Print a block."""
    for statement in block:
        match statement:
            case Line(text=text):
                writer.statement(text)
            case Loop(body=body):
                writer.open(_loop_header(statement))
                write(writer, body)
                writer.close()
            case Branch():
                _write_branch(writer, statement, "if")


def _loop_header(loop: Loop) -> str:
    used = all_reads(loop.body)
    index = loop.index if loop.index in used else None
    item = loop.item if loop.item_names & used else None
    iterable = loop.iterable
    if index is None:
        return f"for {item or '_'} in {iterable}:"
    if item is None and not iterable.text.startswith(_WITHOUT_LENGTH):
        counted = iterable.text if _counts_from_zero(iterable) else f"range({_length(iterable)})"
        return f"for {index} in {counted}:"
    return f"for {index}, {item or '_'} in enumerate({iterable}):"


_WITHOUT_LENGTH = ("zip(", "reversed(")
"""Iterators of Python's, which have no `len`."""


def _length(iterable: Code) -> str:
    """How many turns: a number for a list that is written out."""
    if iterable.text.startswith("[") and not iterable.reads:
        try:
            return str(len(ast.literal_eval(iterable.text)))
        except ValueError:
            pass
    return f"len({iterable})"


def _counts_from_zero(iterable: Code) -> bool:
    return iterable.text.startswith("range(") and iterable.text.endswith(")") and "," not in iterable.text


def _write_branch(writer: Writer, branch: Branch, word: str) -> None:
    if not branch.then:
        branch = Branch(_negated(branch.condition), branch.orelse)
    writer.open(f"{word} {branch.condition}:")
    write(writer, branch.then)
    writer.close()
    match branch.orelse:
        case []:
            return
        case [Branch(then=then) as inner] if then:
            _write_branch(writer, inner, "elif")
        case _:
            writer.open("else:")
            write(writer, branch.orelse)
            writer.close()


def _negated(condition: Code) -> Code:
    from convspec.targets.source import code

    return code.unary("not", condition)
