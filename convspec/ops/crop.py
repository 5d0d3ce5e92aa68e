"""`crop`: cells taken away around the spatial axes, by number, or down to the size of another tensor.

`crop(1)` and `crop([[1, 2], [0, 0]])` are the opposite of `pad`. `crop(like = other)` leaves the middle, in the spatial size of
`other`, as the skip connections of U-Net and FCN need it: of d cells too many, ⌊d / 2⌋ go before and the rest after.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from convspec.ir.attrs import Pads, pads_per_axis
from convspec.ir.dims import Size, at_least, symbols
from convspec.ir.lowering import Apply, Arg, Call, Const, Lowered
from convspec.ir.opdef import AttrError, OpDef, ShapeError, Window, attr, given
from convspec.ir.types import DTYPES, Array, TensorType
from convspec.ops import _spatial as spatial
from convspec.ops import _spatial_targets as write
from convspec.ops._axes import axis_name
from convspec.records import dataclass

_LAST = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """`crop(1)`, `crop([[0, 1], [2, 3]])`, `crop(like = decoded)`."""

    amount: Any = attr(
        Pads(words=()), None, positional=True, doc="Cells taken away before and after each spatial axis; not with `like`."
    )
    given: tuple[str, ...] = given()


def resolve(a: Crop, x: TensorType, like: TensorType | None = None) -> Crop:
    rank = spatial.spatial_rank("crop", x)
    if like is None:
        if a.amount is None:
            raise AttrError("`crop` needs `amount`, or a tensor to crop to: crop(like = other)", None, "CNN041")
        a = replace(a, amount=pads_per_axis("amount", a.amount, rank))
        _check_amount(a, x)
        return a
    if a.amount is not None:
        raise AttrError("`crop` takes either `amount` or `like`, not both", "amount", "CNN042")
    if like.rank != x.rank:
        message = f"`crop` needs two tensors of one rank, not of {x.rank} and {like.rank}"
        raise ShapeError(message, inputs={0: str(x), 1: str(like)})
    _check_like(x, like)
    return a


def _check_amount(a: Crop, x: TensorType) -> None:
    for axis, (n, (lo, hi)) in enumerate(zip(x.spatial, a.amount, strict=True), 2):
        if at_least(n, lo + hi + 1):
            continue
        name = axis_name(axis, x.rank)
        if isinstance(n, int):
            message = f"`amount` takes {lo} + {hi} cells from a {name} of {n}, of which at least 1 must stay"
            raise AttrError(message, "amount", "CNN035")
        plain = str(n) in symbols(n)
        hint = f"declare `{n} >= {lo + hi + 1}` in the input" if plain else "declare the input so that it is always larger"
        message = f"`amount` takes {lo} + {hi} cells from the {name} {n}, which may leave none"
        raise ShapeError(message, "CNN034", hint=hint, inputs={0: f"{name} {n}"})


def _check_like(x: TensorType, like: TensorType) -> None:
    for axis, (n, m) in enumerate(zip(x.spatial, like.spatial, strict=True), 2):
        holds = at_least(n, m)
        if holds:
            continue
        name = axis_name(axis, x.rank)
        sizes = {0: f"{name} {n}", 1: f"{name} {m}"}
        if holds is False:
            raise ShapeError(f"a {name} of {n} cannot be cropped to {m}", "CNN031", inputs=sizes)
        raise ShapeError(f"the {name} {n} cannot be cropped to {m} for all sizes", "CNN034", inputs=sizes)


def _amount(a: Crop, types: tuple[TensorType, ...]) -> tuple[tuple[Size, Size], ...]:
    """Cells before and after, per axis; perhaps symbolic with `like`."""
    if len(types) == 1:
        found: tuple[tuple[Size, Size], ...] = a.amount
        return found
    over = [n - m for n, m in zip(types[0].spatial, types[1].spatial, strict=True)]
    return tuple((cells // 2, cells - cells // 2) for cells in over)


def _plain(a: Crop, types: tuple[TensorType, ...]) -> spatial.Padding | None:
    """The amounts, where all are plain numbers."""
    found = _amount(a, types)
    return found if all(isinstance(side, int) for pair in found for side in pair) else None  # type: ignore[return-value]


def infer(a: Crop, x: TensorType, like: TensorType | None = None) -> TensorType:
    if like is not None:
        return x.with_shape((*x.shape[:2], *like.spatial))
    return x.with_shape((*x.shape[:2], *(n - lo - hi for n, (lo, hi) in zip(x.spatial, a.amount, strict=True))))


def receptive_field(a: Crop, *types: TensorType) -> Window:
    """Of an axis from which a symbolic number of cells goes, a unit may see any cell."""
    before = tuple(lo for lo, _ in _amount(a, types))
    return Window(
        extent=tuple(1 if isinstance(lo, int) else None for lo in before),
        stride=((1, 1),) * len(before),
        before=tuple(-lo if isinstance(lo, int) else 0 for lo in before),
    )


def evaluate(a: Crop, p: object, x: Array, like: Array | None = None) -> Array:
    amount = a.amount
    if like is not None:
        over = [n - m for n, m in zip(x.shape[2:], like.shape[2:], strict=True)]
        amount = [(cells // 2, cells - cells // 2) for cells in over]
    sizes = zip(x.shape[2:], amount, strict=True)
    result: Array = x[(slice(None), slice(None), *(slice(lo, n - hi) for n, (lo, hi) in sizes))]
    return result


def to_torch(a: Crop, *types: TensorType) -> Lowered:
    if len(types) > 1:
        return Call("helpers.center_crop", (Arg(0), Arg(1)))
    return write.torch_pad(Arg(0), tuple((-lo, -hi) for lo, hi in a.amount))


def to_keras(a: Crop, *types: TensorType) -> Lowered:
    amount = _plain(a, types)
    return write.keras_crop(Arg(0), amount) if amount is not None else Apply("helpers.CenterCrop", inputs=(Arg(0), Arg(1)))


def to_onnx(a: Crop, *types: TensorType) -> Lowered:
    amount, axes = _plain(a, types), tuple(range(2, types[0].rank))
    if amount is None:
        size, wanted = (Call("Shape", (Arg(index),), {"start": 2}) for index in range(2))
        start = Call("Div", (Call("Sub", (size, wanted)), Const((2,) * len(axes), "int64")))
        return Call("Slice", (Arg(0), start, Call("Add", (start, wanted)), Const(axes, "int64")))
    if not any(map(any, amount)):
        return Arg(0)
    stops = tuple(-hi if hi else _LAST for _, hi in amount)
    bounds = (Const(numbers, "int64") for numbers in (write.befores(amount), stops, axes))
    return Call("Slice", (Arg(0), *bounds))


OP = OpDef(
    name="crop",
    attrs=Crop,
    summary="Cells taken away around the spatial axes",
    inputs=("x", "like?"),
    dtypes=DTYPES,
    resolve=resolve,
    infer=infer,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, c, i…] = x[n, c, i + before…]; with `like` of the size m: before = ⌊(n − m) / 2⌋",
    shape="(N, C, n…) → (N, C, n − before − after…); with `like` (·, ·, m…): (N, C, m…)",
    source="Ronneberger et al. 2015, arXiv:1505.04597 (crop and copy)",
    example=(
        "input image: float32[N, 8, 32, 32]\n"
        "inner = image -> conv(8, 3x3)\n"
        "output both = concat(image -> crop(like = inner), inner)"
    ),
)
