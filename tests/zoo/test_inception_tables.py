"""Inception v2 and v4 against the tables and figures of their papers, put together in PyTorch."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.zoo.comparing import agrees, image
from tests.zoo.torchvision_models import unsettled


def same(x: Tensor, kernel: tuple[int, int], stride: int, value: float = 0.0) -> Tensor:
    """Padding as TensorFlow defines "same": ceil(size / stride) outputs, the odd cell at the end."""
    pads: list[int] = []
    for size, window in zip(reversed(x.shape[2:]), reversed(kernel), strict=True):
        total = max((-(-size // stride) - 1) * stride + window - size, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads, value=value)


class Unit(nn.Module):
    """`64 3x3`, `96 3x3/2` at stride 2, `96 3x3 V` without padding: convolution, batch norm, relu."""

    def __init__(self, channels: int, text: str) -> None:
        super().__init__()
        filters, window, *valid = text.split()
        kernel, _, stride = window.partition("/")
        high, wide = map(int, kernel.split("x"))
        self.kernel, self.stride, self.valid = (high, wide), int(stride or 1), bool(valid)
        self.conv = nn.Conv2d(channels, int(filters), self.kernel, self.stride, bias=False)
        self.bn = nn.BatchNorm2d(int(filters), eps=0.001)
        self.filters = int(filters)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x if self.valid else same(x, self.kernel, self.stride))))


class Mixed(nn.Module):
    """Branches side by side in the order given: a label, then a pool (`mean`, `max`, `max/2`) and units, parted by commas.

    What follows a `|` reads what stands before the first, beside the others; its label has a letter more.
    """

    def __init__(self, channels: int, valid: bool, branches: dict[str, str]) -> None:
        super().__init__()
        self.valid, self.rows, self.filters = valid, [], 0
        for label, text in branches.items():
            shared, *ends = (part.strip() for part in text.split("|"))
            steps = [step.strip() for step in shared.split(",")]
            pool = steps.pop(0) if not steps[0][0].isdigit() else ""
            widths = [channels, *(int(step.split()[0]) for step in steps)]
            units = [Unit(before, step) for before, step in zip(widths, steps, strict=False)]
            self.add_module(label, units[0] if len(units) == 1 else nn.Sequential(*units))
            names = [f"{label}{letter}" for letter, _ in zip("ab", ends, strict=False)]
            for name, end in zip(names, ends, strict=True):
                self.add_module(name, Unit(widths[-1], end))
            self.rows.append((label, pool, names))
            self.filters += sum(int(end.split()[0]) for end in ends) or widths[-1]

    def pooled(self, x: Tensor, pool: str) -> Tensor:
        kind, _, stride = pool.partition("/")
        step = int(stride or 1)
        if kind == "mean":
            return F.avg_pool2d(x, 3, step, 1, count_include_pad=False)
        return F.max_pool2d(x if self.valid else same(x, (3, 3), step, -torch.inf), 3, step)

    def forward(self, x: Tensor) -> Tensor:
        found = []
        for label, pool, ends in self.rows:
            y = getattr(self, label)(self.pooled(x, pool) if pool else x)
            found += [getattr(self, end)(y) for end in ends] or [y]
        return torch.cat(found, 1)


V4 = {
    "a": {"branch1": "96 1x1", "branch2": "64 1x1, 96 3x3", "branch3": "64 1x1, 96 3x3, 96 3x3", "branch4": "mean, 96 1x1"},
    "to b": {"branch1": "384 3x3/2 V", "branch2": "192 1x1, 224 3x3, 256 3x3/2 V", "pool": "max/2"},
    "b": {
        "branch1": "384 1x1",
        "branch2": "192 1x1, 224 1x7, 256 7x1",
        "branch3": "192 1x1, 192 7x1, 224 1x7, 224 7x1, 256 1x7",
        "branch4": "mean, 128 1x1",
    },
    "to c": {"branch1": "192 1x1, 192 3x3/2 V", "branch2": "256 1x1, 256 1x7, 320 7x1, 320 3x3/2 V", "pool": "max/2"},
    "c": {
        "branch1": "256 1x1",
        "branch2": "384 1x1 | 256 1x3 | 256 3x1",
        "branch3": "384 1x1, 448 3x1, 512 1x3 | 256 1x3 | 256 3x1",
        "branch4": "mean, 256 1x1",
    },
}
"""Szegedy et al. 2016, figures 4 to 8; which of 1x7 and 7x1 comes first is as in the authors' code."""


