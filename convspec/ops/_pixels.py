"""What pixel shuffles share: channels that become cells of a block of space, or the other way round.

A block has factor cells along each spatial axis; its cells are numbered with the last axis fastest. Two orders of the channels
are in use. Channels outside (PyTorch's pixel shuffle, ONNX's CRD): channel c * cells + cell. Cells outside (TensorFlow's depth
to space, ONNX's DCR): channel cell * C + c.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Any

from convspec.ir.dims import Equality, Size
from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import AttrError, ShapeError, Window
from convspec.ir.types import FLOATS, Array, TensorType
from convspec.ops import _shapes as shapes
from convspec.ops import _spatial as spatial
from convspec.ops._axes import axis_name
from convspec.ops._shapes import Regroup

Axes = spatial.Axes


def wide_infer(op: str, attribute: str, factor: Axes, x: TensorType) -> TensorType:
    """Channels to space."""
    cells = prod(factor)

    def problem(verdict: Equality) -> Exception:
        shown = " * ".join(map(str, factor))
        message = f"`{op}` needs channels that are a multiple of {shown} = {cells}, not {x.channels}"
        if verdict.verdict == "never":
            return AttrError(message, attribute, "CNN036")
        return ShapeError(message, "CNN036", inputs={0: f"channels {x.channels}"}, equality=verdict)

    channels = shapes.divided(x.channels, cells, problem)
    return x.with_shape((x.shape[0], channels, *(n * f for n, f in zip(x.spatial, factor, strict=True))))


def narrow_infer(op: str, attribute: str, factor: Axes, x: TensorType) -> TensorType:
    """Space to channels."""
    sizes = tuple(_narrowed(op, attribute, factor[axis], x, axis + 2) for axis in range(len(factor)))
    return x.with_shape((x.shape[0], x.channels * prod(factor), *sizes))


def _narrowed(op: str, attribute: str, factor: int, x: TensorType, axis: int) -> Size:
    name, size = axis_name(axis, x.rank), x.shape[axis]

    def problem(verdict: Equality) -> Exception:
        message = f"`{op}` needs a {name} that is a multiple of {factor}, not {size}"
        if verdict.verdict == "never":
            return AttrError(message, attribute, "CNN045")
        return ShapeError(message, "CNN034", inputs={0: f"{name} {size}"}, equality=verdict)

    return shapes.divided(size, factor, problem)


def wide_window(factor: Axes) -> Window:
    """Every cell of a block sees the position that it came from."""
    rank = len(factor)
    return Window(extent=(1,) * rank, stride=tuple((1, f) for f in factor), before=(0,) * rank)


def narrow_window(factor: Axes) -> Window:
    """A position sees its whole block."""
    return Window(extent=factor, stride=tuple((f, 1) for f in factor), before=(0,) * len(factor))


# ── how the axes go ──────────────────────────────────────────────────────────────────────────────────────────
# Axes of the split tensor: the batch, then (channels outside) C, f1…fr, n1…nr or (cells outside) f1…fr, C, n1…nr.


def wide(factor: Axes, x: TensorType, y: TensorType, outside: bool) -> Regroup:
    """Channels to space, in canonical order. `outside`: channels outside."""
    r, c = len(factor), y.channels
    inner = (c, *factor) if outside else (*factor, c)
    channel, first = (1, 2) if outside else (r + 1, 1)
    pairs = [place for axis in range(r) for place in (2 + r + axis, first + axis)]
    return Regroup((x.shape[0], *inner, *x.spatial), (0, channel, *pairs), y.shape)


def narrow(factor: Axes, x: TensorType, y: TensorType, outside: bool) -> Regroup:
    """Space to channels, in canonical order."""
    pairs = [size for n, f in zip(y.spatial, factor, strict=True) for size in (n, f)]
    positions, cells = range(2, 2 + len(pairs), 2), range(3, 3 + len(pairs), 2)
    order = (0, 1, *cells, *positions) if outside else (0, *cells, 1, *positions)
    return Regroup((*x.shape[:2], *pairs), order, y.shape)


def wide_keras(factor: Axes, x: TensorType, y: TensorType, outside: bool) -> Regroup:
    """The same for channels last: batch, n1…nr, then C, f1…fr or f1…fr, C."""
    r, c = len(factor), y.channels
    inner = (c, *factor) if outside else (*factor, c)
    channel, first = (r + 1, r + 2) if outside else (2 * r + 1, r + 1)
    pairs = [place for axis in range(r) for place in (1 + axis, first + axis)]
    return Regroup((x.shape[0], *x.spatial, *inner), (0, *pairs, channel), shapes.keras_shape(y.shape))


def narrow_keras(factor: Axes, x: TensorType, y: TensorType, outside: bool) -> Regroup:
    pairs = [size for n, f in zip(y.spatial, factor, strict=True) for size in (n, f)]
    channel = len(pairs) + 1
    positions, cells = range(1, channel, 2), range(2, channel, 2)
    order = (0, *positions, channel, *cells) if outside else (0, *positions, *cells, channel)
    return Regroup((x.shape[0], *pairs, x.channels), order, shapes.keras_shape(y.shape))


# ── the reference and PyTorch ────────────────────────────────────────────────────────────────────────────────


def numpy_wide(x: Array, factor: Axes, outside: bool) -> Array:
    return _numpy(x, wide, factor, outside, (x.shape[1] // prod(factor), *(n * f for n, f in _sizes(x, factor))))


def numpy_narrow(x: Array, factor: Axes, outside: bool) -> Array:
    return _numpy(x, narrow, factor, outside, (x.shape[1] * prod(factor), *(n // f for n, f in _sizes(x, factor))))


def _sizes(x: Array, factor: Axes) -> Any:
    return zip(x.shape[2:], factor, strict=True)


def _numpy(x: Array, make: Callable[..., Regroup], factor: Axes, outside: bool, sizes: tuple[int, ...]) -> Array:
    before = TensorType("float32", x.shape)
    how = make(factor, before, replace(before, shape=(len(x), *sizes)), outside)
    split: Array = x.reshape(how.split)
    return split.transpose(how.order).reshape(how.merged)


def torch_wide(factor: Axes, x: TensorType, outside: bool) -> Lowered:
    """Split, moved, merged without a size being named."""
    r = len(factor)
    how = wide(factor, x, x, outside)
    made = Call(".permute", (Call(".unflatten", (Arg(0), 1, (-1, *factor) if outside else (*factor, -1))), *how.order))
    for axis in reversed(range(r)):
        made = Call(".flatten", (made, 2 + 2 * axis, 3 + 2 * axis))
    return made


def torch_narrow(factor: Axes, x: TensorType, outside: bool) -> Lowered:
    r = len(factor)
    made: Lowered = Arg(0)
    for axis in reversed(range(r)):
        made = Call(".unflatten", (made, 2 + axis, (-1, factor[axis])))
    return Call(".flatten", (Call(".permute", (made, *narrow(factor, x, x, outside).order)), 1, 1 + r))


def is_native(factor: Axes, x: TensorType) -> bool:
    """Whether targets have a function of their own: two spatial axes, one factor, floats."""
    return len(factor) == 2 and factor[0] == factor[1] and x.dtype in FLOATS
