"""DenseNet: torchvision's by name."""

from __future__ import annotations

import pytest
import torch

import convspec
from tests.zoo.comparing import agrees, image, named_alike
from tests.zoo.torchvision_models import torchvision, unsettled


@pytest.mark.parametrize("depth", [121, 161, 169, 201])
def test_names_and_shapes_are_torchvisions(depth: int) -> None:
    graph = convspec.load("zoo:densenet", f"DenseNet{depth}").module.graph
    named_alike(graph, lambda: getattr(torchvision(), f"densenet{depth}")(weights=None))


@pytest.mark.parametrize("depth", [121, pytest.param(161, marks=pytest.mark.zoo)])
def test_outputs_are_torchvisions(depth: int) -> None:
    torch.manual_seed(0)
    theirs = unsettled(getattr(torchvision(), f"densenet{depth}")(weights=None))
    agrees("densenet", f"DenseNet{depth}", theirs, image(1, 3, 32, 64))
