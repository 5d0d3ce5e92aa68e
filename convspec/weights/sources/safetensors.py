"""Safetensors, read strictly: a header in which anything is doubtful is refused, and the tensor at fault is named.

The package of that name takes the last of two equal keys and does not say which tensor a truncated file lacks.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from convspec.ir.types import Array
from convspec.weights.dtypes import from_safetensors
from convspec.weights.manifest import check_digest, read_manifest, without_duplicates
from convspec.weights.names import quoted
from convspec.weights.sources.base import Kind, Source, StoredTensor
from convspec.weights.sources.reading import FileBytes, elements, explained, refused

LONGEST_HEADER = 100_000_000
"""Bytes, as in the format's own reader."""

KERAS_LAYOUT = "convspec"
"""The metadata entry of a file that the tensorflow target wrote: its keys are `<layer>/<variable>`."""

_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|u1", "C64": "<c8",
    "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "F8_E8M0": "float8_e8m0fnu",
}  # fmt: skip
"""What lies in the file; the last three are of ml_dtypes, one byte each."""


def open_safetensors(path: Path) -> Source:
    """The tensors of a safetensors file. Failure CNN200."""
    file = FileBytes.of(path)
    start, header = _header(file)
    metadata = _metadata(path, header.pop("__metadata__", {}))
    entries = {name: _entry(path, name, value) for name, value in header.items()}
    _check_ranges(file, entries, file.size - start)
    kind: Kind = "keras" if _is_keras(metadata) else "safetensors"
    manifest = {key: value for key, value in metadata.items() if kind != "keras" or key != KERAS_LAYOUT}
    digests = read_manifest(path, manifest, entries)
    tensors = {name: entry.stored(file, start, digests, kind) for name, entry in entries.items()}
    return Source(path, kind, tensors, metadata)


@dataclass(frozen=True, slots=True)
class _Entry:
    """What the header says of a tensor."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int

    def stored(self, file: FileBytes, start: int, digests: Mapping[str, str], kind: Kind) -> StoredTensor:
        role = self.name.rpartition("/")[2] if kind == "keras" else None
        read = partial(_read, self, file, start, digests)
        return StoredTensor(name=self.name, dtype=from_safetensors(self.dtype), shape=self.shape, read=read, role=role)


def _header(file: FileBytes) -> tuple[int, dict[str, Any]]:
    """Where the data begin, and the header's JSON object."""
    path = file.path
    if file.size < 8:
        raise refused(path, "it is not a safetensors file")
    (length,) = struct.unpack("<Q", file.read(0, 8).tobytes())
    if length > LONGEST_HEADER or length > file.size - 8:
        raise refused(path, f"its header would be {length} bytes long")
    data = file.read(8, length).tobytes()
    if not data.startswith(b"{"):
        raise refused(path, "it is not a safetensors file")
    with explained(path):
        try:
            header = json.loads(data.decode("utf-8"), object_pairs_hook=without_duplicates)
        except RecursionError:
            raise refused(path, "its header is nested too deeply") from None
        except json.JSONDecodeError as problem:
            raise refused(path, f"its header is not JSON: {problem.msg} at byte {8 + problem.pos}") from None
    if not isinstance(header, dict):
        raise refused(path, "its header is no JSON object")
    return 8 + length, header


def _metadata(path: Path, found: Any) -> dict[str, str]:
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise refused(path, "its metadata are not texts by name")
    return found


def _is_keras(metadata: Mapping[str, str]) -> bool:
    try:
        found = json.loads(metadata.get(KERAS_LAYOUT, ""))
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("layout") == "keras"


def _entry(path: Path, name: str, value: Any) -> _Entry:
    """The header's entry of `name`, its size checked against its shape."""
    if not isinstance(value, dict) or value.keys() != {"dtype", "shape", "data_offsets"}:
        raise refused(path, f"its header does not describe {quoted(name)} as a tensor")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not _integers(shape) or not _integers(offsets) or len(offsets) != 2:
        raise refused(path, f"its header does not describe {quoted(name)} as a tensor")
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise refused(path, f"{quoted(name)} is of a dtype that is not known: {quoted(str(dtype))}", hint=None)
    begin, end = offsets
    wanted = elements(path, quoted(name), shape) * _numpy(dtype).itemsize
    if end - begin != wanted:
        raise refused(path, f"{quoted(name)}, {dtype}{shape}, needs {wanted} bytes and has {end - begin}")
    return _Entry(name, dtype, tuple(shape), begin, end)


def _integers(found: Any) -> bool:
    return isinstance(found, list) and all(type(item) is int and item >= 0 for item in found)


def _check_ranges(file: FileBytes, entries: Mapping[str, _Entry], length: int) -> None:
    """Every byte of the data belongs to exactly one tensor."""
    done = 0
    for entry in sorted(entries.values(), key=lambda entry: (entry.begin, entry.end)):
        if entry.end > length:
            reason = f"the data of {quoted(entry.name)} end at byte {entry.end}, and there are {max(length, 0)}"
            raise refused(file.path, reason, hint="the file is truncated or damaged")
        if entry.begin != done:
            what = "overlap those of another tensor" if entry.begin < done else "do not follow those of the tensor before"
            raise refused(file.path, f"the data of {quoted(entry.name)} {what}")
        done = entry.end
    if done != length:
        raise refused(file.path, f"{length - done} bytes at its end belong to no tensor")


def _read(entry: _Entry, file: FileBytes, start: int, digests: Mapping[str, str]) -> Array:
    data = file.read(start + entry.begin, entry.end - entry.begin)
    check_digest(file.path, entry.name, data.data, digests)
    found: Array = data.view(_numpy(entry.dtype)).reshape(entry.shape)
    if entry.dtype == "BOOL":
        if data.size and data.max() > 1:
            raise refused(file.path, f"{quoted(entry.name)} holds truth values that are neither 0 nor 1")
        found = found.view("bool")
    if entry.dtype == "BF16":
        import ml_dtypes

        found = found.view(ml_dtypes.bfloat16)
    return found.astype(found.dtype.newbyteorder("="), copy=False)


def _numpy(dtype: str) -> Any:
    import numpy as np

    name = _DTYPES[dtype]
    if not name.startswith("float8"):
        return np.dtype(name)
    import ml_dtypes

    return np.dtype(getattr(ml_dtypes, name, np.uint8))


__all__ = ["open_safetensors"]
