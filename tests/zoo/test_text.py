"""Text and translation: TextCNN, VDCNN and ConvS2S against their papers written out in PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import convspec
from convspec.ir.types import Array
from convspec.weights.randomised import randomised
from tests.examples.networks import scaled_error
from tests.zoo.oracles import holds, stores

ROOT_HALF = 0.5**0.5


def words(*shape: int, below: int = 20, least: int = 1, seed: int = 0) -> Array:
    return np.random.default_rng(seed).integers(least, below, shape)


class TextCNN(nn.Module):
    """Kim 2014, figure 1."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary + 1, 300)
        self.convs = nn.ModuleList(nn.Conv1d(300, 100, size) for size in (3, 4, 5))
        self.fc = nn.Linear(300, 2)

    def forward(self, sentence: Tensor) -> Tensor:
        x = self.embedding(sentence).mT
        found: Tensor = self.fc(torch.cat([conv(x).relu().amax(2) for conv in self.convs], 1))
        return found


def test_text_cnn() -> None:
    stores("textcnn", "TextCNN", lambda: TextCNN(18_765))
    holds("textcnn", "TextCNN", TextCNN(19), {"sentence": words(3, 9, least=0)}, {"words": 19})


class Convolution(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv, self.bn = nn.Conv1d(inputs, outputs, 3, padding=1), nn.BatchNorm1d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


class VDCNN(nn.Module):
    """Conneau et al. 2016, figure 1: sizes halved between stages, at the end the 8 largest values of each channel."""

    def __init__(self, depths: tuple[int, ...], classes: int = 4) -> None:
        super().__init__()
        self.embedding, self.conv = nn.Embedding(69, 16), nn.Conv1d(16, 64, 3, padding=1)
        before = 64
        for i, (depth, width) in enumerate(zip(depths, (64, 128, 256, 512), strict=True)):
            convolutions = [Convolution(before if j == 0 else width, width) for j in range(depth)]
            self.add_module(f"stage{i + 1}", nn.Sequential(*convolutions))
            before = width
        self.fc1, self.fc2, self.fc3 = nn.Linear(8 * 512, 2048), nn.Linear(2048, 2048), nn.Linear(2048, classes)

    def forward(self, text: Tensor) -> Tensor:
        x = self.conv(self.embedding(text).mT)
        for i in (1, 2, 3, 4):
            x = self.get_submodule(f"stage{i}")(x if i == 1 else F.max_pool1d(x, 3, 2, 1))
        places = x.sort(dim=2, descending=True, stable=True).indices[:, :, :8].sort(2).values
        x = x.gather(2, places).flatten(1)
        found: Tensor = self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))
        return found


DEPTHS = {9: (2, 2, 2, 2), 17: (4, 4, 4, 4), 29: (10, 10, 4, 4)}


@pytest.mark.parametrize("layers", DEPTHS)
def test_vdcnn_stores_what_the_papers_table_says(layers: int) -> None:
    assert sum(DEPTHS[layers]) + 1 == layers
    stores("vdcnn", f"VDCNN{layers}", lambda: VDCNN(DEPTHS[layers]))


@pytest.mark.parametrize("layers", [9, pytest.param(29, marks=pytest.mark.zoo)])
def test_vdcnn(layers: int) -> None:
    """128 characters, of which 16 places are left for the 8 largest to be chosen from."""
    text = words(2, 128, below=69, least=0)
    holds("vdcnn", f"VDCNN{layers}", VDCNN(DEPTHS[layers]), {"text": text}, {"length": 128})


LAYERS = [(8, 3), (8, 3), (12, 3), (16, 1)]
SMALL = {"layers": [list(layer) for layer in LAYERS], "width": 10, "out": 6, "words": 19, "longest": 11}


class Side(nn.Module):
    """What encoder and decoder of Gehring et al. 2017 have both: their stack of gated convolutions."""

    def __init__(self, vocabulary: int = 19, longest: int = 11, width: int = 10) -> None:
        super().__init__()
        self.embed_tokens, self.embed_positions = nn.Embedding(vocabulary + 1, width), nn.Embedding(longest + 1, width)
        before = LAYERS[0][0]
        self.fc1 = nn.Conv1d(width, before, 1)
        self.projections, self.convolutions = nn.ModuleDict(), nn.ModuleList()
        for i, (channels, kernel) in enumerate(LAYERS):
            if channels != before:
                self.projections[str(i)] = nn.Conv1d(before, channels, 1)
            self.convolutions.append(nn.Conv1d(before, 2 * channels, kernel))
            before = channels

    def embedded(self, sentence: Tensor) -> Tensor:
        """(width, length)."""
        positions = torch.arange(1, len(sentence) + 1)
        found: Tensor = (self.embed_tokens(sentence) + self.embed_positions(positions)).T
        return found

    def gated(self, i: int, x: Tensor, before: int, after: int) -> tuple[Tensor, Tensor]:
        """The convolution's output, and what is carried past it."""
        values, gates = self.convolutions[i](F.pad(x, (before, after))).chunk(2)
        past = self.projections[str(i)](x) if str(i) in self.projections else x
        return values * gates.sigmoid(), past


