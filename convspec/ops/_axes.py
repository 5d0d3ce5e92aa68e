"""Axes of canonical tensors: their names, how an attribute names one, and where Keras has them (channels last)."""

from __future__ import annotations

from typing import Any, ClassVar

from convspec.ir.attrs import Kind, Word
from convspec.ir.opdef import AttrError
from convspec.records import dataclass

_SPATIAL = {3: ("length",), 4: ("height", "width"), 5: ("depth", "height", "width")}
_WORDS = ("channels", "length", "height", "width", "depth")


def axis_name(index: int, rank: int) -> str:
    """What messages call an axis of a canonical tensor: batch, channels, then length, height, width or depth by rank."""
    names = ("batch", "channels", *_SPATIAL.get(rank, ()))
    return names[index] if index < len(names) else f"axis {index}"


@dataclass(frozen=True, slots=True)
class Axis(Kind):
    """`channels`, `height`, …, or a number, counted from the end if negative. `axis_index` makes it a number."""

    name: str = "an axis, such as channels or height, or its number"
    bare_words: ClassVar[bool] = True

    def convert(self, attribute: str, value: Any) -> int | str:
        if isinstance(value, str):
            return Word(words=_WORDS).convert(attribute, value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.wrong(attribute, value)
        return value


def axis_index(axis: int | str, rank: int, attribute: str = "axis") -> int:
    """An axis as an index into a canonical tensor of `rank` axes. The batch is not one: examples stay apart."""
    known = [axis_name(index, rank) for index in range(rank)]
    if isinstance(axis, str):
        if axis not in known:
            raise AttrError(f"a tensor of rank {rank} has no {axis}: its axes are {', '.join(known)}", attribute)
        return known.index(axis)
    index = axis + rank if axis < 0 else axis
    if not 0 <= index < rank:
        raise AttrError(f"there is no axis {axis}: a tensor of rank {rank} has the axes 0 to {rank - 1}", attribute, "CNN044")
    if index == 0:
        raise AttrError(f"`{attribute}` cannot be the batch: no layer mixes the examples of a batch", attribute)
    return index


def keras_axis(index: int, rank: int) -> int:
    """Where Keras has canonical axis `index`: channels last, written -1 as Keras's own defaults are."""
    if index == 1:
        return -1
    return index - 1 if index > 1 else 0


@dataclass(frozen=True, slots=True)
class Axes(Kind):
    """An axis or a list of them; with `batch` the batch may be among them. `axis_indices` makes them numbers."""

    name: str = "an axis, such as channels or height, its number, or a list of axes"
    bare_words: ClassVar[bool] = True
    batch: bool = False

    def convert(self, attribute: str, value: Any) -> tuple[int | str, ...]:
        items = value if isinstance(value, list | tuple) else (value,)
        if not items:
            raise self.wrong(attribute, value)
        return tuple(self._axis(attribute, item) for item in items)

    def _axis(self, attribute: str, value: Any) -> int | str:
        if isinstance(value, str):
            return Word(words=("batch", *_WORDS) if self.batch else _WORDS).convert(attribute, value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.wrong(attribute, value)
        return value


def axis_indices(axes: tuple[int | str, ...], rank: int, attribute: str = "axes", batch: bool = False) -> tuple[int, ...]:
    """Axes as indices into a canonical tensor, in the order given; none may stand twice."""
    found = tuple(0 if batch and axis in ("batch", 0, -rank) else axis_index(axis, rank, attribute) for axis in axes)
    twice = next((index for place, index in enumerate(found) if index in found[:place]), None)
    if twice is not None:
        raise AttrError(f"`{attribute}` names the {axis_name(twice, rank)} twice", attribute)
    return found
