"""Networks of keras.applications, their weights converted into the zoo's spec of the same network: the same outputs.

NETWORKS says what had to differ from the spec as it stands. Where nothing did, the spec has Keras's form (ResNetV2) or both
frameworks agree (ConvNeXt, without Keras's preprocessing and torchvision's stochastic depth).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import convspec
from tests.zoo.comparing import gives, image, same_epsilons
from tests.zoo.keras_models import answers, converted, leaves, made


def _resnet(name: str) -> str:
    """`layer1.0.conv2` for `conv2_block1_2_conv`."""
    if found := re.fullmatch(r"conv(\d)_block(\d+)_(\d)_(conv|bn)", name):
        stage, block, at, kind = int(found[1]), int(found[2]), found[3], found[4]
        part = f"downsample.{('conv', 'bn').index(kind)}" if at == "0" else f"{kind}{at}"
        return f"layer{stage - 1}.{block - 1}.{part}"
    return {"conv1_conv": "conv1", "conv1_bn": "bn1", "predictions": "fc"}[name]


def _resnet_v2(name: str) -> str:
    """`conv2_block1.2_conv` for `conv2_block1_2_conv`."""
    return re.sub(r"(block\d+)_", r"\1.", name)


def _densenet(name: str) -> str:
    """`features.denseblock1.denselayer1.conv2` for `conv2_block1_2_conv`."""
    if found := re.fullmatch(r"conv(\d)_block(\d+)_(0_bn|1_conv|1_bn|2_conv)", name):
        part = {"0_bn": "norm1", "1_conv": "conv1", "1_bn": "norm2", "2_conv": "conv2"}[found[3]]
        return f"features.denseblock{int(found[1]) - 1}.denselayer{found[2]}.{part}"
    if found := re.fullmatch(r"pool(\d)_(bn|conv)", name):
        return f"features.transition{int(found[1]) - 1}.{'norm' if found[2] == 'bn' else 'conv'}"
    ends = {"conv1_conv": "features.conv0", "conv1_bn": "features.norm0", "bn": "features.norm5", "predictions": "classifier"}
    return ends[name]


def _convnext(name: str) -> str:
    """`features.1.0.block.0` for `convnext_tiny_stage_0_block_0_depthwise_conv`."""
    name = re.sub(r"^convnext_[a-z]+_", "", name)
    if found := re.fullmatch(r"stage_(\d)_block_(\d+)_(\w+)", name):
        parts = {
            "depthwise_conv": "block.0",
            "layernorm": "block.2",
            "pointwise_conv_1": "block.3",
            "pointwise_conv_2": "block.5",
        }
        return f"features.{2 * int(found[1]) + 1}.{found[2]}.{parts.get(found[3], 'layer_scale')}"
    if found := re.fullmatch(r"downsampling_(layernorm|conv)_(\d)", name):
        return f"features.{2 * int(found[2]) + 2}.{('layernorm', 'conv').index(found[1])}"
    return {
        "stem_conv": "features.0.0",
        "stem_layernorm": "features.0.1",
        "head_layernorm": "classifier.0",
        "head_dense": "classifier.2",
    }[name]


Case = tuple[str, Callable[[str], str], Mapping[str, object]]

EPSILON = 1.001e-5
"""Of the batch norms in Keras's residual and dense networks; torchvision has 1e-5."""

RESNET: Case = ("resnet", _resnet, {"bias": True, "eps": EPSILON, "stride_first": True})
"""Biases before batch norms, their epsilon, and the stride on the first 1x1."""

RESNET_V2: Case = ("resnet_v2", _resnet_v2, {})
DENSENET: Case = ("densenet", _densenet, {"eps": EPSILON})
CONVNEXT: Case = ("convnext", _convnext, {"drop": 0.0})

NETWORKS: dict[str, Case] = {
    **dict.fromkeys(("ResNet50", "ResNet101", "ResNet152"), RESNET),
    **dict.fromkeys(("ResNet50V2", "ResNet101V2", "ResNet152V2"), RESNET_V2),
    **dict.fromkeys(("DenseNet121", "DenseNet169", "DenseNet201"), DENSENET),
    **dict.fromkeys(("ConvNeXtTiny", "ConvNeXtSmall", "ConvNeXtBase"), CONVNEXT),
}
"""By the name that Keras has for the network, which is ours: the file, our label for one of its layers, the settings."""

ALWAYS = ("ResNet50", "ConvNeXtTiny")


@pytest.mark.parametrize("name", [*ALWAYS, *(pytest.param(n, marks=pytest.mark.zoo) for n in NETWORKS if n not in ALWAYS)])
def test_its_weights_give_its_outputs(name: str, tmp_path: Path) -> None:
    file, label, settings = NETWORKS[name]
    options = {"include_preprocessing": False} if name.startswith("ConvNeXt") else {}
    theirs = made(name, (32, 64, 3), **options)
    batch = image(1, 3, 32, 64)
    module = convspec.load(f"zoo:{file}", name, settings).module
    same_epsilons(module.graph, {label(layer.name): layer.epsilon for layer in leaves(theirs) if hasattr(layer, "epsilon")})
    weights = converted(module, theirs, label, tmp_path)
    gives(file, name, weights, batch, answers(theirs, batch), settings)
