"""What layers that move elements share: sizes that are only known at run time, and reshapes and transposes on every target.

A generated file must not hold a symbolic size. `measured` says how such a size follows from the input's axes; a target then
asks the tensor for it, or leaves one size out, which follows from the number of elements.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any, TypeAlias

from convspec.ir import dims
from convspec.ir.dims import Dim, Size, equal
from convspec.ir.lowering import Apply, Arg, Call, Const, Lowered, Unsupported
from convspec.ir.opdef import ShapeError, Window
from convspec.ir.types import Shape, TensorType
from convspec.ops._axes import axis_name
from convspec.records import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """A size at run time: `times` * the product of these axes of an input // `over`, which leaves nothing over."""

    axes: tuple[int, ...]
    times: int = 1
    over: int = 1
    source: int = 0
    """Which input."""

    @property
    def plain(self) -> bool:
        """Whether it is just the size of an axis."""
        return len(self.axes) == 1 and self.times == self.over == 1

    def of(self, *shapes: Sequence[Any]) -> Any:
        """The size, for those of the inputs."""
        return product(shapes[self.source][axis] for axis in self.axes) * self.times // self.over


Entry: TypeAlias = int | Measure
"""A size of a result; -1: what is left."""


def product(sizes: Any) -> Any:
    """The product of sizes, symbolic ones among them."""
    result: Any = 1
    for size in sizes:
        result = result * size
    return result


def is_one(size: Size) -> bool:
    return isinstance(size, int) and size == 1


def measure(size: Size, *shapes: Shape) -> Measure | None:
    """How a symbolic size follows from the sizes of an input; None if it does in no simple way."""
    for source, shape in enumerate(shapes):
        symbolic = [axis for axis, n in enumerate(shape) if isinstance(n, Dim)]
        for count in range(1, len(symbolic) + 1):
            for axes in combinations(symbolic, count):
                share = _share(size, product(shape[axis] for axis in axes))
                if share is not None:
                    return Measure(axes, share.numerator, share.denominator, source)
    return None


def _share(size: Size, of: Size) -> Fraction | None:
    """The number that `of` times it is `size`, for all values of the names."""
    names = dims.minima(size) | dims.minima(of)
    if dims.symbols(size) != dims.symbols(of):
        return None
    values = {name: least + 101 + 6 * place for place, (name, least) in enumerate(sorted(names.items()))}
    whole = dims.evaluate(of, values)
    if whole == 0:
        return None
    share = Fraction(dims.evaluate(size, values), whole)
    return share if equal(size * share.denominator, of * share.numerator) else None


def measured(sizes: Shape, *shapes: Shape) -> tuple[Entry, ...] | None:
    """Every size of a result from those of its inputs, with at most one left out (-1). None: more cannot be told."""
    found: list[Entry | None] = [size if isinstance(size, int) else measure(size, *shapes) for size in sizes]
    unknown = [place for place, entry in enumerate(found) if entry is None]
    if len(unknown) > 1:
        return None
    symbolic = [place for place, entry in enumerate(found) if isinstance(entry, Measure)]
    complex_ones = [place for place in symbolic if not _is_plain(found[place])]
    left_out = unknown or complex_ones[-1:] or symbolic[-1:]
    return tuple(-1 if place in left_out or entry is None else entry for place, entry in enumerate(found))


def _is_plain(entry: Entry | None) -> bool:
    return isinstance(entry, Measure) and entry.plain


# ── PyTorch ──────────────────────────────────────────────────────────────────────────────────────────────────


def torch_reshape(sizes: Shape, *shapes: Shape) -> Lowered:
    """`x.reshape(x.size(0), 8, -1)`."""
    entries = measured(sizes, *shapes)
    if entries is None:
        return too_many(sizes)
    if any(isinstance(entry, Measure) and not entry.plain for entry in entries):
        tensors = tuple(Arg(index) for index in range(1 + _uses_second(entries)))
        return Call("helpers.reshape_to", (Arg(0), written(entries, *shapes), *tensors[1:]))
    return Call(".reshape", (Arg(0), *(torch_size(entry) for entry in entries)))


def torch_size(entry: Entry) -> Any:
    """A size of an input, or a number."""
    return Call(".size", (Arg(entry.source), entry.axes[0])) if isinstance(entry, Measure) else entry


def _uses_second(entries: tuple[Entry, ...]) -> bool:
    return any(isinstance(entry, Measure) and entry.source == 1 for entry in entries)


