"""Pooling. Material: see the package's docstring."""

# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"

import keras
from keras import ops


def max_pool(x, pool_size, strides, dilation_rate=1):
    """Max pooling without padding, of any rank, axis by axis; of equal cells the first gets the gradient.

    (Keras's own layers have no dilation; in 3-D, TensorFlow's CPU kernel gives the gradient to every one of equal cells.)
    """
    for axis in range(len(x.shape) - 2, 0, -1):
        size, step, dilation = (n if isinstance(n, int) else n[axis - 1] for n in (pool_size, strides, dilation_rate))
        largest = None
        for cell in range(size):
            window = slice(cell * dilation, (cell + 1 - size) * dilation or None, step)
            candidate = x[(slice(None),) * axis + (window,)]
            largest = candidate if largest is None else ops.where(largest >= candidate, largest, candidate)
        x = largest
    return x


def average_pool(x, pool_size, strides, padding=0, counted=0):
    """Average pooling of any rank over the real cells and, of the zero padding, as many as `counted` says.

    `padding` and `counted` are one number, or one pair (before, after) per spatial axis.
    """
    rank = len(x.shape) - 2
    padding, counted = (((n, n),) * rank if isinstance(n, int) else n for n in (padding, counted))
    left_out = [(p[0] - c[0], p[1] - c[1]) for p, c in zip(padding, counted, strict=True)]
    dtype, x = x.dtype, ops.cast(x, keras.backend.result_type(x.dtype, "float32"))
    cells = ops.ones_like(x[:1, ..., :1])
    cells = ops.pad(cells, [(0, 0), *counted, (0, 0)], constant_values=1)
    cells = ops.pad(cells, [(0, 0), *left_out, (0, 0)])
    x = ops.pad(x, [(0, 0), *padding, (0, 0)])
    for axis in range(1, rank + 1):
        size, step = (n if isinstance(n, int) else n[axis - 1] for n in (pool_size, strides))
        windows = [(slice(None),) * axis + (slice(i, i + 1 - size or None, step),) for i in range(size)]
        x, cells = sum(x[window] for window in windows), sum(cells[window] for window in windows)
    return ops.cast(x / cells, dtype)


def max_pool_indices(x, pool_size, strides, padding=0, dilation_rate=1):
    """Max pooling of any rank, and where the first largest cell of each window lies: its flat position in the plane of its
    channel, without padding. `padding` is one number, or one pair (before, after) per spatial axis.
    """
    rank = len(x.shape) - 2
    padding = ((padding, padding),) * rank if isinstance(padding, int) else padding
    places = flat_positions(x)
    x = ops.pad(x, [(0, 0), *padding, (0, 0)], constant_values=float("-inf"))
    places = ops.pad(places, [(0, 0), *padding, (0, 0)])
    for axis in range(rank, 0, -1):
        size, step, dilation = (n if isinstance(n, int) else n[axis - 1] for n in (pool_size, strides, dilation_rate))
        largest = place = None
        for cell in range(size):
            window = (slice(None),) * axis + (slice(cell * dilation, (cell + 1 - size) * dilation or None, step),)
            if largest is None:
                largest, place = x[window], places[window]
            else:
                stays = largest >= x[window]
                largest, place = ops.where(stays, largest, x[window]), ops.where(stays, place, places[window])
        x, places = largest, place
    return x, places if places.shape[-1] == x.shape[-1] else places + ops.zeros_like(x, dtype="int64")


def flat_positions(x):
    """The number of each cell in its plane, row after row: int64, of shape (1, space…, 1)."""
    ones = ops.ones_like(x[:1, ..., :1], dtype="int64")
    flat = ops.zeros_like(ones)
    for axis in range(1, len(x.shape) - 1):
        position = ops.cumsum(ones, axis=axis) - 1
        flat = flat * (ops.max(position) + 1) + position
    return flat


