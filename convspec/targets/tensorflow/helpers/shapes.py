"""Elements moved. Material: see the package's docstring."""

# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"

from keras import layers, ops


def cut(x, axis, start=0, stop=None, step=1):
    """Every step-th position of one axis, from `start` on and before `stop`; negative ones count from the end."""
    return x[(slice(None),) * axis + (slice(start, stop, step),)]


def expand_like(x, like, axes):
    """`x` repeated along axes where it has one position, as often as `like` has positions there."""
    corner = [slice(None) if axis in axes else 0 for axis in range(len(x.shape))]
    zeros = ops.zeros_like(like[tuple(corner)], dtype=x.dtype)
    for axis in range(len(x.shape)):
        zeros = zeros if axis in axes else ops.expand_dims(zeros, axis)
    return ops.logical_or(x, zeros) if x.dtype == "bool" else x - zeros  # not +: Keras may take zeros for a bias


class ReshapeTo(layers.Layer):
    """A reshape where several sizes are known only at run time; the batch stays.

    A size is a number, or (times, over, axes…): the product of these axes, times `times`, over `over`. Negative axes are
    those of a second tensor.
    """

    def __init__(self, sizes, **kwargs):
        super().__init__(**kwargs)
        self.sizes = tuple(sizes)

    def call(self, x, like=None):
        shape = (*ops.shape(x), *(() if like is None else ops.shape(like)))
        return ops.reshape(x, (shape[0], *(n if isinstance(n, int) else self.measured(n, shape) for n in self.sizes)))

    def measured(self, size, shape):
        cells, over, *axes = size
        for axis in axes:
            cells = cells * shape[axis]
        return cells // over

    def compute_output_shape(self, x_shape, like_shape=None):
        sizes = (None if not isinstance(n, int) or n < 0 else n for n in self.sizes)
        return (x_shape[0], *sizes)

    def get_config(self):
        return {**super().get_config(), "sizes": self.sizes}


class CenterCrop(layers.Layer):
    """The middle of a tensor, in the spatial size of another; where the rest is odd, one cell more is cut at the end."""

    def call(self, x, like):
        sizes, wanted = ops.shape(x), ops.shape(like)
        starts = [(sizes[axis] - wanted[axis]) // 2 for axis in range(1, len(sizes) - 1)]
        window = (slice(start, start + wanted[axis]) for axis, start in enumerate(starts, 1))
        return x[(slice(None), *window)]

    def compute_output_shape(self, x_shape, like_shape):
        return (x_shape[0], *like_shape[1:-1], x_shape[-1])
