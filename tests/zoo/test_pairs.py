"""The Siamese network against its paper written out in PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import convspec
from convspec.weights.randomised import randomised
from tests.zoo.comparing import image
from tests.zoo.oracles import holds, stores


class Tower(nn.Module):
    """Koch et al. 2015, figure 4."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 64, 10), nn.Conv2d(64, 128, 7)
        self.conv3, self.conv4 = nn.Conv2d(128, 128, 4), nn.Conv2d(128, 256, 4)
        self.fc, self.pool = nn.Linear(6 * 6 * 256, 4096), nn.MaxPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        for conv in (self.conv1, self.conv2, self.conv3):
            x = self.pool(conv(x).relu())
        found: Tensor = self.fc(self.conv4(x).relu().flatten(1)).sigmoid()
        return found


class Siamese(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.tower, self.fc = Tower(), nn.Linear(4096, 1)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        found: Tensor = self.fc((self.tower(first) - self.tower(second)).abs()).sigmoid()
        return found


def test_both_pictures_go_through_one_tower() -> None:
    """Its weights are stored once; a picture beside itself has the distance 0, and what is left is the bias."""
    stores("siamese", "Siamese", Siamese)
    weights = randomised(convspec.load("zoo:siamese", "Siamese").module.graph, seed=1)
    net = convspec.load("zoo:siamese", "Siamese", weights=weights)
    picture = image(1, 1, 105, 105)
    found = net.run({"first": picture, "second": picture}, runtime="onnxruntime")["same"]
    assert np.allclose(found, torch.from_numpy(weights["fc.bias"]).sigmoid())


@pytest.mark.zoo
def test_siamese() -> None:
    holds("siamese", "Siamese", Siamese(), {"first": image(2, 1, 105, 105), "second": image(2, 1, 105, 105, seed=1)})
