"""Resizing. Material: see the package's docstring."""

# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"

import keras
from keras import ops

from convspec.targets.tensorflow.helpers.pooling import axis_length, axis_ones


def resize(x, size=None, factor=None, like=None, mode="nearest", align_corners=False, antialias=False):
    """Interpolation along each spatial axis at positions that are exact: they are counted in integers.

    The new sizes are `size`, those of `like`, or floor(n * factor), a factor being a number or a pair (numerator,
    denominator).
    """
    rank, given = len(x.shape) - 2, x.dtype
    x = x if mode == "nearest" else ops.cast(x, keras.backend.result_type(given, "float32"))
    for axis in range(1, rank + 1):
        n = axis_length(x, axis)
        if like is not None:
            m, index = axis_length(like, axis), axis_positions(like, axis)
        elif size is not None:
            m, index = size[axis - 1], ops.arange(size[axis - 1], dtype="int64")
        else:
            part = factor if isinstance(factor, int) else factor[axis - 1]
            up, down = (part, 1) if isinstance(part, int) else part
            m, index = n * up // down, axis_positions(x, axis, up, down)
        if antialias:
            weights = resize_filter(index, axis_positions(x, axis), n, m, mode)
            axes = "abcde"[: rank + 2]
            x = ops.einsum(f"{axes},z{axes[axis]}->{axes.replace(axes[axis], 'z')}", x, ops.cast(weights, x.dtype))
            continue
        if mode == "nearest":
            x = ops.take(x, index * n // m, axis=axis)
            continue
        if align_corners:
            position, unit = index * (n - 1), max(m - 1, 1) if isinstance(m, int) else ops.maximum(m - 1, 1)
        else:
            position, unit = (2 * index + 1) * n - m, 2 * m
        if mode == "linear":
            position = ops.maximum(ops.minimum(position, (n - 1) * unit), 0)
        left = position // unit
        share = ops.cast(position - left * unit, x.dtype) / ops.cast(unit, x.dtype)
        share = ops.reshape(share, (-1,) + (1,) * (rank + 1 - axis))
        cells = resize_weights(mode, share)
        taken = [ops.take(x, ops.maximum(ops.minimum(left + cell, n - 1), 0), axis=axis) for cell, _ in cells]
        x = sum(part * weight for part, (_, weight) in zip(taken, cells, strict=True))
    return ops.cast(x, given)


def axis_positions(x, axis, up=1, down=1):
    """0, 1 … along an axis of n cells, n * up // down of them: int64."""
    if x.shape[axis] is not None:
        return ops.arange(x.shape[axis] * up // down, dtype="int64")
    return ops.cumsum(ops.repeat(axis_ones(x, axis), up)[(slice(down - 1, None, down),)]) - 1


def resize_weights(mode, share):
    """The cells around a position, counted from the one at its left, each with its weight."""
    if mode == "linear":
        return (0, 1 - share), (1, share)
    near = [(1.25 * d - 2.25) * d * d + 1 for d in (share, 1 - share)]
    far = [((3.75 - 0.75 * d) * d - 6) * d + 3 for d in (1 + share, 2 - share)]
    return (-1, far[0]), (0, near[0]), (1, near[1]), (2, far[1])


def resize_filter(outputs, inputs, n, m, mode):
    """The weights (m, n) of a filter as wide as an output is, divided by their sum, in float64."""
    wide = max(n, m) if isinstance(n, int) and isinstance(m, int) else ops.maximum(n, m)
    apart = (2 * inputs + 1) * m - ops.reshape(2 * outputs + 1, (-1, 1)) * n
    d = ops.cast(ops.abs(apart), "float64") / ops.cast(2 * wide, "float64")
    if mode == "linear":
        weight = ops.maximum(1 - d, 0)
    else:
        near, far = (1.5 * d - 2.5) * d * d + 1, ((2.5 - 0.5 * d) * d - 4) * d + 2
        weight = ops.where(d < 1, near, ops.where(d < 2, far, ops.zeros_like(d)))
    return weight / ops.sum(weight, axis=1, keepdims=True)
