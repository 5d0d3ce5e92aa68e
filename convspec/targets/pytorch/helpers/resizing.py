"""Resizing. Material: see the package's docstring."""

# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"

import torch


def resize(x, size=None, factor=None, like=None, mode="nearest", align_corners=False, antialias=False):
    """Interpolation along each spatial axis at positions that are exact: they are counted in integers.

    The new sizes are `size`, those of `like`, or floor(n * factor), a factor being a number or a pair (numerator,
    denominator).
    """
    given = x.dtype
    x = x if mode == "nearest" else x.to(torch.promote_types(given, torch.float32))
    for axis in range(2, x.dim()):
        n = x.shape[axis]
        if factor is not None:
            part = factor if isinstance(factor, int) else factor[axis - 2]
            up, down = (part, 1) if isinstance(part, int) else part
            m = n * up // down
        else:
            m = like.shape[axis] if size is None else size[axis - 2]
        if antialias:
            x = torch.tensordot(x, resize_filter(n, m, mode, x), dims=([axis], [1])).movedim(-1, axis)
            continue
        index = torch.arange(m, device=x.device)
        if mode == "nearest":
            x = x.index_select(axis, index * n // m)
            continue
        if align_corners:
            position, unit = index * (n - 1), max(m - 1, 1)
        else:
            position, unit = (2 * index + 1) * n - m, 2 * m
        if mode == "linear":
            position = position.clamp(0, (n - 1) * unit)
        left = torch.div(position, unit, rounding_mode="floor")
        share = ((position - left * unit).to(x.dtype) / unit).reshape(-1, *[1] * (x.dim() - 1 - axis))
        cells = resize_weights(mode, share)
        x = sum(x.index_select(axis, (left + cell).clamp(0, n - 1)) * weight for cell, weight in cells)
    return x.to(given)


def resize_weights(mode, share):
    """The cells around a position, counted from the one at its left, each with its weight."""
    if mode == "linear":
        return (0, 1 - share), (1, share)
    near = [(1.25 * d - 2.25) * d * d + 1 for d in (share, 1 - share)]
    far = [((3.75 - 0.75 * d) * d - 6) * d + 3 for d in (1 + share, 2 - share)]
    return (-1, far[0]), (0, near[0]), (1, near[1]), (2, far[1])


def resize_filter(n, m, mode, x):
    """The weights (m, n) of a filter as wide as an output is, divided by their sum."""
    outputs, inputs = (2 * torch.arange(count, device=x.device) + 1 for count in (m, n))
    d = (inputs * m - outputs[:, None] * n).abs().to(x.dtype) / (2 * max(n, m))
    if mode == "linear":
        weight = (1 - d).clamp(min=0)
    else:
        near, far = (1.5 * d - 2.5) * d * d + 1, ((2.5 - 0.5 * d) * d - 4) * d + 2
        weight = torch.where(d < 1, near, torch.where(d < 2, far, 0))
    return weight / weight.sum(1, keepdim=True)
