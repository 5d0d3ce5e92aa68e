"""A network as the tree of its labels: every level a branch, every layer a leaf, in the order of execution."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import TypeAlias

from convspec.analysis.folding import block_text, block_uses
from convspec.analysis.summary import Row, Summary
from convspec.elaborate.module import Module
from convspec.ir.graph import Node
from convspec.records import dataclass
from convspec.source import Span

_NEAR = 200
"""Letters before a stage in which the colon of its label stands, if there is one."""
_ORDINAL = re.compile(r"\d+(\.\d+)*$")


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """One layer applied once. `name` is its last level; another use of the same layer has a number behind it."""

    name: str
    path: str
    row: Row

    @property
    def node(self) -> Node:
        return self.row.nodes[0]

    @property
    def text(self) -> str:
        return self.row.layer

    @property
    def automatic(self) -> bool:
        """Whether the name is a number, or the op and its ordinal that no author wrote."""
        if self.name.isdigit() or _is_labelled(self.node.span):
            return self.name.isdigit()
        return _ORDINAL.sub("", self.name) == self.node.op.name

    def leaves(self) -> Iterator[Leaf]:
        yield self


@dataclass(slots=True, eq=False)
class Branch:
    """A level of labels, or a use of a block, whose text is `block` then."""

    name: str
    path: str
    block: str | None
    span: Span | None = None
    """Where the block is used."""
    children: list[Item] = field(default_factory=list)

    @property
    def text(self) -> str:
        return self.block or f"{self.count} layers"

    @property
    def count(self) -> int:
        return sum(1 for _ in self.leaves())

    @property
    def automatic(self) -> bool:
        """Whether the name is a number, or the block's own with an ordinal that no author wrote."""
        if self.name.isdigit() or (self.span is not None and _is_labelled(self.span)):
            return self.name.isdigit()
        title = (self.block or "").partition("(")[0]
        return _ORDINAL.sub("", self.name).lower() == title.lower() and _ORDINAL.search(self.name) is not None

    def leaves(self) -> Iterator[Leaf]:
        """Every layer below, in order."""
        pending: list[Item] = [self]
        while pending:
            item = pending.pop()
            if isinstance(item, Leaf):
                yield item
            else:
                pending.extend(reversed(item.children))


Item: TypeAlias = Leaf | Branch


def _is_labelled(span: Span) -> bool:
    """Whether a label stands before a stage: its colon does."""
    return span.file.text[max(0, span.start - _NEAR) : span.start].rstrip().endswith(":")


def label_tree(module: Module, summary: Summary) -> Branch:
    """The tree of a module and the summary of its layers."""
    blocks = {path: (block_text(event), span) for path, (event, span) in block_uses(module).items()}
    root = Branch("", "", module.root.block.name.text)
    branches: dict[str, Branch] = {"": root}
    uses: dict[str, int] = {}
    for row in summary.rows:
        levels = row.label.split(".")
        parent = _branch(levels[:-1], branches, blocks)
        uses[row.label] = uses.get(row.label, 0) + 1
        again = f" (use {uses[row.label]})" if uses[row.label] > 1 else ""
        parent.children.append(Leaf(levels[-1] + again, row.label + again, row))
    return root


def _branch(levels: list[str], branches: dict[str, Branch], blocks: Mapping[str, tuple[str, Span]]) -> Branch:
    """The branch of these levels, made with those above it where it is not there yet."""
    above = branches[""]
    for end in range(1, len(levels) + 1):
        path = ".".join(levels[:end])
        if path not in branches:
            branches[path] = Branch(levels[end - 1], path, *blocks.get(path, (None, None)))
            above.children.append(branches[path])
        above = branches[path]
    return above


__all__ = ["Branch", "Item", "Leaf", "label_tree"]
