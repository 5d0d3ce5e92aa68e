"""RegNet: torchvision's by name."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import convspec
from convspec.diagnostics import Failure
from convspec.zoo import find
from tests.zoo.comparing import agrees, image, named_alike
from tests.zoo.torchvision_models import torchvision, unsettled

FORMS = [f"{kind}_{size}" for kind in "XY" for size in ("400MF", "800MF", "1_6GF", "3_2GF", "8GF")]


def _theirs(form: str) -> Any:
    return getattr(torchvision(), f"regnet_{form.lower()}")(weights=None)


@pytest.mark.parametrize("form", FORMS)
def test_names_and_shapes_are_torchvisions(form: str) -> None:
    """So are the widths and depths of the stages, which both work out: torchvision with tensors, which must have numbers."""
    theirs = _theirs(form)
    named_alike(convspec.load("zoo:regnet", f"RegNet{form}").module.graph, lambda: theirs)


@pytest.mark.parametrize("form", [pytest.param("X_400MF", marks=pytest.mark.zoo), "Y_400MF"])
def test_outputs_are_torchvisions(form: str) -> None:
    torch.manual_seed(0)
    agrees("regnet", f"RegNet{form}", unsettled(_theirs(form)), image(1, 3, 64, 96))


def test_a_point_in_a_name_tells() -> None:
    """Of 1.6 and 16 GFLOP torchvision has both."""
    assert find("regnet_x_1_6gf").name == find("regnetx-1.6gf").name == "RegNetX_1_6GF"
    with pytest.raises(Failure, match="no network `regnet_x_16gf`"):
        find("regnet_x_16gf")
