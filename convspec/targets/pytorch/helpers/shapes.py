"""Elements moved. Material: see the package's docstring."""

# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"

import math


def cut(x, axis, start=0, stop=None, step=1):
    """Every step-th position of one axis, from `start` on and before `stop`; negative ones count from the end."""
    return x[(slice(None),) * axis + (slice(start, stop, step),)]


def center_crop(x, like):
    """The middle of `x`, in the spatial size of `like`; where the rest is odd, one cell more is cut at the end."""
    for axis, size in enumerate(like.shape[2:], 2):
        x = x.narrow(axis, (x.shape[axis] - size) // 2, size)
    return x


def reshape_to(x, sizes, like=None):
    """A reshape. A size is a number, or (times, over, axes…): the product of these axes of `x`, times `times`, over `over`.

    Negative axes are those of `like`.
    """
    shape = (*x.shape, *([] if like is None else like.shape))
    known = [n if isinstance(n, int) else n[0] * math.prod(shape[axis] for axis in n[2:]) // n[1] for n in sizes]
    return x.reshape(known)
