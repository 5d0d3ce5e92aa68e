"""Integer arithmetic in an ONNX graph, written as Python writes it: positions that depend on sizes known only at run time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from convspec.ir.dims import Size
from convspec.ir.lowering import Call, Const
from convspec.ops._dtypes import onnx_cast


@dataclass(frozen=True, slots=True)
class Numbers:
    """An int64 tensor in the graph. `//` is for numbers that are not negative, for which ONNX's division rounds down."""

    node: Any

    def __add__(self, other: Count) -> Numbers:
        return self if isinstance(other, int) and other == 0 else self._with("Add", other)

    def __sub__(self, other: Count) -> Numbers:
        return self if isinstance(other, int) and other == 0 else self._with("Sub", other)

    def __mul__(self, other: Count) -> Numbers:
        return self if isinstance(other, int) and other == 1 else self._with("Mul", other)

    def __floordiv__(self, other: Count) -> Numbers:
        return self if isinstance(other, int) and other == 1 else self._with("Div", other)

    def _with(self, op_type: str, other: Count) -> Numbers:
        return Numbers(Call(op_type, (self.node, node_of(other))))

    def clip(self, least: Count, most: Count) -> Numbers:
        return self.least(least).most(most)

    def least(self, other: Count) -> Numbers:
        """Not below `other`."""
        return self._with("Max", other)

    def most(self, other: Count) -> Numbers:
        """Not above `other`."""
        return self._with("Min", other)

    def column(self) -> Numbers:
        """A line of numbers as a column."""
        return Numbers(Call("Unsqueeze", (self.node, Const((1,), "int64"))))

    def floats(self, dtype: str) -> Call:
        return onnx_cast(self.node, dtype)


Count: TypeAlias = int | Numbers


def node_of(count: Count) -> Any:
    """The tensor that a count is in the graph."""
    return count.node if isinstance(count, Numbers) else Const(int(count), "int64")


def length(tensor: Any, size: Size, axis: int) -> Count:
    """The size of a tensor's axis: a number where it is known, else read at run time."""
    if isinstance(size, int):
        return size
    shape = Call("Shape", (tensor,), {"start": axis, "end": axis + 1})
    return Numbers(Call("Squeeze", (shape, Const((0,), "int64"))))


def line(count: Count) -> Numbers:
    """0, 1 … count - 1."""
    return Numbers(Call("Range", (Const(0, "int64"), node_of(count), Const(1, "int64"))))


def lifted(count: Count) -> Numbers:
    """A count as a tensor, for arithmetic that begins with it."""
    return count if isinstance(count, Numbers) else Numbers(Const(count, "int64"))


def apply_matrix(x: Any, matrix: Any, axis: int, rank: int) -> Any:
    """A matrix (outputs, inputs) times the cells along one axis of a tensor of `rank` axes."""
    if axis == rank - 2:
        return Call("MatMul", (matrix, x))
    swap = [*range(rank)]
    swap[axis], swap[rank - 2] = rank - 2, axis
    if axis == rank - 1:
        return Call("MatMul", (x, Call("Transpose", (matrix,), {"perm": (1, 0)})))
    turned = Call("Transpose", (x,), {"perm": tuple(swap)})
    return Call("Transpose", (Call("MatMul", (matrix, turned)),), {"perm": tuple(swap)})
