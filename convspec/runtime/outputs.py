"""`--output`: arrays to an .npz, an .npy or a folder of .npy files, whole or not at all."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import BinaryIO

from convspec.diagnostics import error, fail
from convspec.files import same_file, staged, write_file, write_files
from convspec.ir.types import Array
from convspec.records import dataclass
from convspec.runtime.signature import Signature

_KINDS = "name an .npz file, an .npy file or a folder; for a row for each picture a .jsonl, .csv or .parquet file"


@dataclass(slots=True)
class Statistics:
    """The range and mean of an output over all batches, gathered without keeping them."""

    dtype: str = ""
    shape: list[int] = field(default_factory=list)
    """The batch axis counts all batches; an axis that differs from batch to batch is -1."""
    least: float = float("inf")
    most: float = float("-inf")
    total: float = 0.0
    count: int = 0

    def add(self, array: Array) -> None:
        """Take in the output of one batch."""
        import numpy as np

        if not self.shape:
            self.shape = [0, *array.shape[1:]] if array.ndim else []
        self.dtype = array.dtype.name
        if self.shape:
            rest = [a if a == b else -1 for a, b in zip(self.shape[1:], array.shape[1:], strict=True)]
            self.shape = [self.shape[0] + array.shape[0], *rest]
        wide = array.astype(np.float64)
        self.least, self.most = min(self.least, float(wide.min())), max(self.most, float(wide.max()))
        self.total, self.count = self.total + float(wide.sum()), self.count + wide.size

    @property
    def mean(self) -> float:
        return self.total / max(1, self.count)


def check_destination(path: Path, signature: Signature, inputs: Sequence[Path]) -> None:
    """Failure CNN400 or CNN401 where `--output` cannot be, before anything is computed. `inputs` are not to be replaced."""
    names = [spec.name for spec in signature.outputs]
    if path.suffix.lower() == ".npy" and len(names) > 1:
        which = f"name an .npz file, or a folder: {signature.name} gives {', '.join(names)}"
        raise fail(error("CNN401", f"{path} takes one array, but there are {len(names)} outputs", hint=which))
    if not _is_file(path) and path.suffix and not os.path.isdir(path):
        raise fail(error("CNN401", f"cannot tell what to write as {path}", hint=_KINDS))
    if not _is_file(path):
        _check_file_names(names)
    check_place(path, inputs)


def check_place(path: Path, inputs: Sequence[Path]) -> None:
    """Failure CNN400 where nothing can be written at `path`. `inputs` are not to be replaced."""
    for reason, hint in _obstacles(path, inputs):
        raise fail(error("CNN400", f"cannot write {path}: {reason}", hint=hint))


def _obstacles(path: Path, inputs: Sequence[Path]) -> Iterator[tuple[str, str | None]]:
    """What stands in the way of writing `path`, with a hint."""
    if _is_file(path) and os.path.isdir(path):
        yield "it is a folder", "name a file, not a folder"
    if any(same_file(path, other) for other in inputs):
        yield "it is read by this command", "name another file"
    if not os.path.isdir(path.parent):
        yield f"{path.parent} {'is no folder' if os.path.exists(path.parent) else 'does not exist'}", "make the folder first"
    if not os.access(path if os.path.isdir(path) else path.parent, os.W_OK):
        yield "permission denied", None


def write_outputs(path: Path, outputs: Mapping[str, Array]) -> list[Path]:
    """Write every output; the files written. bfloat16, which .npy has no name for, is written as float32, exactly."""
    plain = {name: _nameable(array) for name, array in outputs.items()}
    if path.suffix.lower() == ".npz":
        return [write_file(path, _archive(plain))]
    if path.suffix.lower() == ".npy":
        return [write_file(path, _array(next(iter(plain.values()))))]
    files = {f"{name}.npy": _array(array) for name, array in plain.items()}
    if os.path.isdir(path):
        return write_files(path, files)
    with staged(path) as temporary:
        temporary.mkdir()
        write_files(temporary, files)
    return [path / name for name in files]


def joined(batches: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    """The outputs of all batches, along the batch axis. Failure CNN400 where their other axes differ."""
    import numpy as np

    result: dict[str, Array] = {}
    for name in batches[0]:
        parts = [batch[name] for batch in batches]
        if len({part.shape[1:] for part in parts}) > 1:
            message = f"the output `{name}` has another shape for each size of picture, and cannot be one array"
            raise fail(error("CNN400", message, hint="give the input a picture(size = …), or run pictures of one size"))
        result[name] = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return result


def _is_file(path: Path) -> bool:
    return path.suffix.lower() in (".npz", ".npy", ".jsonl", ".csv", ".parquet")


def _check_file_names(names: Sequence[str]) -> None:
    strange = [name for name in names if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,200}", name)]
    if strange:
        raise fail(error("CNN400", f"the output `{strange[0]}` cannot be the name of a file", hint="write an .npz file"))


def _nameable(array: Array) -> Array:
    import numpy as np

    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def _array(array: Array) -> Callable[[BinaryIO], None]:
    import numpy as np

    return lambda file: np.lib.format.write_array(file, array, allow_pickle=False)


def _archive(arrays: Mapping[str, Array]) -> Callable[[BinaryIO], None]:
    """An .npz by hand: `np.savez` cannot store an array called `file`. The same arrays give the same bytes."""
    import numpy as np

    def write(file: BinaryIO) -> None:
        with zipfile.ZipFile(file, "w", allowZip64=True) as archive:
            for name, array in arrays.items():
                with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)

    return write
