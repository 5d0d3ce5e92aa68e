"""Which arguments of a layer are its tensors, and in which order its inputs take them."""

from __future__ import annotations

from collections.abc import Sequence

from convspec.elaborate.module import OpEvent
from convspec.elaborate.ops import input_names
from convspec.syntax import ast


def in_order(event: OpEvent, args: Sequence[ast.Arg]) -> list[ast.Arg]:
    """The arguments by position, then those that name an input of the op, in the order of its inputs; attributes left out."""
    names = input_names(event.nodes[0].op) if event.nodes else ()
    named = [arg for arg in args if arg.name is not None and arg.name.text in names]
    positional = [arg for arg in args if arg.name is None]
    return [*positional, *sorted(named, key=lambda arg: names.index(arg.name.text if arg.name else ""))]


__all__ = ["in_order"]
