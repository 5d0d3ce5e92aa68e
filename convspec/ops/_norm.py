"""What norms share: their axes, the parameters that lie over them, and the formula written out for ONNX."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from convspec.ir.attrs import Extent, Kind, Word
from convspec.ir.dims import Size, at_least
from convspec.ir.lowering import Arg, Call, Const, Lowered, Weight
from convspec.ir.opdef import AttrError, ShapeError
from convspec.ir.types import Array, TensorType
from convspec.ops import _precision as precision
from convspec.ops._axes import Axis, axis_index, axis_name, keras_axis
from convspec.records import dataclass

EPS = 1e-5
Axes: TypeAlias = tuple[int, ...]
"""Indices into a canonical tensor, in ascending order."""


@dataclass(frozen=True, slots=True)
class NormAxes(Kind):
    """`channels`, `all` (but the batch), an axis, or a list of axes. Becomes a tuple; `norm_axes` makes it indices."""

    name: str = "`channels`, `all`, an axis, or a list of axes"

    def convert(self, attribute: str, value: Any) -> tuple[int | str, ...]:
        if isinstance(value, Extent) or (isinstance(value, list | tuple) and not value):
            raise self.wrong(attribute, value)
        if isinstance(value, list | tuple):
            return tuple(Axis().convert(attribute, item) for item in value)
        if isinstance(value, str):
            return (Word(words=("channels", "all", "length", "height", "width", "depth")).convert(attribute, value),)
        return (Axis(self.name).convert(attribute, value),)


def norm_axes(op: str, axes: tuple[int | str, ...], x: TensorType) -> Axes:
    """The axes as indices. AttrError for one that is not there, is the batch or is named twice; ShapeError for the rank."""
    if not 2 <= x.rank <= 5:
        raise ShapeError(f"`{op}` takes a tensor of rank 2 to 5, not {x.rank}", inputs={0: str(x)})
    if axes == ("all",):
        return tuple(range(1, x.rank))
    found = [axis_index(axis, x.rank, "axes") for axis in axes]
    for axis in found:
        if found.count(axis) > 1:
            raise AttrError(f"`axes` names {axis_name(axis, x.rank)} twice", "axes")
    return tuple(sorted(found))


def is_last(axes: Axes, rank: int) -> bool:
    """Whether the axes are the last ones: then the frameworks' own norms take them."""
    return axes == tuple(range(rank - len(axes), rank))


def known_sizes(op: str, axes: Axes, x: TensorType) -> tuple[int, ...]:
    """The sizes of the axes, over which the weight lies. ShapeError CNN033 where one is symbolic."""
    for axis in axes:
        if not isinstance(x.shape[axis], int):
            message = f"`{op}` has a weight for every place in its axes, so their sizes must be known"
            found = f", but {axis_name(axis, x.rank)} is {x.shape[axis]}"
            hint = f"`{op}(…, affine = false)` has no weight"
            raise ShapeError(message + found, "CNN033", inputs={0: str(x)}, hint=hint)
    return tuple(size for axis in axes if isinstance(size := x.shape[axis], int))


def all_known(axes: Axes, x: TensorType) -> bool:
    """Whether the sizes of the axes are plain numbers."""
    return all(isinstance(x.shape[axis], int) for axis in axes)


def check_several(op: str, what: str, values: Size, x: TensorType) -> None:
    """ShapeError CNN034 where a mean would be over one value for some sizes, so that nothing is left of it (PyTorch raises)."""
    if at_least(values, 2) is not True:
        raise ShapeError(
            f"whether {what} has more than one value, for `{op}` to have a variance of, depends on the sizes: it has {values}",
            "CNN034",
            inputs={0: str(x)},
            hint="declare a bound in the input, such as H >= 2",
        )


def known_channels(op: str, x: TensorType, why: str) -> int:
    """The number of channels. ShapeError CNN033 where it is symbolic; `why` says what it is needed for."""
    if not isinstance(x.channels, int):
        message = f"`{op}` {why}, so the number of channels must be known, but it is {x.channels}"
        raise ShapeError(message, "CNN033", inputs={0: str(x)})
    return x.channels


def over(array: Array, axes: Axes, rank: int) -> Array:
    """A parameter that lies over `axes`, shaped to be multiplied with a tensor of `rank` axes."""
    sizes = iter(array.shape)
    return array.reshape([next(sizes) if axis in axes else 1 for axis in range(rank)])


def scaled(y: Array, p: Mapping[str, Array], axes: Axes) -> Array:
    """Multiplied by the weight and moved by the bias, where there are any."""
    if "weight" in p:
        y = y * over(p["weight"], axes, y.ndim)
    return y + over(p["bias"], axes, y.ndim) if "bias" in p else y


# ── PyTorch ──────────────────────────────────────────────────────────────────────────────────────────────────


def one_or_all(values: tuple[Any, ...]) -> Any:
    """One value without its tuple: what a person would write."""
    return values[0] if len(values) == 1 else values


# ── Keras ────────────────────────────────────────────────────────────────────────────────────────────────────


def keras_axes(axes: Axes, rank: int) -> Axes:
    """Where Keras has the axes, in ascending order."""
    return tuple(sorted(keras_axis(axis, rank) % rank for axis in axes))


def keras_axis_argument(axes: Axes, rank: int) -> dict[str, Any]:
    """The `axis` argument; nothing where it is the last axis alone, the default."""
    found = keras_axes(axes, rank)
    return {} if found == (rank - 1,) else {"axis": one_or_all(found)}


def keras_weight(role: str, axes: Axes, rank: int) -> Weight:
    """A parameter over `axes`, its own axes in the order in which Keras has them."""
    order = tuple(sorted(range(len(axes)), key=lambda place: keras_axis(axes[place], rank) % rank))
    return Weight(role, order if order != tuple(range(len(axes))) else None)


# ── ONNX ─────────────────────────────────────────────────────────────────────────────────────────────────────


def onnx_weight(role: str, axes: Axes, x: TensorType) -> Weight:
    """A parameter over `axes`, stored such that it broadcasts."""
    known = tuple(size if axis in axes and isinstance(size, int) else 1 for axis, size in enumerate(x.shape))
    return Weight(role, reshape=known[axes[0] :])


def onnx_mean(x: Lowered, axes: Axes) -> Call:
    return Call("ReduceMean", (x, Const(axes, "int64")), {"keepdims": 1})


def onnx_scaled(x: TensorType, axes: Axes, eps: float, centred: bool) -> Lowered:
    """(x - mean) / √(variance + eps), or without centring x / √(mean of squares + eps)."""
    wide, dtype = precision.onnx_widened(Arg(0), x.dtype)
    if centred:
        wide = Call("Sub", (wide, onnx_mean(wide, axes)))
    mean_square = onnx_mean(Call("Mul", (wide, wide)), axes)
    root = Call("Sqrt", (Call("Add", (mean_square, Const(eps, dtype))),))
    return precision.onnx_narrowed(Call("Div", (wide, root)), x.dtype)


def onnx_affine(y: Lowered, x: TensorType, axes: Axes, roles: tuple[str, ...]) -> Lowered:
    """`y` times the weight, plus the bias, as far as `roles` has them."""
    if "weight" in roles:
        y = Call("Mul", (y, onnx_weight("weight", axes, x)))
    return Call("Add", (y, onnx_weight("bias", axes, x))) if "bias" in roles else y
