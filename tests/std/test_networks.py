"""Whole networks of torchvision's made of the standard library have its names, shapes and numbers of parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from convspec.elaborate import load, model_names
from tests.std.test_torchvision import _importable as importable  # noqa: F401 - a fixture, for every test here

NETWORKS = Path(__file__).parent / "networks.cnn"


@pytest.mark.parametrize("model", [name for name in model_names(NETWORKS) if name != "ResNet"])
def test_names_and_shapes(model: str) -> None:
    import torchvision.models

    with torch.device("meta"):
        theirs: Any = getattr(torchvision.models, model)(weights=None)
    expected = {name: tuple(value.shape) for name, value in theirs.state_dict().items() if not name.endswith("batches_tracked")}
    parameters = load(NETWORKS, model).graph.parameters()
    assert {name: parameter.shape for name, parameter in parameters.items()} == expected
    counted = sum(parameter.size for parameter in parameters.values() if parameter.trainable)
    assert counted == sum(value.numel() for value in theirs.parameters())
