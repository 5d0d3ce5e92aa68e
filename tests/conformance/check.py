"""Holds a cell against the reference on one target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

import convspec
from convspec.diagnostics import Failure
from convspec.diagnostics.render import render
from convspec.ir.types import Array
from convspec.runtime.reference import evaluate
from convspec.targets.base import find_target
from tests.conformance.cell import Cell
from tests.conformance.frameworks import Run, cast, direction, run_keras, run_torch
from tests.ops.harness import assert_close

EXACT = 1e-8
"""Of everything in float64."""
TARGETS = ("onnx", "pytorch", "tensorflow")


@lru_cache(maxsize=8)
def reference(cell: Cell) -> dict[str, Array]:
    """The outputs in float64."""
    return evaluate(cell.module.graph, cell.weights, cell.arrays).outputs


@lru_cache(maxsize=8)
def torch_exact(cell: Cell) -> Run:
    """PyTorch in float64: what gradients are held against."""
    return run_torch(cell.module, cell.weights, cell.arrays, "float64", cell.gradients, cell.training)


def check(cell: Cell, target: str) -> None:
    """Everything that the cell says of `target`. Raises AssertionError with the place of the worst difference."""
    if target in cell.impossible:
        check_refused(cell, target)
    else:
        _CHECKS[target](cell)


def check_refused(cell: Cell, target: str) -> None:
    """The target says, as an error at the layer, that it cannot express this."""
    found = find_target(target)
    with pytest.raises(Failure) as caught:
        found.emit(cell.module, cell.weights, found.options())
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == ["CNN090"]
    assert cell.impossible[target] in render(caught.value.diagnostics)


def check_onnx(cell: Cell) -> None:
    if cell.training:
        return  # ONNX has inference only
    net = convspec.Net(cell.module, cell.weights)
    _compare(
        "ONNX Runtime", net.run(cast(cell.arrays, "float32"), runtime="onnxruntime", optimize=0), reference(cell), cell.gate
    )


def check_pytorch(cell: Cell) -> None:
    exact = torch_exact(cell)
    if not cell.training:
        _compare("PyTorch in float64", exact.outputs, reference(cell), EXACT)
        single = run_torch(cell.module, cell.weights, cell.arrays, "float32")
        _compare("PyTorch in float32", single.outputs, reference(cell), cell.gate)
    if cell.oracle is not None:
        expected = _oracle(cell)
        _compare("PyTorch against the formula", exact.outputs, expected.outputs, EXACT)
        _compare_gradients("PyTorch against the formula", exact.gradients, expected.gradients)


def check_keras(cell: Cell) -> None:
    expected = torch_exact(cell)
    found = run_keras(cell.module, cell.weights, cell.arrays, "float64", cell.gradients, cell.training)
    _compare("Keras in float64", found.outputs, expected.outputs if cell.training else reference(cell), EXACT)
    _compare_gradients("Keras", found.gradients, expected.gradients)
    if cell.training:
        _compare("Keras, statistics", found.statistics, expected.statistics, EXACT)
        return
    single = run_keras(cell.module, cell.weights, cell.arrays, "float32")
    _compare("Keras in float32", single.outputs, reference(cell), cell.gate)


_CHECKS: dict[str, Callable[[Cell], None]] = {"onnx": check_onnx, "pytorch": check_pytorch, "tensorflow": check_keras}


def _compare(who: str, found: Mapping[str, Array], expected: Mapping[str, Array], allowed: float) -> None:
    assert list(found) == list(expected), f"{who} gives {list(found)}"
    for name, want in expected.items():
        if want.dtype.kind == "f":
            assert_close(found[name], want, allowed, f"{who}, {name}")
        else:
            assert found[name].dtype == want.dtype, f"{who}, {name}: {found[name].dtype}, expected {want.dtype}"
            assert np.array_equal(found[name], want), f"{who}, {name}"


def _compare_gradients(who: str, found: Mapping[str, Array], expected: Mapping[str, Array]) -> None:
    """What nothing depends on has no gradient, or zeros."""
    for name in expected.keys() | found.keys():
        known = expected.get(name, found.get(name))
        assert known is not None
        none = np.zeros_like(known)
        assert_close(found.get(name, none), expected.get(name, none), EXACT, f"{who}, gradient of {name}")


def _oracle(cell: Cell) -> Run:
    """The cell's own formula in float64, with gradients by autograd."""
    import torch

    assert cell.oracle is not None
    tensors: dict[str, Any] = {name: torch.tensor(array) for name, array in cast(cell.arrays, "float64").items()}
    parameters = cell.module.graph.parameters()
    stored: dict[str, Any] = {name: torch.tensor(array) for name, array in cast(cell.weights, "float64").items()}
    trained = {name: tensor for name, tensor in stored.items() if parameters[name].trainable}
    leaves = {name: t for name, t in (tensors | trained).items() if t.is_floating_point()}
    for leaf in leaves.values():
        leaf.requires_grad_(cell.gradients)
    by_role = {parameters[name].role.replace(".", "_") or "weight": tensor for name, tensor in stored.items()}
    result = cell.oracle(*tensors.values(), **by_role)
    outputs = dict(zip((item.name for item in cell.module.graph.outputs), _listed(result), strict=True))
    gradients = {}
    if cell.gradients:
        loss = sum((value * torch.from_numpy(direction(name, tuple(value.shape)))).sum() for name, value in outputs.items())
        grads = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
        gradients = {name: grad.numpy() for name, grad in zip(leaves, grads, strict=True) if grad is not None}
    return Run({name: value.detach().numpy() for name, value in outputs.items()}, gradients)


def _listed(result: Any) -> list[Any]:
    return list(result) if isinstance(result, tuple | list) else [result]


__all__ = ["TARGETS", "check"]
