"""Activations. Material: see the package's docstring."""

# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"

import keras
from keras import layers, ops


def leaky_relu(x, slope=0.01):
    """Elements above 0 as they are, others times `slope` (ops.leaky_relu rounds the slope to float32 even in float64)."""
    return ops.where(ops.greater(x, 0), x, slope * x)


def gelu(x, approximate=False):
    """x times the normal distribution function of x (TensorFlow's gelu rounds its constants to float32 even in float64)."""
    if approximate:
        return 0.5 * x * (1 + ops.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))
    return 0.5 * x * (1 + ops.erf(0.7071067811865476 * x))


def elu(x, alpha=1.0):
    """x above 0, alpha * (exp(x) - 1) elsewhere; the gradient at 0 is alpha (that of ops.elu is 1)."""
    return ops.where(x > 0, x, alpha * ops.expm1(ops.where(x > 0, 0, x)))


def celu(x, alpha=1.0):
    """x above 0, alpha * (exp(x / alpha) - 1) elsewhere; the gradient at 0 is 1 (that of ops.celu is 2)."""
    return ops.where(x > 0, x, alpha * ops.expm1(ops.where(x > 0, 0, x) / alpha))


def selu(x):
    """Scaled ELU; the gradient at 0 is the one from below (that of ops.selu is the one from above)."""
    return 1.0507009873554805 * elu(x, 1.6732632423543772)


def hardtanh(x, least=-1.0, greatest=1.0):
    """x cut off at both bounds, where the gradient is 0 (that of ops.clip is 1)."""
    return ops.where(x <= least, least, ops.where(x >= greatest, greatest, x))


def glu(x, axis=-1):
    """The first half of `x` along an axis, gated by the sigmoid of the second (ops.glu wants to know the size)."""
    passed, gate = ops.split(x, 2, axis=axis)
    return passed * ops.sigmoid(gate)


def maxout(x, pieces):
    """The greatest of every `pieces` neighbouring channels; of equal ones the first gets the gradient."""
    greatest = x[..., ::pieces]
    for piece in range(1, pieces):
        candidate = x[..., piece::pieces]
        greatest = ops.where(greatest >= candidate, greatest, candidate)
    return greatest


class PRelu(layers.PReLU):
    """x above 0, a learned slope times x elsewhere. The gradient at 0 is the slope (that of layers.PReLU is 0)."""

    def __init__(self, shared_axes=None, **kwargs):
        quarter = keras.initializers.Constant(0.25)
        super().__init__(**{"alpha_initializer": quarter, "shared_axes": shared_axes, **kwargs})

    def call(self, inputs):
        return ops.where(inputs > 0, inputs, self.alpha * inputs)
