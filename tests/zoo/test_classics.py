"""LeNet to Darknet: torchvision's by name, the others against the tables of their papers, written out in PyTorch."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from torch import Tensor, nn

import convspec
from convspec.analysis.cost import total_cost
from convspec.ir import dims
from tests.zoo.comparing import agrees, image
from tests.zoo.torchvision_models import shapes_of, stored, torchvision, unsettled

THEIRS = {
    "AlexNet": ("alexnet", "alexnet"),
    **{f"VGG{depth}": ("vgg", f"vgg{depth}") for depth in (11, 13, 16, 19)},
    **{f"VGG{depth}BN": ("vgg", f"vgg{depth}_bn") for depth in (11, 13, 16, 19)},
    **{f"SqueezeNet{version}": ("squeezenet", f"squeezenet{version}") for version in ("1_0", "1_1")},
}
"""By our name: the file, and torchvision's function."""


@pytest.mark.parametrize("model", THEIRS)
def test_names_and_shapes_are_torchvisions(model: str) -> None:
    file, function = THEIRS[model]
    expected = shapes_of(lambda: getattr(torchvision(), function)(weights=None))
    assert stored(convspec.load(f"zoo:{file}", model).module.graph) == expected


@pytest.mark.parametrize("model", THEIRS)
def test_multiply_accumulates_are_those_that_torchvision_gives(model: str) -> None:
    file, function = THEIRS[model]
    weights = torchvision().get_model_weights(function).DEFAULT
    graph = convspec.load(f"zoo:{file}", model).module.graph
    sizes = {name: 7 for name in graph.symbols()} | {"N": 1}  # of SqueezeNet's 32*h and 32*w
    assert round(dims.evaluate(total_cost(graph.nodes, {}).macs, sizes) / 1e9, 3) == weights.meta["_ops"]


@pytest.mark.parametrize(
    ("model", "size"),
    [
        ("AlexNet", 224),
        pytest.param("AlexNet", 160, marks=pytest.mark.zoo),
        pytest.param("VGG16", 224, marks=pytest.mark.zoo),
        pytest.param("VGG11BN", 96, marks=pytest.mark.zoo),
    ],
)
def test_outputs_are_torchvisions(model: str, size: int) -> None:
    """Also at sizes other than that which the dense layers see."""
    torch.manual_seed(0)
    file, function = THEIRS[model]
    theirs = unsettled(getattr(torchvision(), function)(weights=None))
    agrees(file, model, theirs, image(1, 3, size, size), {"size": size})


@pytest.mark.zoo
def test_outputs_of_a_vgg_with_smaller_dense_layers() -> None:
    """torchvision's maps under dense layers that see 2x2 cells, of maps of 3x3."""
    torch.manual_seed(0)
    vgg = torchvision("models.vgg")
    classifier = nn.Sequential(
        *(nn.Linear(2 * 2 * 512, 4096), nn.ReLU(), nn.Dropout()),
        *(nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 10)),
    )
    features = vgg.make_layers(vgg.cfgs["A"], batch_norm=True)
    pool = (("pool", nn.AdaptiveAvgPool2d(2)), ("flatten", nn.Flatten()))
    theirs = unsettled(named(("features", features), *pool, ("classifier", classifier)))
    agrees("vgg", "VGG11BN", theirs, image(1, 3, 96, 96), {"size": 96, "grid": 2, "classes": 10})


@pytest.mark.parametrize("model", ["SqueezeNet1_0", "SqueezeNet1_1"])
def test_outputs_of_squeezenet_are_torchvisions(model: str) -> None:
    """With biases above 0: in a fresh network the last relu cuts off half of the classes."""
    torch.manual_seed(0)
    file, function = THEIRS[model]
    theirs = getattr(torchvision(), function)(weights=None).eval()
    for name, tensor in theirs.named_parameters():
        if name.endswith("bias"):
            nn.init.uniform_(tensor, 0.0, 0.5)
    agrees(file, model, theirs, image(1, 3, 64, 96))


