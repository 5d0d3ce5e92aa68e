"""The example networks, and the sizes at which they are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import convspec
from convspec.elaborate import load
from convspec.ir import dims
from convspec.ir.types import Array
from convspec.weights.randomised import randomised

EXAMPLES = Path(__file__).parents[2] / "examples"


@dataclass(frozen=True)
class Example:
    """A model of an example file; `sizes` are values of its symbolic sizes, the batch apart."""

    file: str
    model: str
    sizes: tuple[Mapping[str, int], ...] = ({}, {})
    settings: Mapping[str, object] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return EXAMPLES / self.file

    def net(self) -> convspec.Net:
        """The network with weights under which no layer is an identity."""
        module = load(self.path, self.model, self.settings)
        return convspec.load(self.path, self.model, self.settings, weights=randomised(module.graph, seed=1))


def inputs(net: convspec.Net, sizes: Mapping[str, int], seed: int = 0) -> dict[str, Array]:
    """Data for every input: standard normal floats, integers below 50, bools that are mostly true."""
    generator = np.random.default_rng(seed)
    found: dict[str, Array] = {}
    for graph_input in net.module.graph.inputs:
        dtype, shape = graph_input.value.type.dtype, [dims.evaluate(size, sizes) for size in graph_input.value.type.shape]
        match dtype:
            case "float32":
                found[graph_input.value.name] = generator.standard_normal(shape, np.float32)
            case "bool":
                found[graph_input.value.name] = generator.random(shape) < 0.8
            case _:
                found[graph_input.value.name] = generator.integers(0, 50, shape).astype(dtype)
    return found


def scaled_error(found: Array, expected: Array) -> float:
    """max|found - expected| / max|expected|, as semantics.md defines equality."""
    assert found.shape == expected.shape, f"{found.shape} is not {expected.shape}"
    return float(np.abs(found.astype(np.float64) - expected).max() / np.abs(expected).max())


_SQUARE = ({"h": 1, "w": 2}, {"h": 2, "w": 1})

NETWORKS = (
    Example("lenet5.cnn", "LeNet5"),
    Example("mnist_tutorial.cnn", "MnistTutorial"),
    Example("alexnet.cnn", "AlexNet"),
    Example("vgg.cnn", "VGG11"),
    Example("vgg.cnn", "VGG16BN", settings={"classes": 10}),
    Example("resnet.cnn", "ResNet18", _SQUARE),
    Example("resnet.cnn", "ResNet50", _SQUARE),
    Example("resnet.cnn", "ResNet152", _SQUARE),
    Example("resnet_cifar.cnn", "ResNet164", ({"h": 2, "w": 3}, {"h": 3, "w": 2})),
    Example("resnet_cifar.cnn", "ResNet1001", ({"h": 1, "w": 2}, {"h": 2, "w": 1})),
    Example("googlenet.cnn", "GoogLeNet", ({"h": 2, "w": 1}, {"h": 1, "w": 3})),
    Example("unet.cnn", "UNet2D", ({"h": 1, "w": 3}, {"h": 2, "w": 1})),
    Example("unet.cnn", "UNet3D", ({"d": 1, "h": 2, "w": 1}, {"d": 2, "h": 1, "w": 1})),
    Example("sequence.cnn", "SequenceNet", ({"L": 33}, {"L": 50})),
    Example("molecules.cnn", "ToxicityNet", ({"A": 4}, {"A": 7})),
    Example("text.cnn", "TextCNN", ({"L": 5}, {"L": 9}), settings={"words": 50}),
    Example("text.cnn", "TextTransformer", settings={"words": 50, "length": 9}),
    Example("tiny_convnext.cnn", "TinyConvNeXt"),
)


def marked(examples: Sequence[Example], *large: str) -> list[Any]:
    """The examples as parameters of a test; the large ones take a minute each, and `make zoo` runs them."""
    return [pytest.param(each, marks=pytest.mark.zoo if each.model in large else ()) for each in examples]
