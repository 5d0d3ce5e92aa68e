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
    squares = ops.pad(ops.square(x), [(0, 0)] * (len(x.shape) - 1) + [(size // 2, (size - 1) // 2)])
    total = sum(squares[..., i : i + 1 - size or None] for i in range(size))
    return x / (k + alpha / size * total) ** beta
