"""What a rule of kept.py speaks of: tensors of the network that a layer keeps, and tensors of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from convspec.ir.dims import Size
from convspec.ir.graph import Node, Value
from convspec.ir.types import TensorType
from convspec.records import dataclass

Kind: TypeAlias = Literal["float", "statistic", "int64", "bool"]
"""How large an element is: as the activations are, float32 in any precision, 8 bytes, 1 byte."""


@dataclass(frozen=True, slots=True)
class Own:
    """A tensor of a layer's own."""

    elements: Size
    kind: Kind = "float"


@dataclass(frozen=True, slots=True)
class Kept:
    """What one layer keeps: tensors of the network, and its own."""

    values: tuple[Value, ...] = ()
    own: tuple[Own, ...] = ()


NOTHING = Kept()
Rule: TypeAlias = Callable[[Node, Sequence[bool]], Kept]
"""From a node, and which of its inputs need a gradient."""


def elements(kind: TensorType) -> Size:
    """The number of elements of a tensor."""
    size: Size = 1
    for extent in kind.shape:
        size = size * extent
    return size


def per_channel(kind: TensorType) -> Size:
    """The number of elements of one channel, over the whole batch."""
    size: Size = kind.shape[0]
    for extent in kind.spatial:
        size = size * extent
    return size


def input_named(node: Node, name: str) -> Value | None:
    """The input of a layer with optional ones; None where it was left out."""
    present = getattr(node.attrs, "given", ()) or tuple(each.rstrip("?") for each in node.op.inputs[: len(node.inputs)])
    return node.inputs[present.index(name)] if name in present else None


__all__ = ["NOTHING", "Kept", "Kind", "Own", "Rule", "elements", "input_named", "per_channel"]
