"""ShuffleNetV2: torchvision's by name. ShuffleNet: against its unit written out in PyTorch."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import convspec
from tests.zoo.comparing import agrees, image, named_alike
from tests.zoo.torchvision_models import torchvision, unsettled

WIDTHS = ("x0_5", "x1_0", "x1_5", "x2_0")


@pytest.mark.parametrize("width", WIDTHS)
def test_names_and_shapes_are_torchvisions(width: str) -> None:
    graph = convspec.load("zoo:shufflenet_v2", f"ShuffleNetV2_{width}").module.graph
    named_alike(graph, lambda: getattr(torchvision(), f"shufflenet_v2_{width}")(weights=None))


@pytest.mark.parametrize("width", ["x0_5", pytest.param("x1_0", marks=pytest.mark.zoo)])
def test_outputs_are_torchvisions(width: str) -> None:
    torch.manual_seed(0)
    theirs = unsettled(getattr(torchvision(), f"shufflenet_v2_{width}")(weights=None))
    agrees("shufflenet_v2", f"ShuffleNetV2_{width}", theirs, image(1, 3, 64, 96))


class Unit(nn.Module):
    """Zhang et al. 2017, figure 2(b) and (c)."""

    def __init__(self, inputs: int, outputs: int, first: int, groups: int, stride: int) -> None:
        super().__init__()
        inner, self.groups, self.stride = outputs // 4, groups, stride
        self.conv1 = nn.Conv2d(inputs, inner, 1, groups=first, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, 1, groups=inner, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, outputs - inputs if stride == 2 else outputs, 1, groups=groups, bias=False)
        self.bn3 = nn.BatchNorm2d(self.conv3.out_channels)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = y.reshape(len(y), self.groups, -1, *y.shape[2:]).transpose(1, 2).flatten(1, 2)
        y = self.bn3(self.conv3(self.bn2(self.conv2(y))))
        if self.stride == 1:
            return F.relu(x + y)
        return F.relu(torch.cat([F.avg_pool2d(x, 3, 2, 1), y], 1))


class Shuffle(nn.Module):
    """Table 1."""

    def __init__(self, groups: int, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 24, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(24)
        channels = 24
        for i, depth in enumerate((4, 8, 4)):
            units = []
            for j in range(depth):
                first = 1 if i == j == 0 else groups
                units.append(Unit(channels, width * 2**i, first, groups, 2 if j == 0 else 1))
                channels = width * 2**i
            setattr(self, f"stage{i + 2}", nn.Sequential(*units))
        self.fc = nn.Linear(channels, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for i in (2, 3, 4):
            x = getattr(self, f"stage{i}")(x)
        found: Tensor = self.fc(x.mean((2, 3)))
        return found


PAPER = {"V1": (3, 240), "V1_g1": (1, 144), "V1_g2": (2, 200), "V1_g4": (4, 272), "V1_g8": (8, 384)}
"""Groups, and channels of the first stage."""


@pytest.mark.parametrize("form", PAPER)
def test_names_and_shapes_are_the_papers(form: str) -> None:
    named_alike(convspec.load("zoo:shufflenet_v1", f"ShuffleNet{form}").module.graph, lambda: Shuffle(*PAPER[form]))


def test_outputs_are_the_papers() -> None:
    torch.manual_seed(0)
    agrees("shufflenet_v1", "ShuffleNetV1", unsettled(Shuffle(3, 240)), image(1, 3, 64, 96))
