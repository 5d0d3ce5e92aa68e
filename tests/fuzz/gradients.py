"""Gradients of a network in float64, from PyTorch and from TensorFlow, in canonical layout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from convspec.elaborate import Module
from convspec.ir.types import Array
from convspec.runtime.tensorflow import to_channels_last, to_channels_second
from convspec.targets.pytorch.package import to_torch
from convspec.targets.tensorflow.network import prepare
from convspec.targets.tensorflow.packaging import to_keras
from convspec.targets.tensorflow.weights import to_canonical


def projection(name: str, shape: tuple[int, ...]) -> Array:
    """The loss is the outputs times fixed random numbers, so that no gradient vanishes by symmetry."""
    return np.random.default_rng(len(name)).standard_normal(shape)


def torch_gradients(
    module: Module, weights: Mapping[str, Array], arrays: Mapping[str, Array], training: bool
) -> dict[str, Array]:
    """Of every input and learnable parameter that an output depends on. `weights` and `arrays` are float64."""
    import torch

    model = to_torch(module).double().train(training)
    model.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})
    tensors = [torch.tensor(array, requires_grad=True) for array in arrays.values()]
    result = model(*tensors)
    outputs = result if isinstance(result, dict) else {module.graph.outputs[0].name: result}
    loss = sum((value * torch.from_numpy(projection(name, tuple(value.shape)))).sum() for name, value in outputs.items())
    assert isinstance(loss, torch.Tensor)
    loss.backward()  # type: ignore[no-untyped-call]
    leaves = {**dict(zip(arrays, tensors, strict=True)), **dict(model.named_parameters())}
    return {name: leaf.grad.numpy() for name, leaf in leaves.items() if leaf.grad is not None}


def keras_gradients(
    module: Module, weights: Mapping[str, Array], arrays: Mapping[str, Array], training: bool
) -> dict[str, Array]:
    """The same from Keras, brought back from its layouts to the canonical ones."""
    import tensorflow as tf

    model = to_keras(module, weights, "float64")
    tensors = {name: tf.constant(to_channels_last(array)) for name, array in arrays.items()}
    with tf.GradientTape() as tape:
        for tensor in tensors.values():
            tape.watch(tensor)
        result = model(next(iter(tensors.values())) if len(tensors) == 1 else tensors, training=training)
        outputs = result if isinstance(result, dict) else {module.graph.outputs[0].name: result}
        loss = tf.add_n([tf.reduce_sum(value * _direction(name, value)) for name, value in outputs.items()])
    variables = {f"{layer.name}/{item.name}": item.value for layer in model.layers for item in layer.trainable_variables}
    found = tape.gradient(loss, [*tensors.values(), *variables.values()])
    gradients = {
        name: to_channels_second(value.numpy()) for name, value in zip(tensors, found, strict=False) if value is not None
    }
    values = {key: value.numpy() for key, value in zip(variables, found[len(tensors) :], strict=True) if value is not None}
    stored = [variable for variable in prepare(module.graph).variables if variable.key in values]
    return gradients | to_canonical(stored, values)


def _direction(name: str, value: Any) -> Array:
    """The projection of an output, in Keras's layout."""
    return to_channels_last(projection(name, to_channels_second(value.numpy()).shape))
