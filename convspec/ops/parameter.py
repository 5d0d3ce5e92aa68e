"""`parameter`: a learned tensor that is there by itself, such as the positions that a transformer adds to its input.

It takes no tensor: `layer position = parameter([1, 64, 196])` names one, `position` in weight files too, and `x + position`
adds it. The sizes are in canonical order (batch, channels, space) and are plain numbers; a size of 1 is repeated where the
tensor meets a larger one in arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from convspec.ir.attrs import Flag, Initialiser, Integer, Kind
from convspec.ir.init import ZEROS, Init
from convspec.ir.lowering import Apply, Call, Const, Lowered, Weight
from convspec.ir.opdef import ITSELF, AttrError, OpDef, ParamSpec, attr
from convspec.ir.types import FLOATS, Array, TensorType
from convspec.records import dataclass

_MOST_AXES = 5


@dataclass(frozen=True, slots=True)
class Sizes(Kind):
    """A list of plain sizes, `[1, 64, 196]` or `1x64x196`. Becomes a tuple."""

    name: str = "a list of sizes"

    def convert(self, attribute: str, value: Any) -> tuple[int, ...]:
        if not isinstance(value, list | tuple) or not value:
            raise self.wrong(attribute, value)
        if len(value) > _MOST_AXES:
            raise AttrError(f"`{attribute}` has at most {_MOST_AXES} sizes, not {len(value)}", attribute)
        return tuple(Integer("plain sizes").convert(attribute, size) for size in value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """`parameter([1, 64, 196])`, `parameter([1, 96, 1, 1], init = ones)`."""

    shape: tuple[int, ...] = attr(Sizes(), positional=True, doc="The tensor's sizes: batch (mostly 1), channels, space.")
    init: Init | None = attr(Initialiser(), None, doc="How it begins: zeros by default.")
    trainable: bool = attr(
        Flag(), True, doc="Whether training changes it; if not, it is a constant that the weight file holds."
    )
    stored: tuple[int, ...] | None = attr(
        Sizes(), None, doc="Its sizes in weight files, where they are others: as many elements, in the same order."
    )

    @property
    def held(self) -> tuple[int, ...]:
        """The sizes in weight files."""
        return self.stored or self.shape


def infer(a: Parameter, anchor: TensorType) -> TensorType:
    """In the precision of the tensors around it."""
    if prod(a.held) != prod(a.shape):
        shown = ", ".join(f"{list(sizes)} has {prod(sizes)}" for sizes in (a.held, a.shape))
        raise AttrError(f"`stored` must have as many elements as the tensor: {shown}", "stored")
    return TensorType(anchor.dtype if anchor.dtype in FLOATS else "float32", a.shape)


def params(a: Parameter, anchor: TensorType) -> Mapping[str, ParamSpec]:
    init = a.init or ZEROS
    if init.name.startswith(("kaiming", "xavier")):
        message = f"`{init.name}` needs the connections of a layer, and a parameter has none: normal(0.02), say"
        raise AttrError(message, "init", "CNN202")
    return {ITSELF: ParamSpec(a.held, init, a.trainable)}


def evaluate(a: Parameter, p: Mapping[str, Array], anchor: Array) -> Array:
    return p[ITSELF].reshape(a.shape)


def to_torch(a: Parameter, anchor: TensorType) -> Lowered:
    kept = "nn.Parameter" if a.trainable else "nn.Buffer"
    tensor = Apply("torch.zeros", a.held, {}, (), {ITSELF: Weight(ITSELF)}, kept)
    return tensor if a.held == a.shape else Call(".reshape", (tensor, *a.shape))


def to_keras(a: Parameter, anchor: TensorType) -> Lowered:
    """Channels last, as every tensor of rank 3 or more. The layer hangs on a tensor, which it does not read."""
    rank = len(a.shape)
    permute = (0, *range(2, rank), 1) if rank > 2 else None
    shape = tuple(a.shape[axis] for axis in permute) if permute else a.shape
    kwargs: dict[str, Any] = {} if a.trainable else {"trainable": False}
    return Apply(
        "helpers.LearnedTensor",
        shape,
        kwargs,
        weights={"weight": Weight(ITSELF, permute, None if a.held == a.shape else a.shape)},
    )


def to_onnx(a: Parameter, anchor: TensorType) -> Lowered:
    if a.held != a.shape:
        return Call("Reshape", (Weight(ITSELF), Const(a.shape, "int64")))
    return Call("Identity", (Weight(ITSELF),))


OP = OpDef(
    name="parameter",
    attrs=Parameter,
    summary="a learned tensor of a given shape",
    inputs=(),
    infer=infer,
    params=params,
    evaluate=evaluate,
    dtypes=(),
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y = weight",
    shape="shape",
    source="",
    example="input image: float32[N, 3, 32, 32]\n"
    "positions = parameter([1, 64, 8, 8], init = truncated_normal(0.02))\n"
    "output patches = (image -> conv(64, 4x4, stride = 4)) + positions",
)
