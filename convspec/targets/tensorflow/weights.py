"""Weights as Keras layers store them: which variable holds which parameter, and how its axes are rearranged.

The file is written without TensorFlow. Its tensors are keyed `<layer>/<variable>` (`layer1.0.conv1/kernel`), which is how
Keras names a variable; its metadata says how each came from the spec's parameter, so that weights trained in Keras can be
brought back to the spec's names and layouts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

from convspec.diagnostics import error, fail
from convspec.ir.graph import Node, Parameter
from convspec.ir.lowering import Apply, Weight
from convspec.ir.types import Array
from convspec.targets.tensorflow.layout import CANONICAL, FEATURE_AXIS, FlattenPlan, Order, Segment, indices
from convspec.weights.check import Stored
from convspec.weights.streaming import Piece, literal, little_endian, nbytes, stored, write_pieces

METADATA_KEY = "convspec"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Variable:
    """A Keras layer's variable and the stored parameter that fills it.

    The parameter's features are put into `order` along `axis` (see layout), then it is reshaped, then its axes are permuted.
    """

    key: str
    parameter: str
    shape: tuple[int, ...]
    """Of the parameter, in canonical layout."""
    axis: int = 0
    order: Order = CANONICAL
    reshape: tuple[int, ...] | None = None
    permute: tuple[int, ...] | None = None

    def to_keras(self, array: Array) -> Array:
        """The variable's value for the parameter's value `array`, contiguous."""
        import numpy as np

        if self.order:
            array = array.take(indices(self.order), self.axis)
        if self.reshape is not None:
            array = array.reshape(self.reshape)
        if self.permute is not None:
            array = array.transpose(self.permute)
        return np.ascontiguousarray(array)

    def to_canonical(self, array: Array) -> Array:
        """The parameter's value for the variable's value `array`: the inverse of `to_keras`."""
        import numpy as np

        if self.permute is not None:
            array = array.transpose(tuple(np.argsort(self.permute)))
        array = array.reshape(self.shape)
        if self.order:
            array = array.take(np.argsort(indices(self.order)), self.axis)
        return np.ascontiguousarray(array)

    @property
    def keras_shape(self) -> tuple[int, ...]:
        """The shape of the Keras variable."""
        shape = self.reshape if self.reshape is not None else self.shape
        return shape if self.permute is None else tuple(shape[axis] for axis in self.permute)


def variables_of(node: Node, apply: Apply, plan: FlattenPlan) -> list[Variable]:
    """The variables of the layer that `node` lowers to, in the order in which the lowering names them."""
    return [_variable(node, f"{node.path}/{name}", weight, plan) for name, weight in apply.weights.items()]


def _variable(node: Node, key: str, weight: Weight, plan: FlattenPlan) -> Variable:
    parameter: Parameter = node.params[weight.role]
    order = plan.orders.get(parameter.name, CANONICAL)
    axis = FEATURE_AXIS[node.op.name][weight.role] if order else 0
    return Variable(key, parameter.name, parameter.shape, axis, order, weight.reshape, weight.permute)


def to_keras(variables: Iterable[Variable], weights: Mapping[str, Array]) -> dict[str, Array]:
    """Every variable's value by key, from canonical `weights` by parameter name."""
    return {variable.key: variable.to_keras(weights[variable.parameter]) for variable in variables}


def content(variables: Iterable[Variable], weights: Mapping[str, Array]) -> Callable[[BinaryIO], None]:
    """A function that writes the safetensors file: each value is made when it is written, and not kept.

    The widest elements come first, then it goes by name, as the safetensors package has it.
    """
    from convspec.weights.dtypes import numpy_dtype
    from convspec.weights.store import Entry, header

    entries: list[Entry] = []
    metadata = to_metadata(variables)
    for variable in variables:
        made = Stored(stored(weights, variable.parameter).dtype, variable.keras_shape)
        piece = Piece(nbytes(made), partial(_bytes, variable, weights))
        entries.append(Entry(variable.key, made, (piece,)))
    entries.sort(key=lambda entry: (-numpy_dtype(entry.type.dtype).itemsize, entry.name))
    parts = [literal(header(entries, metadata)), *(piece for entry in entries for piece in entry.pieces)]
    return lambda file: write_pieces(file, parts)


def _bytes(variable: Variable, weights: Mapping[str, Array]) -> memoryview:
    return little_endian(variable.to_keras(weights[variable.parameter]))


def to_canonical(variables: Iterable[Variable], values: Mapping[str, Array]) -> dict[str, Array]:
    """Every parameter's value by its label name, from the Keras variables' `values` by key."""
    return {variable.parameter: variable.to_canonical(values[variable.key]) for variable in variables}


def to_metadata(variables: Iterable[Variable]) -> dict[str, str]:
    """A safetensors header that says how each variable came from its parameter; one entry, so that bytes are stable."""
    rows = {variable.key: _row(variable) for variable in variables}
    return {METADATA_KEY: json.dumps({"layout": "keras", "version": FORMAT, "variables": rows}, separators=(",", ":"))}


def _row(variable: Variable) -> dict[str, Any]:
    row: dict[str, Any] = {"parameter": variable.parameter, "shape": variable.shape}
    if variable.order:
        row["axis"] = variable.axis
        row["order"] = [[segment.channels, segment.positions] for segment in variable.order]
    if variable.reshape is not None:
        row["reshape"] = variable.reshape
    if variable.permute is not None:
        row["permute"] = variable.permute
    return row


def from_metadata(metadata: Mapping[str, str]) -> list[Variable]:
    """The variables that `to_metadata` described. Failure CNN200 where the text is not such a description."""
    try:
        description = json.loads(metadata[METADATA_KEY])
        if description["layout"] != "keras" or description["version"] != FORMAT:
            raise ValueError(f"layout {description['layout']}, version {description['version']}")
        return [_from_row(key, row) for key, row in description["variables"].items()]
    except (KeyError, TypeError, ValueError) as problem:
        raise fail(error("CNN200", f"the file does not say how its Keras weights map to the spec's: {problem}")) from None


def _from_row(key: str, row: Mapping[str, Any]) -> Variable:
    return Variable(
        key,
        row["parameter"],
        tuple(row["shape"]),
        row.get("axis", 0),
        tuple(Segment(channels, positions) for channels, positions in row.get("order", [])),
        tuple(row["reshape"]) if "reshape" in row else None,
        tuple(row["permute"]) if "permute" in row else None,
    )


__all__ = ["Variable", "content", "from_metadata", "to_canonical", "to_keras", "to_metadata", "variables_of"]
