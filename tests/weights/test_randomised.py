"""Weights for comparisons: no identity is left, and deep networks neither die out nor overflow."""

from __future__ import annotations

import numpy as np
import pytest

from convspec.elaborate import loads
from convspec.ir.types import Array
from convspec.runtime.reference import evaluate
from convspec.weights.randomised import randomised

RESIDUAL = """
model Deep {
    input x: float32[N, 4, 5, 5]
    for i in 0..200 {
        x = x + (x -> "bn{i}": batchnorm -> relu -> "conv{i}": conv(4, 3x3, pad = 1, bias = false))
    }
    output x -> bn: batchnorm
}
"""

PLAIN = """
model Plain {
    input x: float32[N, 8, 5, 5]
    for i in 0..40 { x = x -> "conv{i}": conv(8, 3x3, pad = 1) -> relu }
    output x
}
"""


def run(text: str, seed: int, x: Array) -> Array:
    graph = loads(text).graph
    return evaluate(graph, randomised(graph, seed), {"x": x}).outputs[graph.outputs[0].name]


@pytest.mark.parametrize("text", [RESIDUAL, PLAIN], ids=["residual", "plain"])
def test_signals_reach_the_output_of_a_deep_network(text: str) -> None:
    """The output is of moderate size and still depends on the input far above float32's rounding."""
    draw = np.random.default_rng(0)
    x = draw.standard_normal((1, 4 if text is RESIDUAL else 8, 5, 5))
    y, other = run(text, 1, x), run(text, 1, draw.standard_normal(x.shape))
    assert 1e-3 < np.abs(y).max() < 1e3
    assert np.abs(y - other).max() > 1e-2 * np.abs(y).max()


def test_no_parameter_is_an_identity() -> None:
    weights = randomised(loads(RESIDUAL).graph, 0)
    for name, tensor in weights.items():
        assert len(set(tensor.reshape(-1).tolist())) > 1, name
        assert not np.isin(tensor, [0.0, 1.0]).any(), name
    assert all((tensor > 0).all() for name, tensor in weights.items() if name.endswith(("running_var", "bn.weight")))


def test_names_order_and_seed() -> None:
    graph = loads(RESIDUAL).graph
    weights, again, other = randomised(graph, 0), randomised(graph, 0), randomised(graph, 1)
    assert list(weights) == list(graph.parameters())
    for name, tensor in weights.items():
        assert tensor.shape == graph.parameters()[name].shape
        np.testing.assert_array_equal(tensor, again[name])
        assert not np.array_equal(tensor, other[name])
