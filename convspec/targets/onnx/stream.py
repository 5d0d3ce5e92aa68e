"""The files of a model: its encoded messages, and the stored tensors' bytes, which are made when they are written.

A protobuf message is the concatenation of its fields, so that initialisers take their place in the graph without a copy of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import BinaryIO

from convspec.records import dataclass
from convspec.targets.base import Weights
from convspec.targets.onnx import wire
from convspec.targets.onnx.model import Model
from convspec.targets.onnx.tensors import Tensor
from convspec.weights.streaming import Piece, literal, write_pieces

MOST_BYTES = 2**31 - 1
"""A protobuf message cannot be larger."""

_GRAPH, _INITIALIZER = 7, 5
"""Field numbers in onnx.proto."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The content of a file; calling it writes it."""

    pieces: tuple[Piece, ...]

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(piece.size for piece in self.pieces)

    def __call__(self, file: BinaryIO) -> None:
        write_pieces(file, self.pieces)


def model_file(model: Model, tensors: Mapping[str, Tensor], weights: Weights) -> Parts:
    """One file with everything in it."""
    return assembled(model, [inline(name, tensor, weights) for name, tensor in tensors.items()])


def assembled(model: Model, initialisers: Iterable[Sequence[Piece]]) -> Parts:
    """A model file with these TensorProtos, each in pieces."""
    lead = wire.tag(_INITIALIZER)
    middle: list[Piece] = []
    for pieces in initialisers:
        middle += (literal(lead + wire.varint(sum(piece.size for piece in pieces))), *pieces)
    length = len(model.graph_before) + sum(piece.size for piece in middle) + len(model.graph_after)
    head = model.before + wire.tag(_GRAPH) + wire.varint(length) + model.graph_before
    return Parts((literal(head), *middle, literal(model.graph_after + model.after)))


def inline(name: str, tensor: Tensor, weights: Weights) -> tuple[Piece, ...]:
    """A TensorProto with its data in it."""
    header = wire.tensor(name, tensor.dtype, tensor.shape) + wire.raw_data(tensor.nbytes)
    return (literal(header), *tensor.pieces(weights))


__all__ = ["MOST_BYTES", "Parts", "assembled", "inline", "model_file"]
