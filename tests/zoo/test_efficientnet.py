"""EfficientNet and EfficientNetV2: torchvision's by name, with rates, epsilons and momenta."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import convspec
from tests.zoo.comparing import agrees, image, named_alike
from tests.zoo.torchvision_models import torchvision, unsettled

THEIRS = {
    **{f"EfficientNetB{i}": ("efficientnet", f"efficientnet_b{i}") for i in range(8)},
    **{f"EfficientNetV2{size}": ("efficientnet_v2", f"efficientnet_v2_{size.lower()}") for size in "SML"},
}
"""By our name: the file, and torchvision's function."""


def _theirs(model: str) -> Any:
    return getattr(torchvision(), THEIRS[model][1])(weights=None)


@pytest.mark.parametrize("model", THEIRS)
def test_names_shapes_and_rates_are_torchvisions(model: str) -> None:
    """Rates and momenta show in training alone, so outputs do not tell."""
    graph = convspec.load(f"zoo:{THEIRS[model][0]}", model).module.graph
    named_alike(graph, lambda: _theirs(model))
    with torch.device("meta"):
        modules = list(_theirs(model).modules())
    blocks = [m for m in modules if hasattr(m, "stochastic_depth") and m.use_res_connect]
    rates = [block.stochastic_depth.p for block in blocks if block.stochastic_depth.p > 0]
    found = [node.attrs.rate for node in graph.nodes if node.op.name == "drop_path"]
    assert found == pytest.approx(rates, rel=1e-12)
    momenta = [m.momentum for m in modules if isinstance(m, torch.nn.BatchNorm2d)]
    assert [node.attrs.momentum for node in graph.nodes if node.op.name == "batchnorm"] == momenta
    (rate,) = (m.p for m in modules if isinstance(m, torch.nn.Dropout))
    assert [node.attrs.rate for node in graph.nodes if node.op.name == "dropout"] == [rate]


@pytest.mark.parametrize("model", THEIRS)
def test_pictures_are_torchvisions(model: str) -> None:
    """Each network has a size of its own, and a part of the resized picture that the cut keeps."""
    wanted = torchvision().get_model_weights(THEIRS[model][1]).IMAGENET1K_V1.transforms()
    picture = convspec.load(f"zoo:{THEIRS[model][0]}", model).module.graph.inputs[0].picture
    assert picture is not None and picture.size is not None
    assert list(picture.size) == wanted.crop_size * 2
    assert [int(size / picture.crop) for size in picture.size] == wanted.resize_size * 2
    assert [list(picture.mean), list(picture.std)] == [list(wanted.mean), list(wanted.std)]


@pytest.mark.parametrize(
    ("model", "size"),
    [
        ("EfficientNetB0", (65, 47)),
        pytest.param("EfficientNetB5", (64, 96), marks=pytest.mark.zoo),
        pytest.param("EfficientNetV2S", (64, 96), marks=pytest.mark.zoo),
    ],
)
def test_outputs_are_torchvisions(model: str, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    agrees(THEIRS[model][0], model, unsettled(_theirs(model)), image(1, 3, *size))
