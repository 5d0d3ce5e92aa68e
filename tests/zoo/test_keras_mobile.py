"""The mobile networks of keras.applications, their weights converted into the zoo's spec of the same network: the same outputs.

What had to differ from the spec as it stands, which is torchvision's or Keras's own version, is in `SETTINGS`. Keras's
MobileNetV3 and EfficientNetV2 are made without the rescaling of pictures that they begin with; EfficientNetB0 always has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

import convspec
from tests.zoo.comparing import gives, image, same_epsilons
from tests.zoo.keras_models import answers, converted, leaves, made

LATE: dict[str, object] = {"same": True}
"""A convolution with a stride pads even sizes at the end alone."""

SETTINGS: dict[str, dict[str, object]] = {
    "MobileNetV2": {"eps": 0.001, **LATE},
    "MobileNetV3Small": LATE,
    "MobileNetV3Large": LATE,
    "EfficientNetB0": {"eps": 0.001, "momentum": 0.01, **LATE},
}

Place = tuple[str, str, str]
"""A block, a part of it, and what of that part: `features.3.block`, `expand`, `0`."""

NORM = {"": "0", "bn": "1", "BN": "1"}
"""Where convolution and norm stand in a part."""


def _mobilenet_v2(name: str) -> Place | str:
    ends = {"Conv1": "features.0.0", "bn_Conv1": "features.0.1", "predictions": "classifier.1"}
    ends |= {"Conv_1": "features.18.0", "Conv_1_bn": "features.18.1"}
    if name in ends:
        return ends[name]
    block, part, norm = _found(r"(?:block|expanded_conv)_?(\d*)_(expand|depthwise|project)_?(BN)?", name)
    place = f"features.{int(block or 0) + 1}.conv"
    return (place, part + norm, "") if part == "project" else (place, part, NORM[norm])


def _mobilenet_v3(last: int) -> Callable[[str], Place | str]:
    def parse(name: str) -> Place | str:
        ends = {"conv": "features.0.0", "conv_bn": "features.0.1", "conv_1": f"features.{last}.0"}
        ends |= {"conv_1_bn": f"features.{last}.1", "conv_2": "classifier.0", "logits": "classifier.3"}
        if name in ends:
            return ends[name]
        block, part, norm = _found(r"expanded_conv_?(\d*)_(expand|depthwise|project|squeeze_excite)_(\w*)", name + "_")
        role = {"conv_": "fc1", "conv_1_": "fc2"}.get(norm) or NORM[norm.rstrip("_")]
        return f"features.{int(block or 0) + 1}.block", part, role

    return parse


def _efficientnet(last: int) -> Callable[[str], Place | str]:
    def parse(name: str) -> Place | str:
        ends = {"stem_conv": "features.0.0", "stem_bn": "features.0.1", "top_conv": f"features.{last}.0"}
        ends |= {"top_bn": f"features.{last}.1", "predictions": "classifier.1", "normalization": "normalization"}
        if name in ends:
            return ends[name]
        stage, block, layer = _found(r"block(\d)([a-z])_(\w+)", name)
        roles = {"se_reduce": ("se", "fc1"), "se_expand": ("se", "fc2"), "bn": ("depthwise", "1")}
        roles |= {"dwconv": ("depthwise", "0"), "dwconv2": ("depthwise", "0")}
        part, role = roles.get(layer) or (layer.split("_")[0], NORM[layer.split("_")[1].removeprefix("conv")])
        return f"features.{stage}.{ord(block) - ord('a')}.block", part, role

    return parse


def _nasnet(name: str) -> str:
    """`normal_3.left1.bn2` for `separable_conv_2_bn_normal_left1_3`."""
    ends = {"stem_conv1": "conv1", "stem_bn1": "bn1", "predictions": "predictions"}
    if name in ends:
        return ends[name]
    if not re.search("stem_|reduce_", name):
        name = re.sub(r"_(\d+)$", r"_normal_\1", name)
    head, cell = _found(r"(\w+?)_((?:stem|reduce|normal)_\d+)", name)
    if head.startswith("separable"):
        number, norm, branch = _found(r"separable_conv_(\d)_(bn_)?(?:normal|reduction)_(\w+)", head)
        return f"{cell}.{branch}.{'bn' if norm else 'conv'}{number}"
    if head.startswith("adjust"):
        return f"{cell}.adjust.{'conv' if 'projection' in head else head.removeprefix('adjust_').replace('_', '')}"
    return f"{cell}.{'bn' if '_bn' in head else 'conv'}"


def _found(pattern: str, name: str) -> tuple[str, ...]:
    found = re.fullmatch(pattern, name)
    assert found, name
    return tuple(group or "" for group in found.groups())


def labels(names: Iterable[str], parse: Callable[[str], Place | str]) -> dict[str, str]:
    """Our labels by Keras's names. torchvision numbers the parts of a block, whichever of them there are."""
    parts: dict[str, list[str]] = {}
    found = {}
    for name in names:
        place = parse(name)
        if not isinstance(place, str):
            block, part, role = place
            known = parts.setdefault(block, [])
            if part not in known:
                known.append(part)
            place = ".".join(filter(None, [block, str(known.index(part)), role]))
        found[name] = place
    return found


NETWORKS: dict[str, tuple[str, str, Callable[[str], Place | str], dict[str, bool]]] = {
    "MobileNet": ("mobilenet_v1", "MobileNetV1", str, {}),
    "MobileNetV2": ("mobilenet_v2", "MobileNetV2", _mobilenet_v2, {}),
    "MobileNetV3Small": ("mobilenet_v3", "MobileNetV3Small", _mobilenet_v3(12), {"include_preprocessing": False}),
    "MobileNetV3Large": ("mobilenet_v3", "MobileNetV3Large", _mobilenet_v3(16), {"include_preprocessing": False}),
    "EfficientNetB0": ("efficientnet", "EfficientNetB0", _efficientnet(8), {}),
    "EfficientNetV2B0": ("efficientnet_v2", "EfficientNetV2B0", _efficientnet(7), {"include_preprocessing": False}),
    "NASNetMobile": ("nasnet", "NASNetMobile", _nasnet, {}),
}
"""By Keras's name: the file, the network, labels for its layers, and how it is made."""


LONG = ("EfficientNetV2B0", "NASNetMobile")


@pytest.mark.parametrize("application", [pytest.param(n, marks=pytest.mark.zoo if n in LONG else ()) for n in NETWORKS])
def test_outputs_are_keras(application: str, tmp_path: Path) -> None:
    file, model, parse, options = NETWORKS[application]
    network = made(application, (64, 96, 3), classes=10, **options)
    settings: dict[str, object] = {"classes": 10, **SETTINGS.get(application, {})}
    found = labels((layer.name for layer in leaves(network)), parse)
    module = convspec.load(f"zoo:{file}", model, settings).module
    same_epsilons(module.graph, {found[layer.name]: layer.epsilon for layer in leaves(network) if hasattr(layer, "epsilon")})
    weights = converted(module, network, found.__getitem__, tmp_path)
    batch = image(1, 3, 64, 96)
    expected = answers(network, batch * 255 if application == "EfficientNetB0" else batch)
    gives(file, model, weights, batch, expected, settings)
