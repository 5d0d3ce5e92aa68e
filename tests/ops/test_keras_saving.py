"""What our lowerings make of a Keras model can be saved and read back."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from convspec.targets.tensorflow import helpers
from tests.ops.arrays import smooth
from tests.ops.harness import KerasNet, prepare

OURS: list[tuple[str, dict[str, Any], int]] = [
    *((name, {}, 1) for name in ("relu", "relu6", "leaky_relu", "sigmoid", "tanh", "gelu", "silu", "hardsigmoid", "hardswish")),
    *((name, {}, 1) for name in ("softmax", "neg", "flatten", "dropout", "batchnorm")),
    ("linear", {"features": 4, "axis": "channels"}, 1),
    ("split", {"parts": [1, 2]}, 1),
    ("concat", {}, 3),
    *((name, {}, 2) for name in ("add", "sub", "mul", "div")),
    ("div", {"left": 0.3}, 1),
]


@pytest.mark.parametrize(("name", "attrs", "count"), OURS)
def test_a_model_survives_its_configuration(name: str, attrs: dict[str, Any], count: int) -> None:
    """The configuration is what a `.keras` file holds beside the weights. Only BatchNorm is a class of ours."""
    models: Any = import_module("keras").models
    net = KerasNet(prepare(name, attrs, [smooth(4, seed) for seed in range(count)]), "float32")
    assert net.model is not None
    own = {"BatchNorm": helpers.BatchNorm} if name == "batchnorm" else None
    copy = models.model_from_json(net.model.to_json(), custom_objects=own)
    copy.set_weights(net.model.get_weights())
    inputs = [smooth(4, seed).astype("float32").transpose(0, 2, 3, 1) for seed in range(count)]
    for found, expected in zip(copy(inputs), net.model(inputs), strict=True):
        np.testing.assert_array_equal(found, expected)
