"""Weight files: safetensors, one tensor a parameter, named by label."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from convspec.files import write_file
from convspec.ir.graph import Graph
from convspec.ir.types import Array
from convspec.weights.check import Stored, check
from convspec.weights.dtypes import to_safetensors
from convspec.weights.manifest import metadata
from convspec.weights.sources.safetensors import open_safetensors


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
        header: dict[str, Any] = {"__metadata__": metadata(spec, {name: data for name, *_, data in parts})}
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


def _bytes(tensor: Array) -> memoryview:
    """The elements as little-endian bytes in C order, without a copy where they already are."""
    flat = np.ascontiguousarray(tensor).reshape(-1)
    little = flat.astype(flat.dtype.newbyteorder("<"), copy=False)
    return little.view(np.uint8).data


def load(path: str | Path, graph: Graph) -> dict[str, Array]:
    """Every parameter of `graph` from a safetensors file, in the order of `Graph.parameters()`.

    Failure CNN200 where the file cannot be read or is damaged, CNN201 where its tensors are not those of the graph.
    """
    source = open_safetensors(Path(path))
    check({name: Stored(tensor.dtype, tensor.shape) for name, tensor in source.tensors.items()}, graph, str(path))
    names = list(graph.parameters())
    with ThreadPoolExecutor() as pool:  # reading and hashing run outside the interpreter lock
        return dict(zip(names, pool.map(lambda name: source.tensors[name].read(), names), strict=True))
