"""Activations. Material: see the package's docstring."""

# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"

from keras import ops


def leaky_relu(x, slope=0.01):
    """Elements above 0 as they are, others times `slope` (ops.leaky_relu rounds the slope to float32 even in float64)."""
    return ops.where(ops.greater(x, 0), x, slope * x)


def gelu(x, approximate=False):
    """x times the normal distribution function of x (TensorFlow's gelu rounds its constants to float32 even in float64)."""
    if approximate:
        return 0.5 * x * (1 + ops.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))
    return 0.5 * x * (1 + ops.erf(0.7071067811865476 * x))
