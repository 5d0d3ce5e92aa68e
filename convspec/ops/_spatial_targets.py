"""How the targets write pads, crops and per-axis numbers: idiomatic arguments, the target's own defaults left out."""

from __future__ import annotations

from typing import Any, TypeVar

from convspec.ir.lowering import Apply, Call, Const, Lowered
from convspec.ops._spatial import Padding, is_symmetric

T = TypeVar("T")


def squash(values: tuple[T, ...]) -> T | tuple[T, ...]:
    """One number where all axes have the same: what a person would write."""
    return values[0] if all(value == values[0] for value in values) else values


def given(**arguments: tuple[Any, Any]) -> dict[str, Any]:
    """Keyword arguments, each as (value, the target's default), without those that only repeat the default."""
    return {name: value for name, (value, default) in arguments.items() if value != default}


def befores(pads: Padding) -> tuple[int, ...]:
    return tuple(lo for lo, _ in pads)


def afters(pads: Padding) -> tuple[int, ...]:
    return tuple(hi for _, hi in pads)


def both_sides(pads: Padding) -> Any:
    """One number where every axis has it on both sides, else the pairs."""
    numbers = {side for pair in pads for side in pair}
    return pads[0][0] if len(numbers) == 1 else pads


def torch_pad(x: Lowered, pads: Padding, value: float = 0.0) -> Lowered:
    """`F.pad`, which names the last axis first; negative pads crop. `x` itself where there is nothing to do."""
    if not any(map(any, pads)):
        return x
    flat = tuple(side for pair in reversed(pads) for side in pair)
    return Call("F.pad", (x, flat), given(value=(value, 0.0)))


def keras_pad(x: Lowered, pads: Padding, value: float = 0.0) -> Lowered:
    """A ZeroPadding layer, or `ops.pad` for another value. `x` itself where there is nothing to pad."""
    if not any(map(any, pads)):
        return x
    if value == 0:
        return Apply(f"layers.ZeroPadding{len(pads)}D", (_sides(pads),), inputs=(x,))
    return Call("ops.pad", (x, ((0, 0), *pads, (0, 0))), {"constant_values": value})


def keras_crop(x: Lowered, crops: Padding) -> Lowered:
    """A Cropping layer. `x` itself where there is nothing to crop."""
    if not any(map(any, crops)):
        return x
    return Apply(f"layers.Cropping{len(crops)}D", (_sides(crops),), inputs=(x,))


def _sides(pads: Padding) -> Any:
    """`1`, `(1, 2)` per axis, or pairs; in one dimension a single pair."""
    if is_symmetric(pads):
        return squash(befores(pads))
    return pads[0] if len(pads) == 1 else pads


def keras_subsample(x: Lowered, steps: tuple[int, ...]) -> Lowered:
    """Every step-th position of a channels-last tensor."""
    return x if all(step == 1 for step in steps) else Call("helpers.subsample", (x, squash(steps)))


def onnx_pads(pads: Padding) -> tuple[int, ...]:
    """ONNX's order: all befores, then all afters."""
    return (*befores(pads), *afters(pads))


def onnx_pad(x: Lowered, pads: Padding, dtype: str, value: float = 0.0) -> Lowered:
    """A Pad node over the spatial axes. `x` itself where there is nothing to pad."""
    if not any(map(any, pads)):
        return x
    return Call("Pad", (x, Const(onnx_pads(((0, 0), (0, 0), *pads)), "int64"), Const(value, dtype)))
