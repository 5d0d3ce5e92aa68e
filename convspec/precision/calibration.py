"""Calibration data: what a network is likely to see, one item at a time, part of it held back to measure with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from convspec.diagnostics import error, fail
from convspec.ir.graph import Graph
from convspec.ir.types import Array

MOST = 256
"""Items that are used; of more, as many at even distances. Ranges hardly move after a hundred or two."""
HELD_EVERY = 5
"""Every fifth item is held back, where there are as many: ranges are not measured on what they were chosen by."""

_T = TypeVar("_T")

Item = Mapping[str, Array]
"""An array for each input by name, of batch 1 where the batch may be chosen."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """`used` sets the ranges, `held` measures what is lost; with few items both are the same, and `apart` is false."""

    used: Sequence[Item]
    held: Sequence[Item]
    apart: bool
    source: str
    notes: tuple[str, ...] = ()


def read_calibration(path: str | Path, graph: Graph, most: int = MOST) -> Calibration:
    """The data at `path` for the inputs of `graph`: a folder of pictures (subfolders too), a picture, an .npy or .npz.

    The same folder gives the same items in the same order everywhere. Failure CNN300, CNN301 or CNN302 as for `--input`.
    """
    from convspec.runtime.inputs import picture_sources, read_inputs
    from convspec.runtime.listing import find_pictures
    from convspec.runtime.signature import signature_of

    signature = signature_of(graph)
    sources = picture_sources([str(path)], signature)
    if sources is None:
        feed = read_inputs([str(path)], signature)
        items = [item for batch in feed.batches for item in _single(batch.arrays, graph)]
        return split(_spread(items, most), str(path), feed.notes)
    listing = find_pictures(sources, recursive=True)
    chosen = _spread(listing.files, most)
    chosen = chosen[: len(chosen) - len(chosen) % _batch(graph)] or chosen
    batches = read_inputs([file.path for file in chosen], signature, batch=1).batches
    return split([batch.arrays for batch in batches], str(path), listing.notes)


def split(items: Sequence[Item], source: str = "given", notes: Sequence[str] = ()) -> Calibration:
    """Items as calibration data, every fifth held back. Failure CNN301 where there are none."""
    if not items:
        raise fail(error("CNN301", f"{source} holds no item to calibrate with"))
    if len(items) < HELD_EVERY:
        return Calibration(items, items, False, source, tuple(notes))
    held = [item for number, item in enumerate(items, 1) if number % HELD_EVERY == 0]
    used = [item for number, item in enumerate(items, 1) if number % HELD_EVERY]
    return Calibration(used, held, True, source, tuple(notes))


def _batch(graph: Graph) -> int:
    """How many pictures one item takes."""
    size = graph.inputs[0].value.type.shape[0]
    return size if isinstance(size, int) else 1


def _spread(items: Sequence[_T], most: int) -> list[_T]:
    """At most `most` of the items, at even distances."""
    count = min(len(items), most)
    return [items[number * len(items) // count] for number in range(count)]


def _single(arrays: Item, graph: Graph) -> Iterator[Item]:
    """The items of a batch, one by one, where every input has a batch axis of one symbolic size; else the batch as it is."""
    firsts = {str(item.value.type.shape[0]) if item.value.type.shape else "" for item in graph.inputs}
    symbolic = len(firsts) == 1 and all(item.value.type.shape and not _fixed(item.value.type.shape[0]) for item in graph.inputs)
    if not symbolic or not next(iter(firsts)).isidentifier():
        yield arrays
        return
    for row in range(len(next(iter(arrays.values())))):
        yield {name: array[row : row + 1] for name, array in arrays.items()}


def _fixed(size: object) -> bool:
    return isinstance(size, int)


__all__ = ["HELD_EVERY", "MOST", "Calibration", "Item", "read_calibration", "split"]
