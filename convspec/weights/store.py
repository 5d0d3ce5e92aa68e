"""Weight files: safetensors, one tensor a parameter, named by label."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from convspec.diagnostics import error, fail
from convspec.files import write_file
from convspec.ir.graph import Graph
from convspec.ir.types import Array
from convspec.version import VERSION
from convspec.weights.check import Stored, check
from convspec.weights.dtypes import from_safetensors, to_safetensors

CHECKSUMS = "convspec.crc32"
"""The metadata entry that holds a CRC-32 of each tensor's bytes: safetensors itself does not notice a flipped bit in them."""


def save(path: str | Path, weights: Mapping[str, Array], spec: str) -> Path:
    """Write `weights` to `path` whole or not at all; `spec` is the model's name. Failure CNN400 where that cannot be done."""
    return write_file(path, content(weights, spec))


def content(weights: Mapping[str, Array], spec: str) -> Callable[[BinaryIO], None]:
    """A function that writes a safetensors file with `weights` to an open file. The same weights give the same bytes.

    (The safetensors package's own writer puts the metadata in random order, and copies every tensor.)
    """

    def write(file: BinaryIO) -> None:
        # Wide elements first, so that every tensor lies at a multiple of its element's size, as the format's readers like it.
        parts = [(name, tensor.dtype, tensor.shape, _bytes(tensor)) for name, tensor in weights.items()]
        parts.sort(key=lambda part: -part[1].itemsize)
        with ThreadPoolExecutor() as pool:
            checksums = list(pool.map(lambda part: f"{zlib.crc32(part[3]):08x}", parts))
        names = [name for name, *_ in parts]
        header: dict[str, Any] = {"__metadata__": _metadata(spec, dict(zip(names, checksums, strict=True)))}
        offset = 0
        for name, dtype, shape, data in parts:
            end = offset + len(data)
            header[name] = {"dtype": to_safetensors(dtype.name), "shape": list(shape), "data_offsets": [offset, end]}
            offset = end
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        file.write(struct.pack("<Q", len(text)) + text)
        for *_, data in parts:
            file.write(data)

    return write


def _metadata(spec: str, checksums: Mapping[str, str]) -> dict[str, str]:
    """`format: pt` is what other readers expect of a file in PyTorch's layout."""
    return {
        "format": "pt",
        "convspec.version": VERSION,
        "convspec.spec": spec,
        CHECKSUMS: json.dumps(checksums, separators=(",", ":")),
    }


def _bytes(tensor: Array) -> memoryview:
    """The elements as little-endian bytes in C order, without a copy where they already are."""
    flat = np.ascontiguousarray(tensor).reshape(-1)
    little = flat.astype(flat.dtype.newbyteorder("<"), copy=False)
    return little.view(np.uint8).data


def load(path: str | Path, graph: Graph) -> dict[str, Array]:
    """Every parameter of `graph` from a safetensors file, in the order of `Graph.parameters()`.

    Failure CNN200 where the file cannot be read or is damaged, CNN201 where its tensors are not those of the graph.
    """
    path = Path(path)
    _check_is_safetensors(path)
    with _explained(path):
        from safetensors import safe_open

        with safe_open(path, framework="numpy") as file:
            stored = {name: _stored(file.get_slice(name)) for name in file.keys()}  # noqa: SIM118 - it is no dictionary
            check(stored, graph, str(path))
            weights: dict[str, Array] = {name: file.get_tensor(name) for name in graph.parameters()}
            metadata = file.metadata() or {}
    _check_sums(path, weights, metadata)
    return weights


def _stored(tensor: Any) -> Stored:
    return Stored(from_safetensors(tensor.get_dtype()), tuple(tensor.get_shape()))


def _check_is_safetensors(path: Path) -> None:
    """Failure CNN200 for what is plainly something else; the rest is found on reading."""
    with _explained(path), path.open("rb") as file:
        start = file.read(9)
    if start.startswith((b"PK\x03\x04", b"\x80\x02", b"\x80\x04")):
        hint = "it looks like a PyTorch checkpoint: save its state_dict with safetensors.torch.save_file"
        raise fail(error("CNN200", f"cannot read {path}: it is not a safetensors file", hint=hint))
    if start.startswith(b"\x89HDF"):
        hint = "it is an HDF5 file: save the tensors, named by label, with safetensors.numpy.save_file"
        raise fail(error("CNN200", f"cannot read {path}: it is not a safetensors file", hint=hint))


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turns what reading a file may raise into Failure CNN200 with the reason."""
    from safetensors import SafetensorError

    try:
        yield
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise fail(error("CNN200", f"cannot read {path}: {reason[:1].lower()}{reason[1:]}")) from None
    except (SafetensorError, ValueError, TypeError, OverflowError, MemoryError) as problem:
        reason = str(problem).removeprefix("Error while deserializing header: ") or type(problem).__name__
        hint = "the file is truncated, damaged or not a safetensors file"
        raise fail(error("CNN200", f"cannot read {path}: {reason}", hint=hint)) from None


def _check_sums(path: Path, weights: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
    """Where convspec wrote the file: are the bytes still those?"""
    try:
        wanted = json.loads(metadata.get(CHECKSUMS, "{}"))
    except (ValueError, RecursionError):
        wanted = None
    if not isinstance(wanted, dict):
        raise fail(error("CNN200", f"cannot read {path}: its checksums are damaged"))
    present = [name for name in weights if name in wanted]
    with ThreadPoolExecutor() as pool:
        sums = list(pool.map(lambda name: f"{zlib.crc32(_bytes(weights[name])):08x}", present))
    damaged = [name for name, found in zip(present, sums, strict=True) if found != wanted[name]]
    if damaged:
        names = ", ".join(f"`{name}`" for name in damaged)
        hint = f"if the tensors were changed on purpose, save them without the metadata entry `{CHECKSUMS}`"
        raise fail(error("CNN200", f"cannot read {path}: the bytes of {names} differ from their checksums", hint=hint))
