"""Normalisation. Material: see the package's docstring."""

# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"

import keras
from keras import layers, ops


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


def local_response_norm(x, size, alpha=1e-4, beta=0.75, k=1.0):
    """x / (k + alpha / size * the sum of squares over `size` neighbouring channels) ** beta (Krizhevsky et al. 2012)."""
    wide = ops.cast(x, keras.backend.result_type(x.dtype, "float32"))
    squares = ops.pad(ops.square(wide), [(0, 0)] * (len(x.shape) - 1) + [(size // 2, (size - 1) // 2)])
    total = sum(squares[..., i : i + 1 - size or None] for i in range(size))
    return ops.cast(wide / (k + alpha / size * total) ** beta, x.dtype)


class RMSNormAlong(layers.RMSNormalization):
    """RMS normalization along any axes (layers.RMSNormalization takes the last ones only)."""

    def call(self, x):
        shape = [size if axis in self.axis else 1 for axis, size in enumerate(x.shape)]
        return ops.rms_normalization(x, ops.reshape(self.scale, shape), self.axis, self.epsilon)


def l2_normalize(x, axis=-1, epsilon=1e-12):
    """x divided by its Euclidean length, or by `epsilon` where that is less; the gradient is 1 / epsilon at 0, never NaN."""
    wide = ops.cast(x, keras.backend.result_type(x.dtype, "float32"))
    square = ops.sum(wide * wide, axis=axis, keepdims=True)
    long = square >= epsilon * epsilon
    length = ops.where(long, ops.sqrt(ops.where(long, square, 1)), epsilon)
    return ops.cast(wide / length, x.dtype)
