"""What layers with windows over space share: axes, pads, output sizes, and the windows of the reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from convspec.ir.attrs import PadPair, pads_per_axis
from convspec.ir.dims import Size, at_least, equal, symbols
from convspec.ir.opdef import ShapeError, Window
from convspec.ir.types import Array, TensorType
from convspec.ops._axes import axis_name

Axes: TypeAlias = tuple[int, ...]
"""One number per spatial axis."""
Padding: TypeAlias = tuple[PadPair, ...]
"""Cells before and after, per spatial axis."""


class Windowed(Protocol):
    """Resolved attributes of a layer that slides a window over its input."""

    @property
    def kernel(self) -> Axes: ...
    @property
    def stride(self) -> Axes: ...
    @property
    def pad(self) -> Padding: ...
    @property
    def dilation(self) -> Axes: ...


def spatial_rank(op: str, x: TensorType) -> int:
    """The number of spatial axes of `x`: 1, 2 or 3, else ShapeError CNN030."""
    if x.rank in (3, 4, 5):
        return x.rank - 2
    message = f"`{op}` takes a tensor with batch, channels and one to three spatial axes, not one of rank {x.rank}"
    raise ShapeError(message, "CNN030", inputs={0: str(x)})


def known_channels(op: str, x: TensorType) -> int:
    """The input's channels, which size a weight and so must be a plain number, else ShapeError CNN033."""
    if isinstance(x.channels, int):
        return x.channels
    message = f"the weight of `{op}` has the size of its input's channels, which must be known, but it is {x.channels}"
    raise ShapeError(message, "CNN033", inputs={0: str(x)})


def extents(kernel: Axes, dilation: Axes) -> Axes:
    """How many cells a dilated kernel spans, per axis: d(k-1) + 1."""
    return tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))


def by_axis(sizes: Sequence[Size]) -> str:
    """`5x5`; with spaces where a size is an expression: `32*h x 32*w`."""
    plain = all(isinstance(size, int) for size in sizes)
    return ("x" if plain else " x ").join(map(str, sizes))


# ── pads ─────────────────────────────────────────────────────────────────────────────────────────────────────


def explicit_pads(pad: Any, x: TensorType, kernel: Axes, stride: Axes, dilation: Axes) -> Padding:
    """The pads that the author's `pad` stands for: one pair per axis. `same` must not depend on a symbolic size."""
    if pad == "same":
        return same_pads(x, kernel, stride, dilation)
    return pads_per_axis("pad", pad, len(kernel))


