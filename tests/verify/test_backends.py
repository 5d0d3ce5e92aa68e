"""Both backends against numbers worked out by hand, and against each other."""

from __future__ import annotations

import numpy as np
import pytest

from convspec.elaborate import loads
from convspec.verify.backends import GRADIENT_TARGETS, open_backend
from convspec.verify.compare import worst
from convspec.verify.inputs import draw, projection
from convspec.weights.randomised import randomised
from tests.verify.helpers import NET, module

LINEAR = "model L {\n    input x: float32[N, 3]\n    output x -> fc: linear(2)\n}\n"
NORM = "model B {\n    input x: float32[N, 2]\n    output y = x -> norm: batchnorm(momentum = 0.25)\n}\n"
KINDS = """model K {
    input x: float32[N, 3, h, w]
    input ids: int64[N, 4]
    y = x -> conv(4, 3x3, pad = 1) -> depth: conv(8, 3x3, pad = 1, groups = 4)
    output a = y -> up: conv_transpose(6, 2x2, stride = 2)
    output words = ids -> embed: embedding(5, 6)
}
"""


@pytest.mark.parametrize("target", GRADIENT_TARGETS)
def test_a_linear_layer_has_the_gradients_of_algebra_and_takes_a_plain_step(target: str) -> None:
    made = module(LINEAR)
    generator = np.random.default_rng(0)
    weights = {"fc.weight": generator.standard_normal((2, 3)), "fc.bias": generator.standard_normal(2)}
    x, g = generator.standard_normal((4, 3)), generator.standard_normal((4, 2))
    backend = open_backend(target, made, weights)
    result = backend.run({"x": x}, {"fc": g})
    assert list(result.outputs) == ["fc"]
    np.testing.assert_allclose(result.outputs["fc"], x @ weights["fc.weight"].T + weights["fc.bias"], rtol=1e-12)
    np.testing.assert_allclose(result.gradients["x"], g @ weights["fc.weight"], rtol=1e-12)
    np.testing.assert_allclose(result.gradients["fc.weight"], g.T @ x, rtol=1e-12)
    np.testing.assert_allclose(result.gradients["fc.bias"], g.sum(axis=0), rtol=1e-12)
    backend.step(0.5)
    state = backend.state()
    np.testing.assert_allclose(state["fc.weight"], weights["fc.weight"] - 0.5 * g.T @ x, rtol=1e-12)
    np.testing.assert_allclose(state["fc.bias"], weights["fc.bias"] - 0.5 * g.sum(axis=0), rtol=1e-12)


@pytest.mark.parametrize("target", GRADIENT_TARGETS)
def test_a_batch_norm_moves_its_statistics_in_training_alone(target: str) -> None:
    made = module(NORM)
    weights = {name: np.asarray(array, np.float64) for name, array in randomised(made.graph).items()}
    x = np.random.default_rng(1).standard_normal((5, 2)) * 3 + 1
    backend = open_backend(target, made, weights)
    backend.run({"x": x})
    assert all(np.array_equal(array, weights[name]) for name, array in backend.state().items())
    backend.training = True
    backend.run({"x": x})
    state = backend.state()
    mean = 0.75 * weights["norm.running_mean"] + 0.25 * x.mean(axis=0)
    variance = 0.75 * weights["norm.running_var"] + 0.25 * x.var(axis=0, ddof=1)
    np.testing.assert_allclose(state["norm.running_mean"], mean, rtol=1e-12)
    np.testing.assert_allclose(state["norm.running_var"], variance, rtol=1e-12)


@pytest.mark.parametrize("straight", [False, True])
def test_names_and_layouts_are_those_of_the_spec_on_both(straight: bool) -> None:
    made = module(KINDS)
    weights, arrays = randomised(made.graph), draw(made.graph, {"N": 2, "h": 5, "w": 4})
    shapes = {"a": (2, 6, 10, 8), "words": (2, 6, 4)}
    loss = {output.name: projection(output.name, shapes[output.name]) for output in made.graph.outputs}
    results = [open_backend(t, made, weights, straight=straight).run(arrays, loss) for t in GRADIENT_TARGETS]
    shape_of = {name: parameter.shape for name, parameter in made.graph.parameters().items()} | {"x": (2, 3, 5, 4)}
    for result in results:
        assert {name: gradient.shape for name, gradient in result.gradients.items()} == shape_of
        assert {name: output.shape for name, output in result.outputs.items()} == shapes
    assert max(worst(results[1].gradients, results[0].gradients).values()) < 1e-12


@pytest.mark.parametrize("target", GRADIENT_TARGETS)
def test_an_output_without_a_cotangent_does_not_count(target: str) -> None:
    text = "model T {\n    input x: float32[N, 2]\n    output a = x * 2\n    output b = x * 3\n}\n"
    made = module(text)
    result = open_backend(target, made, {}).run({"x": np.ones((1, 2))}, {"b": np.ones((1, 2))})
    np.testing.assert_array_equal(result.gradients["x"], np.full((1, 2), 3.0))


@pytest.mark.parametrize("target", GRADIENT_TARGETS)
def test_floats_of_other_widths_become_float64(target: str) -> None:
    made = loads("model H {\n    input x: float16[N, 3]\n    output y = x -> relu\n}\n")
    result = open_backend(target, made, {}).run({"x": np.full((1, 3), 1 / 3)})
    assert result.outputs["y"].dtype == np.float64
    np.testing.assert_array_equal(result.outputs["y"], 1 / 3)


def test_there_is_no_other() -> None:
    with pytest.raises(ValueError, match="no backend for onnx"):
        open_backend("onnx", module(NET), {})
