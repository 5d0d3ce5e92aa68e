"""Video: torchvision's networks by name; C3D and SlowFast against their papers written out in PyTorch."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import convspec
from tests.zoo.comparing import image
from tests.zoo.oracles import holds, stores
from tests.zoo.outputs import check_outputs
from tests.zoo.torchvision_models import torchvision

THEIRS = {"R3D_18": "r3d_18", "MC3_18": "mc3_18", "R2Plus1D_18": "r2plus1d_18"}


@pytest.mark.parametrize("model", THEIRS)
def test_names_and_shapes_are_torchvisions(model: str) -> None:
    stores("video_resnet", model, lambda: getattr(torchvision("models.video"), THEIRS[model])(weights=None))


@pytest.mark.parametrize("model", ["MC3_18", *(pytest.param(m, marks=pytest.mark.zoo) for m in ("R3D_18", "R2Plus1D_18"))])
def test_outputs_are_torchvisions(model: str) -> None:
    torch.manual_seed(0)
    check_outputs(model, getattr(torchvision("models.video"), THEIRS[model])(weights=None), 1, 3, 8, 32, 16)


class C3D(nn.Module):
    """Tran et al. 2015, figure 3, and Caffe's pooling of the authors: the last window of 7 cells holds one."""

    def __init__(self, classes: int = 487) -> None:
        super().__init__()
        widths = {"1": 64, "2": 128, "3a": 256, "3b": 256, "4a": 512, "4b": 512, "5a": 512, "5b": 512}
        self.names, before = [f"conv{name}" for name in widths], 3
        for name, width in zip(self.names, widths.values(), strict=True):
            self.add_module(name, nn.Conv3d(before, width, 3, padding=1))
            before = width
        self.fc6, self.fc7, self.fc8 = nn.Linear(512 * 4 * 4, 4096), nn.Linear(4096, 4096), nn.Linear(4096, classes)

    def forward(self, x: Tensor) -> Tensor:
        for name in self.names:
            x = self.get_submodule(name)(x).relu()
            if name == "conv1":
                x = F.max_pool3d(x, (1, 2, 2))
            elif name in ("conv2", "conv3b", "conv4b"):
                x = F.max_pool3d(x, 2)
            elif name == "conv5b":
                x = F.max_pool3d(F.pad(x, (0, 1, 0, 1)), 2)
        found: Tensor = self.fc8(self.fc7(self.fc6(x.flatten(1)).relu()).relu())
        return found


@pytest.mark.parametrize("classes", [487, 101])
def test_c3d_stores_what_the_paper_says(classes: int) -> None:
    stores("c3d", "C3D", lambda: C3D(classes), {"classes": classes})


@pytest.mark.zoo
def test_c3d() -> None:
    holds("c3d", "C3D", C3D(), {"clip": image(2, 3, 16, 112, 112)})


