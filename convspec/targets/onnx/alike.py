"""Which layers are alike: the same op with the same attributes on the same types, so that what holds for one holds for all.

A deep network has few different layers and many of each. What is a function of op, attributes and types (a lowering, the
types that ONNX infers, whether onnx takes it) is worked out once for all that are alike.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import fields
from operator import attrgetter
from typing import Any

from convspec.ir.graph import Node


def first_alike(nodes: Iterable[Node]) -> dict[Node, Node]:
    """For every node the first one that is like it, perhaps itself."""
    first: dict[Hashable, Node] = {}
    inexact: dict[type, tuple[attrgetter[Any], ...]] = {}
    return {node: first.setdefault(_key(node, inexact), node) for node in nodes}


def _key(node: Node, inexact: dict[type, tuple[attrgetter[Any], ...]]) -> Hashable:
    """Equal for nodes that are alike. A node of which that cannot be told is like no other."""
    attrs = node.attrs
    kind = type(attrs)
    if kind not in inexact:
        inexact[kind] = _inexact(kind)
    texts = tuple([str(get(attrs)) for get in inexact[kind]])
    inputs = tuple([value.type for value in node.inputs])
    outputs = tuple([value.type for value in node.outputs])
    stored = tuple([(role, p.dtype, p.shape) for role, p in node.params.items()])
    key = (id(node.op), kind, attrs, texts, inputs, outputs, stored)
    try:
        hash(key)
    except TypeError:  # an attribute of a third party's op that cannot be compared so
        return id(node)
    return key


def _inexact(attrs: type) -> tuple[attrgetter[Any], ...]:
    """The attributes that may hold numbers of which two are equal and not the same: 0.0 and -0.0, 1 and 1.0."""
    exact = {"int", "bool", "str", "Extent", "tuple[int, ...]", "int | None", "str | None", "tuple[int, ...] | None"}
    return tuple(attrgetter(field.name) for field in fields(attrs) if str(field.type) not in exact)
