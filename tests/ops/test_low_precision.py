"""Norms and activations in float16 and bfloat16: the gates of the promise, and no overflow where values are in the hundreds."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import convspec
from convspec.elaborate import Module, loads
from convspec.ir.types import Array
from convspec.runtime.reference import evaluate
from convspec.weights.dtypes import numpy_dtype
from convspec.weights.randomised import randomised
from tests.ops.harness import scaled_error

GATES = {"float16": 1e-3, "bfloat16": 1e-2}
STAGES = (
    *(
        "layernorm",
        "layernorm(axes = all)",
        "groupnorm(2)",
        "instancenorm(affine = true)",
        "rmsnorm",
        "l2norm",
        "lrn",
        "lrn(4)",
    ),
    *("rmsnorm(axes = [height, width])", "instancenorm", "elu(0.3)", "celu(0.3)", "selu", "mish", "logsigmoid", "softplus"),
    *("softplus(beta = 2)", "softsign", "log_softmax", "prelu", "glu", "maxout(2)"),
)


@cache
def network(dtype: str) -> tuple[Module, dict[str, Array]]:
    """Every stage on the same input, each an output."""
    outputs = "".join(f"    output y{place} = x -> {stage}\n" for place, stage in enumerate(STAGES))
    module = loads(f"model M {{\n    input x: {dtype}[N, 4, 24, 24]\n{outputs}}}")
    return module, randomised(module.graph, seed=1)


@pytest.mark.parametrize("scale", [2, 300])
@pytest.mark.parametrize(
    ("dtype", "runtime"),
    [
        ("float16", "pytorch"),
        ("float16", "tensorflow"),
        ("float16", "onnxruntime"),
        ("bfloat16", "pytorch"),
        ("bfloat16", "tensorflow"),  # ONNX Runtime's CPU has no bfloat16
    ],
)
def test_within_the_gate(dtype: str, runtime: str, scale: int) -> None:
    module, weights = network(dtype)
    x = (scale * np.random.default_rng(3).standard_normal((2, 4, 24, 24))).astype(numpy_dtype(dtype))
    exact = {name: array.astype(np.float64) for name, array in weights.items()}
    expected = evaluate(module.graph, exact, {"x": x.astype(np.float64)}).outputs
    found = convspec.Net(module, weights).run({"x": x}, runtime=runtime)
    errors = {
        stage: scaled_error(np.asarray(found[name]), expected[name])
        for name, stage in ((f"y{place}", stage) for place, stage in enumerate(STAGES))
    }
    assert {stage: error for stage, error in errors.items() if not error <= GATES[dtype]} == {}
