"""What goes into a network and what comes out: the part of a spec, or of a compiled model, that a caller has to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from convspec.ir.graph import Graph, Picture
from convspec.ir.indices import Cut, IndexRange, index_ranges
from convspec.ir.types import TensorType
from convspec.records import dataclass
from convspec.source import Span


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """An input or output: `type` in canonical order. `span` is its declaration, None for a compiled model."""

    name: str
    type: TensorType
    picture: Picture | None = None
    """How a picture file becomes this input; None for outputs and where the spec does not say."""
    span: Span | None = None
    indices: tuple[IndexRange, ...] = ()
    """Which of its elements are indices, as far as is known; empty for outputs."""


@dataclass(frozen=True, slots=True)
class Signature:
    """The interface of the network called `name`."""

    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


def signature_of(graph: Graph) -> Signature:
    """The interface of an elaborated network."""
    ranges = index_ranges(graph)
    inputs = tuple(
        TensorSpec(i.value.name, i.value.type, i.picture, i.span, ranges.get(i.value.name, ())) for i in graph.inputs
    )
    outputs = tuple(TensorSpec(o.name, o.value.type, None, o.span) for o in graph.outputs)
    return Signature(graph.name, inputs, outputs)


def picture_from_json(fields: Mapping[str, Any]) -> Picture:
    """A Picture from its fields as JSON holds them, as the metadata of a compiled model carries them."""
    plain: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    return Picture(**plain)


def indices_from_json(ranges: Sequence[Mapping[str, Any]], rank: int) -> tuple[IndexRange, ...]:
    """Index ranges of an input of `rank` axes, as the metadata of a compiled model carries them."""
    return tuple(IndexRange(int(each["below"]), tuple(_cut(rank, *cut) for cut in each["cuts"])) for each in ranges)


def _cut(rank: int, axis: int, start: int, stop: int | None, step: int) -> Cut:
    if not 0 <= int(axis) < rank or int(step) < 1:
        raise ValueError(f"axis {axis} of {rank}, step {step}")
    return int(axis), int(start), None if stop is None else int(stop), int(step)
