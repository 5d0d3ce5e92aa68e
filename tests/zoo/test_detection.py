"""Detectors against torchvision's by name, and the YOLOs against their unusual parts written out in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import convspec
from convspec.zoo import find
from tests.zoo.outputs import check_outputs, learnable
from tests.zoo.torchvision_models import shapes_of, stored, torchvision


def pyramid(depth: int) -> Any:
    """torchvision's feature pyramid; its batch norms are not frozen, which changes nothing but what trains."""
    make = torchvision("models.detection.backbone_utils").resnet_fpn_backbone
    return make(backbone_name=f"resnet{depth}", weights=None, norm_layer=nn.BatchNorm2d)


class Heads(nn.Module):
    """What a detector of torchvision's has learned, without what makes the picture smaller or boxes of its numbers."""

    def __init__(self, detector: Any) -> None:
        super().__init__()
        self.backbone, self.head = detector.backbone, detector.head

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        found: dict[str, torch.Tensor] = self.head(list(self.backbone(image).values()))
        return found


def detector(name: str, **options: Any) -> nn.Module:
    """A detector of torchvision's with random weights."""
    return Heads(getattr(torchvision("models.detection"), name)(weights=None, weights_backbone=None, **options))


THEIRS: list[tuple[str, Callable[[], Any]]] = [
    ("ResNet50FPN", lambda: pyramid(50)),
    ("ResNet101FPN", lambda: pyramid(101)),
    ("RetinaNet_ResNet50_FPN", lambda: detector("retinanet_resnet50_fpn")),
    ("SSD300", lambda: detector("ssd300_vgg16")),
]


@pytest.mark.parametrize(("network", "make"), THEIRS, ids=[name for name, _ in THEIRS])
def test_names_and_shapes(network: str, make: Callable[[], Any]) -> None:
    assert stored(convspec.load(f"zoo:{network}").module.graph) == shapes_of(make)


@pytest.mark.parametrize(("ours", "theirs"), [("RetinaNet_ResNet50_FPN", "retinanet_resnet50_fpn"), ("SSD300", "ssd300_vgg16")])
def test_published_cost(ours: str, theirs: str) -> None:
    """The multiply-accumulates that torchvision's documentation gives, in thousands of millions."""
    published = torchvision("models").get_model_weights(theirs).DEFAULT.meta["_ops"]
    assert round(find(ours).macs / 1e9, 3) == published


def test_a_pyramid() -> None:
    """At a size whose halves are odd, so that a coarser map is not just twice as large."""
    torch.manual_seed(0)
    check_outputs("ResNet50FPN", pyramid(50), 2, 3, 70, 37, outputs=["p2", "p3", "p4", "p5", "p6"])


def test_retinanet() -> None:
    torch.manual_seed(0)
    network = detector("retinanet_resnet50_fpn", num_classes=3)
    for module in network.get_submodule("head").modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)  # fresh ones are so small that a bias is all that can be seen
    settings = {"classes": 3}
    check_outputs("RetinaNet_ResNet50_FPN", network, 1, 3, 70, 37, settings=settings, outputs=["cls_logits", "bbox_regression"])


@pytest.mark.zoo
def test_ssd() -> None:
    torch.manual_seed(0)
    network = detector("ssd300_vgg16", num_classes=3)
    nn.init.uniform_(network.get_parameter("backbone.scale_weight"), 10, 30)
    outputs = ["bbox_regression", "cls_logits"]
    check_outputs("SSD300", network, 1, 3, 300, 300, settings={"classes": 3}, outputs=outputs)


def test_ssd_has_the_boxes_of_the_paper() -> None:
    shapes = {output.name: output.value.type.shape[1:] for output in convspec.load("zoo:SSD300").module.graph.outputs}
    assert shapes == {"cls_logits": (8732, 91), "bbox_regression": (8732, 4)}


