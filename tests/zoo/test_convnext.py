"""ConvNeXt: torchvision's by name."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import convspec
from tests.zoo.comparing import agrees, image, named_alike
from tests.zoo.torchvision_models import torchvision, unsettled

SIZES = ("Tiny", "Small", "Base", "Large")


def _theirs(size: str) -> Any:
    return getattr(torchvision(), f"convnext_{size.lower()}")(weights=None)


@pytest.mark.parametrize("size", SIZES)
def test_names_and_shapes_are_torchvisions(size: str) -> None:
    named_alike(convspec.load("zoo:convnext", f"ConvNeXt{size}").module.graph, lambda: _theirs(size))


@pytest.mark.parametrize("size", SIZES)
def test_rates_of_stochastic_depth_are_torchvisions(size: str) -> None:
    with torch.device("meta"):
        depths = [module for module in _theirs(size).modules() if type(module).__name__ == "StochasticDepth"]
    expected = [module.p for module in depths if module.p > 0]
    graph = convspec.load("zoo:convnext", f"ConvNeXt{size}").module.graph
    found = [node.attrs.rate for node in graph.nodes if node.op.name == "drop_path"]
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("size", ["Tiny", pytest.param("Base", marks=pytest.mark.zoo)])
def test_outputs_are_torchvisions(size: str) -> None:
    torch.manual_seed(0)
    agrees("convnext", f"ConvNeXt{size}", unsettled(_theirs(size)), image(1, 3, 32, 64))