class Encoder(Side):
    def __init__(self) -> None:
        super().__init__()
        self.fc2 = nn.Conv1d(LAYERS[-1][0], 10, 1)

    def forward(self, sentence: Tensor) -> tuple[Tensor, Tensor]:
        embedded = self.embedded(sentence)
        x = self.fc1(embedded)
        for i, (_, kernel) in enumerate(LAYERS):
            y, past = self.gated(i, x, kernel // 2, kernel // 2)
            x = (y + past) * ROOT_HALF
        z = self.fc2(x)
        return z, (z + embedded) * ROOT_HALF


class Looking(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.in_projection, self.out_projection = nn.Conv1d(channels, 10, 1), nn.Conv1d(10, channels, 1)

    def forward(self, x: Tensor, embedded: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """One word of the target after another, as section 3.3 has it."""
        summaries = (self.in_projection(x) + embedded) * ROOT_HALF
        seen = []
        for summary in summaries.T:
            weights = (keys.T @ summary).softmax(0)
            seen.append(sum(weight * value for weight, value in zip(weights, values.T, strict=True)))
        found = torch.stack(seen, 1) * keys.shape[1] ** 0.5
        looked: Tensor = (x + self.out_projection(found)) * ROOT_HALF
        return looked


class Decoder(Side):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.ModuleList(Looking(channels) for channels, _ in LAYERS)
        self.fc2, self.fc3 = nn.Conv1d(LAYERS[-1][0], 6, 1), nn.Conv1d(6, 20, 1)

    def forward(self, sentence: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        embedded = self.embedded(sentence)
        x = self.fc1(embedded)
        for i, (_, kernel) in enumerate(LAYERS):
            y, past = self.gated(i, x, kernel - 1, 0)
            x = (self.attention[i](y, embedded, keys, values) + past) * ROOT_HALF
        found: Tensor = self.fc3(self.fc2(x))
        return found


class ConvS2S(nn.Module):
    """Each pair of sentences by itself, without what only fills up the batch: words behind the end do not count."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()

    def forward(self, source: Tensor, _: Tensor, target: Tensor, __: Tensor) -> Tensor:
        pairs = zip(source, target, strict=True)
        return torch.stack([self.decoder(right, *self.encoder(left[left > 0])) for left, right in pairs])


def sentences() -> dict[str, Array]:
    """Three pairs: sources of 7, 5 and 1 words, filled up with 0."""
    source, target = words(3, 7), words(3, 6, seed=1)
    positions = np.tile(np.arange(1, 8), (3, 1))
    for row, length in enumerate((7, 5, 1)):
        source[row, length:] = positions[row, length:] = 0
    rest = {"target": target, "target_positions": np.tile(np.arange(1, 7), (3, 1))}
    return {"source": source, "source_positions": positions, **rest}


def test_conv_s2s() -> None:
    holds("convs2s", "ConvS2S", ConvS2S(), sentences(), SMALL)


def test_conv_s2s_predicts_from_the_words_before() -> None:
    """The logits at a word of the target change with it and those before, not with later ones."""
    graph = convspec.load("zoo:convs2s", "ConvS2S", SMALL).module.graph
    net = convspec.load("zoo:convs2s", "ConvS2S", SMALL, weights=randomised(graph, seed=1))
    given = sentences()
    before = net.run(given, runtime="reference")["logits"]
    given["target"] = given["target"].copy()
    given["target"][:, 3] = given["target"][:, 3] % 19 + 1
    after = net.run(given, runtime="reference")["logits"]
    changed = [scaled_error(after[:, :, t], before[:, :, t]) > 1e-6 for t in range(6)]
    assert changed == [False, False, False, True, True, True]


@pytest.mark.parametrize(("model", "least", "most"), [("ConvS2S", 130e6, 140e6), ("ConvS2S_EnDe", 206e6, 226e6)])
def test_conv_s2s_is_about_as_large_as_published(model: str, least: float, most: float) -> None:
    """216M parameters for English to German are what Wu et al. 2019 (arXiv:1901.10430, table 2) count of it."""
    parameters = convspec.load("zoo:convs2s", model).module.graph.parameters().values()
    assert least < sum(parameter.size for parameter in parameters) < most