def learnable(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def named(*layers: tuple[str, nn.Module]) -> nn.Sequential:
    return nn.Sequential(OrderedDict(layers)).eval()


def test_lenet5() -> None:
    torch.manual_seed(0)
    theirs = named(
        ("border", nn.ZeroPad2d(2)),  # the paper puts digits of 28x28 on 32x32
        *(("c1", nn.Conv2d(1, 6, 5)), ("tanh1", nn.Tanh()), ("s2", nn.AvgPool2d(2))),
        *(("c3", nn.Conv2d(6, 16, 5)), ("tanh3", nn.Tanh()), ("s4", nn.AvgPool2d(2))),
        *(("c5", nn.Conv2d(16, 120, 5)), ("tanh5", nn.Tanh()), ("flatten", nn.Flatten())),
        *(("f6", nn.Linear(120, 84)), ("tanh6", nn.Tanh()), ("logits", nn.Linear(84, 10))),
    )
    assert learnable(theirs) == 61_706
    agrees("lenet5", "LeNet5", theirs, image(3, 1, 28, 28))


class Response(nn.Module):
    """Krizhevsky et al. 2012, section 3.3, as it is written there."""

    def forward(self, x: Tensor) -> Tensor:
        n, k, alpha, beta = 5, 2.0, 1e-4, 0.75
        last = x.shape[1] - 1
        rows = []
        for i in range(last + 1):
            near = x[:, max(0, i - n // 2) : min(last, i + n // 2) + 1]
            rows.append(x[:, i] / (k + alpha * (near**2).sum(1)) ** beta)
        return torch.stack(rows, 1)


@pytest.mark.zoo
def test_zfnet() -> None:
    """Its first responses are made large: at those of a fresh network the normalisation does next to nothing."""
    torch.manual_seed(0)
    first = nn.Conv2d(3, 96, 7, 2, 1)
    features = nn.Sequential(
        *(first, nn.ReLU(), nn.MaxPool2d(3, 2, 1), Response()),
        *(nn.Conv2d(96, 256, 5, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1), Response()),
        *(nn.Conv2d(256, 384, 3, 1, 1), nn.ReLU()),
        *(nn.Conv2d(384, 384, 3, 1, 1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(3, 2)),
    )
    classifier = nn.Sequential(
        *(nn.Linear(6 * 6 * 256, 4096), nn.ReLU(), nn.Dropout()),
        *(nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 1000)),
    )
    assert learnable(features) + learnable(classifier) == 62_357_608
    with torch.no_grad():
        first.weight.mul_(60)
    theirs = named(("features", features), ("flatten", nn.Flatten()), ("classifier", classifier))
    agrees("zfnet", "ZFNet", theirs, image(1, 3, 224, 224))


def mlpconv(inputs: int, widths: tuple[int, int, int], kernel: int, stride: int, pad: int) -> nn.Sequential:
    """Lin et al. 2013, equation 2: relu after the convolution and after each layer of the small network."""
    first, second, third = widths
    return named(
        *(("conv", nn.Conv2d(inputs, first, kernel, stride, pad)), ("relu0", nn.ReLU())),
        *(("cccp1", nn.Conv2d(first, second, 1)), ("relu1", nn.ReLU())),
        *(("cccp2", nn.Conv2d(second, third, 1)), ("relu2", nn.ReLU())),
    )


def lively(network: nn.Sequential) -> nn.Sequential:
    """With weights under which a deep network without norms keeps its numbers, and biases above 0 for its last relu."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
            assert module.bias is not None
            nn.init.uniform_(module.bias, 0.0, 0.3)
    return network


def test_network_in_network() -> None:
    torch.manual_seed(0)
    theirs = named(
        *(
            ("mlp1", mlpconv(3, (192, 160, 96), 5, 1, 2)),
            ("pool1", nn.MaxPool2d(3, 2, ceil_mode=True)),
            ("drop1", nn.Dropout()),
        ),
        *(
            ("mlp2", mlpconv(96, (192, 192, 192), 5, 1, 2)),
            ("pool2", nn.AvgPool2d(3, 2, ceil_mode=True)),
            ("drop2", nn.Dropout()),
        ),
        *(("mlp3", mlpconv(192, (192, 192, 10), 3, 1, 1)), ("mean", nn.AdaptiveAvgPool2d(1)), ("flatten", nn.Flatten())),
    )
    assert learnable(theirs) == 966_986
    agrees("nin", "NiN", lively(theirs), image(2, 3, 32, 28))


def test_network_in_network_for_imagenet() -> None:
    torch.manual_seed(0)
    theirs = named(
        *(("mlp1", mlpconv(3, (96, 96, 96), 11, 4, 0)), ("pool1", nn.MaxPool2d(3, 2))),
        *(("mlp2", mlpconv(96, (256, 256, 256), 5, 1, 2)), ("pool2", nn.MaxPool2d(3, 2))),
        *(("mlp3", mlpconv(256, (384, 384, 384), 3, 1, 1)), ("pool3", nn.MaxPool2d(3, 2)), ("drop", nn.Dropout())),
        *(("mlp4", mlpconv(384, (1024, 1024, 1000), 3, 1, 1)), ("mean", nn.AdaptiveAvgPool2d(1)), ("flatten", nn.Flatten())),
    )
    assert learnable(theirs) == 7_595_176
    agrees("nin", "NiNImageNet", lively(theirs), image(1, 3, 67, 99))


DARKNET = """
32 3, pool, 64 3, pool, 128 3, 64 1, 128 3, pool, 256 3, 128 1, 256 3, pool,
512 3, 256 1, 512 3, 256 1, 512 3, pool, 1024 3, 512 1, 1024 3, 512 1, 1024 3
"""
"""Redmon & Farhadi 2016, table 6: filters and kernel of each convolution before the last."""


def test_darknet19() -> None:
    torch.manual_seed(0)
    stages: list[list[nn.Module]] = [[]]
    channels = 3
    for row in DARKNET.split(","):
        if row.strip() == "pool":
            stages.append([])
            continue
        filters, kernel = map(int, row.split())
        conv = nn.Conv2d(channels, filters, kernel, padding=kernel // 2, bias=False)
        stages[-1].append(named(("conv", conv), ("bn", nn.BatchNorm2d(filters)), ("act", nn.LeakyReLU(0.1))))
        channels = filters
    layers: list[tuple[str, nn.Module]] = []
    for i, stage in enumerate(stages):
        layers += [(f"pool{i}", nn.MaxPool2d(2))] if i else []
        layers += [(f"stage{i + 1}", nn.Sequential(*stage))]
    head = [("head", nn.Conv2d(1024, 1000, 1)), ("mean", nn.AdaptiveAvgPool2d(1)), ("flatten", nn.Flatten())]
    theirs = unsettled(named(*layers, *head))
    assert learnable(theirs) == 20_842_376
    agrees("darknet", "DarkNet19", theirs, image(1, 3, 32, 64))