def written(entries: tuple[Entry, ...], *shapes: Shape) -> tuple[Any, ...]:
    """Sizes as the helpers read them: a number, or (times, over, axes…); axes of the second input are negative."""
    return tuple(
        (e.times, e.over, *(axis - len(shapes[1]) if e.source else axis for axis in e.axes)) if isinstance(e, Measure) else e
        for e in entries
    )


def too_many(sizes: Shape) -> Unsupported:
    """Where two sizes are symbolic in ways that the input's sizes do not tell."""
    shown = " and ".join(str(size) for size in sizes if isinstance(size, Dim))
    return Unsupported(
        f"of the symbolic sizes {shown} more than one is neither that of an axis of the input nor a multiple of it"
    )


# ── ONNX ─────────────────────────────────────────────────────────────────────────────────────────────────────


def onnx_reshape(sizes: Shape, *shapes: Shape, x: Lowered | None = None) -> Lowered:
    """A Reshape of `x`, by default the input; `shapes` are those of the inputs in either case."""
    entries = measured(sizes, *shapes)
    if entries is None:
        return too_many(sizes)
    if x is None:  # 0 copies the size that the tensor itself has there
        entries = tuple(0 if e == Measure((i,)) else e for i, e in enumerate(entries))
    return Call("Reshape", (Arg(0) if x is None else x, onnx_sizes(entries)))


def onnx_sizes(entries: Sequence[Entry]) -> Call | Const:
    """A tensor of sizes; those that are not known are taken from the inputs."""
    pieces: list[Any] = []
    plain: list[int] = []
    for entry in entries:
        if isinstance(entry, Measure):
            pieces += [Const(tuple(plain), "int64")] if plain else []
            pieces.append(_onnx_measure(entry))
            plain = []
        else:
            plain.append(entry)
    pieces += [Const(tuple(plain), "int64")] if plain else []
    found: Call | Const = pieces[0] if len(pieces) == 1 else Call("Concat", tuple(pieces), {"axis": 0})
    return found


def _onnx_measure(entry: Measure) -> Call:
    found, *rest = (Call("Shape", (Arg(entry.source),), {"start": axis, "end": axis + 1}) for axis in entry.axes)
    for other in rest:
        found = Call("Mul", (found, other))
    if entry.times > 1:
        found = Call("Mul", (found, Const((entry.times,), "int64")))
    return Call("Div", (found, Const((entry.over,), "int64"))) if entry.over > 1 else found


def onnx_transpose(x: Lowered, order: Sequence[int]) -> Lowered:
    """`x` itself where nothing moves."""
    return x if list(order) == sorted(order) else Call("Transpose", (x,), {"perm": tuple(order)})


# ── Keras ────────────────────────────────────────────────────────────────────────────────────────────────────


def keras_order(rank: int) -> tuple[int, ...]:
    """The canonical axes in the order in which Keras has them."""
    return (0, *range(2, rank), 1) if rank > 2 else tuple(range(rank))


def keras_shape(shape: Shape) -> Shape:
    """A canonical shape as Keras has it."""
    return tuple(shape[axis] for axis in keras_order(len(shape)))


def keras_told(found: Call, before: Size, shape: Shape) -> Lowered:
    """What is left of an axis whose size was `before`, where that is only known at run time: told the sizes, if it can be."""
    sizes = keras_shape(shape)[1:]
    if isinstance(before, int) or not all(isinstance(size, int) for size in sizes):
        return found
    return Apply("layers.Reshape", (sizes,), inputs=(found,))


def keras_place(axis: int, rank: int) -> int:
    """Where Keras has canonical axis `axis`, as a number from 0 on."""
    return keras_order(rank).index(axis)


def keras_transpose(x: Lowered, order: Sequence[int]) -> Lowered:
    """`x` itself where nothing moves."""
    return x if list(order) == sorted(order) else Call("ops.transpose", (x, tuple(order)))


def keras_reshape(x: Lowered, sizes: Shape, shape: Shape, *like: Shape) -> Lowered:
    """A reshape of `x`, whose shape in Keras is `shape`; the batch stays. `x` itself where no size changes.

    `like`: the second input's shape in Keras, where there is one.
    """
    if len(sizes) == len(shape) and all(map(equal, sizes, shape)):
        return x
    if sum(isinstance(size, Dim) for size in sizes[1:]) <= 1:
        return Apply("layers.Reshape", (tuple(-1 if isinstance(size, Dim) else size for size in sizes[1:]),), inputs=(x,))
    entries = measured(sizes[1:], shape, *like)
    if entries is None:
        return too_many(sizes[1:])
    inputs = (x, Arg(1)) if _uses_second(entries) else (x,)
    return Apply("helpers.ReshapeTo", (written(entries, shape, *like),), inputs=inputs)