class Branch(nn.Module):
    """Feichtenhofer et al. 2019, table 1: a row of a residual block."""

    def __init__(self, inputs: int, width: int, frames: int, stride: int) -> None:
        super().__init__()
        self.a = nn.Conv3d(inputs, width, (frames, 1, 1), padding=(frames // 2, 0, 0), bias=False)
        self.b = nn.Conv3d(width, width, (1, 3, 3), (1, stride, stride), (0, 1, 1), bias=False)
        self.c = nn.Conv3d(width, 4 * width, 1, bias=False)
        self.a_bn, self.b_bn, self.c_bn = nn.BatchNorm3d(width), nn.BatchNorm3d(width), nn.BatchNorm3d(4 * width)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.c_bn(self.c(self.b_bn(self.b(self.a_bn(self.a(x)).relu())).relu()))
        return found


class Block(nn.Module):
    def __init__(self, inputs: int, width: int, frames: int, stride: int) -> None:
        super().__init__()
        self.branch2 = Branch(inputs, width, frames, stride)
        self.projected = inputs != 4 * width
        if self.projected:
            self.branch1 = nn.Conv3d(inputs, 4 * width, 1, (1, stride, stride), bias=False)
            self.branch1_bn = nn.BatchNorm3d(4 * width)

    def forward(self, x: Tensor) -> Tensor:
        shortcut = self.branch1_bn(self.branch1(x)) if self.projected else x
        found: Tensor = (shortcut + self.branch2(x)).relu()
        return found


class Stem(nn.Module):
    def __init__(self, width: int, frames: int) -> None:
        super().__init__()
        self.conv = nn.Conv3d(3, width, (frames, 7, 7), (1, 2, 2), (frames // 2, 3, 3), bias=False)
        self.bn = nn.BatchNorm3d(width)

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool3d(self.bn(self.conv(x)).relu(), (1, 3, 3), (1, 2, 2), (0, 1, 1))


class Lateral(nn.Module):
    """Time-strided convolution, section 3.3: to twice the channels."""

    def __init__(self, width: int, alpha: int, kernel: int) -> None:
        super().__init__()
        self.conv_f2s = nn.Conv3d(width, 2 * width, (kernel, 1, 1), (alpha, 1, 1), (kernel // 2, 0, 0), bias=False)
        self.bn = nn.BatchNorm3d(2 * width)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.bn(self.conv_f2s(x)).relu()
        return found


class Head(nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.projection = nn.Linear(2048 + 256, classes)


class SlowFast(nn.Module):
    """The sizes of table 1; the slow path sees the lateral connection beside its own channels from res2 on."""

    def __init__(self, alpha: int, kernel: int, depths: tuple[int, ...] = (3, 4, 6, 3), classes: int = 400) -> None:
        super().__init__()
        self.alpha, self.depths = alpha, depths
        self.s1, self.head = nn.ModuleDict({"pathway0_stem": Stem(64, 1), "pathway1_stem": Stem(8, 5)}), Head(classes)
        slow, fast = 64, 8
        for stage, depth in enumerate(depths, 1):
            self.add_module(f"s{stage}_fuse", Lateral(fast, alpha, kernel))
            slow, blocks = slow + 2 * fast, nn.ModuleDict()
            for j in range(depth):
                stride = 2 if stage > 1 and j == 0 else 1
                blocks[f"pathway0_res{j}"] = Block(slow, 32 * 2**stage, 1 if stage <= 2 else 3, stride)
                blocks[f"pathway1_res{j}"] = Block(fast, 4 * 2**stage, 3, stride)
                slow, fast = 128 * 2**stage, 16 * 2**stage
            self.add_module(f"s{stage + 1}", blocks)

    def forward(self, clip: Tensor) -> Tensor:
        slow, fast = self.s1["pathway0_stem"](clip[:, :, :: self.alpha]), self.s1["pathway1_stem"](clip)
        for stage, depth in enumerate(self.depths, 1):
            slow = torch.cat([slow, self.get_submodule(f"s{stage}_fuse")(fast)], 1)
            for j in range(depth):
                slow = self.get_submodule(f"s{stage + 1}.pathway0_res{j}")(slow)
                fast = self.get_submodule(f"s{stage + 1}.pathway1_res{j}")(fast)
        pooled = torch.cat([slow.mean((2, 3, 4)), fast.mean((2, 3, 4))], 1)
        found: Tensor = self.head.projection(pooled)
        return found


FORMS = {"SlowFast": (8, 5, (3, 4, 6, 3)), "SlowFastR50": (4, 7, (3, 4, 6, 3)), "SlowFastR101": (4, 5, (3, 4, 23, 3))}
MILLIONS = {"SlowFast": 34.48, "SlowFastR50": 34.57, "SlowFastR101": 62.83}
"""Parameters that PyTorchVideo's model zoo publishes of these."""


@pytest.mark.parametrize("model", FORMS)
def test_slowfast_stores_what_the_table_says(model: str) -> None:
    stores("slowfast", model, lambda: SlowFast(*FORMS[model]))
    parameters = convspec.load("zoo:slowfast", model).module.graph.parameters().values()
    assert round(sum(p.size for p in parameters if p.trainable) / 1e6, 2) == MILLIONS[model]


def test_slowfast() -> None:
    """One block a stage, and 8 frames of which the slow path sees two."""
    settings = {"alpha": 4, "kernel": 5, "depths": [1, 2, 1, 1], "frames": 8, "classes": 10}
    holds("slowfast", "SlowFast", SlowFast(4, 5, (1, 2, 1, 1), 10), {"clip": image(2, 3, 8, 32, 32)}, settings)


@pytest.mark.zoo
def test_slowfast_r50() -> None:
    holds("slowfast", "SlowFast", SlowFast(8, 5), {"clip": image(2, 3, 32, 32, 64)})
