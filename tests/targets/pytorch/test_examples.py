"""The example specs: each is printed readably and proven; ResNet-50 is short and has torchvision's names."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from convspec.elaborate import load, model_names
from convspec.targets.pytorch import helpers
from convspec.targets.pytorch.source import Source, generate
from convspec.targets.source.material import Material

EXAMPLES = Path(__file__).parents[3] / "examples"
MODELS = [(path.name, model) for path in sorted(EXAMPLES.glob("*.cnn")) for model in model_names(path)]
MATERIAL = Material(Path(str(helpers.__file__)).parent)
BUILDABLE = [(name, model) for name, model in MODELS if model not in ("VGG", "ResNet1001")]
"""VGG needs its list; ResNet1001 is ResNet164 with more turns, and slow."""


@cache
def made(name: str, model: str) -> Source:
    return generate(load(EXAMPLES / name, model), model.lower())


@pytest.mark.parametrize(("name", "model"), BUILDABLE)
def test_every_example_is_readable(name: str, model: str) -> None:
    found = made(name, model)
    assert found.notes == ()
    text = found.text
    for definition in MATERIAL.texts.values():  # layers that PyTorch lacks, which the file carries with it
        text = text.replace(definition, "")
    assert len([line for line in text.splitlines() if line.strip()]) <= 100


def torchvision_resnet_keys(depths: list[int], convs: int) -> set[str]:
    """The parameter names of torchvision's ResNets, written out from their documented structure."""
    layer = [("weight",), ("weight", "bias", "running_mean", "running_var")]
    keys = {"conv1.weight", "fc.weight", "fc.bias", *(f"bn1.{role}" for role in layer[1])}
    for stage, depth in enumerate(depths, 1):
        for block in range(depth):
            for index in range(1, convs + 1):
                keys.add(f"layer{stage}.{block}.conv{index}.weight")
                keys |= {f"layer{stage}.{block}.bn{index}.{role}" for role in layer[1]}
        if convs == 3 or stage > 1:
            keys.add(f"layer{stage}.0.downsample.0.weight")
            keys |= {f"layer{stage}.0.downsample.1.{role}" for role in layer[1]}
    return keys


@pytest.mark.parametrize(("model", "depths", "convs"), [("ResNet50", [3, 4, 6, 3], 3), ("ResNet18", [2, 2, 2, 2], 2)])
def test_resnet_has_the_names_of_torchvision(model: str, depths: list[int], convs: int) -> None:
    from convspec.targets.pytorch.package import import_text

    network = getattr(import_text(made("resnet.cnn", model).text), model)()
    keys = {key for key in network.state_dict() if not key.endswith("num_batches_tracked")}
    assert keys == torchvision_resnet_keys(depths, convs)


def test_resnet_152_differs_from_resnet_50_in_its_numbers_only() -> None:
    one, other = (made("resnet.cnn", model).text for model in ("ResNet50", "ResNet152"))
    assert (
        one.replace("ResNet50", "ResNet152").replace("resnet50", "resnet152").replace("(3, 4, 6, 3)", "(3, 8, 36, 3)") == other
    )
