"""Resizing. Material: see the package's docstring."""

# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"

from keras import ops


def upsample_linear(x, factors, align_corners=False):
    """Linear interpolation along each spatial axis, to `factors` times the size; pixels count as squares, with
    `align_corners` as points. Positions are exact: they are counted in integers.
    """
    rank = len(x.shape) - 2
    for axis in range(1, rank + 1):
        factor = factors if isinstance(factors, int) else factors[axis - 1]
        line = ops.ones_like(x[(0,) * axis + (slice(None),) + (0,) * (rank + 1 - axis)], dtype="int64")
        size = ops.sum(line)
        index = ops.cumsum(ops.repeat(line, factor)) - 1
        if align_corners:
            position, unit = index * (size - 1), ops.maximum(size * factor - 1, 1)
        else:
            position = ops.maximum(2 * index + 1 - factor, 0)
            position, unit = ops.minimum(position, 2 * factor * (size - 1)), 2 * factor
        left = position // unit
        right = ops.minimum(left + 1, size - 1)
        share = ops.cast(position - left * unit, x.dtype) / ops.cast(unit, x.dtype)
        share = ops.reshape(share, (-1,) + (1,) * (rank + 1 - axis))
        x = ops.take(x, left, axis=axis) * (1 - share) + ops.take(x, right, axis=axis) * share
    return x
