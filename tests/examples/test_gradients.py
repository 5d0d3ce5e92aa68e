"""Gradients of whole example networks agree between PyTorch and TensorFlow in float64.

Networks without dropout are compared in training mode, with batch statistics; those with dropout in inference mode, since the
frameworks draw different masks. The loss is a fixed random projection of the outputs, so that no gradient vanishes by symmetry.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import convspec
from convspec.ir.types import Array
from convspec.runtime.tensorflow import to_channels_last, to_channels_second
from convspec.targets.tensorflow.network import prepare
from convspec.targets.tensorflow.weights import to_canonical
from tests.examples.networks import Example, inputs, marked, scaled_error

GATE = 1e-8

EXAMPLES = (
    Example("lenet5.cnn", "LeNet5"),
    Example("mnist_tutorial.cnn", "MnistTutorial"),
    Example("alexnet.cnn", "AlexNet", settings={"classes": 10}),
    Example("vgg.cnn", "VGG11BN", settings={"classes": 10}),
    Example("resnet.cnn", "ResNet18", ({"h": 2, "w": 2},)),
    Example("resnet.cnn", "ResNet50", ({"h": 2, "w": 2},)),
    Example("resnet_cifar.cnn", "ResNet164", ({"h": 2, "w": 2},)),
    Example("googlenet.cnn", "GoogLeNet", ({"h": 2, "w": 2},)),
    Example("unet.cnn", "UNet2D", ({"h": 1, "w": 2},), settings={"width": 16}),
    Example("unet.cnn", "UNet3D", ({"d": 1, "h": 2, "w": 1},), settings={"width": 16}),
    Example("sequence.cnn", "SequenceNet", ({"L": 40},)),
)


@pytest.mark.parametrize("example", marked(EXAMPLES, "VGG11BN"), ids=lambda example: example.model)
def test_gradients_agree(example: Example) -> None:
    net = example.net()
    arrays = {name: array.astype(np.float64) for name, array in inputs(net, {"N": 2, **example.sizes[0]}).items()}
    training = not any(node.op.training_only for node in net.module.graph.nodes)
    expected = torch_gradients(net, arrays, training)
    found = keras_gradients(net, arrays, training)
    assert found.keys() == expected.keys()
    worst = max((scaled_error(found[name], expected[name]), name) for name in expected)
    assert worst[0] < GATE, worst


def projection(name: str, shape: tuple[int, ...]) -> Array:
    """A fixed direction for an output, in canonical layout."""
    return np.random.default_rng(len(name)).standard_normal(shape)


def torch_gradients(net: convspec.Net, arrays: dict[str, Array], training: bool) -> dict[str, Array]:
    """The gradient of every input and every learnable parameter, in canonical layout."""
    import torch

    module = net.to_torch().double().train(training)
    tensors = [torch.from_numpy(array).requires_grad_() for array in arrays.values()]
    result = module(*tensors)
    outputs = result if isinstance(result, dict) else {net.module.graph.outputs[0].name: result}
    loss = sum((value * torch.from_numpy(projection(name, tuple(value.shape)))).sum() for name, value in outputs.items())
    assert isinstance(loss, torch.Tensor)
    loss.backward()  # type: ignore[no-untyped-call]
    gradients = {name: tensor.grad.numpy() for name, tensor in zip(arrays, tensors, strict=True) if tensor.grad is not None}
    return gradients | {name: parameter.grad.numpy() for name, parameter in module.named_parameters()}


def keras_gradients(net: convspec.Net, arrays: dict[str, Array], training: bool) -> dict[str, Array]:
    """The same from Keras, brought back from its layouts to the canonical ones."""
    import tensorflow as tf

    model = net.to_keras("float64")
    tensors = {name: tf.constant(to_channels_last(array)) for name, array in arrays.items()}
    with tf.GradientTape() as tape:
        for tensor in tensors.values():
            tape.watch(tensor)
        result = model(next(iter(tensors.values())) if len(tensors) == 1 else tensors, training=training)
        outputs = result if isinstance(result, dict) else {net.module.graph.outputs[0].name: result}
        loss = tf.add_n([tf.reduce_sum(value * _direction(name, value)) for name, value in outputs.items()])
    keys = [f"{layer.name}/{variable.name}" for layer in model.layers for variable in layer.trainable_variables]
    variables = [variable.value for layer in model.layers for variable in layer.trainable_variables]
    found = tape.gradient(loss, [*tensors.values(), *variables])
    values = {key: gradient.numpy() for key, gradient in zip(keys, found[len(tensors) :], strict=True)}
    stored = [variable for variable in prepare(net.module.graph).variables if variable.key in values]
    assert len(stored) == len(values)
    gradients = {name: to_channels_second(value.numpy()) for name, value in zip(tensors, found, strict=False)}
    return gradients | to_canonical(stored, values)


def _direction(name: str, value: Any) -> Array:
    """The projection of an output, in Keras's layout."""
    return to_channels_last(projection(name, to_channels_second(value.numpy()).shape))
