"""GoogLeNet to Inception-ResNet v2: torchvision's by name, the others by what papers and their authors' code say of them."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import pytest
import torch

import convspec
from convspec.ir import dims
from convspec.ir.types import Array
from convspec.zoo.index import sizes_of
from tests.examples.networks import scaled_error
from tests.zoo.comparing import RUNTIMES, image
from tests.zoo.torchvision_models import shapes_of, stored, torchvision, unsettled, weights_of

THEIRS = {"GoogLeNet": ("googlenet", "googlenet"), "InceptionV3": ("inception_v3", "inception_v3")}
"""By our name: the file, and torchvision's function."""


@pytest.mark.parametrize("aux", [True, False])
@pytest.mark.parametrize("model", THEIRS)
def test_names_and_shapes_are_torchvisions(model: str, aux: bool) -> None:
    file, function = THEIRS[model]
    make = getattr(torchvision(), function)
    expected = shapes_of(lambda: make(weights=None, aux_logits=aux, init_weights=False))
    assert stored(convspec.load(f"zoo:{file}", model, {"aux": aux}).module.graph) == expected


HEADS = {
    "GoogLeNet": {"aux1": ("inception4a", "aux1"), "aux2": ("inception4d", "aux2")},
    "InceptionV3": {"aux": ("Mixed_6e", "AuxLogits")},
}
"""By the name of our output: torchvision's module that the head reads from, and the head, which it uses in training only."""


@pytest.mark.parametrize(
    ("model", "size"),
    [
        ("GoogLeNet", 96),
        pytest.param("GoogLeNet", 224, marks=pytest.mark.zoo),
        pytest.param("InceptionV3", 299, marks=pytest.mark.zoo),
    ],
)
def test_outputs_are_torchvisions(model: str, size: int) -> None:
    torch.manual_seed(0)
    file, function = THEIRS[model]
    theirs = unsettled(getattr(torchvision(), function)(weights=None, aux_logits=True, init_weights=False))
    settings: dict[str, object] = {"size": size} if model == "GoogLeNet" else {}
    batch = image(1, 3, size, size)
    expected = outputs(theirs, batch, HEADS[model])
    net = convspec.load(f"zoo:{file}", model, settings, weights=weights_of(theirs))
    for runtime in RUNTIMES:
        found = net.run(batch, runtime=runtime)
        assert set(found) == set(expected)
        for name, values in found.items():
            assert scaled_error(values, expected[name]) < 1e-5, (name, runtime)


def outputs(network: Any, batch: Array, heads: Mapping[str, tuple[str, str]]) -> dict[str, Array]:
    """The logits of a network in inference, and what its auxiliary heads make of the maps that they read."""
    found: dict[str, Array] = {}

    def reads(head: str, name: str) -> Any:
        return lambda module, inputs, output: found.update({name: getattr(network, head)(output).numpy()})

    for name, (module, head) in heads.items():
        getattr(network, module).register_forward_hook(reads(head, name))
    with torch.no_grad():
        return found | {"logits": network(torch.from_numpy(batch)).numpy()}


def test_inception_v3_without_its_head_takes_small_pictures() -> None:
    torch.manual_seed(0)
    theirs = unsettled(torchvision().inception_v3(weights=None, aux_logits=False, init_weights=False))
    batch = image(1, 3, 75, 107)
    expected = outputs(theirs, batch, {})["logits"]
    net = convspec.load("zoo:inception_v3", "InceptionV3", {"aux": False}, weights=weights_of(theirs))
    for runtime in RUNTIMES:
        (found,) = net.run(batch, runtime=runtime).values()
        assert scaled_error(found, expected) < 1e-5, runtime


def test_inception_v2_has_the_variables_of_its_authors_code() -> None:
    """TF-slim's own test gives 10,173,112 variables below the classifier.

    There a batch norm has three numbers for each channel and no weight, and the first convolution a bias in place of it.
    """
    shapes = stored(convspec.load("zoo:inception_v2", "InceptionV2").module.graph)
    kernels = sum(prod(shape) for shape in shapes.values() if len(shape) == 4)
    channels = sum(shape[0] for name, shape in shapes.items() if name.endswith("running_mean"))
    assert kernels + 3 * channels - 3 * 64 + 64 == 10_173_112


MAPS = {
    ("inception_v2", "InceptionV2", 224): {  # Ioffe & Szegedy 2015, figure 5
        **{"conv1": (64, 112), "conv3": (192, 56), "inception3a": (256, 28), "inception3b": (320, 28)},
        **{"inception3c": (576, 14), "inception4a": (576, 14), "inception4b": (576, 14), "inception4c": (576, 14)},
        **{"inception4d": (576, 14), "inception4e": (1024, 7), "inception5a": (1024, 7), "inception5b": (1024, 7)},
    },
    ("inception_v3", "InceptionV3", 299): {  # Szegedy et al. 2015, table 1, whose 3x3 before the second pool has no padding
        **{"Mixed_5d": (288, 35), "Mixed_6e": (768, 17), "Mixed_7a": (1280, 8), "Mixed_7c": (2048, 8)},
    },
    ("inception_v4", "InceptionV4", 299): {  # Szegedy et al. 2016, figures 3 and 9
        **{"conv1": (32, 149), "conv2": (32, 147), "conv3": (64, 147), "stem.mixed3": (96, 73), "stem": (384, 35)},
        **{"inception_a": (384, 35), "reduction_a": (1024, 17), "inception_b": (1024, 17)},
        **{"reduction_b": (1536, 8), "inception_c": (1536, 8)},
    },
    ("inception_resnet_v2", "InceptionResNetV2", 299): {  # as Keras says in its comments
        **{"conv5": (192, 71), "block35_10": (320, 35), "block17_20": (1088, 17), "block8_10": (2080, 8), "conv_7b": (1536, 8)},
    },
}
"""Channels and size of the last map that is made under a label, for a picture of the paper's size."""


@pytest.mark.parametrize("where", MAPS, ids=[model for _, model, _ in MAPS])
def test_maps_have_the_sizes_of_the_paper(where: tuple[str, str, int]) -> None:
    file, model, size = where
    module = convspec.load(f"zoo:{file}", model).module
    sizes = sizes_of(module)
    (given,) = module.graph.inputs
    assert [dims.evaluate(axis, sizes) for axis in given.value.type.spatial] == [size, size]
    for label, (channels, side) in MAPS[where].items():
        last = [node for node in module.graph.nodes if f"{node.path}.".startswith(f"{label}.")][-1]
        (found,) = last.output_types
        shape = [dims.evaluate(axis, sizes) for axis in found.shape]
        assert shape == [1, channels, side, side], label
