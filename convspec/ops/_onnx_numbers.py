"""Arithmetic in an ONNX graph, written as Python writes it: for positions that depend on sizes known only at run time."""

from __future__ import annotations

from typing import Any, TypeAlias

from convspec.ir.dims import Size
from convspec.ir.lowering import Call, Const
from convspec.ops._dtypes import onnx_cast
from convspec.records import dataclass


@dataclass(frozen=True, slots=True)
class Numbers:
    """A tensor in the graph. `//` is for int64 that is not negative, for which ONNX's division rounds down."""

    node: Any
    dtype: str = "int64"

    def __add__(self, other: Count) -> Numbers:
        return self if isinstance(other, int) and other == 0 else self._with("Add", other)

    def __sub__(self, other: Count) -> Numbers:
        return self if isinstance(other, int) and other == 0 else self._with("Sub", other)

    def __mul__(self, other: Count) -> Numbers:
        return self if isinstance(other, int) and other == 1 else self._with("Mul", other)

    def __truediv__(self, other: Count) -> Numbers:
        return self._with("Div", other)

    def __floordiv__(self, other: Count) -> Numbers:
        return self if isinstance(other, int) and other == 1 else self._with("Div", other)

    def __rsub__(self, other: int | float) -> Numbers:
        return Numbers(Call("Sub", (Const(other, self.dtype), self.node)), self.dtype)

    __radd__ = __add__
    __rmul__ = __mul__

    def _with(self, op_type: str, other: Count) -> Numbers:
        right = other.node if isinstance(other, Numbers) else Const(other, self.dtype)
        return Numbers(Call(op_type, (self.node, right)), self.dtype)

    def clip(self, least: Count, most: Count) -> Numbers:
        return self.least(least).most(most)

    def least(self, other: Count) -> Numbers:
        """Not below `other`."""
        return self._with("Max", other)

    def most(self, other: Count) -> Numbers:
        """Not above `other`."""
        return self._with("Min", other)

    def column(self, axes: int = 1) -> Numbers:
        """A line of numbers with `axes` more axes of size 1 behind it (onnx's data propagation trips over Unsqueeze here)."""
        shape = Const((-1, *(1,) * axes), "int64")
        return Numbers(Call("Reshape", (self.node, shape), {"allowzero": 0}), self.dtype) if axes else self

    def floats(self, dtype: str) -> Numbers:
        return Numbers(onnx_cast(self.node, dtype), dtype)


Count: TypeAlias = int | float | Numbers


def length(tensor: Any, size: Size, axis: int) -> int | Numbers:
    """The size of a tensor's axis: a number where it is known, else read at run time."""
    if isinstance(size, int):
        return size
    shape = Call("Shape", (tensor,), {"start": axis, "end": axis + 1})
    return Numbers(Call("Squeeze", (shape, Const((0,), "int64"))))


def lifted(count: int | Numbers) -> Numbers:
    """A count as a tensor, for arithmetic that begins with it."""
    return count if isinstance(count, Numbers) else Numbers(Const(int(count), "int64"))


def line(count: int | Numbers) -> Numbers:
    """0, 1 … count - 1."""
    return Numbers(Call("Range", (Const(0, "int64"), lifted(count).node, Const(1, "int64"))))


def apply_matrix(x: Any, matrix: Any, axis: int, rank: int) -> Any:
    """A matrix (outputs, inputs) times the cells along one axis of a tensor of `rank` axes."""
    if axis == rank - 2:
        return Call("MatMul", (matrix, x))
    if axis == rank - 1:
        return Call("MatMul", (x, Call("Transpose", (matrix,), {"perm": (1, 0)})))
    swap = [*range(rank)]
    swap[axis], swap[rank - 2] = rank - 2, axis
    turned = Call("Transpose", (x,), {"perm": tuple(swap)})
    return Call("Transpose", (Call("MatMul", (matrix, turned)),), {"perm": tuple(swap)})
