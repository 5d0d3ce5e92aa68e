"""NumPy's own files: .npy and .npz, read without running anything that they hold."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from convspec.diagnostics import error, fail
from convspec.ir.types import Array

_KINDS = "biuf"
_BROKEN = (
    OSError, ValueError, EOFError, KeyError, SyntaxError, TypeError, NotImplementedError, RecursionError, MemoryError,
    OverflowError, tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What NumPy and zipfile raise on files that are cut off, corrupt or lie about their size."""


def as_array(name: str, data: Any) -> Array:
    """Data as NumPy sees it. Failure CNN301 for what it cannot see as an array (ragged lists, tensors on a GPU)."""
    import numpy as np

    try:
        return np.asarray(data)
    except (TypeError, ValueError) as problem:
        reason = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        raise fail(error("CNN301", f"the data for `{name}` is no array: {reason}")) from None


def read_npy(path: Path) -> Array:
    """The array in a .npy file. Failure CNN300 where it cannot be read or does not hold plain numbers."""
    import numpy as np

    with _explained(path):
        loaded = np.load(path, allow_pickle=False)
    if not isinstance(loaded, np.ndarray):
        loaded.close()
        raise fail(error("CNN300", f"cannot read {path}: it is an .npz archive by its content", hint="name it .npz"))
    return _plain(loaded, path, "it")


def read_npz(path: Path) -> dict[str, Array]:
    """The arrays in an .npz file by name. Failure CNN300 where one cannot be read or does not hold plain numbers."""
    import numpy as np

    with _explained(path):
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            raise ValueError("it is a single .npy array by its content")
        with loaded as archive:
            arrays = {name: archive[name] for name in archive.files}
    foreign = [name for name, value in arrays.items() if not isinstance(value, np.ndarray)]
    if foreign:
        raise fail(error("CNN300", f"cannot read {path}: its member `{foreign[0]}` is no array"))
    return {name: _plain(array, path, f"its array `{name}`") for name, array in arrays.items()}


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except _BROKEN as problem:
        reason = problem.strerror if isinstance(problem, OSError) and problem.strerror else _said(problem)
        raise fail(error("CNN300", f"cannot read {path}: {reason[:1].lower()}{reason[1:]}")) from None


def _said(problem: BaseException) -> str:
    """NumPy's first line; where it speaks of pickles (it does for any unknown content), what that means."""
    text = (str(problem).strip() or type(problem).__name__).splitlines()[0]
    if "pickle" in text:
        return "it is no NumPy file, or holds Python objects, which are never loaded"
    return "it asks for more memory than there is" if isinstance(problem, MemoryError) else text


def _plain(array: Array, path: Path, subject: str) -> Array:
    if array.dtype.kind not in _KINDS:
        raise fail(error("CNN300", f"cannot use {path}: {subject} holds {array.dtype}, not plain numbers"))
    return array
