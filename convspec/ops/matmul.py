"""`matmul`: products of matrices, which the last two axes hold; all axes before them are a batch.

In canonical order the last two axes are height and width for images, depth aside, and channels and length for sequences.
"""

from __future__ import annotations

from convspec.ir.attrs import Flag
from convspec.ir.dims import Size, equal
from convspec.ir.lowering import Arg, Call, Lowered
from convspec.ir.opdef import Cost, OpDef, ShapeError, Window, attr
from convspec.ir.types import Array, TensorType
from convspec.ops._axes import axis_name
from convspec.ops._elementwise import broadcast_pair, elements
from convspec.ops._shapes import check_rank, in_place, keras_order, keras_transpose, onnx_transpose
from convspec.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MatMul:
    """`a -> matmul(b)`: (N, A, B) times (N, B, D) is (N, A, D). Axes of the batch agree, or are 1 in one of the two."""

    transpose_a: bool = attr(Flag(), False, doc="Whether the matrices of the first tensor are transposed before.")
    transpose_b: bool = attr(Flag(), False, doc="Whether the matrices of the second tensor are transposed before.")


def _matrix(x: TensorType, transposed: bool) -> tuple[Size, Size]:
    rows, columns = x.shape[-2:]
    return (columns, rows) if transposed else (rows, columns)


def infer(a: MatMul, x: TensorType, y: TensorType) -> TensorType:
    check_rank("matmul", x)
    check_rank("matmul", y)
    (rows, left), (right, columns) = _matrix(x, a.transpose_a), _matrix(y, a.transpose_b)
    one = (1,) * 2
    batch = broadcast_pair("matmul", x.with_shape((*x.shape[:-2], *one)), y.with_shape((*y.shape[:-2], *one)))
    equality = equal(left, right)
    if not equality:
        last = x.rank - 1
        names = axis_name(last - a.transpose_a, x.rank), axis_name(last - 1 + a.transpose_b, y.rank)
        raise ShapeError(
            f"`matmul` sums over the {names[0]} of the first tensor and the {names[1]} of the second, which differ",
            "CNN031",
            inputs={0: f"{names[0]} {left}", 1: f"{names[1]} {right}"},
            equality=equality,
        )
    return x.with_shape((*batch.shape[:-2], rows, columns))


def cost(a: MatMul, x: TensorType, y: TensorType) -> Cost:
    return Cost(macs=elements(infer(a, x, y)) * _matrix(x, a.transpose_a)[1])


def receptive_field(a: MatMul, x: TensorType, y: TensorType) -> Window:
    """A row of one and a column of the other: whole axes among the last two."""
    return in_place([axis < x.rank - 2 for axis in range(2, x.rank)])


def evaluate(a: MatMul, p: object, x: Array, y: Array) -> Array:
    x = x.swapaxes(-1, -2) if a.transpose_a else x
    result: Array = x @ (y.swapaxes(-1, -2) if a.transpose_b else y)
    return result


def to_torch(a: MatMul, x: TensorType, y: TensorType) -> Lowered:
    last = (x.rank - 2, x.rank - 1)
    left = Call(".transpose", (Arg(0), *last)) if a.transpose_a else Arg(0)
    return Call("@", (left, Call(".transpose", (Arg(1), *last)) if a.transpose_b else Arg(1)))


def _order(rank: int, transposed: bool) -> list[int]:
    """The canonical axes, the last two changed about if so wished."""
    axes = list(range(rank))
    return [*axes[:-2], axes[-1], axes[-2]] if transposed else axes


def to_keras(a: MatMul, x: TensorType, y: TensorType) -> Lowered:
    """(N, A, B) lies transposed in Keras: the product is that of the other order. Images go to canonical order and back."""
    if x.rank == 3:
        swapped = keras_transpose(Arg(1), _order(3, a.transpose_b)), keras_transpose(Arg(0), _order(3, a.transpose_a))
        return Call("ops.matmul", swapped)
    stored = keras_order(x.rank)
    left, right = (
        keras_transpose(Arg(index), [stored.index(axis) for axis in _order(x.rank, transposed)])
        for index, transposed in enumerate((a.transpose_a, a.transpose_b))
    )
    return keras_transpose(Call("ops.matmul", (left, right)), stored)


def to_onnx(a: MatMul, x: TensorType, y: TensorType) -> Lowered:
    left = onnx_transpose(Arg(0), _order(x.rank, a.transpose_a))
    return Call("MatMul", (left, onnx_transpose(Arg(1), _order(x.rank, a.transpose_b))))


OP = OpDef(
    name="matmul",
    attrs=MatMul,
    summary="Products of matrices, held by the last two axes",
    inputs=("a", "b"),
    infer=infer,
    evaluate=evaluate,
    cost=cost,
    receptive_field=receptive_field,
    lower={"pytorch": to_torch, "tensorflow": to_keras, "onnx": to_onnx},
    formula="y[n, …, i, j] = Σₖ a[n, …, i, k] · b[n, …, k, j]",
    shape="(N, …, A, B), (N, …, B, D) → (N, …, A, D)",
    source="",
    example="input q: float32[N, 16, 20]\ninput k: float32[N, 16, 30]\noutput q -> matmul(k, transpose_a = true)",
)