class Stem(nn.Module):
    """Figure 3, behind its three first convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.mixed3 = Unit(64, "96 3x3/2 V")
        long = "64 1x1, 64 1x7, 64 7x1, 96 3x3 V"
        self.mixed4 = Mixed(160, True, {"branch1": "64 1x1, 96 3x3 V", "branch2": long})
        self.mixed5 = Unit(192, "192 3x3/2 V")

    def forward(self, x: Tensor) -> Tensor:
        x = self.mixed4(torch.cat([F.max_pool2d(x, 3, 2), self.mixed3(x)], 1))
        return torch.cat([self.mixed5(x), F.max_pool2d(x, 3, 2)], 1)


def named(layers: dict[str, nn.Module]) -> nn.Sequential:
    return nn.Sequential(OrderedDict(layers))


def repeated(channels: int, count: int, kind: str) -> nn.Sequential:
    return nn.Sequential(*(Mixed(channels, True, V4[kind]) for _ in range(count)))


@pytest.mark.zoo
def test_inception_v4() -> None:
    torch.manual_seed(0)
    theirs = named(
        {
            **{"conv1": Unit(3, "32 3x3/2 V"), "conv2": Unit(32, "32 3x3 V"), "conv3": Unit(32, "64 3x3"), "stem": Stem()},
            **{"inception_a": repeated(384, 4, "a"), "reduction_a": Mixed(384, True, V4["to b"])},
            **{"inception_b": repeated(1024, 7, "b"), "reduction_b": Mixed(1024, True, V4["to c"])},
            **{"inception_c": repeated(1536, 3, "c"), "mean": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten()},
            "fc": nn.Linear(1536, 1000),
        }
    )
    agrees("inception_v4", "InceptionV4", unsettled(theirs), image(1, 3, 75, 107))


V2 = """
3a 64  64 64   64 96   mean 32
3b 64  64 96   64 96   mean 64
3c  0 128 160  64 96   max/2
4a 224 64 96   96 128  mean 128
4b 192 96 128  96 128  mean 128
4c 160 128 160 128 160 mean 96
4d 96  128 192 160 192 mean 96
4e 0   128 192 192 256 max/2
5a 352 192 320 160 224 mean 128
5b 352 192 320 192 224 max 128
"""
"""Ioffe & Szegedy 2015, figure 5: 1x1; reduce, 3x3; reduce, double 3x3; pool and projection."""


class Separable(nn.Module):
    """The first convolution: 8 channels for each colour, then 1x1."""

    def __init__(self) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(3, 24, 7, 2, groups=3, bias=False)
        self.pointwise = nn.Conv2d(24, 64, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.pointwise(self.depthwise(same(x, (7, 7), 2)))
        return found


class Halved(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool2d(same(x, (3, 3), 2, -torch.inf), 3, 2)


def module(channels: int, row: str) -> Mixed:
    _, one, three, wide, double, last, pool, *projection = row.split()
    step = "" if projection else "/2"
    branches = {"branch1": f"{one} 1x1"} if projection else {}
    branches |= {
        "branch2": f"{three} 1x1, {wide} 3x3{step}",
        "branch3": f"{double} 1x1, {last} 3x3, {last} 3x3{step}",
        "branch4": ", ".join([pool, *(f"{filters} 1x1" for filters in projection)]),
    }
    return Mixed(channels, False, branches)


def test_inception_v2() -> None:
    torch.manual_seed(0)
    layers: dict[str, nn.Module] = {
        **{"conv1": Separable(), "bn1": nn.BatchNorm2d(64, eps=0.001), "relu": nn.ReLU(), "pool1": Halved()},
        **{"conv2": Unit(64, "64 1x1"), "conv3": Unit(64, "192 3x3"), "pool2": Halved()},
    }
    channels = 192
    for row in V2.strip().splitlines():
        layers[f"inception{row[:2]}"] = mixed = module(channels, row)
        channels = mixed.filters
    layers |= {"mean": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(), "fc": nn.Linear(channels, 1000)}
    agrees("inception_v2", "InceptionV2", unsettled(named(layers)), image(1, 3, 64, 96))
