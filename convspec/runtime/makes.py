"""What makes the results of a run: network, weights, runtime, columns. An unfinished run is continued only by the same."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

from convspec.ir.dump import dump
from convspec.ir.types import Array
from convspec.runtime.base import ModelFile, Program, RunOptions, Session
from convspec.runtime.rows import Columns, shown_name
from convspec.version import VERSION

_NO_MATTER = ("device", "threads")
"""Options that do not change results: the device that was asked for (the one that runs is compared), how many threads."""


def what_makes(
    program: Program, session: Session, options: RunOptions, columns: Columns, sources: Sequence[Path], recursive: bool
) -> dict[str, Any]:
    """Everything on which the rows depend, apart from the pictures themselves, by what a user calls it."""
    from PIL import __version__ as pillow

    about, spec = session.about, session.signature.inputs[0]
    labels = None if columns.labels is None else _digest(json.dumps(list(columns.labels)).encode())
    chosen = {name: value for name, value in asdict(options).items() if name not in _NO_MATTER}
    return {
        "convspec": VERSION,
        **_program(program),
        "runtime": f"{about.runtime} {about.version}",
        "device": about.device,
        **{f"option {name}": value for name, value in chosen.items()},
        "input": f"{spec.name}: {spec.type}",
        "preparation of pictures": None if spec.picture is None else json.dumps(asdict(spec.picture)),
        "Pillow": pillow,
        "columns": [*columns.header(), *(f"{value.name}: {value.type}" for value in columns.values)],
        "classes from": None if columns.scores is None else columns.scores.name,
        "labels": labels,
        **_pictures(sources),
        "subfolders": recursive,
    }


def _pictures(sources: Sequence[Path]) -> dict[str, str]:
    """One folder is the same from wherever it is named; of several names the results hold the names as they were given."""
    if len(sources) == 1:
        return {"pictures": shown_name(os.path.realpath(sources[0]))}
    given = [shown_name(str(source)) for source in sources]
    return {"pictures": f"{len(given)} in {shown_name(os.getcwd())}", "names of pictures": _digest(json.dumps(given).encode())}


def _program(program: Program) -> dict[str, str]:
    if isinstance(program, ModelFile):
        return {"model": _digest_of_model(program.path)}
    graph = program.module.graph
    return {"network": f"{graph.name} {_digest(dump(graph).encode())}", "weights": _digest_of_arrays(program.weights)}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digest_of_arrays(arrays: Mapping[str, Array]) -> str:
    """SHA-256 over name, type, shape and bytes of every tensor, in the order of the names."""
    names = sorted(arrays)
    with ThreadPoolExecutor(2) as pool:  # hashing releases the interpreter lock
        digests = list(pool.map(lambda name: _digest_of_array(name, arrays[name]), names))
    return _digest("".join(digests).encode())


def _digest_of_array(name: str, array: Array) -> str:
    import numpy as np

    found = hashlib.sha256(f"{name} {array.dtype.name} {array.shape}\n".encode())
    found.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return found.hexdigest()


def _digest_of_model(path: Path) -> str:
    """SHA-256 over the model and the files in which it keeps its weights."""
    digests = [_digest_of_file(file) for file in (path, *_external_files(path))]
    return digests[0] if len(digests) == 1 else _digest("".join(digests).encode())


def _digest_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _external_files(path: Path) -> Iterator[Path]:
    import onnx

    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        if data.find(b"location") < 0:  # the key under which a file is named; without it the model need not be parsed
            return
    model = onnx.load(str(path), load_external_data=False)
    found = {entry.value for tensor in model.graph.initializer for entry in tensor.external_data if entry.key == "location"}
    yield from (path.parent / location for location in sorted(found))


__all__ = ["what_makes"]
