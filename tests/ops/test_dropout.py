"""`dropout`: the identity in inference; inverted in training, where each framework draws its own mask."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convspec.ir.lowering import Arg
from convspec.ir.opdef import AttrError, OpDef
from convspec.ops import find
from tests.ops.arrays import open_axes, smooth
from tests.ops.harness import KerasNet, Run, TorchNet, check, convert, prepare


def op() -> OpDef:
    found = find("dropout")
    assert found is not None
    return found


@pytest.mark.parametrize("rank", [2, 3, 4, 5])
def test_inference_is_the_identity(rank: int) -> None:
    case = check("dropout", {"rate": 0.3}, smooth(rank), free=open_axes(rank))
    assert case.lowered("onnx") == Arg(0)
    assert case.op.training_only


@pytest.mark.parametrize("net", [TorchNet, KerasNet])
@pytest.mark.parametrize("rate", [0.0, 0.25, 0.9])
def test_training_is_inverted(net: Any, rate: float) -> None:
    """Elements are 0 or x / (1 - rate), with the given probability, and gradients are scaled alike."""
    import keras
    import torch

    torch.manual_seed(0)
    keras.utils.set_random_seed(0)
    x = np.ones((100, 200))
    run: Run = net(prepare("dropout", {"rate": rate}, [x]), "float64", training=True).run()
    [y] = run.outputs
    kept = y != 0
    np.testing.assert_allclose(y[kept], 1 / (1 - rate), rtol=1e-12)
    assert abs(kept.mean() - (1 - rate)) < 0.02, "five standard deviations of 20,000 draws"
    assert np.array_equal(run.gradients["input 0"] != 0, kept)


@pytest.mark.parametrize(
    ("rate", "message"),
    [(1, "`rate` must be below 1, not 1"), (-0.1, "`rate` must be at least 0, not -0.1"), ("half", "`rate` takes a number")],
)
def test_rates_that_cannot_be(rate: Any, message: str) -> None:
    with pytest.raises(AttrError) as caught:
        convert(op(), {"rate": rate})
    assert caught.value.message.startswith(message)