def max_unpool(x, indices, pool_size, strides, padding=0, like=None):
    """Each value at the flat position that its index says, within its own window; zeros elsewhere.

    `padding` is one number, or one pair (before, after) per spatial axis. Without `like` the windows cover the result.
    """
    rank = len(x.shape) - 2
    padding = ((padding, padding),) * rank if isinstance(padding, int) else padding
    for axis in range(1, rank + 1):
        size, step = (n if isinstance(n, int) else n[axis - 1] for n in (pool_size, strides))
        before, after = padding[axis - 1]
        kept = (slice(None),) * axis + (slice(before, size - step - after or None),)
        if like is not None:
            window = (ops.cumsum(axis_ones(like, axis)) - 1 + before) // step
            x, indices = (ops.take(t, ops.minimum(window, axis_length(t, axis) - 1), axis=axis) for t in (x, indices))
        else:
            x, indices = (ops.repeat(t, step, axis=axis)[kept] for t in (x, indices))
    return ops.where(ops.equal(indices, flat_positions(x)), x, ops.zeros_like(x))


def axis_length(x, axis):
    """The size of an axis: a number where it is known, else a scalar tensor."""
    return ops.sum(axis_ones(x, axis)) if x.shape[axis] is None else x.shape[axis]


def axis_ones(x, axis):
    """A one for each position of an axis: int64."""
    return ops.ones_like(x[(0,) * axis + (slice(None),) + (0,) * (len(x.shape) - 1 - axis)], dtype="int64")


def window_bounds(length, size):
    """Start and end of `size` windows over `length` cells, as columns: from floor(i n / size) to ceil((i + 1) n / size)."""
    i = ops.reshape(ops.arange(size, dtype="int64"), (-1, 1))
    return i * length // size, ((i + 1) * length + size - 1) // size


def adaptive_average_pool(x, size):
    """The means of `size` windows along each spatial axis, one number per axis."""
    dtype, x = x.dtype, ops.cast(x, keras.backend.result_type(x.dtype, "float32"))
    for axis, outputs in enumerate(size, 1):
        length = axis_length(x, axis)
        start, end = window_bounds(length, outputs)
        cell = ops.cumsum(axis_ones(x, axis)) - 1
        inside = ops.cast(ops.logical_and(cell >= start, cell < end), x.dtype)
        matrix = inside / ops.cast(end - start, x.dtype)
        axes = "abcde"[: len(x.shape)]
        x = ops.einsum(f"{axes},z{axes[axis]}->{axes.replace(axes[axis], 'z')}", x, matrix)
    return ops.cast(x, dtype)


def adaptive_max_pool(x, size):
    """The largest cells of `size` windows along each spatial axis, one number per axis; of equal cells the first gets the
    gradient.
    """
    for axis in range(len(size), 0, -1):
        outputs = size[axis - 1]
        length = axis_length(x, axis)
        start, end = window_bounds(length, outputs)
        longest = (length + outputs - 1) // outputs + 1
        if isinstance(longest, int):
            steps = ops.arange(longest, dtype="int64")
        else:
            steps = ops.concatenate([ops.zeros((1,), dtype="int64"), ops.cumsum(axis_ones(x, axis))])
        cells = ops.take(x, ops.minimum(start + steps, end - 1), axis=axis)
        largest = ops.equal(cells, ops.max(cells, axis=axis + 1, keepdims=True))
        first = ops.logical_and(largest, ops.equal(ops.cumsum(ops.cast(largest, "int32"), axis=axis + 1), 1))
        x = ops.sum(ops.where(first, cells, ops.zeros_like(cells)), axis=axis + 1)
    return x


def lp_pool(x, p, pool_size, strides):
    """The p-norm of each window, of any rank; its gradient is 0 where a whole window is 0."""
    total = ops.power(ops.abs(ops.cast(x, keras.backend.result_type(x.dtype, "float32"))), p)
    for axis in range(1, len(x.shape) - 1):
        size, step = (n if isinstance(n, int) else n[axis - 1] for n in (pool_size, strides))
        total = sum(total[(slice(None),) * axis + (slice(i, i + 1 - size or None, step),)] for i in range(size))
    positive = total > 0
    norm = ops.where(positive, ops.power(ops.where(positive, total, ops.ones_like(total)), 1 / p), ops.zeros_like(total))
    return ops.cast(norm, x.dtype)


def k_largest(x, k, axis):
    """The k largest cells of an axis, in the order in which they stand there; of equal ones the first."""
    order = ops.argsort(-x, axis=axis)[(slice(None),) * axis + (slice(k),)]
    return ops.take_along_axis(x, ops.sort(order, axis=axis), axis=axis)
