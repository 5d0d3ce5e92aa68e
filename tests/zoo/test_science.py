"""Genomics and molecules: DeepSEA, Basset and the graph convolutions of Tox21 against their papers written out in PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from convspec.ir.types import Array
from tests.zoo.oracles import holds, stores


def letters(count: int, length: int) -> Array:
    """DNA in one-hot form."""
    drawn = np.random.default_rng(0).integers(0, 4, (count, length))
    return np.eye(4, dtype=np.float32)[drawn].transpose(0, 2, 1).copy()


class DeepSEA(nn.Module):
    """Zhou & Troyanskaya 2015, supplementary note: kernels of 8, pools of 4, 925 and 919 units."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2, self.conv3 = nn.Conv1d(4, 320, 8), nn.Conv1d(320, 480, 8), nn.Conv1d(480, 960, 8)
        self.fc1, self.fc2 = nn.Linear(960 * 53, 925), nn.Linear(925, 919)
        self.pool = nn.MaxPool1d(4)

    def forward(self, sequence: Tensor) -> Tensor:
        x = self.pool(self.conv2(self.pool(self.conv1(sequence).relu())).relu())
        found: Tensor = self.fc2(self.fc1(self.conv3(x).relu().flatten(1)).relu()).sigmoid()
        return found


def test_deepsea_stores_what_the_paper_says() -> None:
    stores("deepsea", "DeepSEA", DeepSEA)


@pytest.mark.zoo
def test_deepsea() -> None:
    holds("deepsea", "DeepSEA", DeepSEA(), {"sequence": letters(2, 1000)})


class Basset(nn.Module):
    """Kelley et al. 2016, figure 1."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv1d(4, 300, 19), nn.BatchNorm1d(300)
        self.conv2, self.bn2 = nn.Conv1d(300, 200, 11), nn.BatchNorm1d(200)
        self.conv3, self.bn3 = nn.Conv1d(200, 200, 7), nn.BatchNorm1d(200)
        self.fc1, self.fc_bn1 = nn.Linear(2000, 1000), nn.BatchNorm1d(1000)
        self.fc2, self.fc_bn2 = nn.Linear(1000, 1000), nn.BatchNorm1d(1000)
        self.fc3 = nn.Linear(1000, 164)

    def forward(self, sequence: Tensor) -> Tensor:
        x = nn.MaxPool1d(3)(self.bn1(self.conv1(sequence)).relu())
        x = nn.MaxPool1d(4)(self.bn2(self.conv2(x)).relu())
        x = nn.MaxPool1d(4)(self.bn3(self.conv3(x)).relu()).flatten(1)
        x = self.fc_bn1(self.fc1(x)).relu()
        found: Tensor = self.fc3(self.fc_bn2(self.fc2(x)).relu()).sigmoid()
        return found


def test_basset() -> None:
    holds("basset", "Basset", Basset(), {"sequence": letters(2, 600)})


class GraphLayer(nn.Module):
    """Atom by atom: the weights of its number of bonds, on the sum of its neighbours and on itself; then the largest."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.degree = nn.ModuleList(nn.Linear(2 * inputs, width) for _ in range(11))
        self.bn = nn.BatchNorm1d(width)

    def forward(self, atoms: list[Tensor], neighbours: list[list[int]]) -> list[Tensor]:
        made = []
        for atom, others in zip(atoms, neighbours, strict=True):
            total = sum((atoms[other] for other in others), torch.zeros_like(atom))
            made.append(self.degree[len(others)](torch.cat([total, atom])))
        active = [self.bn(atom[None])[0].relu() for atom in made]
        return [torch.stack([active[i], *(active[j] for j in others)]).amax(0) for i, others in enumerate(neighbours)]


class Tox21GCN(nn.Module):
    """Altae-Tran et al. 2017, one molecule after another, each with the atoms that it has."""

    def __init__(self) -> None:
        super().__init__()
        self.layer1, self.layer2 = GraphLayer(75, 64), GraphLayer(64, 64)
        self.dense, self.bn, self.fc = nn.Linear(64, 128), nn.BatchNorm1d(128), nn.Linear(128, 12)

    def forward(self, atoms: Tensor, bonds: Tensor, present: Tensor) -> Tensor:
        molecules = []
        for features, joined, there in zip(atoms, bonds, present, strict=True):
            count = int(there.sum())
            neighbours = [joined[i].nonzero().flatten().tolist() for i in range(count)]
            x = self.layer2(self.layer1([features[:, i] for i in range(count)], neighbours), neighbours)
            molecules.append(self.bn(self.dense(torch.stack(x)).relu()).sum(0).tanh())
        found: Tensor = self.fc(torch.stack(molecules))
        return found


def test_graph_convolutions() -> None:
    """Three molecules of 14, 5 and 1 atoms; in the first one atom has ten bonds, and one none."""
    generator, sizes = np.random.default_rng(0), (14, 5, 1)
    bonds, present = np.zeros((3, 14, 14), bool), np.zeros((3, 14), bool)
    for molecule, size in enumerate(sizes):
        present[molecule, :size] = True
    star, chain = [(0, 0, j) for j in range(1, 11)], [(1, j, j + 1) for j in range(4)]
    for molecule, i, j in [*star, (0, 1, 2), (0, 11, 12), *chain]:
        bonds[molecule, i, j] = bonds[molecule, j, i] = True
    atoms = generator.standard_normal((3, 75, 14), np.float32)
    holds("tox21", "Tox21GCN", Tox21GCN(), {"atoms": atoms, "bonds": bonds, "present": present})
