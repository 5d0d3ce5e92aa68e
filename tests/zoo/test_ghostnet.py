"""GhostNet: against its paper's blocks and table, written out in PyTorch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.zoo.comparing import agrees, image
from tests.zoo.torchvision_models import unsettled

TABLE = """
3 16 16 - 1 | 3 48 24 - 2 | 3 72 24 - 1 | 5 72 40 se 2 | 5 120 40 se 1 | 3 240 80 - 2
3 200 80 - 1, 3 184 80 - 1, 3 184 80 - 1, 3 480 112 se 1, 3 672 112 se 1 | 5 672 160 se 2
5 960 160 - 1, 5 960 160 se 1, 5 960 160 - 1, 5 960 160 se 1
"""
"""Table 1: kernel, expansion, output, attention and stride of each bottleneck, by stage."""

SQUEEZED = {72: 20, 120: 32, 480: 120, 672: 168, 960: 240}
"""A quarter, to a multiple of 4."""


def normed(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(outputs)]


class Ghost(nn.Module):
    """Figure 1(b), with identity for its activation in a bottleneck's second."""

    def __init__(self, inputs: int, outputs: int, active: bool) -> None:
        super().__init__()
        act = [nn.ReLU()] if active else []
        half = outputs // 2
        self.primary_conv = nn.Sequential(*normed(inputs, half), *act)
        self.cheap_operation = nn.Sequential(*normed(half, half, 3, groups=half), *act)

    def forward(self, x: Tensor) -> Tensor:
        own = self.primary_conv(x)
        return torch.cat([own, self.cheap_operation(own)], 1)


class Attention(nn.Module):
    """Of the mean over positions, gated by the hard sigmoid."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, SQUEEZED[channels], 1)
        self.fc2 = nn.Conv2d(SQUEEZED[channels], channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = F.relu6(self.fc2(F.relu(self.fc1(x.mean((2, 3), keepdim=True)))) + 3) / 6
        return x * found


class Bottleneck(nn.Module):
    """Figure 3."""

    def __init__(self, inputs: int, row: str) -> None:
        super().__init__()
        kernel, hidden, outputs, se, stride = (int(cell) if cell.isdigit() else cell == "se" for cell in row.split())
        self.ghost1 = Ghost(inputs, hidden, active=True)
        if stride == 2:
            self.conv_dw, self.bn_dw = normed(hidden, hidden, kernel, 2, hidden)
        if se:
            self.se = Attention(hidden)
        self.ghost2 = Ghost(hidden, outputs, active=False)
        self.shortcut = nn.Sequential()
        if stride == 2 or inputs != outputs:
            self.shortcut = nn.Sequential(*normed(inputs, inputs, kernel, stride, inputs), *normed(inputs, outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = self.ghost1(x)
        if hasattr(self, "conv_dw"):
            y = self.bn_dw(self.conv_dw(y))
        if hasattr(self, "se"):
            y = self.se(y)
        found: Tensor = self.ghost2(y) + self.shortcut(x)
        return found


class Network(nn.Module):
    """Table 1."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem, self.bn1 = normed(3, 16, 3, 2)
        stages, channels = [], 16
        for stage in TABLE.replace("\n", "|").strip("|").split("|"):
            made = []
            for row in stage.split(","):
                made.append(Bottleneck(channels, row))
                channels = int(row.split()[2])
            stages.append(nn.Sequential(*made))
        last = nn.Sequential()
        last.conv, last.bn1 = normed(channels, 960)
        self.blocks = nn.Sequential(*stages, nn.Sequential(last))
        self.conv_head = nn.Conv2d(960, 1280, 1)
        self.classifier = nn.Linear(1280, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.blocks(F.relu(self.bn1(self.conv_stem(x)))))
        found: Tensor = self.classifier(F.relu(self.conv_head(x.mean((2, 3), keepdim=True))).flatten(1))
        return found


def test_outputs_are_the_papers() -> None:
    torch.manual_seed(0)
    agrees("ghostnet", "GhostNet", unsettled(Network()), image(1, 3, 64, 96))
