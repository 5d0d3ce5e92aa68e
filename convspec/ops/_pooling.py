"""What max and average pooling share: how many windows there are, and which padding they reach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from convspec.ir.dims import Size, at_least
from convspec.ir.lowering import Call, Lowered
from convspec.ir.opdef import AttrError, Cost
from convspec.ir.types import TensorType
from convspec.ops import _spatial as spatial
from convspec.ops._axes import axis_name
from convspec.ops._elementwise import elements

HALF = ("float16", "bfloat16")
"""Types in which sums lose digits or overflow: what adds cells up does so in float32."""


_NARROW = {"float16": ".half", "bfloat16": ".bfloat16"}


def torch_avg_pool(rank: int, dtype: str, source: Lowered, kernel: Any, kwargs: Mapping[str, Any]) -> Call:
    """`F.avg_pool2d` and its like; in float32 where the CPU has no kernel in half precision, which is in 3-D."""
    if rank < 3 or dtype not in HALF:
        return Call(f"F.avg_pool{rank}d", (source, kernel), kwargs)
    return Call(_NARROW[dtype], (Call(f"F.avg_pool{rank}d", (Call(".float", (source,)), kernel), kwargs),))


class Pool(spatial.Windowed, Protocol):
    """Resolved attributes of a pooling layer. `pad` is what the author wrote; with `ceil` windows may reach further."""

    @property
    def ceil(self) -> bool: ...


def pool_sizes(op: str, a: Pool, x: TensorType) -> tuple[Size, ...]:
    """Windows per axis. ShapeErrors CNN032, and CNN033 where `ceil` depends on a symbolic size."""
    if not a.ceil:
        return spatial.window_sizes(op, a, x)
    spatial.check_fit(op, a, x, overhang=tuple(s - 1 for s in a.stride))
    reach = spatial.extents(a.kernel, a.dilation)
    return tuple(
        _ceil_windows(x, axis, e, s, lo, hi) for axis, (e, s, (lo, hi)) in enumerate(zip(reach, a.stride, a.pad, strict=True))
    )


def _ceil_windows(x: TensorType, axis: int, e: int, s: int, lo: int, hi: int) -> Size:
    """PyTorch's rule: ceil((n + lo + hi - e) / s) + 1 windows, without a last one that would start in the padding after."""
    n = x.spatial[axis]
    windows = (n + lo + hi - e + s - 1) // s + 1
    starts_in_padding = at_least((windows - 1) * s, n + lo)
    if starts_in_padding is None:
        raise spatial.depends_on_size("`ceil = true`", x, axis, s)
    return windows - 1 if starts_in_padding else windows


def reached_pads(op: str, a: Pool, x: TensorType) -> spatial.Padding:
    """The pads that windows really reach: with these and no `ceil`, there are as many windows.

    The last of `o` windows ends at (o-1)s + e - lo, which is n + hi.
    """
    pads = []
    reach = spatial.extents(a.kernel, a.dilation)
    for axis, (outputs, e) in enumerate(zip(pool_sizes(op, a, x), reach, strict=True)):
        n, s, (lo, hi) = x.spatial[axis], a.stride[axis], a.pad[axis]
        if a.ceil or isinstance(n, int):
            hi = spatial.constant_pad((outputs - 1) * s + e - n - lo, "`ceil = true`", x, axis, s)
        pads.append((lo, hi))
    return tuple(pads)


def check_no_empty_window(op: str, a: Pool, x: TensorType) -> None:
    """AttrError CNN045 where a window may lie wholly in the padding, or step over the input with its dilation."""
    axes = zip(x.spatial, a.kernel, a.stride, a.dilation, reached_pads(op, a, x), pool_sizes(op, a, x), strict=True)
    for axis, (n, k, s, d, (lo, hi), outputs) in enumerate(axes):
        if _may_be_empty(n, k, s, d, lo, hi, outputs):
            verb = "would" if isinstance(n, int) else "may"
            message = f"a window of `{op}` {verb} lie wholly in the padding ({lo} + {hi} cells beside {n})"
            name = axis_name(axis + 2, x.rank)
            hint = None if isinstance(n, int) else f"declare the input so that the {name} {n} is always at least {d}"
            raise AttrError(message, "pad", hint=hint)


def _may_be_empty(n: Size, k: int, s: int, d: int, lo: int, hi: int, outputs: Size) -> bool:
    e = d * (k - 1) + 1
    if lo < e and hi < e and (lo == 0 or at_least(n, d)):
        return False  # every window starts in the input, or begins before it and goes on in steps that cannot pass over it
    if not isinstance(n, int) or not isinstance(outputs, int):
        return True
    return any(all(not 0 <= i * s - lo + j * d < n for j in range(k)) for i in range(outputs))


def pool_cost(a: Pool, x: TensorType, y: TensorType) -> Cost:
    """One operation for every cell of every window."""
    cells = 1
    for k in a.kernel:
        cells *= k
    return Cost(flops=elements(y) * cells)
