"""VGG, the Inceptions and Xception of `keras.applications`: their weights, converted, give their outputs.

What had to differ from torchvision's versions:

VGG                 nothing
InceptionV3         means leave padding out; batch norms have no weight
Xception            only Keras has it
InceptionResNetV2   only Keras has it
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import convspec
from tests.zoo.comparing import gives, image
from tests.zoo.keras_models import answers, converted, made, placed


def check(
    file: str,
    name: str,
    network: Any,
    mapping: Mapping[str, str],
    folder: Path,
    settings: Mapping[str, object] | None = None,
    allow_missing: Sequence[str] = (),
) -> None:
    """The weights of a Keras network, saved and converted by `mapping`, give its outputs in the network `name` of the zoo."""
    settings = {"classes": network.output_shape[-1], **(settings or {})}
    module = convspec.load(f"zoo:{file}", name, settings).module
    own = {layer.name: layer.name for _, layer in placed(network)}
    weights = converted(module, network, (own | dict(mapping)).__getitem__, folder, allow_missing)
    batch = image(1, 3, *network.input_shape[1:3])
    gives(file, name, weights, batch, answers(network, batch), settings)


def numbered(network: Any, kind: str) -> list[str]:
    """The layers to which Keras gave a name of this kind, `conv2d`, `conv2d_1` and so on, in the order they were made in."""
    matches = [re.fullmatch(rf"{kind}(?:_(\d+))?", layer.name) for layer in network.layers]
    return [match[0] for match in sorted(filter(None, matches), key=lambda match: int(match[1] or 0))]


STAGES = {"VGG16": [2, 2, 3, 3, 3], "VGG19": [2, 2, 4, 4, 4]}
DENSE = {"fc1": "classifier.0", "fc2": "classifier.3", "predictions": "classifier.6"}


@pytest.mark.parametrize("name", ["VGG16", pytest.param("VGG19", marks=pytest.mark.zoo)])
def test_vgg(name: str, tmp_path: Path) -> None:
    """On 64x64: the dense layers then see 2x2 cells, which Keras flattens in another order than the spec."""
    mapping, position = dict(DENSE), 0
    for i, count in enumerate(STAGES[name], 1):
        for j in range(1, count + 1):
            mapping[f"block{i}_conv{j}"] = f"features.{position}"
            position += 2
        position += 1
    network = made(name, (64, 64, 3), classes=10)
    check("vgg", name, network, mapping, tmp_path, {"size": 64, "grid": 2})


def units(file: str, name: str, settings: Mapping[str, object] | None = None) -> list[str]:
    """The labels of the units of convolution and batch norm, in the order of the spec."""
    graph = convspec.load(f"zoo:{file}", name, settings or {}).module.graph
    return [parameter.removesuffix(".bn.bias") for parameter in graph.parameters() if parameter.endswith(".bn.bias")]


def by_number(network: Any, labels: Sequence[str]) -> dict[str, str]:
    """Keras makes what has no name branch by branch, as the spec does."""
    kinds = {"conv2d": "conv", "batch_normalization": "bn"}
    rows = [(numbered(network, kind), ours) for kind, ours in kinds.items()]
    return {theirs: f"{label}.{ours}" for names, ours in rows for theirs, label in zip(names, labels, strict=True)}


def test_inception_v3(tmp_path: Path) -> None:
    network = made("InceptionV3", (75, 107, 3), classes=10)
    settings = {"aux": False, "count_pad": False}
    mapping = by_number(network, units("inception_v3", "InceptionV3", settings)) | {"predictions": "fc"}
    check("inception_v3", "InceptionV3", network, mapping, tmp_path, settings, ["*.bn.weight"])


@pytest.mark.zoo
def test_inception_resnet_v2(tmp_path: Path) -> None:
    network = made("InceptionResNetV2", (75, 75, 3), classes=10)
    *numbered_units, last = units("inception_resnet_v2", "InceptionResNetV2")
    mapping = by_number(network, numbered_units) | {last: f"{last}.conv", f"{last}_bn": f"{last}.bn"}
    for kind, count in {"block35": 10, "block17": 20, "block8": 10}.items():
        mapping |= {f"{kind}_{i}_conv": f"{kind}_{i}.conv" for i in range(1, count + 1)}
    check("inception_resnet_v2", "InceptionResNetV2", network, mapping, tmp_path)


def test_xception(tmp_path: Path) -> None:
    """Names are Keras's but for the convolutions beside the pools, which it numbers."""
    network = made("Xception", (75, 75, 3), classes=10)
    named = [layer.name for layer in network.layers if layer.name.startswith("block") and layer.weights]
    mapping = {name: name.replace("_", ".", 1) for name in named}
    shortcuts = [f"block{i}.shortcut" for i in (2, 3, 4, 13)]
    mapping |= dict(zip(numbered(network, "conv2d"), shortcuts, strict=True))
    mapping |= dict(zip(numbered(network, "batch_normalization"), (f"{label}_bn" for label in shortcuts), strict=True))
    check("xception", "Xception", network, mapping, tmp_path)


@pytest.mark.zoo
@pytest.mark.parametrize(
    ("name", "learnable"),
    [("VGG16", 138_357_544), ("InceptionV3", 23_817_352), ("InceptionResNetV2", 55_813_192), ("Xception", 22_855_952)],
)
def test_published_numbers_are_those_of_keras(name: str, learnable: int) -> None:
    size = 224 if name == "VGG16" else 299
    network = made(name, (size, size, 3))
    assert sum(int(np.prod(variable.shape)) for variable in network.trainable_variables) == learnable
