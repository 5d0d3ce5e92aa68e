"""The zoo as a whole: what it has, that its index is fresh, and how its files look."""

from __future__ import annotations

import re

import pytest

import convspec
from convspec.diagnostics import Failure
from convspec.elaborate.libraries import shipped
from convspec.zoo import Network, find, networks, resolve
from convspec.zoo.catalogue import FOLDER, plain
from convspec.zoo.index import measure

PUBLISHED = {
    "alexnet": 61_100_840,
    "vgg16": 138_357_544,
    "googlenet": 13_004_888,
    "inception_v3": 27_161_264,
    "resnet50": 25_557_032,
    "resnet152": 60_192_808,
    "densenet121": 7_978_856,
    "squeezenet1_0": 1_248_424,
    "mobilenet_v2": 3_504_872,
    "mobilenet_v3_large": 5_483_032,
    "shufflenet_v2_x1_0": 2_278_604,
    "efficientnet_b0": 5_288_548,
    "convnext_tiny": 28_589_128,
}
"""Learnable parameters that the frameworks' documentation gives, by the name that torchvision has for the network."""

FAMILIES = """
lenet5 alexnet zfnet vgg11 vgg13 vgg16 vgg19 nin googlenet inception_v2 inception_v3 inception_v4 inception_resnet_v2
resnet18 resnet34 resnet50 resnet101 resnet152 resnet1001 resnext50_32x4d wide_resnet50_2 se_resnet50 densenet121 densenet169
densenet201 squeezenet1_0 squeezenet1_1 xception mobilenet_v1 mobilenet_v2 mobilenet_v3_small mobilenet_v3_large
shufflenet_v1 shufflenet_v2_x1_0 efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3 efficientnet_b4
efficientnet_b5 efficientnet_b6 efficientnet_b7 efficientnet_v2_s convnext_tiny convnext_small convnext_base convnext_large
repvgg_a0 repvgg_b0 mobileone_s0 fcn8s segnet unet2d unet3d deeplab_v3plus pspnet resnet50_fpn ssd300 yolo_v3_tiny yolov8n
textcnn vdcnn29 convs2s deepsea basset tox21gcn wavenet m5 c3d r2plus1d_18 slowfast
dcgan_generator dcgan_discriminator conv_vae srcnn9_1_5 espcn siamese
"""

LINES = 60
"""The files average under this."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_parameters(name: str) -> None:
    assert find(name).parameters == PUBLISHED[name]


@pytest.mark.parametrize("name", FAMILIES.split())
def test_it_is_there(name: str) -> None:
    assert plain(find(name).name) == plain(name)


@pytest.mark.parametrize("library", shipped("zoo"))
def test_the_index_is_fresh(library: str) -> None:
    """`python -m convspec.zoo.index` writes it."""
    assert list(measure(library)) == [network for network in networks() if network.library == library]


def test_every_file_is_in_the_index_and_no_other() -> None:
    assert sorted({network.library for network in networks()}) == shipped("zoo")


def test_names_are_told_apart_however_they_are_written() -> None:
    names = [plain(network.name) for network in networks()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("network", networks(), ids=lambda network: network.name)
def test_every_network_says_what_it_is(network: Network) -> None:
    assert re.search(r"\b(19|20)\d\d\b", network.paper), "authors and year"
    assert len(network.summary) > 5
    assert network.parameters > 0 and network.macs > 0


def test_files_are_short() -> None:
    lengths = [len(path.read_text(encoding="utf-8").splitlines()) for path in FOLDER.glob("*.cnn")]
    assert sum(lengths) / len(lengths) < LINES


def test_any_spelling_finds_a_network() -> None:
    wanted = find("ResNet50")
    assert find("resnet50") is wanted
    assert find("RESNET-50") is wanted
    assert find("zoo:resnet_50") is wanted


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(Failure) as caught:
        find("resnet51")
    assert caught.value.diagnostics[0].code == "CNN402"
    assert caught.value.diagnostics[0].hint == "did you mean `ResNet50`?"
    with pytest.raises(Failure) as caught:
        find("resnet")
    assert "ResNet18, ResNet34, ResNet50" in str(caught.value.diagnostics[0].hint)


def test_a_network_and_a_file_with_a_model_are_specs() -> None:
    assert resolve("zoo:resnet18", None) == (FOLDER / "resnet.cnn", "ResNet18")
    assert resolve("zoo:resnet", "ResNet18") == (FOLDER / "resnet.cnn", "ResNet18")
    assert convspec.load("zoo:squeezenet1_1", settings={"classes": 10}).module.name == "SqueezeNet1_1"
