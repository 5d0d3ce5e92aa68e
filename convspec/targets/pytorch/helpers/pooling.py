"""Pooling. Material: see the package's docstring."""

# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"

import math

import torch
import torch.nn.functional as F


def max_pool_indices(x, kernel_size, stride=None, dilation=1, padding=()):
    """Max pooling with pads (before, after) per spatial axis, and the flat position of each largest cell without them."""
    rank = len(padding)
    sizes = x.shape[2:]
    x = F.pad(x, [side for pair in reversed(padding) for side in pair], value=-math.inf)
    pool = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[rank - 1]
    y, places = pool(x, kernel_size, stride, dilation=dilation, return_indices=True)
    position, rest = torch.zeros_like(places), places
    for axis in range(rank):
        later = math.prod(x.shape[3 + axis :])
        position = position * sizes[axis] + rest // later - padding[axis][0]
        rest = rest % later
    return y, position


def max_unpool(x, indices, size=None, steps=None, like=None):
    """Each value at the flat position that its index says, zeros elsewhere.

    The result has the spatial `size`, or that of `like`, or for `steps` (stride, last) per axis (n - 1) * stride + last.
    """
    if like is not None:
        size = like.shape[2:]
    elif size is None:
        size = [(n - 1) * step + last for n, (step, last) in zip(x.shape[2:], steps, strict=True)]
    planes = x.new_zeros(*x.shape[:2], math.prod(size))
    return planes.scatter(2, indices.flatten(2), x.flatten(2)).reshape(*x.shape[:2], *size)


def lp_pool(x, p, kernel_size, stride):
    """The p-norm of each window, (sum of |x|^p)^(1/p); its gradient is 0 where a whole window is 0."""
    total = x.abs().to(torch.promote_types(x.dtype, torch.float32)) ** p
    for axis, (size, step) in enumerate(zip(kernel_size, stride, strict=True), 2):
        total = total.unfold(axis, size, step).sum(-1)
    positive = total > 0
    return torch.where(positive, torch.where(positive, total, 1) ** (1 / p), 0).to(x.dtype)


def k_largest(x, k, axis):
    """The k largest cells of an axis, in the order in which they stand there; of equal ones the first."""
    order = x.argsort(dim=axis, descending=True, stable=True)
    return x.gather(axis, order.narrow(axis, 0, k).sort(axis).values)
