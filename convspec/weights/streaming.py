"""Weights on their way into a file: made piece by piece, on several threads, each at its place, and never all in memory."""

from __future__ import annotations

import os
import threading
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from convspec.records import dataclass
from convspec.weights.check import Stored

if TYPE_CHECKING:
    from convspec.ir.types import Array

Data: TypeAlias = "bytes | memoryview"

_GROUP = 1 << 20
"""Bytes up to which small neighbours are written together."""


@dataclass(frozen=True, slots=True)
class Piece:
    """`size` bytes of a file, which `make` makes when they are written. It may be called twice, and from any thread."""

    size: int
    make: Callable[[], Data]


def literal(data: bytes) -> Piece:
    """A piece that is there already."""
    return Piece(len(data), lambda: data)


class LazyWeights(Mapping[str, "Array"]):
    """Weights by name of which each is made when it is asked for, and kept by nobody."""

    @abstractmethod
    def stored(self, name: str) -> Stored:
        """Dtype and shape of a tensor, without making it. KeyError where there is none of that name."""

    def pieces(self, name: str) -> Sequence[Piece]:
        """The elements as little-endian bytes in C order."""
        return (self.whole(name),)

    def whole(self, name: str) -> Piece:
        """A tensor as one piece."""
        return Piece(nbytes(self.stored(name)), lambda: little_endian(self[name]))

    def materialised(self) -> dict[str, Array]:
        """Every tensor by name, made on several threads."""
        found: dict[str, Array] = {}
        run_all(partial(_keep, self, found, name) for name in self)
        return {name: found[name] for name in self}


def _keep(weights: LazyWeights, found: dict[str, Array], name: str) -> None:
    found[name] = weights[name]


def stored(weights: Mapping[str, Array], name: str) -> Stored:
    """Dtype and shape of a tensor in any weights."""
    if isinstance(weights, LazyWeights):
        return weights.stored(name)
    array = weights[name]
    return Stored(array.dtype.name, tuple(array.shape))


def pieces(weights: Mapping[str, Array], name: str) -> Sequence[Piece]:
    """The elements of a tensor in any weights, as little-endian bytes in C order."""
    if isinstance(weights, LazyWeights):
        return weights.pieces(name)
    return (of_array(weights[name]),)


def of_array(array: Array) -> Piece:
    """An array as a piece."""
    return Piece(array.nbytes, partial(little_endian, array))


def nbytes(of: Stored) -> int:
    """The size of a tensor in bytes."""
    from math import prod

    from convspec.weights.dtypes import numpy_dtype

    return prod(of.shape) * numpy_dtype(of.dtype).itemsize


def little_endian(array: Array) -> memoryview:
    """The elements as little-endian bytes in C order, without a copy where they already are."""
    import numpy as np

    flat = np.ascontiguousarray(array).reshape(-1)
    little = flat.astype(flat.dtype.newbyteorder("<"), copy=False)
    return little.view(np.uint8).data


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────


def write_pieces(file: BinaryIO, content: Iterable[Piece]) -> None:
    """Write pieces one after the other, from where the file stands: side by side where it can be written at any place."""
    place = Places.of(file)
    if place is None:
        for piece in content:
            file.write(_made(piece))
        return
    end = place.start
    jobs: list[Callable[[], None]] = []
    for group in _groups(content):
        jobs.append(partial(_write_group, place, end, group))
        end += sum(piece.size for piece in group)
    run_all(jobs)
    file.seek(end)


@dataclass(frozen=True, slots=True)
class Places:
    """An ordinary file that is open for writing, of which any range can be written in any order and thread."""

    handle: int
    start: int
    """Where the file stood when it was asked."""

    @classmethod
    def of(cls, file: BinaryIO) -> Places | None:
        """None for a buffer in memory, a pipe or a device, and on systems that cannot do it."""
        if not hasattr(os, "pwrite"):
            return None
        try:
            handle = file.fileno()
            regular = os.path.isfile(handle) and file.seekable()
        except OSError:  # a buffer in memory has no handle
            return None
        if not regular:
            return None
        file.flush()
        return cls(handle, file.tell())

    def write(self, offset: int, data: Data) -> None:
        """All of `data` at `offset` from the beginning of the file.

        Much of it is sent on to the disk at once, so that an fsync at the end finds little to wait for. (To drop what is
        cached of a range, the kernel begins to write out what is not on the disk yet; such pages it keeps.)
        """
        view = memoryview(data)
        done = os.pwrite(self.handle, view, offset)
        while done < len(view):
            done += os.pwrite(self.handle, view[done:], offset + done)
        if len(view) >= _GROUP // 4 and hasattr(os, "posix_fadvise"):
            with suppress(OSError):  # a hint: some file systems know none
                os.posix_fadvise(self.handle, offset, len(view), os.POSIX_FADV_DONTNEED)


def _groups(content: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Neighbours that are written by one call: small ones together, a large one alone."""
    group: list[Piece] = []
    size = 0
    for piece in content:
        if group and size + piece.size > _GROUP:
            yield group
            group, size = [], 0
        group.append(piece)
        size += piece.size
    if group:
        yield group


def _write_group(place: Places, offset: int, group: Sequence[Piece]) -> None:
    place.write(offset, _made(group[0]) if len(group) == 1 else b"".join([_made(piece) for piece in group]))


def _made(piece: Piece) -> Data:
    """Its bytes. AssertionError where they are not as many as it said: what follows would stand at a wrong place."""
    data = piece.make()
    assert len(data) == piece.size, f"a piece of {piece.size} bytes made {len(data)}"
    return data


def run_all(jobs: Iterable[Callable[[], None]]) -> None:
    """Call every job, on as many threads as there are cores, eight at most. The first exception ends it, and is raised."""
    waiting: deque[Callable[[], None] | None] = deque(jobs)
    failures: list[BaseException] = []
    helpers = [threading.Thread(target=_work, args=(waiting, failures)) for _ in range(min(threads(), len(waiting)) - 1)]
    waiting.extend([None] * (len(helpers) + 1))  # one for each thread, to stop at
    try:
        for helper in helpers:
            helper.start()
        _work(waiting, failures)
        for helper in helpers:
            helper.join()
    except BaseException as problem:  # Ctrl+C while waiting: nobody may go on writing to a file that is about to be closed
        failures.append(problem)
        for helper in helpers:
            if helper.ident is not None:
                helper.join()
    if failures:
        raise failures[0]


def _work(waiting: deque[Callable[[], None] | None], failures: list[BaseException]) -> None:
    """Take jobs until there are no more, or one has failed. Ctrl+C comes to the main thread, which ends the others so too."""
    try:
        while not failures and (job := waiting.popleft()) is not None:
            job()
    except BaseException as problem:
        failures.append(problem)


def threads() -> int:
    """How many threads are of use: a core each, eight at most."""
    affinity = getattr(os, "sched_getaffinity", None)  # absent on macOS and Windows
    return min(8, len(affinity(0)) if affinity else os.cpu_count() or 1)


__all__ = [
    "Data", "LazyWeights", "Piece", "Places", "literal", "little_endian", "nbytes", "of_array", "pieces", "run_all", "stored",
    "threads", "write_pieces",
]  # fmt: skip
