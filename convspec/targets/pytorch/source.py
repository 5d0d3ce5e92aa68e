"""The text of the generated file: the readable form where it is proven, the straight-line form otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from convspec.elaborate.module import Module
from convspec.ir.graph import Node
from convspec.syntax import ast
from convspec.targets.pytorch.lowered import Tree, lower_graph
from convspec.targets.pytorch.page import class_name
from convspec.targets.pytorch.readable.file import Readable, print_readable
from convspec.targets.pytorch.readable.values import Unsayable
from convspec.targets.pytorch.straight import print_straight
from convspec.targets.pytorch.validate import Mismatch, differences


@dataclass(frozen=True, slots=True)
class Source:
    """A generated file. `notes` say what could not be printed as the spec has it."""

    text: str
    class_name: str
    notes: tuple[str, ...] = ()


class WrongSource(AssertionError):
    """Generated source that does not say what the graph says: a bug of a printer, found before the file was handed out."""


def generate(module: Module, stem: str, straight: bool = False) -> Source:
    """The source of `module`, proven against its graph. Failure CNN090, CNN091 where PyTorch cannot say it."""
    trees = lower_graph(module.graph)
    name = class_name(module)
    notes: tuple[str, ...] = ()
    if module.rewritten:
        notes = (f"for inference; {module.rewritten}, and so written out layer by layer",)
    elif not straight:
        found = _readable(module, trees, stem, name)
        if isinstance(found, Source):
            return found
        notes = (f"the network is written out layer by layer: {found}",)
    text = print_straight(module, stem, notes)
    wrong = differences(text, name, module.graph, trees)
    if wrong:
        raise WrongSource("; ".join(mismatch.what for mismatch in wrong))
    return Source(text, name, notes)


def _readable(module: Module, trees: Mapping[Node, Tree], stem: str, name: str) -> Source | str:
    """The readable file; a block that turns out wrong is written out instance by instance. Else why there is none."""
    forced: dict[ast.Block, str] = {}
    while True:
        try:
            printed = print_readable(module, trees, stem, forced)
        except Unsayable as problem:
            return str(problem)
        except Exception as problem:  # a bug of the walk must not keep the user from a right, if plainer, file
            return f"{type(problem).__name__} {problem}"
        found = differences(printed.text, name, module.graph, trees)
        if not found:
            return Source(printed.text, name, printed.notes)
        blocks = {_block_of(module, printed, mismatch): mismatch.what for mismatch in found}
        new = {block: what for block, what in blocks.items() if block is not None and block not in forced}
        if not new:
            return found[0].what
        forced |= new


def _block_of(module: Module, printed: Readable, mismatch: Mismatch) -> ast.Block | None:
    """The block that a mismatch is about, unless it is the model itself."""
    block = None
    if mismatch.path is not None:
        owners = [a for a in module.applications() if a.path and f"{mismatch.path}.".startswith(f"{a.path}.")]
        block = max(owners, key=lambda a: len(a.path)).block if owners else None
    elif mismatch.line is not None and mismatch.line <= len(printed.blocks):
        block = printed.blocks[mismatch.line - 1]
    return block if block is not module.root.block else None
