"""Proves an op on every target from its lowerings alone: the trees are interpreted as they stand, without a printer.

`check("conv", {"filters": 4, "kernel": Extent((3, 3))}, x)` compares the reference (float64), PyTorch and Keras (float32
and float64, with the gradients of inputs and parameters) and ONNX Runtime (float32). Float64 PyTorch is the oracle for
gradients. `check_training` runs steps in training mode. Every comparison is of max|a-b| / max|reference| per tensor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from convspec.ir.opdef import OpDef, TargetName
from convspec.ir.types import Array
from tests.ops.cases import Case, NotExpressible, Run, convert, prepare, resolve, type_of
from tests.ops.run_keras import KerasNet
from tests.ops.run_onnx import OnnxNet
from tests.ops.run_torch import TorchNet

FP32, FP64 = 1e-5, 1e-8
ALL: tuple[TargetName, ...] = ("pytorch", "tensorflow", "onnx")


def scaled_error(a: Array, reference: Array) -> float:
    """max|a-b| / max|reference|; infinite where shapes differ or NaNs and infinities stand in different places."""
    if a.shape != reference.shape:
        return float("inf")
    if not a.size:
        return 0.0
    a, reference = a.astype(np.float64), reference.astype(np.float64)
    odd = ~np.isfinite(reference)
    if not np.array_equal(a[odd], reference[odd], equal_nan=True) or not np.isfinite(a[~odd]).all():
        return float("inf")
    if odd.all():
        return 0.0
    scale = np.abs(reference[~odd]).max()
    return float(np.abs(a[~odd] - reference[~odd]).max() / (scale if scale > 0 else 1.0))


def assert_close(found: Array, expected: Array, allowed: float, what: str) -> None:
    """Fails with the place of the largest difference and both numbers there."""
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, expected {expected.shape}"
    error = scaled_error(found, expected)
    if error <= allowed:
        return
    difference = np.abs(found.astype(np.float64) - expected.astype(np.float64))
    at = np.unravel_index(int(np.argmax(np.where(np.isnan(difference), np.inf, difference))), found.shape)
    place = tuple(int(i) for i in at)
    worst = f"worst at {place}: {found[at].item()}, expected {expected[at].item()}"
    raise AssertionError(f"{what}: scaled error {error:.2e}, allowed {allowed:.0e}; {worst}")


def reference(case: Case, dtype: str = "float64") -> tuple[Array, ...]:
    """What the op's own `evaluate` gives, of the shape that `infer` says and in the precision that went in."""
    arrays = [a.astype(dtype) if a.dtype.kind == "f" else a for a in case.arrays]
    params = {role: array.astype(dtype) for role, array in case.params.items()}
    with np.errstate(all="ignore"):
        result = case.op.evaluate(case.attrs, params, *arrays)
    outputs = tuple(result) if isinstance(result, tuple | list) else (result,)
    for output, of, shape in zip(outputs, case.inferred, case.output_shapes, strict=True):
        wanted = dtype if of.dtype == "float32" else of.dtype
        assert output.shape == shape, f"{case}: evaluate gives {output.shape}, infer says {of}, here {shape}"
        assert output.dtype == wanted, f"{case}: evaluate turns {wanted} into {output.dtype}"
    return outputs


def check(
    op: OpDef | str,
    attrs: Mapping[str, Any],
    *inputs: Any,
    targets: Sequence[TargetName] = ALL,
    gradients: bool = True,
    params: Mapping[str, Any] | None = None,
    seed: int = 0,
    free: Mapping[int, int] | None = None,
) -> Case:
    """Compares an op in inference on `targets` with its reference and its gradients with float64 PyTorch.

    `op` is a name, or an OpDef of the test's own. `attrs` are as the author writes them; `inputs` are arrays in canonical
    order (anything `np.asarray` takes); `params` may set parameters by role, others are drawn from `seed`. `free` maps axes
    to factors: `{0: 1, 2: 32}` lets the op see sizes N and 32*h there, and the models are built with these axes open;
    None: the batch is open.
    Raises NotExpressible where a lowering is Unsupported.
    """
    case = prepare(op, attrs, inputs, params, seed, free)
    expected = reference(case)
    for found, want in zip(reference(case, "float32"), expected, strict=True):
        assert_close(found, want, FP32, f"{case}: evaluate in float32")
    oracle: Run | None = None
    if "pytorch" in targets or ("tensorflow" in targets and gradients):
        oracle = TorchNet(case, "float64").run(gradients=gradients)
        _compare(case, "PyTorch float64", oracle, expected, oracle, FP64)
        _compare(case, "PyTorch float32", TorchNet(case, "float32").run(gradients=gradients), expected, oracle, FP32)
    if "tensorflow" in targets:
        for dtype, allowed in (("float64", FP64), ("float32", FP32)):
            run = KerasNet(case, dtype).run(gradients=gradients)
            _compare(case, f"Keras {dtype}", run, expected, oracle, allowed)
    if "onnx" in targets:
        _compare(case, "ONNX Runtime", Run(OnnxNet(case).run(), {}, {}), expected, None, FP32)
    return case


def check_training(
    op: OpDef | str,
    attrs: Mapping[str, Any],
    *steps: Any,
    params: Mapping[str, Any] | None = None,
) -> list[Run]:
    """Runs an op of one input in training mode on PyTorch and Keras in float64, one array a step, and compares outputs,
    gradients and running statistics after each. Returns PyTorch's runs, for the test to compare with its own numbers.
    """
    case = prepare(op, attrs, steps[:1], params)
    torch_net, keras_net = TorchNet(case, "float64", training=True), KerasNet(case, "float64", training=True)
    runs = []
    for number, array in enumerate(steps, 1):
        expected = torch_net.run((np.asarray(array, dtype=np.float64),))
        found = keras_net.run((np.asarray(array, dtype=np.float64),))
        _compare(case, f"Keras, training step {number}", found, expected.outputs, expected, FP64)
        runs.append(expected)
    return runs


def _compare(case: Case, who: str, run: Run, outputs: Sequence[Array], oracle: Run | None, allowed: float) -> None:
    """Outputs with `outputs`; gradients and statistics with those of `oracle`."""
    assert len(run.outputs) == len(outputs), f"{case}: {who} gives {len(run.outputs)} outputs, expected {len(outputs)}"
    for i, (found, want) in enumerate(zip(run.outputs, outputs, strict=True)):
        assert_close(found, want, allowed, f"{case}: {who}, output {i}")
    if oracle is None:
        return
    if run.gradients or oracle.gradients:
        assert set(run.gradients) == set(oracle.gradients), f"{case}: {who} has gradients of {sorted(run.gradients)}"
    for name, want in oracle.gradients.items():
        assert_close(run.gradients[name], want, allowed, f"{case}: {who}, gradient of {name}")
    for name, want in oracle.statistics.items():
        assert_close(run.statistics[name], want, allowed, f"{case}: {who}, {name}")


__all__ = [
    "ALL",
    "Case",
    "KerasNet",
    "NotExpressible",
    "OnnxNet",
    "Run",
    "TorchNet",
    "assert_close",
    "check",
    "check_training",
    "convert",
    "prepare",
    "reference",
    "resolve",
    "scaled_error",
    "type_of",
]  # fmt: skip
