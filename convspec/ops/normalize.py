"""`normalize`: prepares an image inside the network, so that whoever runs it can put in plain pixels.

Each element is divided by `scale`, then the mean of its channel is taken off, then it is divided by the standard deviation of
its channel: in this order, with three roundings, so that every target computes the very same numbers. Integers, such as the
uint8 of a picture file, become float32 before. `mean` and `std` are constants: neither trained nor in the weight file.
"""

from __future__ import annotations

from math import isfinite
from typing import Any, TypeAlias

from convspec.ir.attrs import Kind, Real
from convspec.ir.lowering import Apply, Arg, Call, Const, Lowered
from convspec.ir.opdef import AttrError, Cost, OpDef, ShapeError, attr
from convspec.ir.types import FLOATS, INTEGERS, Array, TensorType
from convspec.ops._dtypes import onnx_cast
from convspec.ops._elementwise import elements
from convspec.records import dataclass

Numbers: TypeAlias = float | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PerChannel(Kind):
    """A number for all channels, or a list of one for each. Becomes a float or a tuple."""

    name: str = "a number, or a list of one per channel"

    def convert(self, attribute: str, value: Any) -> Numbers:
        if isinstance(value, list | tuple):
            if not value:
                raise self.wrong(attribute, value)
            return tuple(self._number(attribute, item) for item in value)
        return self._number(attribute, value)

    def _number(self, attribute: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(attribute, value)
        if not isfinite(value) or abs(value) > 3e38:
            raise AttrError(f"`{attribute}` must be finite in float32, not {value}", attribute)
        return float(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalize:
    """`image -> normalize(mean = [0.485, 0.456, 0.406], std = [0.229, 0.224, 0.225])`."""

    mean: Numbers = attr(PerChannel(), 0.0, doc="Taken off after the division by `scale`: one number, or one per channel.")
    std: Numbers = attr(PerChannel(), 1.0, doc="What is divided by at the end: one number, or one per channel.")
    scale: float = attr(Real(above=0), 255.0, doc="What is divided by at first: 255 for pixels of 8 bits, 1 for nothing.")


def infer(a: Normalize, x: TensorType) -> TensorType:
    if x.rank < 2:
        raise ShapeError(f"`normalize` takes a tensor with channels, not one of rank {x.rank}", inputs={0: str(x)})
    for name, numbers in (("mean", a.mean), ("std", a.std)):
        if isinstance(numbers, tuple) and x.channels != len(numbers):
            raise AttrError(f"`{name}` has {len(numbers)} numbers for {x.channels} channels", name, "CNN036")
    spread = a.std if isinstance(a.std, tuple) else (a.std,)
    for number in spread:
        if number <= 0:
            raise AttrError(f"`std` must be above 0, not {number:g}", "std")
    return TensorType(x.dtype if x.dtype in FLOATS else "float32", x.shape)


def cost(a: Normalize, x: TensorType) -> Cost:
    return Cost(flops=3 * elements(x))


def _column(numbers: Numbers, rank: int) -> Any:
    """The numbers as nested tuples that broadcast over a canonical tensor of `rank` axes."""
    if isinstance(numbers, float):
        return numbers
    column: list[Any] = list(numbers)
    for _ in range(rank - 2):
        column = [(item,) for item in column]
    return tuple(column)


def evaluate(a: Normalize, p: object, x: Array) -> Array:
    import numpy as np

    values = x if x.dtype.kind == "f" else x.astype(np.float64)
    mean, std = (np.asarray(_column(numbers, x.ndim), values.dtype) for numbers in (a.mean, a.std))
    y: Array = (values / values.dtype.type(a.scale) - mean) / std
    return y


def _numbers(a: Normalize) -> tuple[Any, ...]:
    return tuple(list(each) if isinstance(each, tuple) else each for each in (a.mean, a.std, a.scale))


def to_torch(a: Normalize, x: TensorType) -> Lowered:
    source = Arg(0) if x.dtype in FLOATS else Apply("helpers.ToFloat")
    return Call("helpers.normalize", (source, *_numbers(a)))


def to_keras(a: Normalize, x: TensorType) -> Lowered:
    source = Arg(0) if x.dtype in FLOATS else Call("helpers.to_float", (Arg(0),))
    return Call("helpers.normalize", (source, *_numbers(a)))


def to_onnx(a: Normalize, x: TensorType) -> Lowered:
    dtype = x.dtype if x.dtype in FLOATS else "float32"
    source = Arg(0) if x.dtype in FLOATS else onnx_cast(Arg(0), dtype)
    mean, std = (Const(_column(numbers, x.rank), dtype) for numbers in (a.mean, a.std))
    scaled = Call("Div", (source, Const(a.scale, dtype)))
    return Call("Div", (Call("Sub", (scaled, mean)), std))


OP = OpDef(
    name="normalize",
    attrs=Normalize,
    summary="an image divided by a scale, less the mean, over the standard deviation of its channel",
    dtypes=(*FLOATS, *INTEGERS),
    infer=infer,
    evaluate=evaluate,
    cost=cost,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, c, …] = (x[n, c, …] / scale − mean[c]) / std[c]",
    shape="(N, C, n…) → (N, C, n…)",
    example="input image: uint8[N, 3, 32, 32]\n"
    "output features = image -> normalize(mean = [0.485, 0.456, 0.406], std = [0.229, 0.224, 0.225]) -> conv(16, 3x3)",
)
