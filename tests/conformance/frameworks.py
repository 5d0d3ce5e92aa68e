"""Runs a network through the generated source of a framework: outputs, gradients and statistics, in canonical layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import numpy as np

from convspec.elaborate import Module
from convspec.ir.types import Array
from convspec.runtime.tensorflow import to_channels_last, to_channels_second
from convspec.targets.pytorch.package import to_torch
from convspec.targets.tensorflow.network import prepare
from convspec.targets.tensorflow.packaging import to_keras
from convspec.targets.tensorflow.weights import to_canonical


@dataclass(frozen=True)
class Run:
    """What came out. `gradients`: of the inputs and of the learned parameters, by name; `statistics`: the others."""

    outputs: dict[str, Array]
    gradients: dict[str, Array] = field(default_factory=dict)
    statistics: dict[str, Array] = field(default_factory=dict)


def direction(name: str, shape: tuple[int, ...]) -> Array:
    """The loss is the outputs times these numbers, so that no gradient vanishes by symmetry."""
    return np.random.default_rng(crc32(name.encode())).standard_normal(shape)


def cast(arrays: Mapping[str, Array], dtype: str) -> dict[str, Array]:
    """Floats in `dtype`, everything else as it is."""
    return {name: array.astype(dtype) if array.dtype.kind == "f" else array for name, array in arrays.items()}


def run_torch(
    module: Module,
    weights: Mapping[str, Array],
    arrays: Mapping[str, Array],
    dtype: str,
    gradients: bool = False,
    training: bool = False,
) -> Run:
    """The class of the generated file, in inference or training mode."""
    import torch

    model = to_torch(module).to(getattr(torch, dtype)).train(training)
    model.load_state_dict({name: torch.tensor(array) for name, array in cast(weights, dtype).items()})
    tensors = {name: torch.tensor(array) for name, array in cast(arrays, dtype).items()}
    leaves = {name: tensor.requires_grad_(gradients) for name, tensor in tensors.items() if tensor.is_floating_point()}
    result = model(*tensors.values())
    outputs = result if isinstance(result, dict) else {module.graph.outputs[0].name: result}
    found: dict[str, Array] = {}
    if gradients:
        leaves |= dict(model.named_parameters())
        loss: Any = sum(
            (value * torch.from_numpy(direction(name, tuple(value.shape)))).sum()
            for name, value in outputs.items()
            if value.is_floating_point()
        )
        grads = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
        found = {name: grad.numpy() for name, grad in zip(leaves, grads, strict=True) if grad is not None}
    statistics = {name: buffer.numpy().copy() for name, buffer in model.named_buffers() if name in weights}
    return Run({name: value.detach().numpy() for name, value in outputs.items()}, found, statistics)


def run_keras(
    module: Module,
    weights: Mapping[str, Array],
    arrays: Mapping[str, Array],
    dtype: str,
    gradients: bool = False,
    training: bool = False,
) -> Run:
    """The model that the generated file builds."""
    import tensorflow as tf

    model = to_keras(module, weights, dtype)
    tensors = {name: tf.constant(to_channels_last(array)) for name, array in cast(arrays, dtype).items()}
    leaves = {name: tensor for name, tensor in tensors.items() if tensor.dtype.is_floating}
    variables = {f"{layer.name}/{item.name}": item for layer in model.layers for item in layer.weights}
    trained = {key: item.value for key, item in variables.items() if item.trainable}
    with tf.GradientTape() as tape:
        tape.watch(list(leaves.values()))
        result = model(next(iter(tensors.values())) if len(tensors) == 1 else tensors, training=training)
        outputs = result if isinstance(result, dict) else {module.graph.outputs[0].name: result}
        parts = [tf.reduce_sum(value * _direction(name, value)) for name, value in outputs.items() if value.dtype.is_floating]
        loss = tf.add_n(parts) if parts and gradients else None
    found: dict[str, Array] = {}
    stored = prepare(module.graph).variables
    if loss is not None:
        every = tape.gradient(loss, [*leaves.values(), *trained.values()])
        grads = [None if grad is None else tf.convert_to_tensor(grad).numpy() for grad in every]
        found = {name: to_channels_second(grad) for name, grad in zip(leaves, grads, strict=False) if grad is not None}
        values = {key: grad for key, grad in zip(trained, grads[len(leaves) :], strict=True) if grad is not None}
        found |= to_canonical([variable for variable in stored if variable.key in values], values)
    kept = {key: item.numpy() for key, item in variables.items() if not item.trainable}
    statistics = to_canonical([variable for variable in stored if variable.key in kept], kept)
    return Run({name: to_channels_second(value.numpy()) for name, value in outputs.items()}, found, statistics)


def _direction(name: str, value: Any) -> Array:
    """The direction of an output, in Keras's layout."""
    return to_channels_last(direction(name, to_channels_second(value.numpy()).shape)).astype(value.numpy().dtype)


__all__ = ["Run", "cast", "direction", "run_keras", "run_torch"]
