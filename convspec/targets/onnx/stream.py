"""Writes a model to a file with its tensors' bytes taken straight from their arrays, without a copy of the whole.

A protobuf message is the concatenation of its fields, each a tag, a length and the bytes; so a model is the bytes of a
ModelProto without a graph, then the graph field: the bytes of a GraphProto without initialisers, then each initialiser.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from convspec.ir.types import Array
from convspec.targets.onnx.model import ELEMENT

MOST_BYTES = 2**31 - 1
"""A protobuf message cannot be larger."""

PAGE = 4096
"""External tensors begin at multiples of it, as ONNX asks, so that a runtime can map the file into memory."""

_MODEL_GRAPH, _GRAPH_INITIALIZER, _TENSOR_RAW_DATA = 7, 5, 9
"""Field numbers in onnx.proto."""


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of a file: what comes before a tensor's data, and the tensor."""

    before: bytes
    array: Array | None

    @property
    def size(self) -> int:
        return len(self.before) + (self.array.nbytes if self.array is not None else 0)


@dataclass(frozen=True, slots=True)
class Parts:
    """The content of a file; calling it writes it."""

    parts: tuple[Part, ...]

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(part.size for part in self.parts)

    def __call__(self, file: BinaryIO) -> None:
        for part in self.parts:
            file.write(part.before)
            if part.array is not None:
                file.write(_bytes(part.array))


def model_file(model: Any, tensors: Mapping[str, Array]) -> Parts:
    """One file with everything in it. `model` is a ModelProto without initialisers."""
    return _with_initialisers(model, [_inline(name, array) for name, array in tensors.items()])


def external_files(model: Any, tensors: Mapping[str, Array], data_name: str, least: int) -> tuple[Parts, Parts]:
    """A model file and the file `data_name` beside it, which holds the data of all tensors of `least` bytes or more."""
    initialisers: list[Part] = []
    data: list[Part] = []
    end = 0
    for name, array in tensors.items():
        if array.nbytes < least:
            initialisers.append(_inline(name, array))
            continue
        gap = -end % PAGE
        initialisers.append(Part(_external_header(name, array, data_name, end + gap), None))
        data.append(Part(b"\0" * gap, array))
        end += gap + array.nbytes
    return _with_initialisers(model, initialisers), Parts(tuple(data))


def _with_initialisers(model: Any, initialisers: Iterable[Part]) -> Parts:
    import onnx

    rest = onnx.ModelProto()
    rest.CopyFrom(model)
    rest.ClearField("graph")
    graph = model.graph.SerializeToString(deterministic=True)
    framed = [Part(_tag(_GRAPH_INITIALIZER) + _varint(part.size) + part.before, part.array) for part in initialisers]
    length = len(graph) + sum(part.size for part in framed)
    head = rest.SerializeToString(deterministic=True) + _tag(_MODEL_GRAPH) + _varint(length) + graph
    return Parts((Part(head, None), *framed))


def _inline(name: str, array: Array) -> Part:
    """A TensorProto whose raw data is `array`."""
    import onnx

    header = onnx.TensorProto(name=name, data_type=ELEMENT[array.dtype.name], dims=array.shape)
    return Part(header.SerializeToString(deterministic=True) + _tag(_TENSOR_RAW_DATA) + _varint(array.nbytes), array)


def _external_header(name: str, array: Array, location: str, offset: int) -> bytes:
    import onnx

    header = onnx.TensorProto(name=name, data_type=ELEMENT[array.dtype.name], dims=array.shape)
    header.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", str(offset)), ("length", str(array.nbytes))):
        header.external_data.add(key=key, value=value)
    serialised: bytes = header.SerializeToString(deterministic=True)
    return serialised


def _tag(field: int) -> bytes:
    """The tag of a length-delimited field."""
    return _varint(field << 3 | 2)


def _varint(number: int) -> bytes:
    """An unsigned integer in protobuf's variable length: seven bits a byte, the lowest first."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _bytes(array: Array) -> memoryview:
    """The elements as little-endian bytes in C order, as TensorProto.raw_data wants them."""
    import numpy as np

    flat = np.ascontiguousarray(array).reshape(-1)
    little = flat.astype(flat.dtype.newbyteorder("<"), copy=False)
    return little.view(np.uint8).data
