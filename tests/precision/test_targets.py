"""Networks in low precision on every target: within what the precision costs, in files of half the size, and not by luck."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convspec import Failure, api
from convspec.ir.types import Array
from convspec.precision import Lowered, lower
from convspec.precision.gates import simulate
from convspec.runtime.base import Network, RunOptions, find_runtime
from convspec.runtime.reference import evaluate
from convspec.targets.base import find_target
from convspec.verify.compare import scaled_error
from convspec.weights.randomised import randomised
from tests.precision.proving import allowed, lowered, network

EVERYTHING = """
model T {
    input image: float32[N, 3, 12, 12]
    input words: int32[N, 5]
    x = image -> conv(8, 3x3, pad = 1, bias = false) -> batchnorm -> relu -> maxpool(2x2)
    gate = x -> global_avgpool -> conv(8, 1x1) -> sigmoid
    y = x * gate -> depthwise_conv(3x3, pad = 1) -> hardswish
    z = [x, y] -> concat -> conv(8, 1x1, groups = 2) -> layernorm -> gelu
    w = words -> embedding(10, 8) -> mean(spatial, keep = false) -> linear(8)
    output features = z -> upsample(2, mode = linear) -> conv_transpose(4, 2x2, stride = 2)
    output logits = (z -> avgpool(6x6) -> flatten) + w -> linear(7)
    output scores = z -> flatten -> linear(3) -> softmax
}
"""


def inputs() -> dict[str, Array]:
    generator = np.random.default_rng(3)
    image = generator.standard_normal((2, 3, 12, 12)).astype(np.float32)
    return {"image": image, "words": generator.integers(0, 10, (2, 5)).astype(np.int32)}


def run(found: Lowered, runtime: str, arrays: dict[str, Array]) -> dict[str, Array]:
    return find_runtime(runtime).open(Network(found.module, found.weights), RunOptions("cpu")).run(arrays)


@pytest.mark.parametrize(("runtime", "precision"), [
    ("onnxruntime", "fp16"), ("pytorch", "fp16"), ("pytorch", "bf16"), ("tensorflow", "fp16"), ("tensorflow", "bf16"),
])  # fmt: skip
def test_runtimes_lose_what_the_precision_costs(runtime: str, precision: str) -> None:
    pytest.importorskip({"pytorch": "torch"}.get(runtime, runtime))
    net, arrays = network(EVERYTHING), inputs()
    weights = randomised(net.module.graph, 1)
    found = lower(net.module, weights, precision)
    gates = allowed(net, found, weights, arrays)
    expected = evaluate(net.module.graph, weights, arrays).outputs
    results = run(found, runtime, arrays)
    for name, array in expected.items():
        assert results[name].dtype == np.float32
        assert scaled_error(results[name], array) <= gates[name], name
    assert max(gates.values()) < (0.02 if precision == "fp16" else 0.15)  # the gates mean something


def test_a_wrong_weight_is_seen_through_the_gates() -> None:
    net, arrays = network(EVERYTHING), inputs()
    weights = randomised(net.module.graph, 1)
    found = lower(net.module, weights, "fp16")
    gates = allowed(net, found, weights, arrays)
    expected = evaluate(net.module.graph, weights, arrays).outputs
    wrong = dict(found.weights) | {"conv1.weight": found.weights["conv1.weight"] * np.float16(1.05)}
    moved = simulate(found.module.graph, wrong, arrays).outputs
    assert any(scaled_error(moved[name], expected[name]) > gates[name] for name in expected)


@pytest.mark.parametrize("target", ["onnx", "pytorch", "tensorflow"])
def test_weights_take_half_the_file(target: str, tmp_path: Path) -> None:
    body = "input x: float32[N, 64, 8, 8]\noutput x -> conv(128, 3x3) -> relu -> conv(64, 3x3)"
    net, found = network(body), lowered(body)
    sizes = []
    for module, weights in ((net.module, net.weights), (found.module, found.weights)):
        made = find_target(target)
        files = made.emit(module, weights, made.options(stem="net")).write(tmp_path)
        sizes.append(max(path.stat().st_size for path in files))
    assert 0.49 < sizes[1] / sizes[0] < 0.52


def test_onnx_runtime_has_no_bfloat16_on_the_cpu_and_says_so() -> None:
    found = lowered("input x: float32[N, 3, 8, 8]\noutput x -> conv(4, 3x3)", "bf16")
    with pytest.raises(Failure, match="CNN305"):
        run(found, "onnxruntime", {"x": np.zeros((1, 3, 8, 8), np.float32)})


def test_what_becomes_infinite_is_named() -> None:
    net = network("input x: float32[N, 4]\noutput x -> big: linear(4) -> relu -> linear(2)")
    weights = {name: np.full(p.shape, 6e4, np.float32) for name, p in net.module.graph.parameters().items()}
    found = lower(net.module, weights, "fp16")
    simulated = simulate(found.module.graph, found.weights, {"x": np.ones((1, 4), np.float32)})
    assert simulated.overflown == ("big",)
    fine = lower(net.module, weights, "bf16")
    assert simulate(fine.module.graph, fine.weights, {"x": np.ones((1, 4), np.float32)}).overflown == ()


def test_simulating_float32_is_the_reference() -> None:
    net, arrays = network(EVERYTHING), inputs()
    weights = randomised(net.module.graph, 1)
    expected = evaluate(net.module.graph, weights, arrays).outputs
    found = simulate(net.module.graph, weights, arrays).outputs
    assert all(0 < scaled_error(found[name], array) < 2e-6 for name, array in expected.items())


def test_one_rounding_is_half_a_unit() -> None:
    """A convolution by 1 changes nothing but the type: what is left is the rounding of its input, by NumPy's own float16."""
    net = api.loads("model T {\n input x: float32[N, 1, 64]\n output x -> conv(1, 1, bias = false)\n}\n")
    x = np.random.default_rng(0).standard_normal((1, 1, 64)).astype(np.float32)
    found = lower(net.module, {"conv1.weight": np.ones((1, 1, 1), np.float32)}, "fp16")
    (simulated,) = simulate(found.module.graph, found.weights, {"x": x}).outputs.values()
    np.testing.assert_array_equal(simulated, x.astype(np.float16).astype(np.float64))


