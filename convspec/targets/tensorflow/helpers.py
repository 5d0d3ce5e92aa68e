"""Layers and functions that generated files carry with them when an op's lowering names one (`helpers.BatchNorm`).

This file is material: the printer copies a definition from its text, without importing it, so that compiling needs no Keras.
Whatever stands here may use only `keras`, `layers`, `ops` and its neighbours, and must run on every backend of Keras.
"""

# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"

import keras
from keras import layers, ops


class Reuse:
    """Gives the first layer of each name again, so that a block that is applied twice shares its weights."""

    def __init__(self):
        self.layers = {}

    def __call__(self, layer):
        return self.layers.setdefault(layer.name, layer)


class BatchNorm(layers.BatchNormalization):
    """Batch normalization whose running variance is the unbiased one (divided by n - 1), as in PyTorch."""

    def __init__(self, momentum=0.9, epsilon=1e-5, **kwargs):
        super().__init__(momentum=momentum, epsilon=epsilon, **kwargs)

    def call(self, inputs, training=None, mask=None):
        if not (training and self.trainable):
            return super().call(inputs)
        if all(size == 1 for size in inputs.shape[:-1]):
            raise ValueError("batch normalization needs more than one value per channel in training")
        x = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        mean, variance = ops.moments(x, axes=list(range(len(x.shape) - 1)))
        n = ops.cast(ops.size(x), x.dtype) / x.shape[-1]
        unbiased = variance * (n / (n - 1))
        self.moving_mean.assign(self.momentum * self.moving_mean + (1 - self.momentum) * mean)
        self.moving_variance.assign(self.momentum * self.moving_variance + (1 - self.momentum) * unbiased)
        x = ops.batch_normalization(x, mean, variance, -1, self.beta, self.gamma, self.epsilon)
        return ops.cast(x, self.compute_dtype)


def leaky_relu(x, slope=0.01):
    """Elements above 0 as they are, others times `slope` (ops.leaky_relu rounds the slope to float32 even in float64)."""
    return ops.where(ops.greater(x, 0), x, slope * x)


def gelu(x, approximate=False):
    """x times the normal distribution function of x (TensorFlow's gelu rounds its constants to float32 even in float64)."""
    if approximate:
        return 0.5 * x * (1 + ops.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))
    return 0.5 * x * (1 + ops.erf(0.7071067811865476 * x))


def subsample(x, steps):
    """Every step-th position along each spatial axis. `steps` is one number, or one per axis."""
    steps = (steps,) * (len(x.shape) - 2) if isinstance(steps, int) else steps
    return x[(slice(None), *(slice(None, None, step) for step in steps))]


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


def local_response_norm(x, size, alpha=1e-4, beta=0.75, k=1.0):
    """x / (k + alpha / size * the sum of squares over `size` neighbouring channels) ** beta (Krizhevsky et al. 2012)."""
    squares = ops.pad(ops.square(x), [(0, 0)] * (len(x.shape) - 1) + [(size // 2, (size - 1) // 2)])
    total = sum(squares[..., i : i + 1 - size or None] for i in range(size))
    return x / (k + alpha / size * total) ** beta


class ConvTranspose(layers.Layer):
    """Transposed convolution without padding, of any rank, with what Keras's own layers lack: groups, and dilation
    together with strides, in every precision and on every device.
    """

    def __init__(self, filters, kernel_size, strides=1, dilation_rate=1, groups=1, use_bias=True, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.strides = filters, kernel_size, strides
        self.dilation_rate, self.groups, self.use_bias = dilation_rate, groups, use_bias

    def build(self, input_shape):
        rank = len(input_shape) - 2
        size = (self.kernel_size,) * rank if isinstance(self.kernel_size, int) else tuple(self.kernel_size)
        self.kernel = self.add_weight(name="kernel", shape=(*size, self.filters // self.groups, input_shape[-1]))
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros") if self.use_bias else None

    def call(self, inputs):
        kernels = ops.split(self.dilated_kernel(), self.groups, axis=-1)
        parts = zip(ops.split(inputs, self.groups, axis=-1), kernels, strict=True)
        y = ops.concatenate([ops.conv_transpose(part, kernel, self.strides) for part, kernel in parts], axis=-1)
        return y if self.bias is None else y + self.bias

    def dilated_kernel(self):
        """The kernel with zeros between its cells, and after them where it is smaller than the stride."""
        kernel = ops.convert_to_tensor(self.kernel)
        for axis, size in enumerate(self.kernel.shape[:-2]):
            step, dilation = (n if isinstance(n, int) else n[axis] for n in (self.strides, self.dilation_rate))
            cells = ops.expand_dims(kernel, axis + 1)
            cells = ops.pad(cells, [(0, dilation - 1 if i == axis + 1 else 0) for i in range(len(cells.shape))])
            shape = [n * dilation if i == axis else n for i, n in enumerate(kernel.shape)]
            reach = dilation * (size - 1) + 1
            kernel = ops.reshape(cells, shape)[(slice(None),) * axis + (slice(reach),)]
            kernel = ops.pad(kernel, [(0, max(step - reach, 0) if i == axis else 0) for i in range(len(shape))])
        return kernel

    def compute_output_shape(self, input_shape):
        sizes = []
        for axis, n in enumerate(input_shape[1:-1]):
            attributes = self.kernel_size, self.strides, self.dilation_rate
            size, step, dilation = (a if isinstance(a, int) else a[axis] for a in attributes)
            sizes.append(None if n is None else (n - 1) * step + max(dilation * (size - 1) + 1, step))
        return (input_shape[0], *sizes, self.filters)

    def get_config(self):
        own = ("filters", "kernel_size", "strides", "dilation_rate", "groups", "use_bias")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}
