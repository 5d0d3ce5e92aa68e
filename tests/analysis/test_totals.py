"""Totals of a summary against counts that PyTorch and Keras make of the generated network."""

from __future__ import annotations

from math import prod
from typing import Any

import pytest

from convspec import load
from convspec.analysis.summary import summarise
from convspec.ir.dims import evaluate
from convspec.zoo import find


def counted_by_hooks(net: Any, shape: list[int]) -> int:
    """Multiply-accumulates of every convolution and linear layer as it runs: outputs times what each is summed over."""
    import torch
    from torch import nn

    found = [0]

    def count(layer: Any, inputs: Any, output: Any) -> None:
        if isinstance(layer, nn.Linear):
            found[0] += output.numel() * layer.in_features
        elif layer.transposed:
            found[0] += inputs[0].numel() * (layer.out_channels // layer.groups) * prod(layer.kernel_size)
        else:
            found[0] += output.numel() * (layer.in_channels // layer.groups) * prod(layer.kernel_size)

    for layer in net.modules():
        if isinstance(layer, nn.Linear | nn.modules.conv._ConvNd):
            layer.register_forward_hook(count)
    with torch.no_grad():
        net(torch.zeros(shape))
    return found[0]


NETWORKS = [
    "LeNet5",
    "SqueezeNet1_1",
    "DCGANGenerator",
    "M5",
    *(
        pytest.param(name, marks=pytest.mark.zoo)
        for name in (
            "ResNet50",
            "MobileNetV2",
            "DenseNet121",
            "EfficientNetB0",
            "ShuffleNetV2_x1_0",
            "UNet2D",
            "GoogLeNet",
            "VGG11",
        )
    ),
]


@pytest.mark.parametrize("name", NETWORKS)
def test_against_pytorch(name: str) -> None:
    net, sizes = load(f"zoo:{name}"), find(name).sizes
    made = net.to_torch().eval()
    found = summarise(net.module, sizes)
    assert found.parameters.learnable == sum(each.numel() for each in made.parameters())
    assert found.parameters.statistics == sum(each.numel() for key, each in made.named_buffers() if "running" in key)
    shape = [evaluate(size, sizes) for size in net.module.graph.inputs[0].value.type.shape]
    assert found.cost.macs == counted_by_hooks(made, shape)
    assert found.uses is not None
    assert found.uses.training.parameters == sum(
        each.nbytes for each in made.state_dict().values() if each.dtype.is_floating_point
    )


@pytest.mark.zoo
@pytest.mark.parametrize("name", ["LeNet5", "ResNet18", "MobileNetV2", "DenseNet121"])
def test_against_keras(name: str) -> None:
    net = load(f"zoo:{name}")
    found = summarise(net.module)
    assert net.to_keras().count_params() == found.parameters.stored
