"""Weight files: safetensors, one tensor a parameter, named by label."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from convspec.files import write_file
from convspec.ir.graph import Graph
from convspec.ir.types import Array
from convspec.weights.check import Stored, check
from convspec.weights.dtypes import numpy_dtype, to_safetensors
from convspec.weights.manifest import metadata
from convspec.weights.sources.safetensors import open_safetensors
from convspec.weights.streaming import Piece, Places, pieces, run_all, stored, write_pieces


def save(path: str | Path, weights: Mapping[str, Array], spec: str) -> Path:
    """Write `weights` to `path` whole or not at all; `spec` is the model's name. Failure CNN400 where that cannot be done."""
    return write_file(path, content(weights, spec))


def content(weights: Mapping[str, Array], spec: str) -> Callable[[BinaryIO], None]:
    """A function that writes a safetensors file with `weights` to an open file. The same weights give the same bytes.

    (The safetensors package's own writer puts the metadata in random order, and wants every tensor in memory.)
    """
    # Wide elements first, so that every tensor lies at a multiple of its element's size, as the format's readers like it.
    entries = [Entry(name, stored(weights, name), pieces(weights, name)) for name in weights]
    entries.sort(key=lambda entry: -numpy_dtype(entry.type.dtype).itemsize)
    return partial(_write_with_manifest, entries, spec)


@dataclass(frozen=True, slots=True)
class Entry:
    """A tensor of a file to be."""

    name: str
    type: Stored
    pieces: Sequence[Piece]

    @property
    def nbytes(self) -> int:
        return sum(piece.size for piece in self.pieces)


def header(entries: Iterable[Entry], metadata: Mapping[str, str]) -> bytes:
    """What stands before the data of tensors that follow one another in this order."""
    found: dict[str, Any] = {"__metadata__": metadata}
    offset = 0
    for entry in entries:
        end = offset + entry.nbytes
        shape, dtype = list(entry.type.shape), to_safetensors(entry.type.dtype)
        found[entry.name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(found, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def _write_with_manifest(entries: Sequence[Entry], spec: str, file: BinaryIO) -> None:
    """The digests stand before the data that they are of, and are as long whatever they are: the header is written last.

    Where that cannot be (a pipe, a buffer), every tensor is made twice.
    """
    digests = {entry.name: "0" * 64 for entry in entries}
    start = len(header(entries, metadata(spec, digests)))
    places = Places.of(file)
    end = (places.start if places else 0) + start
    jobs: list[tuple[int, Callable[[], None]]] = []
    for entry in entries:
        jobs.append((entry.nbytes, partial(_stream, entry, places, end, digests)))
        end += entry.nbytes
    jobs.sort(key=lambda job: -job[0])  # the largest first, so that all threads end at about the same time
    run_all(job for _, job in jobs)
    file.write(header(entries, metadata(spec, digests)))
    if places is not None:
        file.seek(end)
        return
    write_pieces(file, (piece for entry in entries for piece in entry.pieces))


def _stream(entry: Entry, places: Places | None, offset: int, digests: dict[str, str]) -> None:
    """Make a tensor, hash it, and write it where there is a place to write it to."""
    running = hashlib.sha256()
    for piece in entry.pieces:
        data = piece.make()
        running.update(data)
        if places is not None:
            places.write(offset, data)
        offset += piece.size
    digests[entry.name] = running.hexdigest()


def load(path: str | Path, graph: Graph) -> dict[str, Array]:
    """Every parameter of `graph` from a safetensors file, in the order of `Graph.parameters()`.

    Failure CNN200 where the file cannot be read or is damaged, CNN201 where its tensors are not those of the graph.
    """
    source = open_safetensors(Path(path))
    check({name: Stored(tensor.dtype, tensor.shape) for name, tensor in source.tensors.items()}, graph, str(path))
    names = list(graph.parameters())
    with ThreadPoolExecutor() as pool:  # reading and hashing run outside the interpreter lock
        return dict(zip(names, pool.map(lambda name: source.tensors[name].read(), names), strict=True))