def keras_reshaped(sizes: Shape, shape: Shape, *others: Shape) -> Lowered:
    """A reshape in canonical order of the channels-last input, transposed only where that makes a difference."""
    like = tuple(map(keras_shape, others))
    if min(len(sizes), len(shape)) > 2 and equal(sizes[1], shape[1]):
        return keras_reshape(Arg(0), keras_shape(sizes), keras_shape(shape), *like)  # every channel keeps its own positions
    x: Lowered = Arg(0)
    now = keras_shape(shape)
    if _order_matters(shape):
        x, now = keras_transpose(x, [keras_place(axis, len(shape)) for axis in range(len(shape))]), shape
    if not _order_matters(sizes):
        return keras_reshape(x, keras_shape(sizes), now, *like)
    made = keras_reshape(x, sizes, now, *like)
    return made if isinstance(made, Unsupported) else keras_transpose(made, keras_order(len(sizes)))


def _order_matters(shape: Shape) -> bool:
    """Whether channels last lays the elements in another order: there are several channels and several positions."""
    return len(shape) > 2 and not is_one(shape[1]) and not all(map(is_one, shape[2:]))


# ── elements regrouped: an axis split into several, the parts moved, neighbours merged ──────────────────────


@dataclass(frozen=True, slots=True)
class Regroup:
    """Axes split to `split`, put into `order`, merged to `merged`; sizes in canonical order, or in Keras's."""

    split: Shape
    order: tuple[int, ...]
    merged: Shape


def onnx_regroup(how: Regroup, x: TensorType) -> Lowered:
    split = onnx_reshape(how.split, x.shape)
    return split if isinstance(split, Unsupported) else onnx_reshape(how.merged, x.shape, x=onnx_transpose(split, how.order))


def keras_regroup(how: Regroup, x: TensorType) -> Lowered:
    split = keras_reshape(Arg(0), how.split, keras_shape(x.shape))
    if isinstance(split, Unsupported):
        return split
    moved = tuple(how.split[axis] for axis in how.order)
    return keras_reshape(keras_transpose(split, how.order), how.merged, moved)


# ── checks and fields of view ────────────────────────────────────────────────────────────────────────────────


def check_rank(op: str, x: TensorType, least: int = 2, most: int = 5) -> None:
    """ShapeError CNN030 outside of the ranks that a layer takes."""
    if not least <= x.rank <= most:
        raise ShapeError(f"`{op}` takes a tensor of rank {least} to {most}, not {x.rank}", inputs={0: str(x)})


def too_few(x: TensorType, axis: int, what: str, least: int) -> ShapeError:
    """A symbolic size that is not provably as large as `what` needs."""
    whole, name = x.shape[axis], axis_name(axis, x.rank)
    plain = str(whole) in dims.symbols(whole)
    hint = (
        f"declare `{whole} >= {least}` in the input"
        if plain
        else f"declare the input so that {whole} is always {least} or more"
    )
    message = f"{what} needs a {name} of at least {least}, which {whole} may not be"
    return ShapeError(message, "CNN034", hint=hint, inputs={0: f"{name} {whole}"})


def divided(size: Size, by: int, fail: Callable[[dims.Equality], Exception]) -> Size:
    """`size // by`; what `fail` makes of the verdict is raised where something may be left over."""
    verdict = equal(size // by * by, size)
    if not verdict:
        raise fail(verdict)
    return size // by


def seen_whole(axes: Sequence[int], rank: int) -> Window | None:
    """The field of view of a layer that takes all of `axes` together; None where none of them is of space."""
    return in_place([axis not in axes for axis in range(2, rank)]) if any(axis > 1 for axis in axes) else None


def in_place(kept: Sequence[bool]) -> Window:
    """The field of view where spatial axes that are `kept` stay what they are, and the others are seen as a whole."""
    rank = len(kept)
    return Window(extent=tuple(1 if keep else None for keep in kept), stride=((1, 1),) * rank, before=(0,) * rank)
