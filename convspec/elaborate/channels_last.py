"""Inputs that were declared with their channels last, as TensorFlow keeps pictures: for messages."""

from __future__ import annotations

from convspec.ir.types import TensorType

_COLOURS, _SMALLEST = (3, 4), 8


def channels_first(declared: TensorType) -> TensorType | None:
    """`float32[N, 3, 224, 224]` for `float32[N, 224, 224, 3]`: what was meant, where it is as good as certain.

    Square pictures (and cubes) with three or four channels behind them; nobody has 224 channels on an axis of 3.
    """
    if declared.rank not in (4, 5):
        return None
    batch, *space, channels = declared.shape
    square = isinstance(space[0], int) and space[0] >= _SMALLEST and all(size == space[0] for size in space)
    return declared.with_shape((batch, channels, *space)) if square and channels in _COLOURS else None
