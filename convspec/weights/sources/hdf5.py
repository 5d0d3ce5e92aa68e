"""HDF5 files of strangers as a tree of groups and datasets, with nothing in it that reaches outside or grows on reading.

HDF5 has links to other files, datasets that are put together from elsewhere, filters that are loaded as plug-ins, and shapes
that need not be stored. None of that is needed for weights: all of it is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from convspec.diagnostics import error, fail
from convspec.ir.types import Array
from convspec.weights.names import quoted
from convspec.weights.sources.reading import elements, explained, refused

MOST_OBJECTS = 200_000
DEEPEST = 64
FREE = 1 << 24
MOST_EXPANSION = 20
"""Past FREE bytes, a compressed dataset that claims more than so many times what is stored is a bomb."""

LONGEST_TEXT = 1000
_BUILT_IN_FILTERS = {1: "gzip", 2: "shuffle", 3: "fletcher32"}
"""Filters that are part of every HDF5; others are loaded as plug-ins, which is to run code."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """An array in the file. `address` grows with the time of writing, but for space that was used again."""

    path: Path
    handle: Any
    dtype: str
    shape: tuple[int, ...]
    address: int

    def read(self) -> Array:
        """The data in the machine's own order of bytes."""
        import numpy as np

        with explained(self.path):
            found: Array = np.asarray(self.handle[()])
            if self.dtype == "bfloat16":
                import ml_dtypes

                found = found.view(ml_dtypes.bfloat16).reshape(self.shape)
            return found.astype(found.dtype.newbyteorder("="), copy=False)


@dataclass(slots=True)
class Group:
    """A group: what is in it, and the texts among its attributes."""

    handle: Any
    address: int
    groups: dict[str, Group] = field(default_factory=dict)
    datasets: dict[str, Dataset] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """An attribute, if it is a text of reasonable length."""
        found = self.handle.attrs.get(name)
        found = found.decode("utf-8", "replace") if isinstance(found, bytes) else found
        return found if isinstance(found, str) and len(found) <= LONGEST_TEXT else None

    def all_datasets(self) -> Iterator[Dataset]:
        yield from self.datasets.values()
        for group in self.groups.values():
            yield from group.all_datasets()

    @property
    def last_address(self) -> int:
        """The highest address of all that belongs to it."""
        inner = [group.last_address for group in self.groups.values()]
        return max([self.address, *inner, *(dataset.address for dataset in self.datasets.values())])


def read_tree(path: Path, file: BinaryIO) -> Group:
    """The whole file as a tree; data are read later, from the open `file`. Failure CNN200, or CNN303 without h5py."""
    try:
        import h5py
    except ImportError:
        hint = 'pip install h5py, or pip install "convspec[tensorflow]", which brings it'
        message = f"cannot read {path}: h5py is not installed, which reads Keras's files"
        raise fail(error("CNN303", message, hint=hint)) from None
    with explained(path):
        _check_heaps(path, file)
        return _Walk(path, h5py).group(h5py.File(file, "r"), "/", 0)


_HEAP = b"GCOL\x01\0\0\0"
_PIECE = 1 << 20
"""Bytes that are searched at a time, and the largest heap: Keras's have 4096."""


def _check_heaps(path: Path, file: BinaryIO) -> None:
    """Are the heaps that hold texts sound? The HDF5 library reads one whose free space claims 0 bytes for ever."""
    start, before = 0, b""
    while True:
        file.seek(start)
        piece = file.read(_PIECE)
        if not piece:
            break
        searched, offset = before + piece, start - len(before)
        place = searched.find(_HEAP)
        while place >= 0:
            _check_heap(path, file, offset + place)
            place = searched.find(_HEAP, place + 1)
        start, before = start + len(piece), searched[-len(_HEAP) + 1 :]
    file.seek(0)


