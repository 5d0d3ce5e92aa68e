"""RepVGG and MobileOne, against their blocks written out in PyTorch, in the form that is trained and in the deployed one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import convspec
from convspec.ir.types import Array
from tests.zoo.comparing import gives, image
from tests.zoo.torchvision_models import shapes_of, stored, unsettled, weights_of

A0 = ((2, 4, 14, 1), (48, 96, 192, 1280))
B0 = ((4, 6, 16, 1), (64, 128, 256, 1280))
SMALL = ((1, 2), (24, 32))
"""Depths and widths."""

S0 = ((2, 8, 10, 1), (48, 128, 256, 1024))
S1 = ((2, 8, 10, 1), (96, 192, 512, 1280))


def _conv_bn(inputs: int, outputs: int, kernel: int, stride: int, groups: int) -> nn.Sequential:
    made = nn.Sequential()
    made.add_module("conv", nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False))
    made.add_module("bn", nn.BatchNorm2d(outputs))
    return made


class RepVGGBlock(nn.Module):
    """Ding et al. 2021, section 3.2: y = relu(bn(conv3x3(x)) + bn(conv1x1(x)) + bn(x))."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.rbr_dense = _conv_bn(inputs, outputs, 3, stride, 1)
        self.rbr_1x1 = _conv_bn(inputs, outputs, 1, stride, 1)
        self.rbr_identity = nn.BatchNorm2d(inputs) if stride == 1 and inputs == outputs else None

    def forward(self, x: Tensor) -> Tensor:
        y = self.rbr_dense(x) + self.rbr_1x1(x)
        return F.relu(y if self.rbr_identity is None else y + self.rbr_identity(x))


