"""The stored tensors of an ONNX graph: parameters as they stand or in another layout, and constants, each once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from functools import partial
from math import prod

from convspec.ir.graph import Parameter
from convspec.ir.lowering import Const, Weight
from convspec.ir.types import Array, TensorType
from convspec.records import dataclass
from convspec.targets.base import Weights
from convspec.targets.onnx.names import Names
from convspec.weights.dtypes import numpy_dtype
from convspec.weights.streaming import Piece, little_endian, of_array, pieces


@dataclass(frozen=True, slots=True)
class Tensor:
    """An initialiser to be."""

    dtype: str
    shape: tuple[int, ...]
    nbytes: int
    constant: Array | None = None
    """The elements of a constant; None for a parameter, whose elements are made when they are written."""
    source: tuple[Parameter, tuple[int, ...] | None, tuple[int, ...] | None] | None = None
    """A parameter, and how it is reshaped and then permuted."""

    @property
    def type(self) -> TensorType:
        return TensorType(self.dtype, self.shape)

    def pieces(self, weights: Weights) -> Sequence[Piece]:
        """The elements as bytes, for a file."""
        if self.constant is not None:
            return (of_array(self.constant),)
        assert self.source is not None
        parameter, reshape, permute = self.source
        if permute is None:
            return pieces(weights, parameter.name)
        return (Piece(self.nbytes, partial(_permuted, weights, parameter.name, reshape, permute)),)


def _permuted(weights: Weights, name: str, reshape: tuple[int, ...] | None, permute: tuple[int, ...]) -> memoryview:
    array = weights[name]
    return little_endian((array if reshape is None else array.reshape(reshape)).transpose(permute))


@dataclass(slots=True)
class Tensors:
    """`stored` is filled in the order in which nodes first use a tensor."""

    names: Names
    stored: dict[str, Tensor] = field(default_factory=dict)
    _variants: dict[tuple[str, tuple[int, ...] | None, tuple[int, ...] | None], str] = field(default_factory=dict)
    _constants: dict[tuple[str, tuple[int, ...], bytes], str] = field(default_factory=dict)
    _known: dict[int, tuple[Const, str]] = field(default_factory=dict)
    """Constants of lowerings that several layers share, by their id."""
    _widths: dict[str, int] = field(default_factory=dict)

    def parameter(self, parameter: Parameter, use: Weight) -> str:
        """The name of the initialiser for a parameter. Its own name where it is stored unchanged."""
        if use.reshape is None and use.permute is None and parameter.name in self.stored:
            return parameter.name
        reshape = use.reshape if use.reshape != parameter.shape else None
        permute = use.permute if use.permute is not None and use.permute != tuple(range(len(use.permute))) else None
        key = (parameter.name, reshape, permute)
        if key not in self._variants:
            self._variants[key] = self._store(parameter, reshape, permute)
        return self._variants[key]

    def _store(self, parameter: Parameter, reshape: tuple[int, ...] | None, permute: tuple[int, ...] | None) -> str:
        name, shape = parameter.name, parameter.shape
        if reshape is not None:
            shape = _filled(reshape, parameter.size)
            name += "/" + "x".join(map(str, reshape))
        if permute is not None:
            shape = tuple(shape[axis] for axis in permute)
            name += "/" + ",".join(map(str, permute))
        if name != parameter.name:
            name = self.names.fresh(name)
        nbytes = parameter.size * self._width(parameter.dtype)
        self.stored[name] = Tensor(parameter.dtype, shape, nbytes, source=(parameter, reshape, permute))
        return name

    def _width(self, dtype: str) -> int:
        if dtype not in self._widths:
            self._widths[dtype] = numpy_dtype(dtype).itemsize
        return self._widths[dtype]

    def constant(self, constant: Const) -> str:
        """The name of the initialiser for a constant; equal ones share it."""
        if id(constant) not in self._known:
            self._known[id(constant)] = (constant, self._store_constant(constant))
        return self._known[id(constant)][1]

    def _store_constant(self, constant: Const) -> str:
        import numpy as np

        array: Array = np.asarray(constant.data, dtype=numpy_dtype(constant.dtype))
        key = (constant.dtype, array.shape, array.tobytes())
        if key not in self._constants:
            name = self.names.fresh(f"constant_{len(self._constants) + 1}")
            self._constants[key] = name
            self.stored[name] = Tensor(constant.dtype, array.shape, array.nbytes, array)
        return self._constants[key]


def _filled(shape: tuple[int, ...], size: int) -> tuple[int, ...]:
    """A shape to reshape to, with a size of -1 worked out."""
    known = prod(extent for extent in shape if extent >= 0)
    return tuple(extent if extent >= 0 else size // known for extent in shape)
