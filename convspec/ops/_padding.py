"""What the cells around an input hold: constants, or cells of the input itself; in the reference and on every target."""

from __future__ import annotations

from typing import Any, Protocol

from convspec.ir.attrs import Word
from convspec.ir.dims import Size, at_least, symbols
from convspec.ir.lowering import Call, Const, Lowered
from convspec.ir.opdef import AttrError, ShapeError
from convspec.ir.types import Array, TensorType
from convspec.ops import _spatial_targets as write
from convspec.ops._axes import axis_name
from convspec.ops._spatial import Padding

MODES = ("zeros", "constant", "reflect", "replicate", "circular")
"""What an author may write: `reflect` mirrors without repeating the edge, `replicate` repeats it, `circular` goes round."""

MODE = Word(words=MODES)


class Padded(Protocol):
    """Resolved attributes of a layer that pads."""

    @property
    def pad(self) -> Padding: ...
    @property
    def pad_mode(self) -> str: ...
    @property
    def pad_value(self) -> float: ...


def check_mode(mode: str, value: float, x: TensorType, pads: Padding, attribute: str, value_attribute: str) -> None:
    """Refuses a value that would not be used (AttrError), and pads that need more cells than there are (ShapeError)."""
    if value != 0 and mode != "constant":
        raise AttrError(f"`{value_attribute}` is for `{attribute} = constant`, not for {mode}", value_attribute)
    least = {"reflect": 1, "circular": 0}.get(mode)  # replicate finds its one cell in every input
    if least is None:
        return
    for axis, (n, pair) in enumerate(zip(x.spatial, pads, strict=True)):
        if max(pair) > 0:
            _check_cells(f"`{attribute} = {mode}`", n, max(pair), max(pair) + least, axis_name(axis + 2, x.rank))


def _check_cells(what: str, n: Size, cells: int, least: int, name: str) -> None:
    enough = at_least(n, least)
    if enough:
        return
    inputs = {0: f"{name} {n}"}
    if isinstance(n, int):
        message = f"{what} with {cells} cells needs a {name} of at least {least}, not {n}"
        raise ShapeError(message, "CNN045", inputs=inputs)
    message = f"{what} with {cells} cells needs a {name} of at least {least}, which {n} may not be"
    plain = str(n) in symbols(n)
    hint = f"declare `{n} >= {least}` in the input" if plain else f"declare the input so that {n} is always at least {least}"
    raise ShapeError(message, "CNN034", hint=hint, inputs=inputs)


def constant(mode: str) -> bool:
    """Whether the new cells hold a constant."""
    return mode in ("zeros", "constant")


def is_plain(a: Padded) -> bool:
    """Whether the pads are zeros, which the layers of all targets know."""
    return (constant(a.pad_mode) and a.pad_value == 0) or not any(map(any, a.pad))


# ── the reference and the targets ────────────────────────────────────────────────────────────────────────────

_NUMPY = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def padded(x: Array, pads: Padding, mode: str, value: float = 0.0) -> Array:
    """`x` with new cells around its spatial axes."""
    import numpy as np

    width: Any = ((0, 0), (0, 0), *pads)
    if constant(mode):
        return np.pad(x, width, constant_values=value)
    name: Any = _NUMPY[mode]
    return np.pad(x, width, mode=name)


def to_torch(x: Lowered, pads: Padding, mode: str, value: float = 0.0) -> Lowered:
    """`F.pad`. `x` itself where there is nothing to pad."""
    if constant(mode) or not any(map(any, pads)):
        return write.torch_pad(x, pads, value)
    flat = tuple(side for pair in reversed(pads) for side in pair)
    return Call("F.pad", (x, flat), {"mode": mode})


def to_keras(x: Lowered, pads: Padding, mode: str, value: float = 0.0) -> Lowered:
    """A layer or `ops.pad`; a helper for what TensorFlow's pad has no mode for, and torch's, also under Keras, no 3-D."""
    if constant(mode) or not any(map(any, pads)):
        return write.keras_pad(x, pads, value)
    if mode == "reflect" and len(pads) < 3:
        return Call("ops.pad", (x, ((0, 0), *pads, (0, 0))), {"mode": "reflect"})
    return Call("helpers.pad_by_cells", (x, pads, mode))


def to_onnx(x: Lowered, pads: Padding, mode: str, dtype: str, value: float = 0.0) -> Lowered:
    """A Pad node. `x` itself where there is nothing to pad."""
    if constant(mode) or not any(map(any, pads)):
        return write.onnx_pad(x, pads, dtype, value)
    amount = Const(write.onnx_pads(((0, 0), (0, 0), *pads)), "int64")
    return Call("Pad", (x, amount), {"mode": _NUMPY[mode]})


__all__ = [
    "MODE",
    "MODES",
    "Padded",
    "check_mode",
    "constant",
    "is_plain",
    "padded",
    "to_keras",
    "to_onnx",
    "to_torch",
]
