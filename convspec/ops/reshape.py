"""`reshape`: the same elements in the same order under other sizes; the batch stays.

The order is the canonical one: the last axis varies fastest, then the one before it. The sizes may be symbolic, such as
`x.height * x.width`, as long as the number of elements is provably the same; one of them may be `rest` or -1, which is what
the others leave.

Generated code takes symbolic sizes from the tensor that is reshaped. Where that does not tell them, as when a row of tokens
becomes a picture again, `like` is a tensor that does: `tokens -> reshape([64, map.height, map.width], like = map)`.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import Any, ClassVar, TypeAlias

from convspec.ir.attrs import Integer, Kind
from convspec.ir.dims import Dim, Equality, Size, at_least, equal
from convspec.ir.lowering import Lowered
from convspec.ir.opdef import AttrError, OpDef, ShapeError, Window, attr, given
from convspec.ir.types import DTYPES, Array, Shape, TensorType
from convspec.ops import _shapes as shapes
from convspec.records import dataclass

MOST_AXES = 4

Sizes: TypeAlias = tuple[Size, ...]


@dataclass(frozen=True, slots=True)
class SizeList(Kind):
    """Sizes, which may be symbolic; one may be -1 or `rest`."""

    name: str = "a list of sizes"
    bare_words: ClassVar[bool] = True

    def convert(self, attribute: str, value: Any) -> Sizes:
        if not isinstance(value, list | tuple):
            raise self.wrong(attribute, value)
        if not 1 <= len(value) <= MOST_AXES:
            raise AttrError(f"`{attribute}` has 1 to {MOST_AXES} sizes, without the batch, not {len(value)}", attribute)
        found = tuple(self._size(attribute, item) for item in value)
        if sum(size == -1 for size in found if isinstance(size, int)) > 1:
            raise AttrError(f"only one size in `{attribute}` can be -1 or `rest`", attribute)
        return found

    def _size(self, attribute: str, value: Any) -> Size:
        if value == "rest" or (isinstance(value, int) and not isinstance(value, bool) and value == -1):
            return -1
        if isinstance(value, Dim):
            if not at_least(value, 1):
                raise AttrError(f"a size in `{attribute}` must be at least 1, which {value} may not be", attribute, "CNN034")
            return value
        if isinstance(value, str):
            raise AttrError(f'a size in `{attribute}` is a number or `rest`, not "{value}"', attribute, "CNN047")
        return Integer("a list of sizes").convert(attribute, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reshape:
    """`reshape([8, 4, 4])`, `reshape([x.channels, x.height * x.width])`, `reshape([8, rest])`."""

    sizes: Sizes = attr(
        SizeList(), positional=True, doc="The sizes after the batch, perhaps symbolic; one may be -1 or `rest`, what is left."
    )
    entries: tuple[shapes.Entry, ...] | None = field(default=None, metadata={"hidden": True})
    """How the sizes, the batch included, follow from the inputs'."""
    given: tuple[str, ...] = given()


def resolve(a: Reshape, x: TensorType, *like: TensorType) -> Reshape:
    shapes.check_rank("reshape", x, 1)
    have = shapes.product(x.shape[1:])
    if -1 in a.sizes:
        a = replace(a, sizes=tuple(_rest(a.sizes, x, have) if _is_rest(size) else size for size in a.sizes))
    verdict = equal(have, shapes.product(a.sizes))
    if not verdict:
        raise _unequal(a.sizes, x, have, verdict)
    entries = shapes.measured((x.shape[0], *a.sizes), x.shape, *(other.shape for other in like))
    if entries is None:
        raise _untold(a.sizes, x, like)
    return replace(a, entries=entries)


def _untold(sizes: Sizes, x: TensorType, like: tuple[TensorType, ...]) -> AttrError:
    """Generated code has only the inputs to go by: at most one size may follow from the others."""
    known = [other.shape for other in (x, *like)]
    unknown = [str(size) for size in sizes if isinstance(size, Dim) and shapes.measure(size, *known) is None]
    message = f"{' and '.join(unknown)} cannot both be told from a tensor with the sizes {', '.join(map(str, x.shape))}"
    hint = "name a tensor that has these sizes: reshape(…, like = features)"
    return AttrError(message, "sizes", "CNN034", hint)


def _is_rest(size: Size) -> bool:
    return isinstance(size, int) and size == -1


