"""Gradients and training of whole networks in float64, against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convspec.ir.types import Array
from convspec.targets.pytorch import to_torch
from convspec.targets.tensorflow import to_keras
from convspec.targets.tensorflow.network import prepare
from convspec.targets.tensorflow.weights import to_canonical
from tests.targets.tensorflow.networks import Net, net, to_last
from tests.targets.tensorflow.specs import SPECS

GATE = 1e-8


def scaled_error(found: Array, expected: Array) -> float:
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def keras_gradients(made: Net, inputs: dict[str, Array]) -> tuple[dict[str, Array], dict[str, Array]]:
    """Of the sum of the squares of all outputs in training mode: gradients by label, and the weights afterwards."""
    import tensorflow as tf

    network = prepare(made.module.graph)
    model = to_keras(made.module, made.weights, dtype="float64")
    tensors: Any = {name: tf.constant(to_last(array)) for name, array in inputs.items()}
    with tf.GradientTape() as tape:
        result = model(tensors if len(tensors) > 1 else next(iter(tensors.values())), training=True)
        outputs = list(result.values()) if isinstance(result, dict) else [result]
        loss = tf.add_n([tf.reduce_sum(output**2) for output in outputs])
    trained = {v.path: v for v in model.trainable_weights}
    gradients = tape.gradient(loss, [v.value for v in trained.values()])
    found = {path: gradient.numpy() for path, gradient in zip(trained, gradients, strict=True)}
    after = {v.path: v.numpy() for v in model.weights}
    variables = [variable for variable in network.variables if variable.key in found]
    return to_canonical(variables, found), to_canonical(network.variables, after)


def torch_gradients(made: Net, inputs: dict[str, Array]) -> tuple[dict[str, Array], dict[str, Array]]:
    import torch

    model = to_torch(made.module, made.weights).double().train()
    result = model(*(torch.tensor(array) for array in inputs.values()))
    outputs = list(result.values()) if isinstance(result, dict) else [result]
    torch.stack([(output**2).sum() for output in outputs]).sum().backward()  # type: ignore[no-untyped-call]
    found = {name: parameter.grad.numpy() for name, parameter in model.named_parameters()}
    return found, {name: tensor.detach().numpy() for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize("name", ["resnet", "unet2d", "inception", "shared", "sequence", "stages", "every_op"])
def test_gradients_and_running_statistics_are_those_of_pytorch(name: str) -> None:
    text, model, sizes = SPECS[name]
    made = net(text, model)
    inputs = {key: array.astype(np.float64) for key, array in made.inputs(**sizes[0]).items()}
    found, after = keras_gradients(made, inputs)
    expected, expected_after = torch_gradients(made, inputs)
    assert set(found) == set(expected)
    for key, gradient in expected.items():
        if np.abs(gradient).max() > 1e-9:  # a bias before batch norm has none but rounding
            assert scaled_error(found[key], gradient) < GATE, key
    statistics = [key for key in after if "running" in key]
    assert statistics
    if name == "shared":  # a batch norm that is applied three times in one step: in what order is Keras's own affair
        return
    for key in statistics:
        assert scaled_error(after[key], expected_after[key]) < GATE, key
