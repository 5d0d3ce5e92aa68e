"""Every example gives the same outputs on every runtime, from one weight file, at two batch sizes and two image sizes."""

from __future__ import annotations

from pathlib import Path

import pytest

import convspec
from convspec.elaborate import load, model_names
from convspec.source import SourceFile
from convspec.syntax import ast, parse
from tests.examples.networks import EXAMPLES, NETWORKS, Example, inputs, marked, scaled_error

GATE = 1e-5


LARGE = ("VGG11", "VGG16BN", "ResNet152", "ResNet1001")


@pytest.mark.parametrize("example", marked(NETWORKS, *LARGE), ids=lambda example: example.model)
def test_runtimes_agree(example: Example, tmp_path: Path) -> None:
    drawn = example.net()
    weights = drawn.save_weights(tmp_path / "weights.safetensors")
    net = convspec.load(example.path, example.model, example.settings, weights=weights)
    for batch, sizes in zip((1, 3), example.sizes, strict=True):
        arrays = inputs(net, {"N": batch, **sizes})
        expected = net.run(arrays, runtime="reference")
        for runtime in ("onnxruntime", "pytorch", "tensorflow"):
            found = net.run(arrays, runtime=runtime)
            assert found.keys() == expected.keys()
            for name, values in expected.items():
                assert scaled_error(found[name], values) < GATE, f"{runtime}, {name}, batch {batch}, {sizes}"


def test_every_example_file_is_compared() -> None:
    assert {example.file for example in NETWORKS} == {path.name for path in EXAMPLES.glob("*.cnn")}


PARAMETERS = {
    "LeNet5": 61_706,
    "MnistTutorial": 1_663_370,
    "AlexNet": 61_100_840,
    "VGG11": 132_863_336,
    "VGG13": 133_047_848,
    "VGG16": 138_357_544,
    "VGG19": 143_667_240,
    "VGG11BN": 132_868_840,
    "VGG13BN": 133_053_736,
    "VGG16BN": 138_365_992,
    "VGG19BN": 143_678_248,
    "ResNet18": 11_689_512,
    "ResNet34": 21_797_672,
    "ResNet50": 25_557_032,
    "ResNet101": 44_549_160,
    "ResNet152": 60_192_808,
    "GoogLeNet": 6_624_904,
}
"""Learnable parameters as published, or as torchvision counts them."""


@pytest.mark.parametrize(("model", "expected"), PARAMETERS.items())
def test_parameter_counts(model: str, expected: int) -> None:
    (path,) = [path for path in EXAMPLES.glob("*.cnn") if model in model_names(path)]
    parameters = load(path, model).graph.parameters().values()
    assert sum(parameter.size for parameter in parameters if parameter.trainable) == expected


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.cnn")), ids=lambda path: path.stem)
def test_every_model_of_every_file_meets_its_budgets(path: Path) -> None:
    complete = [model for model in model_names(path) if not needs_arguments(path, model)]
    assert complete
    for model in complete:
        assert convspec.load(path, model).module.graph.nodes


def needs_arguments(path: Path, model: str) -> bool:
    """Whether a model has parameters without defaults, and so is there for its configurations."""
    tree = parse(SourceFile(path.name, path.read_text()))
    params = [item.params for item in tree.items if isinstance(item, ast.Block) and item.name.text == model]
    return any(param.default is None for own in params for param in own)
