"""Residual networks: torchvision's by name, the others against their blocks written out in PyTorch."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import convspec
from tests.zoo.comparing import agrees, gives, image, named_alike
from tests.zoo.torchvision_models import shapes_of, stored, torchvision, unsettled, weights_of

THEIRS = {
    **{f"ResNet{depth}": ("resnet", f"resnet{depth}") for depth in (18, 34, 50, 101, 152)},
    **{f"ResNeXt{form}": ("resnext", f"resnext{form}") for form in ("50_32x4d", "101_32x8d", "101_64x4d")},
    **{f"WideResNet{form}": ("wide_resnet", f"wide_resnet{form}") for form in ("50_2", "101_2")},
}
"""By our name: the file, and torchvision's function."""


@pytest.mark.parametrize("model", THEIRS)
def test_names_and_shapes_are_torchvisions(model: str) -> None:
    file, function = THEIRS[model]
    named_alike(convspec.load(f"zoo:{file}", model).module.graph, lambda: getattr(torchvision(), function)(weights=None))


@pytest.mark.parametrize("model", ["ResNet18", pytest.param("ResNet50", marks=pytest.mark.zoo), "ResNeXt50_32x4d"])
def test_outputs_are_torchvisions(model: str) -> None:
    torch.manual_seed(0)
    file, function = THEIRS[model]
    agrees(file, model, unsettled(getattr(torchvision(), function)(weights=None)), image(1, 3, 32, 64))


class PreAct(nn.Module):
    """He et al. 2016, figure 4(e), with the shortcut of its code where the shape changes: from what is activated."""

    def __init__(self, inputs: int, width: int, stride: int, kernels: tuple[int, ...], widen: int) -> None:
        super().__init__()
        outputs = [width] * (len(kernels) - 1) + [widen * width]
        self.strides = [stride if i == (0 if len(kernels) == 2 else 1) else 1 for i in range(len(kernels))]
        for i, (kernel, output) in enumerate(zip(kernels, outputs, strict=True), 1):
            before = inputs if i == 1 else width
            setattr(self, f"bn{i}", nn.BatchNorm2d(before))
            setattr(self, f"conv{i}", nn.Conv2d(before, output, kernel, self.strides[i - 1], kernel // 2, bias=False))
        self.projected = stride > 1 or inputs != outputs[-1]
        if self.projected:
            self.shortcut = nn.Conv2d(inputs, outputs[-1], 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y, shortcut = x, x
        for i in range(1, len(self.strides) + 1):
            y = F.relu(getattr(self, f"bn{i}")(y))
            if i == 1 and self.projected:
                shortcut = self.shortcut(y)
            y = getattr(self, f"conv{i}")(y)
        return y + shortcut


class ForCIFAR(nn.Module):
    """Three stages of pre-activation blocks; `stage` names them."""

    def __init__(self, stage: str, blocks: int, widths: tuple[int, ...], kernels: tuple[int, ...], widen: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.stages, channels = [f"{stage}{i}" for i in (1, 2, 3)], 16
        for i, (name, width) in enumerate(zip(self.stages, widths, strict=True)):
            made = []
            for j in range(blocks):
                made.append(PreAct(channels, width, 2 if i > 0 and j == 0 else 1, kernels, widen))
                channels = widen * width
            setattr(self, name, nn.Sequential(*made))
        self.bn = nn.BatchNorm2d(channels)
        self.fc = nn.Linear(channels, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        for name in self.stages:
            x = getattr(self, name)(x)
        found: Tensor = self.fc(F.relu(self.bn(x)).mean((2, 3)))
        return found


def test_pre_activation() -> None:
    torch.manual_seed(0)
    theirs = unsettled(ForCIFAR("layer", 2, (16, 32, 64), (1, 3, 1), 4))
    agrees("preact_resnet", "PreActResNet", theirs, image(2, 3, 8, 12), {"depth": 20})


def test_1001_layers() -> None:
    expected = shapes_of(lambda: ForCIFAR("layer", 111, (16, 32, 64), (1, 3, 1), 4))
    graph = convspec.load("zoo:preact_resnet", "ResNet1001").module.graph
    assert stored(graph) == expected
    layers = [node for node in graph.nodes if node.op.name in ("conv", "linear") and not node.path.endswith("shortcut")]
    assert len(layers) == 1001


def test_wide_resnet_for_cifar() -> None:
    torch.manual_seed(0)
    theirs = unsettled(ForCIFAR("block", 1, (32, 64, 128), (3, 3), 1))
    agrees("wide_resnet", "WRN28_10", theirs, image(2, 3, 8, 12), {"depth": 10, "widen": 2})
    expected = shapes_of(lambda: ForCIFAR("block", 4, (160, 320, 640), (3, 3), 1))
    assert stored(convspec.load("zoo:wide_resnet", "WRN28_10").module.graph) == expected


class SEModule(nn.Module):
    """Hu et al. 2018, figure 3: squeeze by the mean, excite by two layers."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // 16, 1)
        self.fc2 = nn.Conv2d(channels // 16, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.fc2(F.relu(self.fc1(x.mean((2, 3), keepdim=True)))))


def _se_resnet(depths: list[int]) -> nn.Module:
    """torchvision's ResNet with the attention at the end of each branch, and the strides of the authors' network."""
    resnet = torchvision("models.resnet")
    theirs = resnet.ResNet(resnet.Bottleneck, depths)
    for block in theirs.modules():
        if isinstance(block, resnet.Bottleneck):
            block.bn3 = nn.Sequential(block.bn3, SEModule(block.bn3.num_features))
            block.conv1.stride, block.conv2.stride = block.conv2.stride, (1, 1)
    theirs.maxpool = nn.MaxPool2d(3, 2, ceil_mode=True)
    return unsettled(theirs)  # type: ignore[no-any-return]


def _se_name(name: str) -> str:
    """Our name for one of `_se_resnet`."""
    for ours, theirs in (("bn3.", "bn3.0."), ("se_module.", "bn3.1."), ("last_linear.", "fc.")):
        name = name.replace(theirs, ours)
    return f"layer0.{name}" if name.startswith(("conv1.", "bn1.")) else name


def test_squeeze_and_excitation() -> None:
    torch.manual_seed(0)
    theirs, batch = _se_resnet([1, 2, 1, 1]), image(1, 3, 32, 64)
    with torch.no_grad():
        expected = theirs(torch.from_numpy(batch)).numpy()
    weights = {_se_name(name): array for name, array in weights_of(theirs).items()}
    gives("se_resnet", "SEResNet", weights, batch, expected, {"depths": [1, 2, 1, 1], "published": 0})


@pytest.mark.parametrize(("model", "depths"), [("SEResNet50", [3, 4, 6, 3]), ("SEResNet152", [3, 8, 36, 3])])
def test_names_and_shapes_with_squeeze_and_excitation(model: str, depths: list[int]) -> None:
    expected = {_se_name(name): shape for name, shape in shapes_of(lambda: _se_resnet(depths)).items()}
    assert stored(convspec.load("zoo:se_resnet", model).module.graph) == expected
