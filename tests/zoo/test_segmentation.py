"""Segmentation networks against torchvision's by name, and the others against their papers' unusual parts in PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import convspec
from convspec.ir import dims
from convspec.zoo import find
from tests.zoo.outputs import check_outputs, learnable
from tests.zoo.torchvision_models import shapes_of, stored, torchvision

NAMED = {
    "FCN_ResNet50": "fcn_resnet50",
    "FCN_ResNet101": "fcn_resnet101",
    "DeepLabV3_ResNet50": "deeplabv3_resnet50",
    "DeepLabV3_ResNet101": "deeplabv3_resnet101",
}


def segmentation(name: str, **options: Any) -> Any:
    """A network of torchvision's with random weights."""
    return getattr(torchvision("models.segmentation"), name)(weights=None, weights_backbone=None, **options)


@pytest.mark.parametrize(("ours", "theirs"), NAMED.items())
@pytest.mark.parametrize("aux", [True, False])
def test_names_and_shapes(ours: str, theirs: str, aux: bool) -> None:
    graph = convspec.load(f"zoo:{ours}", settings={"aux": aux}).module.graph
    assert stored(graph) == shapes_of(lambda: segmentation(theirs, aux_loss=aux))


@pytest.mark.parametrize("ours", ["FCN_ResNet50", "DeepLabV3_ResNet50"])
def test_outputs(ours: str) -> None:
    """At an odd size: the maps are 3x4, and each of them is enlarged to what it was."""
    torch.manual_seed(0)
    network = segmentation(NAMED[ours], aux_loss=True, num_classes=3)
    check_outputs(ours, network, 2, 3, 23, 30, settings={"classes": 3}, outputs=["out", "aux"])


def test_lraspp() -> None:
    torch.manual_seed(0)
    network = segmentation("lraspp_mobilenet_v3_large", num_classes=3)
    check_outputs("LRASPP_MobileNetV3_Large", network, 2, 3, 70, 37, settings={"classes": 3}, outputs=["out"])


@pytest.mark.parametrize(("ours", "theirs"), [*NAMED.items(), ("LRASPP_MobileNetV3_Large", "lraspp_mobilenet_v3_large")])
def test_published_numbers(ours: str, theirs: str) -> None:
    """What torchvision's documentation gives: parameters, and thousands of millions of multiply-accumulates."""
    published = torchvision("models").get_model_weights(theirs).DEFAULT.meta
    network = find(ours)
    assert (network.parameters, round(network.macs / 1e9, 3)) == (published["num_params"], published["_ops"])