def _check_heap(path: Path, file: BinaryIO, start: int) -> None:
    """The objects of one heap follow each other to its end: number, count and 4 bytes of nothing, size, data."""
    file.seek(start + len(_HEAP))
    size = int.from_bytes(file.read(8), "little")
    if not 16 <= size <= _PIECE:
        raise refused(path, "a heap of texts in it is damaged")
    heap = file.read(size - 16)
    at = 0
    while at + 16 <= len(heap):
        number, length = int.from_bytes(heap[at : at + 2], "little"), int.from_bytes(heap[at + 8 : at + 16], "little")
        step = length if number == 0 else 16 + (length + 7) // 8 * 8  # number 0 is free space, header and all
        if step < 16 or step > size - 16 - at:
            raise refused(path, "a heap of texts in it is damaged")
        at += step


@dataclass(slots=True)
class _Walk:
    path: Path
    h5py: Any
    seen: set[int] = field(default_factory=set)

    def group(self, handle: Any, name: str, depth: int) -> Group:
        found = Group(handle, self._address(handle, name))
        if depth > DEEPEST:
            raise refused(self.path, f"its group {quoted(name)} is nested too deeply")
        for key in handle:
            inner = f"{name.rstrip('/')}/{key}"
            link = handle.get(key, getclass=True, getlink=True)
            if link is not self.h5py.HardLink:
                raise refused(self.path, f"{quoted(inner)} is a link to elsewhere ({link.__name__})", hint=None)
            kind = handle.get(key, getclass=True)
            if kind is self.h5py.Group:
                found.groups[key] = self.group(handle[key], inner, depth + 1)
            elif kind is self.h5py.Dataset:
                found.datasets[key] = self._dataset(handle[key], inner)
            else:
                raise refused(self.path, f"{quoted(inner)} is neither a group nor an array", hint=None)
        return found

    def _address(self, handle: Any, name: str) -> int:
        """Where the object is. One that is reached twice could be endless, or stand for a thousand copies."""
        address = int(self.h5py.h5o.get_info(handle.id).addr)
        if address in self.seen or len(self.seen) > MOST_OBJECTS:
            raise refused(self.path, f"{quoted(name)} is reached in two ways, or there are too many objects", hint=None)
        self.seen.add(address)
        return address

    def _dataset(self, handle: Any, name: str) -> Dataset:
        address = self._address(handle, name)
        if handle.is_virtual or handle.external:
            raise refused(self.path, f"the data of {quoted(name)} lie in another file", hint=None)
        shape = handle.shape
        if shape is None:
            raise refused(self.path, f"{quoted(name)} has no data")
        dtype = self._dtype(handle, name)
        wanted = elements(self.path, quoted(name), shape) * handle.dtype.itemsize
        stored = handle.id.get_storage_size()
        self._check_size(handle, name, wanted, stored)
        offset = handle.id.get_offset()
        return Dataset(self.path, handle, dtype, tuple(map(int, shape)), max(address, offset or 0))

    def _dtype(self, handle: Any, name: str) -> str:
        if handle.attrs.get("dtype") in ("bfloat16", b"bfloat16") and handle.dtype.itemsize == 2:
            return "bfloat16"
        if handle.dtype.kind not in "fiub" or handle.dtype.itemsize > 8:
            raise refused(self.path, f"{quoted(name)} holds no numbers, but {quoted(str(handle.dtype))}", hint=None)
        return str(handle.dtype.newbyteorder("=").name)

    def _check_size(self, handle: Any, name: str, wanted: int, stored: int) -> None:
        """Are the numbers that the shape claims in the file?"""
        plist = handle.id.get_create_plist()
        filters = [plist.get_filter(index)[0] for index in range(plist.get_nfilters())]
        if any(number not in _BUILT_IN_FILTERS for number in filters):
            raise refused(self.path, f"{quoted(name)} is compressed in an unusual way", hint=None)
        most = max(FREE, MOST_EXPANSION * stored) if 1 in filters else stored
        if wanted > most or (wanted and not stored):
            raise refused(self.path, f"the shape of {quoted(name)} needs {wanted} bytes, and {stored} are stored")


__all__ = ["Dataset", "Group", "read_tree"]