def same_pads(x: TensorType, kernel: Axes, stride: Axes, dilation: Axes) -> Padding:
    """Padding for an output of ceil(n / stride), the odd cell at the end: t = max(0, (o-1)s + d(k-1)+1 - n), lo = t // 2."""
    pads = []
    for axis, (n, e, s) in enumerate(zip(x.spatial, extents(kernel, dilation), stride, strict=True)):
        outputs = (n + s - 1) // s
        total = constant_pad((outputs - 1) * s + e - n, "`pad = same`", x, axis, s)
        pads.append((total // 2, total - total // 2))
    return tuple(pads)


def constant_pad(cells: Size, what: str, x: TensorType, axis: int, stride: int) -> int:
    """max(0, cells) as a plain number. ShapeError CNN033, which says what to declare, where it depends on the size."""
    if isinstance(cells, int):
        return max(0, cells)
    if at_least(0, cells):
        return 0
    raise depends_on_size(what, x, axis, stride)


def depends_on_size(what: str, x: TensorType, axis: int, stride: int) -> ShapeError:
    """CNN033: pads would depend on a symbolic size. They do not where the stride divides it."""
    name, n = axis_name(axis + 2, x.rank), x.spatial[axis]
    return ShapeError(
        f"{what} at stride {stride} pads differently for different values of the {name} {n}",
        "CNN033",
        hint=f"declare the input so that the {name} here is always a multiple of {stride}",
        inputs={0: f"{name} {n}"},
        equality=equal(n % stride, 0),
    )


def is_same(pads: Padding, x: TensorType, kernel: Axes, stride: Axes, dilation: Axes) -> bool:
    """Whether explicit pads are provably those of `same`, and not all zero."""
    try:
        return any(map(any, pads)) and pads == same_pads(x, kernel, stride, dilation)
    except ShapeError:
        return False


def is_symmetric(pads: Padding) -> bool:
    return all(lo == hi for lo, hi in pads)


# ── output sizes ─────────────────────────────────────────────────────────────────────────────────────────────


def window_sizes(op: str, a: Windowed, x: TensorType) -> tuple[Size, ...]:
    """Windows per axis: (n + lo + hi - e) // s + 1. ShapeError CNN032 where the kernel does not fit."""
    check_fit(op, a, x)
    axes = zip(x.spatial, a.pad, extents(a.kernel, a.dilation), a.stride, strict=True)
    return tuple((n + lo + hi - e) // s + 1 for n, (lo, hi), e, s in axes)


def check_fit(op: str, a: Windowed, x: TensorType, overhang: Axes | None = None) -> None:
    """ShapeError CNN032 unless the kernel provably fits; `overhang`: how many cells of a window may lie past the end."""
    for axis, (n, (lo, hi), e) in enumerate(zip(x.spatial, a.pad, extents(a.kernel, a.dilation), strict=True)):
        least = e - lo - hi - (overhang[axis] if overhang else 0)
        fits = at_least(n, least)
        if fits:
            continue
        name = axis_name(axis + 2, x.rank)
        raise ShapeError(
            f"{_kernel_text(a)} {'may not fit' if fits is None else 'does not fit'} into {_input_text(a, x)}",
            "CNN032",
            hint=None if isinstance(n, int) else _least_hint(name, n, least),
            inputs={0: f"{name} {n}, and `{op}` needs {least}"},
        )


def _kernel_text(a: Windowed) -> str:
    dilated = f" (dilated {by_axis(extents(a.kernel, a.dilation))})" if any(d > 1 for d in a.dilation) else ""
    return f"kernel {by_axis(a.kernel)}{dilated}"


def _input_text(a: Windowed, x: TensorType) -> str:
    padded_sizes = tuple(n + lo + hi for n, (lo, hi) in zip(x.spatial, a.pad, strict=True))
    return by_axis(x.spatial) + (f" (padded {by_axis(padded_sizes)})" if any(map(any, a.pad)) else "")


def _least_hint(name: str, n: Size, least: int) -> str:
    if str(n) in symbols(n):
        return f"declare `{n} >= {least}` in the input"
    return f"declare the input so that the {name} {n} is always at least {least}"


def sliding_window(a: Windowed) -> Window:
    """The receptive field of a sliding window."""
    return Window(
        extent=extents(a.kernel, a.dilation),
        stride=tuple((s, 1) for s in a.stride),
        before=tuple(lo for lo, _ in a.pad),
    )


# ── the reference ────────────────────────────────────────────────────────────────────────────────────────────


def padded(x: Array, pads: Padding, value: float = 0.0) -> Array:
    """`x` with `value` around its spatial axes."""
    import numpy as np

    return np.pad(x, ((0, 0), (0, 0), *pads), constant_values=value)


def windows(x: Array, a: Windowed) -> Array:
    """All windows of a padded array (N, C, space…) as a view (N, C, windows…, kernel…)."""
    import numpy as np

    every = np.lib.stride_tricks.sliding_window_view(x, extents(a.kernel, a.dilation), axis=tuple(range(2, x.ndim)))
    steps = (slice(None), slice(None), *(slice(None, None, step) for step in (*a.stride, *a.dilation)))
    view: Array = every[steps]
    return view


def per_channel(values: Array, rank: int) -> Array:
    """One number a channel, shaped to be added to (N, C, space…)."""
    return values.reshape(-1, *(1,) * rank)
