"""Pooling. Material: see the package's docstring."""

# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"

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
    cells = ops.ones_like(x[:1, ..., :1])
    cells = ops.pad(cells, [(0, 0), *counted, (0, 0)], constant_values=1)
    cells = ops.pad(cells, [(0, 0), *left_out, (0, 0)])
    x = ops.pad(x, [(0, 0), *padding, (0, 0)])
    for axis in range(1, rank + 1):
        size, step = (n if isinstance(n, int) else n[axis - 1] for n in (pool_size, strides))
        windows = [(slice(None),) * axis + (slice(i, i + 1 - size or None, step),) for i in range(size)]
        x, cells = sum(x[window] for window in windows), sum(cells[window] for window in windows)
    return x / cells
