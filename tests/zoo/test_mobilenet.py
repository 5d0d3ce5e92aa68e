"""MobileNetV2 and V3 and MnasNet: torchvision's by name. (V1 is Keras's: see test_keras_mobile.)"""

from __future__ import annotations

from typing import Any

import pytest
import torch

import convspec
from tests.zoo.comparing import agrees, image, named_alike
from tests.zoo.torchvision_models import shapes_of, stored, torchvision, unsettled

THEIRS = {
    "MobileNetV2": ("mobilenet_v2", "mobilenet_v2"),
    "MobileNetV3Small": ("mobilenet_v3", "mobilenet_v3_small"),
    "MobileNetV3Large": ("mobilenet_v3", "mobilenet_v3_large"),
    **{f"MNASNet{width}": ("mnasnet", f"mnasnet{width}") for width in ("0_5", "0_75", "1_0", "1_3")},
}
"""By our name: the file, and torchvision's function."""

LIGHT = ["MobileNetV2", "MobileNetV3Small", "MNASNet0_5"]

WIDTHS = [("MobileNetV2", 0.35), ("MobileNetV2", 1.4), ("MobileNetV3Small", 0.75), ("MobileNetV3Large", 1.25)]


def _theirs(model: str, **options: Any) -> Any:
    return getattr(torchvision(), THEIRS[model][1])(weights=None, **options)


@pytest.mark.parametrize("model", THEIRS)
def test_names_and_shapes_are_torchvisions(model: str) -> None:
    named_alike(convspec.load(f"zoo:{THEIRS[model][0]}", model).module.graph, lambda: _theirs(model))


@pytest.mark.parametrize(("model", "width"), WIDTHS)
def test_other_widths_are_torchvisions(model: str, width: float) -> None:
    found = stored(convspec.load(f"zoo:{THEIRS[model][0]}", model, {"width": width}).module.graph)
    assert found == shapes_of(lambda: _theirs(model, width_mult=width))


@pytest.mark.parametrize(
    "model", LIGHT + [pytest.param(model, marks=pytest.mark.zoo) for model in ("MobileNetV3Large", "MNASNet1_0")]
)
def test_outputs_are_torchvisions(model: str) -> None:
    torch.manual_seed(0)
    agrees(THEIRS[model][0], model, unsettled(_theirs(model)), image(1, 3, 64, 96))


@pytest.mark.parametrize("model", ["MobileNetV2", "MobileNetV3Large", "MNASNet1_0"])
def test_momenta_are_torchvisions(model: str) -> None:
    """A momentum shows in training alone, so outputs do not tell."""
    graph = convspec.load(f"zoo:{THEIRS[model][0]}", model).module.graph
    found = [node.attrs.momentum for node in graph.nodes if node.op.name == "batchnorm"]
    with torch.device("meta"):
        norms = [module for module in _theirs(model).modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert found == pytest.approx([norm.momentum for norm in norms])
