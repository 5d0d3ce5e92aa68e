"""Every layer declared in float64, float16 and bfloat16, on every runtime that has kernels for it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import convspec
from convspec.diagnostics import Failure
from convspec.elaborate import Module, loads
from convspec.ir.types import Array
from convspec.runtime.reference import evaluate
from convspec.weights.dtypes import numpy_dtype
from convspec.weights.randomised import randomised
from tests.conformance.catalogue import cells, op_names
from tests.conformance.cell import Cell
from tests.ops.harness import assert_close

GATES = {"float64": 1e-8, "float16": 1e-3, "bfloat16": 1e-2}
RUNTIMES = ("onnxruntime", "pytorch", "tensorflow")
NO_KERNELS = {("onnxruntime", "float64"), ("onnxruntime", "bfloat16")}
"""What ONNX Runtime's CPU provider has few kernels for: there a layer may be refused, with a diagnostic."""
NOT_RUN = {"CNN305", "CNN307"}
WITHOUT_FLOATS = {
    *("equal", "greater", "greater_equal", "less", "less_equal", "not_equal"),
    *("logical_and", "logical_not", "logical_or", "embedding"),
}
"""Layers that give bools, or take indices."""


@cache
def first(name: str) -> Cell | None:
    """The first cell of an op that computes with floats, without a second shape or weights of its own."""
    found = (c for c in cells(name) if not c.training and not c.impossible and _is_float(c))
    return next(found, None)


def _is_float(cell: Cell) -> bool:
    kinds = {array.dtype.kind for array in cell.arrays.values()}
    return "f" in kinds and all(item.value.type.dtype == "float32" for item in cell.module.graph.outputs)


def declared(cell: Cell, dtype: str) -> Module:
    """The cell with its floats declared in another precision."""
    return loads(cell.spec_for({name: of.replace("float32", dtype) for name, of in cell.types.items()}))


@pytest.mark.parametrize("dtype", GATES)
@pytest.mark.parametrize("name", [name for name in op_names() if name not in ("cast", "normalize")])
def test_precision(name: str, dtype: str) -> None:
    cell = first(name)
    if cell is None:
        assert name in WITHOUT_FLOATS
        return
    module = declared(cell, dtype)
    arrays = {key: array.astype(numpy_dtype(dtype)) if array.dtype.kind == "f" else array for key, array in cell.arrays.items()}
    weights = randomised(module.graph, seed=1)
    expected = evaluate(module.graph, weights, {key: _wide(array) for key, array in arrays.items()}).outputs
    net = convspec.Net(module, weights)
    for runtime in RUNTIMES:
        try:
            found = net.run(arrays, runtime=runtime, optimize=0)
        except Failure as failure:
            if (runtime, dtype) in NO_KERNELS and {d.code for d in failure.diagnostics} <= NOT_RUN:
                continue
            raise
        for key, want in expected.items():
            assert found[key].dtype == numpy_dtype(dtype), f"{runtime}, {key}"
            gate = 1e-6 if (runtime, dtype) == ("onnxruntime", "float64") else GATES[dtype]  # ONNX's attributes are float32
            assert_close(_wide(found[key]), want, gate, f"{cell!r} on {runtime} in {dtype}, {key}")


def _wide(array: Array) -> Array:
    return array.astype(np.float64) if array.dtype.kind not in "iub" else array