class Darknet(nn.Module):
    """Convolution, batch norm, leaky relu."""

    def __init__(self, inputs: int, filters: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, filters, kernel, padding=kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(filters)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.leaky_relu(self.bn(self.conv(x)), 0.1)


class TinyYOLO(nn.Module):
    """Darknet's yolov3-tiny.cfg. Its pool of stride 1 takes cells beyond the right and lower edge for minus infinity."""

    UNITS = (
        (0, 16, 3),
        (2, 32, 3),
        (4, 64, 3),
        (6, 128, 3),
        (8, 256, 3),
        (10, 512, 3),
        (13, 1024, 3),
        (14, 256, 1),
        (15, 512, 3),
    )

    def __init__(self, classes: int) -> None:
        super().__init__()
        columns = 3 * (5 + classes)
        self.model = nn.ModuleDict()
        inputs = 3
        for at, filters, kernel in self.UNITS:
            self.model[str(at)] = Darknet(inputs, filters, kernel)
            inputs = filters
        self.model["16"] = Darknet(256, 128, 1)
        self.model["19"] = Darknet(128 + 256, 256, 3)
        self.model["20"] = nn.ModuleDict({"m": nn.ModuleList([nn.Conv2d(256, columns, 1), nn.Conv2d(512, columns, 1)])})

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        for at in ("0", "2", "4", "6", "8"):
            fine = self.model[at](x)
            x = F.max_pool2d(fine, 2)
        x = F.max_pool2d(F.pad(self.model["10"](x), (0, 1, 0, 1), value=-torch.inf), 2, 1)
        x = self.model["14"](self.model["13"](x))
        coarse = self.model["15"](x)
        x = self.model["16"](x).repeat_interleave(2, 2).repeat_interleave(2, 3)
        fine = self.model["19"](torch.cat([x, fine], 1))
        heads = self.model.get_submodule("20.m")
        return heads.get_submodule("0")(fine), heads.get_submodule("1")(coarse)


def test_tiny_yolo() -> None:
    torch.manual_seed(0)
    check_outputs("YOLOv3Tiny", TinyYOLO(4), 1, 3, 64, 96, settings={"classes": 4}, outputs=["map0", "map1"])


def test_tiny_yolo_is_as_large_as_its_weight_file() -> None:
    """Darknet's yolov3-tiny.weights has 35,434,956 bytes: 20 of header, then everything that the network stores as float32."""
    graph = convspec.load("zoo:YOLOv3Tiny").module.graph
    assert sum(prod(shape) for shape in stored(graph).values()) == (35_434_956 - 20) // 4


class Unit(nn.Module):
    """Convolution, batch norm, SiLU."""

    def __init__(self, inputs: int, filters: int, kernel: int = 1, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, filters, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(filters, 1e-3, 0.03)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.silu(self.bn(self.conv(x)))


class Bottleneck(nn.Module):
    """Two 3x3 units, beside the identity where `add`."""

    def __init__(self, width: int, add: bool) -> None:
        super().__init__()
        self.cv1, self.cv2, self.add = Unit(width, width, 3), Unit(width, width, 3), add

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.cv2(self.cv1(x))
        return x + y if self.add else y


class C2f(nn.Module):
    """Every bottleneck's result is kept."""

    def __init__(self, inputs: int, filters: int, depth: int, add: bool = False) -> None:
        super().__init__()
        half = filters // 2
        self.cv1, self.cv2 = Unit(inputs, filters), Unit((2 + depth) * half, filters)
        self.m = nn.ModuleList(Bottleneck(half, add) for _ in range(depth))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = list(self.cv1(x).chunk(2, 1))
        for unit in self.m:
            parts.append(unit(parts[-1]))
        found: torch.Tensor = self.cv2(torch.cat(parts, 1))
        return found


class SPPF(nn.Module):
    """Three poolings after each other."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.cv1, self.cv2 = Unit(width, width // 2), Unit(2 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = [self.cv1(x)]
        for _ in range(3):
            parts.append(F.max_pool2d(parts[-1], 5, 1, 2))
        found: torch.Tensor = self.cv2(torch.cat(parts, 1))
        return found


class YOLOv8n(nn.Module):
    """The authors' yolov8n: heads with distributions over 16 distances for each side."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        units: dict[str, nn.Module] = {"0": Unit(3, 16, 3, 2)}
        for i, (inputs, filters, depth) in enumerate([(16, 32, 1), (32, 64, 2), (64, 128, 2), (128, 256, 1)]):
            units[str(2 * i + 1)] = Unit(inputs, filters, 3, 2)
            units[str(2 * i + 2)] = C2f(filters, filters, depth, add=True)
        units |= {"9": SPPF(256), "12": C2f(256 + 128, 128, 1), "15": C2f(128 + 64, 64, 1), "16": Unit(64, 64, 3, 2)}
        units |= {"18": C2f(64 + 128, 128, 1), "19": Unit(128, 128, 3, 2), "21": C2f(128 + 256, 256, 1)}
        heads = nn.ModuleDict()
        for name, wide, columns in (("cv2", 64, 64), ("cv3", max(64, min(classes, 100)), classes)):
            heads[name] = nn.ModuleList(
                nn.Sequential(Unit(inputs, wide, 3), Unit(wide, wide, 3), nn.Conv2d(wide, columns, 1))
                for inputs in (64, 128, 256)
            )
        units["22"] = heads
        self.model = nn.ModuleDict(units)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        def run(at: int, *tensors: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.model[str(at)](torch.cat(tensors, 1))
            return found

        def doubled(x: torch.Tensor) -> torch.Tensor:
            return F.interpolate(x, scale_factor=2)

        kept = [image]
        for at in range(10):
            kept.append(run(at, kept[-1]))
        fourth, sixth, ninth = kept[5], kept[7], kept[10]
        twelfth = run(12, doubled(ninth), sixth)
        fine = run(15, doubled(twelfth), fourth)
        middle = run(18, run(16, fine), twelfth)
        maps = [fine, middle, run(21, run(19, middle), ninth)]
        sides, scores = (
            torch.cat([head(x).flatten(2) for head, x in zip(heads, maps, strict=True)], 2)
            for heads in (self.model.get_submodule(f"22.{name}").children() for name in ("cv2", "cv3"))
        )
        likely = sides.reshape(len(sides), 4, 16, -1).softmax(2)
        return torch.einsum("nsbc,b->nsc", likely, torch.arange(16.0)), scores.sigmoid()


def test_yolo_v8() -> None:
    torch.manual_seed(0)
    check_outputs("YOLOv8n", YOLOv8n(5), 2, 3, 64, 96, settings={"classes": 5}, outputs=["distances", "scores"])


@pytest.mark.parametrize(
    ("make", "network", "count"),
    [(lambda: TinyYOLO(80), "YOLOv3Tiny", 8_852_366), (lambda: YOLOv8n(80), "YOLOv8n", 3_157_184)],
    ids=["YOLOv3Tiny", "YOLOv8n"],
)
def test_learnable_parameters(make: Callable[[], Any], network: str, count: int) -> None:
    with torch.device("meta"):
        assert learnable(make()) == count
    assert stored(convspec.load(f"zoo:{network}").module.graph) == shapes_of(make)
