"""The few messages of onnx.proto that a model is made of, as bytes.

A protobuf message is the concatenation of its fields, each a tag, then a number or a length and as many bytes; fields stand in
the order of their numbers, as onnx's own classes write them, which the tests hold byte for byte. Written so directly because
building a message out of objects costs ten times as much as all the rest of emitting a large network.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from convspec.ir.types import TensorType

Message: TypeAlias = bytes

ELEMENT = {"float32": 1, "uint8": 2, "int32": 6, "int64": 7, "bool": 9, "float16": 10, "float64": 11, "bfloat16": 16}
"""TensorProto.DataType by dtype."""

_FLOAT, _INT, _STRING, _FLOATS, _INTS, _STRINGS = 1, 2, 3, 6, 7, 8
"""AttributeProto.AttributeType."""


def varint(number: int) -> bytes:
    """An integer in protobuf's variable length: seven bits a byte, the lowest first; a negative one as 64 bits."""
    if 0 <= number < 128:
        return _SHORT[number]
    if 0 <= number < 16384:
        return bytes((number & 0x7F | 0x80, number >> 7))
    number &= 0xFFFF_FFFF_FFFF_FFFF
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


_SHORT = [bytes([number]) for number in range(128)]
_SIZED = [bytes([field << 3 | 2]) for field in range(16)]
"""Tags of length-delimited fields; the numbers of all that are written here are below 16."""


def tag(field: int) -> bytes:
    """The tag of a length-delimited field."""
    return _SIZED[field]


def sized(field: int, data: bytes) -> bytes:
    """A message, text or bytes as a field."""
    length = len(data)
    return _SIZED[field] + (_SHORT[length] if length < 128 else varint(length)) + data


def text(field: int, value: str) -> bytes:
    """A text as a field; nothing where it is empty, as onnx's classes leave out what was not set."""
    return sized(field, value.encode()) if value else b""


def number(field: int, value: int) -> bytes:
    """An integer as a field."""
    return varint(field << 3) + varint(value)


def node(op_type: str, name: str, inputs: Iterable[str], outputs: Iterable[str], attributes: bytes) -> Message:
    """NodeProto. `attributes` are encoded already. An empty input stands for one that is absent."""
    parts = [sized(1, each.encode()) for each in inputs]
    parts += [sized(2, each.encode()) for each in outputs]
    parts += (sized(3, name.encode()), sized(4, op_type.encode()), attributes)
    return b"".join(parts)


def attributes(values: Mapping[str, Any], kinds: Mapping[str, str]) -> bytes:
    """The attribute fields of a NodeProto, by name. `kinds` are the schema's: INT, INTS, FLOAT, FLOATS, STRING, STRINGS."""
    return b"".join(sized(5, _attribute(name, values[name], kinds[name])) for name in sorted(values))


def _attribute(name: str, value: Any, kind: str) -> Message:
    """AttributeProto. Integers may be subclasses, and floats integers."""
    start = sized(1, name.encode())
    match kind:
        case "INT":
            return start + number(3, int(value)) + number(20, _INT)
        case "FLOAT":
            return start + varint(2 << 3 | 5) + struct.pack("<f", float(value)) + number(20, _FLOAT)
        case "STRING":
            return start + sized(4, str(value).encode()) + number(20, _STRING)
        case "INTS":
            return start + b"".join(number(8, int(item)) for item in value) + number(20, _INTS)
        case "FLOATS":
            packed = [varint(7 << 3 | 5) + struct.pack("<f", float(item)) for item in value]
            return start + b"".join(packed) + number(20, _FLOATS)
        case "STRINGS":
            return start + b"".join(sized(9, str(item).encode()) for item in value) + number(20, _STRINGS)
    raise TypeError(f"lowerings give no attributes of kind {kind}")


def tensor_type(of: TensorType) -> Message:
    """TypeProto of a tensor."""
    dims = b"".join(sized(1, number(1, size) if isinstance(size, int) else sized(2, str(size).encode())) for size in of.shape)
    return sized(1, number(1, ELEMENT[of.dtype]) + sized(2, dims))


def value_info(name: str, type_message: Message, doc: str = "") -> Message:
    """ValueInfoProto."""
    return sized(1, name.encode()) + sized(2, type_message) + text(3, doc)


def tensor(name: str, dtype: str, shape: Iterable[int]) -> Message:
    """TensorProto without data: raw data or the place of external data follow."""
    dims = b"".join([b"\x08" + varint(size) for size in shape])
    return dims + number(2, ELEMENT[dtype]) + sized(8, name.encode())


def raw_data(length: int) -> bytes:
    """What stands before `length` bytes of raw data at the end of a TensorProto."""
    return tag(9) + varint(length)


def location(file: str) -> bytes:
    """What stands before `external_data` at the end of a TensorProto: the name of the file."""
    return sized(13, entry("location", file))


def external_data(location: bytes, offset: int, length: int) -> bytes:
    """The end of a TensorProto whose data stand in another file."""
    place = sized(13, _OFFSET + sized(2, b"%d" % offset))
    return location + place + sized(13, _LENGTH + sized(2, b"%d" % length)) + _EXTERNAL


def entry(key: str, value: str) -> Message:
    """StringStringEntryProto."""
    return sized(1, key.encode()) + sized(2, value.encode())


_OFFSET, _LENGTH = sized(1, b"offset"), sized(1, b"length")
_EXTERNAL = number(14, 1)
"""`data_location`."""

__all__ = [
    "ELEMENT", "Message", "attributes", "entry", "external_data", "location", "node", "number", "raw_data", "sized", "tag",
    "tensor", "tensor_type", "text", "value_info", "varint",
]  # fmt: skip