class MobileOneBlock(nn.Module):
    """Vasu et al. 2022, figure 3: k branches with a convolution, a 1x1 beside a larger kernel, and a batch norm."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, groups: int, branches: int) -> None:
        super().__init__()
        self.rbr_conv = nn.ModuleList(_conv_bn(inputs, outputs, kernel, stride, groups) for _ in range(branches))
        self.rbr_scale = _conv_bn(inputs, outputs, 1, stride, groups) if kernel > 1 else None
        self.rbr_skip = nn.BatchNorm2d(inputs) if stride == 1 and inputs == outputs else None

    def forward(self, x: Tensor) -> Tensor:
        y = torch.zeros(())
        for branch in [*self.rbr_conv, self.rbr_scale, self.rbr_skip]:
            y = y if branch is None else y + branch(x)
        return F.relu(y)


class Plain(nn.Module):
    """A first block, stages that begin with a stride of 2, the means, a linear layer."""

    def __init__(self, stages: Sequence[nn.Module], channels: int, classes: int = 1000) -> None:
        super().__init__()
        for i, stage in enumerate(stages):
            setattr(self, f"stage{i}", stage)
        self.count = len(stages)
        self.linear = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        for i in range(self.count):
            x = getattr(self, f"stage{i}")(x)
        found: Tensor = self.linear(x.mean((2, 3)))
        return found


def rep_vgg(depths: Sequence[int], widths: Sequence[int], classes: int = 1000) -> Plain:
    channels = min(64, widths[0])
    stages: list[nn.Module] = [RepVGGBlock(3, channels, 2)]
    for depth, width in zip(depths, widths, strict=True):
        stages.append(nn.Sequential(*(RepVGGBlock(width if j else channels, width, 1 if j else 2) for j in range(depth))))
        channels = width
    return Plain(stages, channels, classes)


def mobile_one(depths: Sequence[int], widths: Sequence[int], branches: int) -> Plain:
    channels = min(64, widths[0])
    stages: list[nn.Module] = [MobileOneBlock(3, channels, 3, 2, 1, 1)]
    for depth, width in zip(depths, widths, strict=True):
        made = []
        for j in range(depth):
            made.append(MobileOneBlock(channels, channels, 3, 1 if j else 2, channels, branches))
            made.append(MobileOneBlock(channels, width, 1, 1, 1, branches))
            channels = width
        stages.append(nn.Sequential(*made))
    return Plain(stages, channels)


@pytest.mark.parametrize(("model", "form"), [("RepVGGA0", A0), ("RepVGGB0", B0)])
def test_names_and_shapes_of_repvgg(model: str, form: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    assert stored(convspec.load("zoo:repvgg", model).module.graph) == shapes_of(lambda: rep_vgg(*form))


@pytest.mark.parametrize(("model", "form", "branches"), [("MobileOneS0", S0, 4), ("MobileOneS1", S1, 1)])
def test_names_and_shapes_of_mobileone(model: str, form: tuple[tuple[int, ...], tuple[int, ...]], branches: int) -> None:
    assert stored(convspec.load("zoo:mobileone", model).module.graph) == shapes_of(lambda: mobile_one(*form, branches))


@pytest.mark.parametrize("deployed", [False, True])
def test_outputs_of_repvgg(deployed: bool) -> None:
    torch.manual_seed(0)
    depths, widths = SMALL
    settings = {"depths": list(depths), "widths": list(widths), "published": [0, 0], "classes": 10, "deployed": deployed}
    _compare("repvgg", "RepVGG", rep_vgg(depths, widths, 10), settings, "rbr_reparam", 1)


@pytest.mark.parametrize("deployed", [False, True])
def test_outputs_of_mobileone(deployed: bool) -> None:
    torch.manual_seed(0)
    _compare("mobileone", "MobileOneS0", mobile_one(*S0, 4), {"deployed": deployed}, "reparam_conv", 4)


def _compare(file: str, model: str, theirs: Plain, settings: Mapping[str, object], folded: str, seed: int) -> None:
    """Outputs with their weights, folded into one convolution a block where the spec is the deployed form."""
    unsettled(theirs)
    batch = image(1, 3, 32, 64, seed=seed)
    with torch.no_grad():
        expected = theirs(torch.from_numpy(batch)).numpy()
    weights = _folded(theirs, folded) if settings["deployed"] else weights_of(theirs)
    gives(file, model, weights, batch, expected, settings)


def _folded(network: Plain, name: str) -> dict[str, Array]:
    """Weights of the deployed form: one convolution a block, and the linear layer as it is."""
    weights = {key: array for key, array in weights_of(network).items() if key.startswith("linear.")}
    for path, block in network.named_modules():
        if isinstance(block, RepVGGBlock | MobileOneBlock):
            kernel, bias = _one_convolution(block)
            weights |= {f"{path}.{name}.weight": kernel, f"{path}.{name}.bias": bias}
    return weights


def _one_convolution(block: Any) -> tuple[Array, Array]:
    """The sum of the branches' kernels, each scaled by its batch norm, the smaller ones in the middle of the largest."""
    conv: Any = next(module for module in block.modules() if type(module) is nn.Conv2d)
    kernel, bias = torch.zeros(conv.weight.shape), torch.zeros(conv.out_channels)
    for weight, bn in _branches(block, _identity(conv)):
        scale = bn.weight / torch.sqrt(bn.running_var + bn.eps)
        rim = (kernel.shape[-1] - weight.shape[-1]) // 2
        kernel = kernel + F.pad(weight * scale[:, None, None, None], [rim] * 4)
        bias = bias + bn.bias - bn.running_mean * scale
    return kernel.detach().numpy(), bias.detach().numpy()


def _branches(block: Any, identity: Tensor) -> Iterator[tuple[Tensor, Any]]:
    """The kernel and the batch norm of each."""
    for branch in block.children():
        parts: list[Any] = list(branch) if type(branch) is nn.ModuleList else [branch]
        for part in parts:
            yield (part.conv.weight, part.bn) if hasattr(part, "conv") else (identity, part)


def _identity(conv: nn.Conv2d) -> Tensor:
    """A 1x1 kernel that changes nothing, in the groups of a convolution."""
    width = conv.in_channels // conv.groups
    return torch.eye(width).repeat(conv.groups, 1)[:, :, None, None]