LONG_SUMS = {
    "conv": ("input x: float32[N, 512, 6, 6]\noutput x -> conv(8, 3x3, bias = false)", (1, 512, 6, 6)),
    "linear": ("input x: float32[N, 4096]\noutput x -> linear(8, bias = false)", (2, 4096)),
    "depthwise_conv": ("input x: float32[N, 4, 40, 40]\noutput x -> depthwise_conv(31x31, bias = false)", (1, 4, 40, 40)),
    "conv_transpose": (
        "input x: float32[N, 1024, 4, 4]\noutput x -> conv_transpose(4, 2x2, stride = 2, bias = false)",
        (1, 1024, 4, 4),
    ),
    "global_avgpool": (
        "input x: float32[N, 8, 64, 64]\noutput x -> conv(8, 1x1, bias = false) -> global_avgpool",
        (1, 8, 64, 64),
    ),
    "mean": ("input x: float32[N, 8, 64, 64]\noutput x -> conv(8, 1x1, bias = false) -> mean", (1, 8, 64, 64)),
}
"""Sums of about a thousand positive numbers and more."""


@pytest.mark.parametrize("runtime", ["onnxruntime", "pytorch"])
@pytest.mark.parametrize("name", LONG_SUMS)
def test_sums_are_made_in_float32(name: str, runtime: str) -> None:
    pytest.importorskip({"pytorch": "torch"}.get(runtime, runtime))
    body, shape = LONG_SUMS[name]
    generator = np.random.default_rng(0)
    net = network(body)
    weights = {n: (generator.random(p.shape) / 64).astype(np.float32) for n, p in net.module.graph.parameters().items()}
    arrays = {"x": (generator.random(shape) / 4).astype(np.float32)}
    found = lower(net.module, weights, "fp16")
    (exact,) = simulate(found.module.graph, found.weights, arrays).outputs.values()
    (result,) = run(found, runtime, arrays).values()
    assert scaled_error(result, exact) <= 2.0**-10


@pytest.mark.parametrize("runtime", ["onnxruntime", "pytorch", "tensorflow"])
def test_a_sum_does_not_stand_still(runtime: str) -> None:
    """4,096 products of 1/256 make 16; added up one by one in float16 they stop at 8, where one more changes nothing."""
    pytest.importorskip({"pytorch": "torch"}.get(runtime, runtime))
    assert np.add.accumulate(np.full(4096, 1 / 256, np.float16), dtype=np.float16)[-1] == 8
    net = network("input x: float32[N, 4096]\noutput x -> linear(8, bias = false)")
    found = lower(net.module, {"linear1.weight": np.full((8, 4096), 1 / 64, np.float32)}, "fp16")
    (result,) = run(found, runtime, {"x": np.full((2, 4096), 0.25, np.float32)}).values()
    np.testing.assert_array_equal(result, np.full((2, 8), 16, np.float32))
