"""Costs and receptive fields against the figures that are published, or counted by hand, for known networks.

Parameters and MACs at 224x224 are those that torchvision documents with its weights (in giga-operations, rounded there to
three digits). Receptive fields: Araujo, Norris and Sim 2019, table 1 (AlexNet 195, VGG-16 212, ResNet-50 with the stride on the
1x1 convolution 483), and 427 for the stride on the 3x3, counted in `test_resnet50_by_hand`.
"""

from __future__ import annotations

import pytest

from convspec.analysis.cost import parameters_of, total_cost
from convspec.analysis.receptive_field import Field, receptive_fields, trunk_field
from convspec.elaborate import Module, loads
from tests.analysis.networks import ALEXNET, LENET5, RESNET, VGG16


def network(spec: str, model: str | None = None) -> Module:
    return loads(spec, model=model)


@pytest.mark.parametrize(
    ("spec", "model", "parameters", "giga_macs"),
    [
        (ALEXNET, "AlexNet", 61_100_840, 0.714),
        (VGG16, "VGG16", 138_357_544, 15.470),
        (RESNET, "ResNet18", 11_689_512, 1.814),
        (RESNET, "ResNet50", 25_557_032, 4.089),
    ],
)
def test_published_figures(spec: str, model: str, parameters: int, giga_macs: float) -> None:
    graph = network(spec, model).graph
    assert parameters_of(graph.nodes).learnable == parameters
    macs = total_cost(graph.nodes, {"N": 1, "h": 7, "w": 7} if spec is RESNET else {"N": 1}).macs
    assert isinstance(macs, int)
    assert round(macs / 1e9, 3) == giga_macs


def test_lenet5_by_hand() -> None:
    graph = network(LENET5).graph
    parameters = (25 + 1) * 6 + (25 * 6 + 1) * 16 + (25 * 16 + 1) * 120 + (120 + 1) * 84 + (84 + 1) * 10
    macs = 28 * 28 * 6 * 25 + 10 * 10 * 16 * 25 * 6 + 120 * 25 * 16 + 120 * 84 + 84 * 10
    assert parameters == 61_706
    assert parameters_of(graph.nodes).learnable == parameters
    assert str(total_cost(graph.nodes).macs) == f"{macs}*N"
    assert total_cost(graph.nodes, {"N": 3}).macs == 3 * macs


def test_running_statistics_are_counted_apart() -> None:
    found = parameters_of(network(RESNET, "ResNet18").graph.nodes)
    channels = 64 * 5 + 128 * 5 + 256 * 5 + 512 * 5  # stem and layer1: 5 norms; each later stage: 4 and a shortcut's
    assert found.statistics == 2 * channels
    assert found.stored == 11_689_512 + 2 * channels


def test_macs_of_a_resnet_grow_with_the_image() -> None:
    graph = network(RESNET, "ResNet50").graph
    small, large = (total_cost(graph.nodes, {"N": 1, "h": h, "w": h}).macs for h in (7, 14))
    head = 2048 * 1000
    assert isinstance(small, int)
    assert large == 4 * (small - head) + head
    assert str(total_cost(graph.nodes).macs) == f"{(small - head) // 49}*N*h*w + {head}*N"


# ── receptive fields ─────────────────────────────────────────────────────────────────────────────────────────


def field_at(module: Module, path: str) -> list[tuple[int, int]]:
    """Size and jump per axis of the last value made at `path`."""
    (value,) = [node.outputs[0] for node in module.graph.nodes if node.path == path]
    seen = receptive_fields(module.graph)[value]
    assert all(field is not None for field in seen)
    return [(field.size, int(field.jump)) for field in seen if field is not None]


@pytest.mark.parametrize(
    ("path", "size", "jump"),
    [
        ("conv1", 11, 4),
        ("pool1", 19, 8),
        ("conv2", 51, 8),
        ("pool2", 67, 16),
        ("conv3", 99, 16),
        ("conv5", 163, 16),
        ("pool5", 195, 32),
    ],
)
def test_alexnet(path: str, size: int, jump: int) -> None:
    assert field_at(network(ALEXNET), path) == [(size, jump)] * 2


@pytest.mark.parametrize(
    ("path", "size", "jump"), [("conv1_2", 5, 1), ("pool1", 6, 2), ("pool3", 44, 8), ("conv5_3", 196, 16), ("pool5", 212, 32)]
)
def test_vgg16(path: str, size: int, jump: int) -> None:
    assert field_at(network(VGG16), path) == [(size, jump)] * 2


def test_resnet50_by_hand() -> None:
    size = 7  # stem, jump 2
    size += 2 * 2  # pool, jump 4
    size += 3 * (2 * 4)  # layer1
    size += 2 * 4 + 3 * (2 * 8)  # layer2: its first 3x3 still reads at jump 4
    size += 2 * 8 + 5 * (2 * 16)  # layer3
    size += 2 * 16 + 2 * (2 * 32)  # layer4
    assert size == 427
    assert field_at(network(RESNET, "ResNet50"), "layer4.2.conv3") == [(427, 32)] * 2


def test_resnet50_v1() -> None:
    assert field_at(network(RESNET, "ResNet50v1"), "layer4.2.conv3") == [(483, 32)] * 2


def test_resnet18() -> None:
    assert field_at(network(RESNET, "ResNet18"), "layer4.1.conv2") == [(435, 32)] * 2


@pytest.mark.parametrize(
    ("spec", "model", "size"), [(RESNET, "ResNet50", 427), (VGG16, "VGG16", 212), (ALEXNET, "AlexNet", 195), (LENET5, None, 32)]
)
def test_the_field_of_a_classifier_is_that_before_space_is_lost(spec: str, model: str | None, size: int) -> None:
    assert [field.size for field in trunk_field(network(spec, model).graph) if field] == [size] * 2


def test_offsets_of_vgg16_stay_central() -> None:
    """With padding 1 and pools of 2, unit 0 of pool k is centred between the cells that its 2**k pixels span."""
    module = network(VGG16)
    (value,) = [node.outputs[0] for node in module.graph.nodes if node.path == "pool3"]
    (field, _) = receptive_fields(module.graph)[value]
    assert isinstance(field, Field)
    assert field.offset == 3.5
