"""The stored tensors of an ONNX graph: parameters as they stand or in another layout, and constants, each once."""

from __future__ import annotations

from dataclasses import dataclass, field

from convspec.ir.graph import Parameter
from convspec.ir.lowering import Const, Weight
from convspec.ir.types import Array
from convspec.targets.base import Weights
from convspec.targets.onnx.names import Names
from convspec.weights.dtypes import numpy_dtype


@dataclass(slots=True)
class Tensors:
    """`stored` is filled in the order in which nodes first use a tensor."""

    weights: Weights
    names: Names
    stored: dict[str, Array] = field(default_factory=dict)
    _variants: dict[tuple[str, tuple[int, ...] | None, tuple[int, ...] | None], str] = field(default_factory=dict)
    _constants: dict[tuple[str, tuple[int, ...], bytes], str] = field(default_factory=dict)

    def parameter(self, parameter: Parameter, use: Weight) -> str:
        """The name of the initialiser for a parameter. Its own name where it is stored unchanged."""
        reshape = use.reshape if use.reshape != parameter.shape else None
        permute = use.permute if use.permute is not None and use.permute != tuple(range(len(use.permute))) else None
        key = (parameter.name, reshape, permute)
        if key not in self._variants:
            self._variants[key] = self._store(parameter, reshape, permute)
        return self._variants[key]

    def _store(self, parameter: Parameter, reshape: tuple[int, ...] | None, permute: tuple[int, ...] | None) -> str:
        array = self.weights[parameter.name]
        name = parameter.name
        if reshape is not None:
            array = array.reshape(reshape)
            name += "/" + "x".join(map(str, reshape))
        if permute is not None:
            array = array.transpose(permute)
            name += "/" + ",".join(map(str, permute))
        if name != parameter.name:
            name = self.names.fresh(name)
        self.stored[name] = array
        return name

    def constant(self, constant: Const) -> str:
        """The name of the initialiser for a constant; equal ones share it."""
        import numpy as np

        array: Array = np.asarray(constant.data, dtype=numpy_dtype(constant.dtype))
        key = (constant.dtype, array.shape, array.tobytes())
        if key not in self._constants:
            name = self.names.fresh(f"constant_{len(self._constants) + 1}")
            self._constants[key] = name
            self.stored[name] = array
        return self._constants[key]
