"""`channel_dropout` and `drop_path` in training: what is dropped, how often, and what becomes of the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convspec.ir.lowering import Arg
from convspec.ir.types import Array
from tests.ops.harness import KerasNet, Run, TorchNet, prepare


def trained(net: Any, op: str, rate: float, *shape: int) -> tuple[Array, Array]:
    """The output for an input of ones, in training, and the input's gradient divided by the output's."""
    import keras
    import torch

    torch.manual_seed(0)
    keras.utils.set_random_seed(0)
    case = prepare(op, {"rate": rate}, [np.ones(shape)])
    run: Run = net(case, "float64", training=True).run()
    assert case.lowered("onnx") == Arg(0)
    assert case.op.training_only
    return run.outputs[0], run.gradients["input 0"]


@pytest.mark.parametrize("net", [TorchNet, KerasNet])
@pytest.mark.parametrize("rate", [0.0, 0.25, 0.9])
@pytest.mark.parametrize("space", [(4,), (2, 3), (2, 1, 2)])
def test_whole_channels_are_dropped(net: Any, rate: float, space: tuple[int, ...]) -> None:
    y, gradient = trained(net, "channel_dropout", rate, 80, 50, *space)
    cells = y.reshape(80, 50, -1)
    assert np.array_equal(cells.min(axis=2), cells.max(axis=2)), "a channel is dropped or kept as a whole"
    kept = cells[..., 0] != 0
    np.testing.assert_allclose(cells[kept], 1 / (1 - rate), rtol=1e-12)
    assert abs(kept.mean() - (1 - rate)) < 0.035, "five standard deviations of 4,000 draws"
    assert np.array_equal(gradient.reshape(80, 50, -1)[..., 0] != 0, kept)
    if rate:
        share = kept.mean(axis=0)
        assert ((share > 0) & (share < 1)).mean() > 0.9, "examples draw by themselves"


@pytest.mark.parametrize("net", [TorchNet, KerasNet])
@pytest.mark.parametrize("rate", [0.0, 0.25, 0.9])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 2, 2), (1, 2, 1, 2)])
def test_whole_examples_are_dropped(net: Any, rate: float, shape: tuple[int, ...]) -> None:
    y, gradient = trained(net, "drop_path", rate, 4000, *shape)
    examples = y.reshape(4000, -1)
    assert np.array_equal(examples.min(axis=1), examples.max(axis=1)), "an example is dropped or kept as a whole"
    kept = examples[:, 0] != 0
    np.testing.assert_allclose(examples[kept], 1 / (1 - rate), rtol=1e-12)
    assert abs(kept.mean() - (1 - rate)) < 0.035, "five standard deviations of 4,000 draws"
    assert np.array_equal(gradient.reshape(4000, -1)[:, 0] != 0, kept)