def _rest(sizes: Sizes, x: TensorType, have: Size) -> Size:
    """What the other sizes leave."""
    known = shapes.product(size for size in sizes if not _is_rest(size))
    if isinstance(known, int):
        return shapes.divided(have, known, lambda verdict: _leftover(known, x, have, verdict))
    for candidate in _candidates(x.shape[1:], have, known):
        if equal(candidate * known, have):
            return candidate
    message = f"what {known} leaves of {have} elements cannot be told"
    raise AttrError(message, "sizes", "CNN034", _hint_without_batch(sizes, x) or "write the size in place of `rest`")


def _candidates(shape: Shape, have: Size, known: Size) -> list[Size]:
    """What a number of elements over a symbolic number of them may be: one, or axes of the input, times a number."""
    one = shapes.measure(have, (known,))
    found: list[Size] = [one.times // one.over] if one is not None and one.over == 1 else []
    symbolic = tuple(size for size in shape if isinstance(size, Dim))
    for count in range(1 << len(symbolic)):
        part = shapes.product(size for place, size in enumerate(symbolic) if count >> place & 1)
        share = shapes.measure(have, (part * known,)) if isinstance(part, Dim) else None
        if share is not None:
            found.append(part * share.times // share.over)
    return found


def _leftover(known: Size, x: TensorType, have: Size, verdict: Equality) -> Exception:
    message = f"{have} elements cannot be split by {known}, the product of the sizes given"
    if isinstance(have, int) and isinstance(known, int):
        return AttrError(message, "sizes", "CNN031")
    return ShapeError(message, "CNN031", inputs={0: str(x)}, equality=verdict)


def _unequal(sizes: Sizes, x: TensorType, have: Size, verdict: Equality) -> Exception:
    shown = " * ".join(f"({size})" if isinstance(size, Dim) and " " in str(size) else str(size) for size in sizes)
    product = shapes.product(sizes)
    given = f"{shown} = {product}" if len(sizes) > 1 else shown
    message = f"{have} elements cannot be reshaped to {given}"
    hint = _hint_without_batch(sizes, x)
    if verdict.verdict == "never":
        return AttrError(message, "sizes", "CNN031", hint)
    return ShapeError(message, "CNN031", hint, inputs={0: str(x)}, equality=None if hint else verdict)


def _hint_without_batch(sizes: Sizes, x: TensorType) -> str | None:
    """For who wrote the batch, as one does elsewhere: it is the first size, by its name or with sizes behind it that fit."""
    batch, *others = sizes
    if not others or not equal(batch, x.shape[0]):
        return None
    fits = not any(map(_is_rest, others)) and bool(equal(shapes.product(others), shapes.product(x.shape[1:])))
    shown = ", ".join("rest" if _is_rest(size) else str(size) for size in others)
    return f"the batch stays and is not written: [{shown}]" if fits or isinstance(batch, Dim) else None


def infer(a: Reshape, x: TensorType, *like: TensorType) -> TensorType:
    return x.with_shape((x.shape[0], *a.sizes))


def receptive_field(a: Reshape, *types: TensorType) -> Window:
    x = types[0]
    same = len(a.sizes) == x.rank - 1 and all(map(equal, a.sizes, x.shape[1:]))
    return shapes.in_place([same] * max(0, *(each.rank - 2 for each in types)))


def evaluate(a: Reshape, p: object, x: Array, *like: Array) -> Array:
    assert a.entries is not None, "resolve sets them"
    return x.reshape(
        [
            entry.of(x.shape, *(other.shape for other in like)) if isinstance(entry, shapes.Measure) else entry
            for entry in a.entries
        ]
    )


def to_torch(a: Reshape, x: TensorType, *like: TensorType) -> Lowered:
    return shapes.torch_reshape((x.shape[0], *a.sizes), x.shape, *(other.shape for other in like))


def to_keras(a: Reshape, x: TensorType, *like: TensorType) -> Lowered:
    return shapes.keras_reshaped((x.shape[0], *a.sizes), x.shape, *(other.shape for other in like))


def to_onnx(a: Reshape, x: TensorType, *like: TensorType) -> Lowered:
    return shapes.onnx_reshape((x.shape[0], *a.sizes), x.shape, *(other.shape for other in like))


OP = OpDef(
    name="reshape",
    attrs=Reshape,
    summary="The same elements, in the same order, under other sizes",
    inputs=("x", "like?"),
    dtypes=DTYPES,
    resolve=resolve,
    infer=infer,
    receptive_field=receptive_field,
    evaluate=evaluate,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n] has the elements of x[n] in their order, the last axis varying fastest",
    shape="(N, …) → (N, sizes…), with as many elements",
    source="",
    example=(
        "input image: float32[N, 3, 224, 224]\n"
        "patches = image -> conv(96, 16x16, stride = 16)\n"
        "output tokens = patches -> reshape([patches.channels, patches.height * patches.width])"
    ),
)