class FCN8s(nn.Module):
    """Padding 100 and the fixed offsets 5, 9 and 31, as the authors' Caffe network has them."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        width = 3
        for stage, (filters, depth) in enumerate([(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)], 1):
            for i in range(1, depth + 1):
                pad = 100 if stage == i == 1 else 1
                self.add_module(f"conv{stage}_{i}", nn.Conv2d(width, filters, 3, padding=pad))
                width = filters
        self.fc6, self.fc7 = nn.Conv2d(512, 4096, 7), nn.Conv2d(4096, 4096, 1)
        self.score_fr, self.score_pool4 = nn.Conv2d(4096, classes, 1), nn.Conv2d(512, classes, 1)
        self.score_pool3 = nn.Conv2d(256, classes, 1)
        self.upscore2 = nn.ConvTranspose2d(classes, classes, 4, 2, bias=False)
        self.upscore_pool4 = nn.ConvTranspose2d(classes, classes, 4, 2, bias=False)
        self.upscore8 = nn.ConvTranspose2d(classes, classes, 16, 8, bias=False)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        def cut(x: torch.Tensor, like: torch.Tensor, offset: int) -> torch.Tensor:
            height, width = like.shape[2:]
            return x[:, :, offset : offset + height, offset : offset + width]

        x, pools = image, []
        for stage, depth in enumerate([2, 2, 3, 3, 3], 1):
            for i in range(1, depth + 1):
                x = F.relu(getattr(self, f"conv{stage}_{i}")(x))
            x = F.max_pool2d(x, 2, ceil_mode=True)
            pools.append(x)
        x = self.upscore2(self.score_fr(F.relu(self.fc7(F.relu(self.fc6(x))))))
        x = self.upscore_pool4(x + cut(self.score_pool4(pools[3]), x, 5))
        x = self.upscore8(x + cut(self.score_pool3(pools[2]), x, 9))
        return cut(x, image, 31)


@pytest.mark.zoo
def test_fcn8s() -> None:
    torch.manual_seed(0)
    check_outputs("FCN8s", FCN8s(3), 1, 3, 32, 64, settings={"classes": 3})


class SegNet(nn.Module):
    """Pooling that remembers its places, and the way back."""

    def __init__(self, classes: int, widths: list[int], depths: list[int]) -> None:
        super().__init__()
        self.depths = depths
        stages: dict[str, list[int]] = {}
        before = 3
        for i, (width, depth) in enumerate(zip(widths, depths, strict=True), 1):
            stages[f"encoder{i}"] = [before, *[width] * depth]
            stages[f"decoder{i}"] = [*[width] * depth, widths[i - 2] if i > 1 else width][: depth + (i > 1)]
            before = width
        for name, sizes in stages.items():
            self.add_module(name, nn.ModuleList(self._unit(a, b) for a, b in pairwise(sizes)))
        self.classifier = nn.Conv2d(widths[0], classes, 3, padding=1)

    @staticmethod
    def _unit(inputs: int, outputs: int) -> nn.Module:
        return nn.ModuleDict({"conv": nn.Conv2d(inputs, outputs, 3, padding=1), "bn": nn.BatchNorm2d(outputs)})

    def _units(self, name: str, x: torch.Tensor) -> torch.Tensor:
        for unit in getattr(self, name):
            x = F.relu(unit["bn"](unit["conv"](x)))
        return x

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept = []
        for i in range(1, len(self.depths) + 1):
            x = self._units(f"encoder{i}", x)
            size = x.shape
            x, places = F.max_pool2d(x, 2, return_indices=True)
            kept.append((size, places))
        for i in range(len(self.depths), 0, -1):
            size, places = kept[i - 1]
            x = self._units(f"decoder{i}", F.max_unpool2d(x, places, [2, 2], output_size=size[2:]))
        found: torch.Tensor = self.classifier(x)
        return found


def test_segnet() -> None:
    torch.manual_seed(0)
    network = SegNet(3, [4, 5, 6], [2, 2, 3])
    settings = {"classes": 3, "widths": [4, 5, 6], "depths": [2, 2, 3]}
    check_outputs("SegNet", network, 2, 3, 45, 34, settings=settings)


def test_segnets_size() -> None:
    graph = convspec.load("zoo:SegNet").module.graph
    theirs = shapes_of(lambda: SegNet(11, [64, 128, 256, 512, 512], [2, 2, 3, 3, 3]))
    assert stored(graph) == theirs


class PyramidPooling(nn.Module):
    """Means over grids of 1, 2, 3 and 6, each narrowed to a quarter, enlarged with corners on corners."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.features = nn.ModuleList(
            nn.Sequential(
                nn.AdaptiveAvgPool2d(n), nn.Conv2d(width, width // 4, 1, bias=False), nn.BatchNorm2d(width // 4), nn.ReLU()
            )
            for n in (1, 2, 3, 6)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = [F.interpolate(part(x), x.shape[2:], mode="bilinear", align_corners=True) for part in self.features]
        return torch.cat([x, *parts], 1)


class PSPNet(nn.Module):
    """torchvision's ResNet with the authors' stem and dilations."""

    def __init__(self, classes: int) -> None:
        super().__init__()

        def unit(inputs: int, outputs: int, stride: int = 1) -> Iterator[nn.Module]:
            yield nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            yield nn.BatchNorm2d(outputs)
            yield nn.ReLU()

        def head(inputs: int, width: int) -> nn.Module:
            return nn.Sequential(*unit(inputs, width), nn.Dropout2d(0.1), nn.Conv2d(width, classes, 1))

        self.layer0 = nn.Sequential(*unit(3, 64, 2), *unit(64, 64), *unit(64, 128), nn.MaxPool2d(3, 2, 1))
        resnet = torchvision("models.resnet").resnet50(weights=None)
        resnet.inplanes = 128
        for i, (depth, stride, dilation) in enumerate([(3, 1, 1), (4, 2, 1), (6, 1, 2), (3, 1, 4)]):
            layer = resnet._make_layer(torchvision("models.resnet").Bottleneck, 64 * 2**i, depth, stride)
            for block in layer:
                block.conv2.dilation = block.conv2.padding = (dilation, dilation)
            self.add_module(f"layer{i + 1}", layer)
        self.ppm, self.cls, self.aux = PyramidPooling(2048), head(4096, 512), head(1024, 256)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        *before, last = (self.get_submodule(f"layer{i}") for i in range(5))
        third = nn.Sequential(*before)(image)
        maps = self.cls(self.ppm(last(third))), self.aux(third)
        return tuple(F.interpolate(m, image.shape[2:], mode="bilinear", align_corners=True) for m in maps)


def test_pspnet() -> None:
    torch.manual_seed(0)
    check_outputs("PSPNet", PSPNet(3), 1, 3, 41, 49, settings={"classes": 3}, outputs=["logits", "auxiliary"])


class DeepLabV3Plus(nn.Module):
    """torchvision's dilated ResNet and pyramid under the paper's decoder."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        resnet = torchvision("models").resnet101(weights=None, replace_stride_with_dilation=[False, False, True])
        layers = {"layer1": "fine", "layer4": "coarse"}
        self.backbone = torchvision("models._utils").IntermediateLayerGetter(resnet, layers)
        self.aspp = torchvision("models.segmentation.deeplabv3").ASPP(2048, [6, 12, 18])
        self.low_level = nn.Sequential(nn.Conv2d(256, 48, 1, bias=False), nn.BatchNorm2d(48), nn.ReLU())
        self.decoder = nn.ModuleList(
            nn.ModuleDict({"conv": nn.Conv2d(inputs, 256, 3, padding=1, bias=False), "bn": nn.BatchNorm2d(256)})
            for inputs in (304, 256)
        )
        self.classifier = nn.Conv2d(256, classes, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        maps = self.backbone(image)
        fine = self.low_level(maps["fine"])
        coarse = F.interpolate(self.aspp(maps["coarse"]), fine.shape[2:], mode="bilinear", align_corners=False)
        x = torch.cat([coarse, fine], 1)
        for unit in self.decoder:
            x = F.relu(unit.get_submodule("bn")(unit.get_submodule("conv")(x)))
        return F.interpolate(self.classifier(x), image.shape[2:], mode="bilinear", align_corners=False)


def test_deeplab_v3_plus() -> None:
    torch.manual_seed(0)
    check_outputs("DeepLabV3Plus", DeepLabV3Plus(3), 1, 3, 37, 50, settings={"classes": 3})


@pytest.mark.parametrize(
    ("ours", "make", "count"),
    [("PSPNet", lambda: PSPNet(150), 49_180_908), ("DeepLabV3Plus", lambda: DeepLabV3Plus(21), 59_344_309)],
    ids=["PSPNet", "DeepLabV3Plus"],
)
def test_learnable_parameters(ours: str, make: Callable[[], Any], count: int) -> None:
    with torch.device("meta"):
        assert learnable(make()) == count


class UNet(nn.Module):
    """Ronneberger's on one picture, without padding: what was kept is cut to the middle."""

    def __init__(self, width: int) -> None:
        super().__init__()
        sizes = [width * 2**i for i in range(5)]
        for i, (before, filters) in enumerate(pairwise([1, *sizes])):
            self.add_module(f"down{i}", self._double(before, filters))
        for i, filters in enumerate(sizes[:-1]):
            self.add_module(f"up{i}", nn.ConvTranspose2d(2 * filters, filters, 2, 2))
            self.add_module(f"merge{i}", self._double(2 * filters, filters))
        self.head = nn.Conv2d(width, 2, 1)

    @staticmethod
    def _double(inputs: int, filters: int) -> nn.Module:
        return nn.ModuleDict({"conv1": nn.Conv2d(inputs, filters, 3), "conv2": nn.Conv2d(filters, filters, 3)})

    def _run(self, name: str, x: torch.Tensor) -> torch.Tensor:
        unit = getattr(self, name)
        return F.relu(unit["conv2"](F.relu(unit["conv1"](x))))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept = []
        for i in range(5):
            x = self._run(f"down{i}", F.max_pool2d(x, 2) if i else x)
            kept.append(x)
        for i in reversed(range(4)):
            x = getattr(self, f"up{i}")(x)
            size = x.shape[2]
            from_here = (kept[i].shape[2] - size) // 2
            skip = kept[i][:, :, from_here : from_here + size, from_here : from_here + size]
            x = self._run(f"merge{i}", torch.cat([skip, x], 1))
        found: torch.Tensor = self.head(x)
        return found


class Nested(nn.Module):
    """Under the level that the spec has."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.net(x)
        return found


def test_unet() -> None:
    torch.manual_seed(0)
    check_outputs("UNet2D", Nested(UNet(4)), 2, 1, 204, 204, settings={"width": 4})


class UNet3D(nn.Module):
    """Çiçek's with padding: channels double before each pooling, and on the way up no transposed convolution narrows."""

    def __init__(self, width: int) -> None:
        super().__init__()
        before = 3
        for i in range(4):
            filters = width * 2**i
            self.add_module(f"down{i}", self._double(before, filters // 2, filters))
            before = filters
            if i < 3:
                self.add_module(f"up{i}", nn.ConvTranspose3d(2 * filters, 2 * filters, 2, 2, bias=False))
                self.add_module(f"merge{i}", self._double(3 * filters, filters, filters))
        self.head = nn.Conv3d(width, 3, 1)

    @staticmethod
    def _double(inputs: int, first: int, second: int) -> nn.Module:
        unit = nn.Sequential()
        for i, (before, filters) in enumerate([(inputs, first), (first, second)], 1):
            unit.add_module(f"conv{i}", nn.Conv3d(before, filters, 3, padding=1))
            unit.add_module(f"norm{i}", nn.BatchNorm3d(filters))
            unit.add_module(f"relu{i}", nn.ReLU())
        return unit

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept = []
        for i in range(4):
            x = self.get_submodule(f"down{i}")(F.max_pool3d(x, 2) if i else x)
            kept.append(x)
        for i in reversed(range(3)):
            x = self.get_submodule(f"merge{i}")(torch.cat([kept[i], self.get_submodule(f"up{i}")(x)], 1))
        found: torch.Tensor = self.head(x)
        return found


def test_unet_for_volumes() -> None:
    torch.manual_seed(0)
    check_outputs("UNet3D", Nested(UNet3D(4)), 2, 3, 8, 16, 24, settings={"width": 4})


@pytest.mark.parametrize(
    ("network", "image", "logits"),
    [("UNet2D", (1, 572, 572), (2, 388, 388)), ("UNet3D", (3, 132, 132, 116), (3, 44, 44, 28))],
)
def test_unet_gives_the_sizes_of_the_paper(network: str, image: tuple[int, ...], logits: tuple[int, ...]) -> None:
    graph = convspec.load(f"zoo:{network}", settings={"pad": 0}).module.graph
    sizes = {"N": 1, **_solved(graph.inputs[0].value.type.shape, (1, *image))}

    assert [dims.evaluate(size, sizes) for size in graph.outputs[0].value.type.shape] == [1, *logits]


def _solved(shape: Any, wanted: tuple[int, ...]) -> dict[str, int]:

    found: dict[str, int] = {}
    for size, number in zip(shape, wanted, strict=True):
        found |= {name: value for name, value in dims.equal(size, number).substitution.items() if isinstance(value, int)}
    return found


def test_padded_unets_keep_the_size() -> None:
    for network in ("UNet2D", "UNet3D"):
        graph = convspec.load(f"zoo:{network}", settings={"pad": 1}).module.graph
        assert graph.inputs[0].value.type.shape[2:] == graph.outputs[0].value.type.shape[2:]
