"""The readable file."""

from __future__ import annotations

from collections.abc import Mapping

from convspec.elaborate.module import Module
from convspec.ir.graph import Node
from convspec.targets.pytorch import page
from convspec.targets.pytorch.lowered import Tree
from convspec.targets.pytorch.readable.program import Program
from convspec.targets.source.layout import Writer


def print_readable(module: Module, trees: Mapping[Node, Tree], stem: str) -> tuple[str, tuple[str, ...]]:
    """The text, and notes on what is not as in the source. Raises Unsayable where the walk has no words for the model."""
    program = Program(module, trees)
    program.class_of(module.root)
    silent = frozenset(info.name for info in program.classes if info.out and not info.out_is_read)
    if any(info.needs_out for info in program.classes if info.name in silent):
        program = Program(module, trees, silent)
        program.class_of(module.root)
    body = Writer()
    for lines in program.tops:
        body.raw(lines)
        if lines[0].startswith(("def ", "@")) or len(lines) > 1:
            body.blank(2)
    if program.tops:
        while body.lines and not body.lines[-1]:
            body.lines.pop()
        body.blank(2)
    classes = [info.lines() for info in program.classes]
    if program.uses_add:
        body.raw(page.ADD.splitlines())
        body.blank(2)
    for lines in classes:
        body.raw(lines)
        body.blank(2)
    writer = Writer()
    writer.raw(page.file_head(module, stem))
    writer.blank()
    page.write_imports(writer, body.lines)
    writer.blank(2 if body.lines[0].startswith(("class ", "def ")) else 1)
    writer.raw(body.lines)
    return writer.text(), tuple(program.notes)
