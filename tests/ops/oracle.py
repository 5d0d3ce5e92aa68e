"""A second opinion: an op's reference and PyTorch lowering against a formula that the test writes down itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from convspec.ir.types import Array
from tests.ops.cases import Case, cotangents
from tests.ops.harness import TorchNet, assert_close, check, reference

EXACT = 1e-12


def check_both(
    formula: Callable[..., Any],
    op: str,
    attrs: Mapping[str, Any],
    x: Array,
    free: Mapping[int, int] | None = None,
) -> Case:
    """All targets as `check` does, and the op against `formula(x, weight=…, bias=…)` of float64 tensors with autograd."""
    case = check(op, attrs, x, free=free)
    outputs, gradients = _run(formula, case)
    assert_close(reference(case)[0], outputs, EXACT, f"{case}: reference")
    found = TorchNet(case, "float64").run().gradients
    assert set(found) == set(gradients)
    for name, expected in gradients.items():
        assert_close(found[name], expected, EXACT, f"{case}: gradient of {name}")
    return case


def _run(formula: Callable[..., Any], case: Case) -> tuple[Array, dict[str, Array]]:
    torch: Any = import_module("torch")
    leaves = {"input 0": case.arrays[0], **case.params}
    tensors = {name: torch.tensor(array, requires_grad=True) for name, array in leaves.items()}
    y = formula(tensors["input 0"], **{role: tensors[role] for role in case.params})
    (y * torch.tensor(cotangents(case)[0])).sum().backward()
    return y.detach().numpy(), {name: tensor.grad.numpy() for name, tensor in tensors.items()}


def noise(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape)


def ties(*shape: int, seed: int = 0) -> Array:
    """Few different values, so that most windows hold several equal ones; all negative, so that a zero would win."""
    return -1.0 - np.random.default_rng(seed).integers(0, 3, shape)


def functional(name: str, rank: int) -> Any:
    """`functional("conv", 2)` is torch's conv2d."""
    return getattr(import_module("torch.nn.functional"), f"{name}{rank}d")


def pad(x: Any, pairs: Any, value: float = 0.0) -> Any:
    """Pads, first axis first; torch wants the last axis first."""
    return import_module("torch.nn.functional").pad(x, [side for pair in reversed(pairs) for side in pair], value=value)
