"""Arithmetic. Material: see the package's docstring."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from keras import ops


def shared_maximum(x, y):
    """The greater of two tensors; where they are equal each gets half of the gradient (of ops.maximum the first gets all)."""
    return ops.where(ops.equal(x, y), 0.5 * x + 0.5 * y, ops.maximum(x, y))


def shared_minimum(x, y):
    """The less of two tensors; where they are equal each gets half of the gradient (of ops.minimum the first gets all)."""
    return ops.where(ops.equal(x, y), 0.5 * x + 0.5 * y, ops.minimum(x, y))


def power(x, y):
    """x ** y of two tensors. The gradient to x is 0 where y is 0, and the gradient to y is x ** y * log(x) wherever that has a
    value: 0 for a base of 0, -inf where y is below 0 too, and NaN for a base below 0 (of ops.power it is 0 there).
    """
    still = ops.stop_gradient(y)
    one = ops.ones_like(x * still)
    value = ops.where(ops.equal(still, 0), one, ops.where(ops.equal(still, 0), one, x) ** still)
    flat = ops.logical_and(ops.equal(x, 0), ops.greater_equal(still, 0))
    slope = ops.stop_gradient(value * ops.log(ops.where(flat, one, x)))
    change = y - still
    known = ops.isfinite(slope)
    factor = ops.where(ops.isnan(slope), ops.zeros_like(one), one)
    endless = ops.sqrt(ops.where(known, one, factor * change))  # 0, with a gradient of inf, or of inf * 0
    return value + ops.where(known, slope, ops.zeros_like(one)) * change - ops.where(known, ops.zeros_like(one), endless)


def chosen_relu(x):
    """x above 0, 0 elsewhere; the gradient is 0 there even where an infinite one comes (that of ops.relu is then NaN)."""
    return ops.where(x <= 0, 0, x)
