"""Weights files of other programs, opened by what is in them: safetensors, PyTorch, Keras and ONNX."""

from __future__ import annotations

import importlib
from pathlib import Path

from convspec.diagnostics import Failure
from convspec.weights.sources.base import Source
from convspec.weights.sources.reading import FileBytes, refused

SUFFIXES = {
    ".safetensors": "safetensors", ".pt": "torch", ".pth": "torch", ".bin": "torch", ".ckpt": "torch",
    ".keras": "keras", ".h5": "keras", ".hdf5": "keras", ".onnx": "onnx",
}  # fmt: skip
"""What a file is taken for where its first bytes do not say."""

KNOWN = "known are .safetensors, PyTorch's .pt and .pth, Keras's .weights.h5 and .keras, and .onnx"


def open_source(path: str | Path) -> Source:
    """The tensors of a weights file of any known format; none of their data is read yet. Failure CNN200."""
    path = Path(path)
    if path.is_dir():
        raise refused(path, "it is a folder", hint=f"name a file: {KNOWN}")
    file = FileBytes.of(path)
    kind = _kind(file)
    if kind is None:
        raise _unknown(file)
    reader = importlib.import_module(f"convspec.weights.sources.{kind}")
    source: Source = getattr(reader, f"open_{kind}")(path)
    return source


def _kind(file: FileBytes) -> str | None:
    """By content, then by suffix."""
    start = file.read(0, min(file.size, 16)).tobytes()
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        return "keras"
    if start.startswith(b"PK\x03\x04"):
        return _kind_of_archive(file.path)
    if start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "torch"
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= file.size:
        return "safetensors"
    return SUFFIXES.get(file.path.suffix.lower())


def _kind_of_archive(path: Path) -> str | None:
    """A zip: of Keras if it has a model's files, else of PyTorch, unless it is something that is known to be neither."""
    from convspec.weights.sources.archive import member_names

    names = member_names(path)
    if any(name in ("config.json", "metadata.json", "model.weights.h5", "model.weights.npz") for name in names):
        return "keras"
    if any(name.rpartition("/")[2] in ("data.pkl", "constants.pkl", "version") for name in names):
        return "torch"
    found = SUFFIXES.get(path.suffix.lower())
    return found if found in ("keras", "torch") else None


def _unknown(file: FileBytes) -> Failure:
    start = file.read(0, min(file.size, 64)).tobytes()
    if start.startswith(b"version https://git-lfs"):
        return refused(file.path, "it is a pointer of Git LFS, not the file itself", hint="git lfs pull")
    if start.startswith(b"PK\x03\x04"):
        return refused(file.path, "it is a zip archive, but neither of PyTorch nor of Keras", hint=KNOWN)
    return refused(file.path, "it is no weights file that is known" if file.size else "it is empty", hint=KNOWN)


__all__ = ["open_source"]
