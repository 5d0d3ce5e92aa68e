"""The readable file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from convspec.elaborate.module import Module
from convspec.ir.graph import Node
from convspec.syntax import ast
from convspec.targets.pytorch import page
from convspec.targets.pytorch.lowered import Tree
from convspec.targets.pytorch.readable.program import Program
from convspec.targets.source.layout import Writer


@dataclass(frozen=True, slots=True)
class Readable:
    """A readable file, not proven yet. `blocks`: the block that each line belongs to, from 1; None outside blocks."""

    text: str
    notes: tuple[str, ...]
    blocks: tuple[ast.Block | None, ...]


def print_readable(
    module: Module, trees: Mapping[Node, Tree], stem: str, forced: Mapping[ast.Block, str] = MappingProxyType({})
) -> Readable:
    """The file, `forced` blocks instance by instance. Raises Unsayable where the walk has no words for the model."""
    program = Program(module, trees, forced)
    program.class_of(module.root)
    silent = frozenset(info.name for info in program.classes if info.out and not info.out_is_read)
    if any(info.needs_out for info in program.classes if info.name in silent):
        program = Program(module, trees, forced, silent)
        program.class_of(module.root)
    body = Writer()
    _write_tops(body, program.tops)
    classes = [info.lines() for info in program.classes]
    page.write_helpers(body, trees.values(), program.uses_add)
    marks: list[tuple[int, ast.Block]] = []
    for info, lines in zip(program.classes, classes, strict=True):
        marks.append((len(body.lines), info.block))
        body.raw(lines)
        body.blank(2)
    writer = Writer()
    writer.raw(page.file_head(module, stem, program.notes))
    writer.blank()
    page.write_imports(writer, body.lines)
    writer.blank(2 if body.lines[0].startswith(("class ", "def ")) else 1)
    offset = len(writer.lines)
    writer.raw(body.lines)
    return Readable(writer.text(), tuple(program.notes), _owners(len(writer.lines), offset, marks))


def _write_tops(body: Writer, tops: Sequence[Sequence[str]]) -> None:
    """Constants line by line, functions set off by two empty lines."""
    for index, lines in enumerate(tops):
        function = lines[0].startswith("def ")
        if index and (function or tops[index - 1][0].startswith("def ")):
            body.blank(2)
        body.raw(lines)
    if tops:
        body.blank(2)


def _owners(count: int, offset: int, marks: Sequence[tuple[int, ast.Block]]) -> tuple[ast.Block | None, ...]:
    """The block of every line."""
    owners: list[ast.Block | None] = [None] * count
    for start, block in marks:
        owners[offset + start :] = [block] * (count - offset - start)
    return tuple(owners)
