"""Pictures decoded ahead, by several threads, and handed out in order. Pillow lets other threads run while it decodes."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition
from typing import TypeAlias

from convspec.diagnostics import Failure
from convspec.ir.types import Array
from convspec.runtime.pictures import picture_area, read_picture
from convspec.runtime.signature import TensorSpec
from convspec.weights.dtypes import numpy_dtype

Decoded: TypeAlias = "Array | Failure"
"""A picture as an array (1, C, H, W), or why there is none."""

_GROUP = 8
"""Most pictures that a thread takes at a time; for small pictures the hand-over is what takes time."""


def usable_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def decode_in_order(
    paths: Sequence[str], spec: TensorSpec, ahead: int, room: int | None = None
) -> Generator[Decoded, None, None]:
    """Every picture of `paths`, in order, prepared for the input `spec`.

    Up to `ahead` pictures are decoded before they are asked for. With `room` they wait until those that were not yet asked for
    take less than so many bytes together; the one that is asked for next never waits. Close the iterator to stop the threads.
    """
    workers = max(1, min(usable_cores(), len(paths)))
    group = max(1, min(_GROUP, ahead // (2 * workers)))
    gate = _Gate(room, spec)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="convspec-decode")
    waiting: deque[Future[list[Decoded]]] = deque()
    starts = iter(range(0, len(paths), group))
    try:
        for first in range(0, len(paths), group):
            while len(waiting) * group < max(ahead, group):
                start = next(starts, None)
                if start is None:
                    break
                waiting.append(pool.submit(_decode, paths, range(start, min(start + group, len(paths))), spec, gate))
            gate.ask(first + group)
            for picture in waiting.popleft().result():
                gate.leave(picture)
                yield picture
    finally:
        gate.close()
        pool.shutdown(wait=True, cancel_futures=True)


def _decode(paths: Sequence[str], places: range, spec: TensorSpec, gate: _Gate) -> list[Decoded]:
    return [_decode_one(Path(paths[place]), place, spec, gate) for place in places if not gate.closed]


def _decode_one(path: Path, place: int, spec: TensorSpec, gate: _Gate) -> Decoded:
    needed = gate.enter(place, path)
    try:
        array = read_picture(path, spec)
    except Failure as failure:
        gate.correct(-needed)
        return failure
    gate.correct(array.nbytes - needed)
    return array


@dataclass(slots=True)
class _Gate:
    """Keeps the pictures that were decoded ahead below `room` bytes. Without `room` nothing waits."""

    room: int | None
    spec: TensorSpec
    taken: int = 0
    asked: int = 0
    """Pictures before this place may always enter: somebody waits for them."""
    closed: bool = False
    changed: Condition = field(default_factory=Condition)

    def enter(self, place: int, path: Path) -> int:
        """Wait for room. The bytes that the picture will take, as far as its header tells."""
        room = self.room
        if room is None:
            return 0
        needed = picture_area(path) * int(str(self.spec.type.channels)) * numpy_dtype(self.spec.type.dtype).itemsize
        with self.changed:
            self.changed.wait_for(lambda: self.closed or self.taken + needed <= room or place < self.asked)
            self.taken += needed
        return needed

    def correct(self, change: int) -> None:
        if self.room is not None:
            with self.changed:
                self.taken += change
                self.changed.notify_all()

    def leave(self, picture: Decoded) -> None:
        """It was handed out, and is somebody else's concern."""
        if not isinstance(picture, Failure):
            self.correct(-picture.nbytes)

    def ask(self, place: int) -> None:
        with self.changed:
            self.asked = place
            self.changed.notify_all()

    def close(self) -> None:
        """Nobody asks any more: let everything pass, so that the threads end."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()


__all__ = ["Decoded", "decode_in_order", "usable_cores"]
