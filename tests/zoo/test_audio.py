"""Sound: WaveNet and the M networks against their papers written out in PyTorch, and how much of it they hear."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import convspec
from convspec.analysis.quantities import quantity
from convspec.ir.types import Array
from convspec.weights.randomised import randomised
from tests.zoo.comparing import image
from tests.zoo.oracles import holds, stores


class Layer(nn.Module):
    """van den Oord et al. 2016, figure 4: what a layer hands on, and what it gives to the sum."""

    def __init__(self, width: int, skip: int, dilation: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, 2 * width, 2, dilation=dilation)
        self.residual, self.skip = nn.Conv1d(width, width, 1), nn.Conv1d(width, skip, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        (dilation,) = self.conv.dilation
        values, gates = self.conv(F.pad(x, (dilation, 0))).chunk(2, 1)
        z = values.tanh() * gates.sigmoid()
        return x + self.residual(z), self.skip(z)


class WaveNet(nn.Module):
    def __init__(self, stacks: int = 3, levels: int = 10, width: int = 32, skip: int = 512) -> None:
        super().__init__()
        self.embedding = nn.Embedding(256, width)
        for i in range(stacks):
            self.add_module(f"stack{i}", nn.ModuleList(Layer(width, skip, 2**j) for j in range(levels)))
        self.stacks, self.post1, self.post2 = stacks, nn.Conv1d(skip, skip, 1), nn.Conv1d(skip, 256, 1)

    def forward(self, samples: Tensor) -> Tensor:
        x, total = self.embedding(samples).mT, torch.zeros(())
        for i in range(self.stacks):
            for layer in self.get_submodule(f"stack{i}").children():
                x, heard = layer(x)
                total = total + heard
        found: Tensor = self.post2(self.post1(total.relu()).relu())
        return found


SMALL = {"stacks": 2, "levels": 4, "width": 8, "skip": 12}


def samples(count: int, length: int) -> Array:
    return np.random.default_rng(0).integers(0, 256, (count, length))


def test_wavenet() -> None:
    stores("wavenet", "WaveNet", WaveNet)
    holds("wavenet", "WaveNet", WaveNet(2, 4, 8, 12), {"samples": samples(2, 40)}, SMALL)


@pytest.mark.parametrize("stacks", [1, 3])
def test_a_stack_of_wavenet_hears_1024_samples(stacks: int) -> None:
    graph = convspec.load("zoo:wavenet", "WaveNet", {"stacks": stacks}).module.graph
    assert quantity("receptive_field", graph, {}) == 1 + stacks * (1024 - 1)


def test_what_wavenet_hears_is_exactly_that() -> None:
    """Two stacks of 1, 2, 4, 8: a sample reaches the outputs from its own time on, up to 30 samples later."""
    graph = convspec.load("zoo:wavenet", "WaveNet", SMALL).module.graph
    net = convspec.load("zoo:wavenet", "WaveNet", SMALL, weights=randomised(graph, seed=1))
    given = samples(1, 40)
    before = net.run(given, runtime="reference")["logits"]
    given[0, 3] = (given[0, 3] + 1) % 256
    after = net.run(given, runtime="reference")["logits"]
    reached = [t for t in range(40) if np.any(after[:, :, t] != before[:, :, t])]
    assert (reached[0], reached[-1]) == (3, 3 + 2 * 15)


class Stage(nn.Module):
    """[3, filters] of the table in Dai et al. 2016."""

    def __init__(self, inputs: int, filters: int) -> None:
        super().__init__()
        self.conv, self.bn = nn.Conv1d(inputs, filters, 3, padding=1, bias=False), nn.BatchNorm1d(filters)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


class Residual(nn.Module):
    """Figure 1b, with a projection where the number of channels changes."""

    def __init__(self, inputs: int, filters: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv1d(inputs, filters, 3, padding=1, bias=False), nn.BatchNorm1d(filters)
        self.conv2, self.bn2 = nn.Conv1d(filters, filters, 3, padding=1, bias=False), nn.BatchNorm1d(filters)
        self.shortcut = nn.Sequential()
        if inputs != filters:
            self.shortcut = nn.Sequential(nn.Conv1d(inputs, filters, 1, bias=False), nn.BatchNorm1d(filters))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


TABLE: dict[str, tuple[type[Stage] | type[Residual], int, list[tuple[int, int]]]] = {
    "M3": (Stage, 256, [(256, 1)]),
    "M5": (Stage, 128, [(128, 1), (256, 1), (512, 1)]),
    "M11": (Stage, 64, [(64, 2), (128, 2), (256, 3), (512, 2)]),
    "M18": (Stage, 64, [(64, 4), (128, 4), (256, 4), (512, 4)]),
    "M34Res": (Residual, 48, [(48, 3), (96, 4), (192, 6), (384, 3)]),
}
MILLIONS = {"M3": 0.2, "M5": 0.5, "M11": 1.8, "M18": 3.7, "M34Res": 4.0}
"""Parameters, as the paper's table has them."""


class Waveform(nn.Module):
    """Pooling by 4 behind the first four stages, the first window among them."""

    def __init__(self, unit: type[Stage] | type[Residual], first: int, stages: list[tuple[int, int]]) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv1d(1, first, 80, 4, padding=38, bias=False), nn.BatchNorm1d(first)
        self.stages, before = len(stages), first
        for i, (filters, depth) in enumerate(stages, 1):
            units = [unit(before if j == 0 else filters, filters) for j in range(depth)]
            self.add_module(f"stage{i}", nn.Sequential(*units))
            before = filters
        self.fc = nn.Linear(before, 10)

    def forward(self, wave: Tensor) -> Tensor:
        x = F.max_pool1d(F.relu(self.bn1(self.conv1(wave))), 4)
        for i in range(1, self.stages + 1):
            x = self.get_submodule(f"stage{i}")(x)
            x = F.max_pool1d(x, 4) if i < 4 else x
        found: Tensor = self.fc(x.mean(2))
        return found


@pytest.mark.parametrize("model", TABLE)
def test_raw_waveforms_store_what_the_table_says(model: str) -> None:
    stores("m5", model, lambda: Waveform(*TABLE[model]))
    parameters = convspec.load("zoo:m5", model).module.graph.parameters().values()
    assert abs(sum(p.size for p in parameters if p.trainable) / 1e6 - MILLIONS[model]) < 0.075


@pytest.mark.parametrize("model", ["M5", "M34Res"])
def test_raw_waveforms(model: str) -> None:
    holds("m5", model, Waveform(*TABLE[model]), {"wave": image(2, 1, 1500)})
