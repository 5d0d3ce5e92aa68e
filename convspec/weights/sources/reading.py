"""What readers of every format share: refusals in one voice, ranges of bytes of a file that must not change meanwhile."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path

from convspec.diagnostics import Failure, error, fail
from convspec.ir.types import Array
from convspec.weights.names import shown

DAMAGED = "the file is truncated, damaged or something else than its name says"

MOST_ELEMENTS = 1 << 62
"""Of one tensor. Past it the numbers are no sizes, and products of them would be slow."""


def refused(path: Path, reason: str, *, notes: Iterable[str] = (), hint: str | None = DAMAGED) -> Failure:
    """Failure CNN200, to be raised: `cannot read x.pt: <reason>`."""
    return fail(error("CNN200", f"cannot read {path}: {reason}", notes=notes, hint=hint))


@contextmanager
def explained(path: Path, hint: str | None = DAMAGED) -> Iterator[None]:
    """Turns whatever a library raises about a stranger's file into Failure CNN200 with the reason, cut to one short line.

    Everything: what a reader raises about hostile bytes is not in its documentation.
    """
    try:
        yield
    except Failure:
        raise
    except FileNotFoundError as problem:
        raise refused(path, _reason(problem), hint=None) from None
    except (PermissionError, IsADirectoryError, NotADirectoryError) as problem:
        raise refused(path, _reason(problem), hint=None) from None
    except Exception as problem:
        raise refused(path, _reason(problem), hint=hint) from None


def _reason(problem: Exception) -> str:
    if isinstance(problem, LookupError | TypeError | AttributeError | AssertionError | UnicodeError | EOFError | struct.error):
        return f"it is damaged ({type(problem).__name__})"  # a library stumbled over it: its words would tell nobody anything
    strerror = problem.strerror if isinstance(problem, OSError) else None
    lines = (strerror or str(problem)).strip().splitlines()
    text = shown(lines[0]) if lines else f"it is damaged ({type(problem).__name__})"
    return text if text[1:2].isupper() else f"{text[:1].lower()}{text[1:]}"


def elements(path: Path, what: str, shape: Iterable[int]) -> int:
    """How many elements a declared shape has. Failure CNN200 where a size is negative or the product is absurd."""
    sizes = tuple(shape)
    if any(size < 0 for size in sizes):
        raise refused(path, f"{what} has a negative size in {list(sizes)}")
    count = prod(sizes)
    if len(sizes) > 64 or prod(size for size in sizes if size) > MOST_ELEMENTS:
        raise refused(path, f"{what} has a shape that no tensor has")
    return count


@dataclass(frozen=True, slots=True)
class FileBytes:
    """A file of which ranges are read, in any thread, as long as it stays what it was when it was opened."""

    path: Path
    size: int
    stamp: tuple[int, int, int]

    @classmethod
    def of(cls, path: Path) -> FileBytes:
        """Failure CNN200 where `path` is no ordinary file that can be read."""
        if path.exists() and not path.is_file():  # a pipe would keep whoever opens it waiting
            raise refused(path, "it is no ordinary file", hint=None)
        with explained(path), path.open("rb") as file:
            return cls(path, os.fstat(file.fileno()).st_size, _stamp(file.fileno()))

    def read(self, start: int, length: int) -> Array:
        """`length` bytes from `start` as an array that belongs to the caller."""
        import numpy as np

        if start < 0 or length < 0 or start + length > self.size:
            raise refused(self.path, f"bytes {start} to {start + length} are past its end at {self.size}")
        found = np.empty(length, np.uint8)
        with explained(self.path), self.path.open("rb", buffering=0) as file:
            if _stamp(file.fileno()) != self.stamp:
                raise refused(self.path, "it was changed while it was read", hint=None)
            file.seek(start)
            view, done = found.data, 0
            while done < length:
                count = file.readinto(view[done:])
                if not count:
                    raise refused(self.path, "it was changed while it was read", hint=None)
                done += count
        return found


def _stamp(handle: int) -> tuple[int, int, int]:
    status = os.fstat(handle)
    return status.st_ino, status.st_size, status.st_mtime_ns


__all__ = ["DAMAGED", "FileBytes", "elements", "explained", "refused"]
