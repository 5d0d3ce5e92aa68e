"""What our lowerings make of a Keras model can be saved and read back."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from convspec.targets.tensorflow import helpers
from tests.ops.arrays import smooth
from tests.ops.harness import KerasNet, prepare
from tests.ops.samples import SAMPLES


@pytest.mark.parametrize(("name", "attrs", "count"), SAMPLES)
def test_a_model_survives_its_configuration(name: str, attrs: dict[str, Any], count: int) -> None:
    """The configuration is what a `.keras` file holds beside the weights. A few layers are classes of ours."""
    models: Any = import_module("keras").models
    net = KerasNet(prepare(name, attrs, [smooth(4, seed) for seed in range(count)]), "float32")
    assert net.model is not None
    own = {cls.__name__: cls for cls in (helpers.BatchNorm, helpers.PRelu, helpers.RMSNormAlong)}
    copy = models.model_from_json(net.model.to_json(), custom_objects=own)
    copy.set_weights(net.model.get_weights())
    inputs = [smooth(4, seed).astype("float32").transpose(0, 2, 3, 1) for seed in range(count)]
    many = name == "split"
    found, expected = [outputs if many else [outputs] for outputs in (copy(inputs), net.model(inputs))]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
