"""The mappings that are shipped: each holds all layers of Keras's network and all of the spec's, and files of any age fit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import convspec
from convspec.diagnostics import Diagnostic, Failure
from convspec.elaborate.module import Module
from convspec.ir.types import Array
from convspec.weights.convert import convert
from convspec.weights.mapping import read_mapping
from convspec.weights.report import Conversion
from convspec.weights.shipped import FOLDER, renumbered
from convspec.zoo import find
from tests.weights.sources import source_of
from tests.zoo.comparing import gives, image
from tests.zoo.keras_models import answers, made, placed

SHIPPED = sorted((FOLDER / "keras").glob("*.toml"))
SMALL = ("MobileNetV1", "VGG16")
"""Networks whose layers are held against Keras's in the default run too. Others of this folder's tests use mappings there."""


def command(name: str) -> tuple[dict[str, Any], list[str]]:
    """The settings and the patterns of what may be missing that a file's comment says."""
    text = (FOLDER / "keras" / f"{name}.toml").read_text(encoding="utf-8").partition("\n\n")[0]
    assert f"zoo:{name} " in text and f"--mapping zoo:keras/{name}" in text
    values = {key: {"true": True, "false": False}.get(value, value) for key, value in re.findall(r"--set (\w+)=(\S+)", text)}
    numbers = {key: float(value) for key, value in values.items() if isinstance(value, str)}
    settings = values | {key: int(value) if value.is_integer() else value for key, value in numbers.items()}
    return settings, re.findall(r"--allow-missing '(\S+)'", text)


def spec(name: str, **settings: object) -> Module:
    return convspec.load(f"zoo:{name}", settings=command(name)[0] | settings).module


def theirs(name: str) -> str:
    text = (FOLDER / "keras" / f"{name}.toml").read_text(encoding="utf-8")
    found = re.match(r"# Of keras\.applications\.(\w+):", text)
    assert found
    return found[1]


def brought(name: str, source: Any, **settings: object) -> Conversion:
    allowed = command(name)[1]
    return convert(spec(name, **settings), source, mapping=f"zoo:keras/{name}", allow_missing=allowed)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_label_of_the_spec_is_there(path: Path) -> None:
    """And no other. A layer's parameters are those under its label, so that each belongs to just one."""
    assert find(path.stem).name == path.stem
    labels = set(read_mapping(path).values())
    owned: dict[str, list[str]] = {label: [] for label in labels}
    for parameter in spec(path.stem).graph.parameters():
        levels = parameter.split(".")
        owners = [label for cut in range(1, len(levels) + 1) if (label := ".".join(levels[:cut])) in labels]
        assert len(owners) == 1, parameter
        owned[owners[0]].append(parameter)
    assert all(owned.values())


def variables(network: Any) -> dict[str, Array]:
    """All but the statistics of pictures, which are no weights."""
    layers = [(place, layer) for place, layer in placed(network) if type(layer).__name__ != "Normalization"]
    return {f"{place}/{variable.name}": variable.numpy() for place, layer in layers for variable in layer.weights}


@pytest.mark.parametrize("name", [p.stem if p.stem in SMALL else pytest.param(p.stem, marks=pytest.mark.zoo) for p in SHIPPED])
def test_every_layer_of_keras_is_there(name: str) -> None:
    size = 75 if "ception" in name else 32
    network = made(theirs(name), (size, size, 3))
    layers = [place for place, layer in placed(network) if type(layer).__name__ != "Normalization"]
    mapping = read_mapping(FOLDER / "keras" / f"{name}.toml")
    assert [layer for layer in mapping if layer in layers] == layers
    older = {layer: label for layer, label in mapping.items() if layer not in layers}
    assert set(older.values()) <= {mapping[layer] for layer in layers}
    arrays = variables(network)
    found = brought(name, source_of("keras", arrays), **({"size": size, "grid": 1} if "VGG" in name else {}))
    assert len(found.rows) == len(arrays) and not found.ignored


# ── files, new and old ───────────────────────────────────────────────────────────────────────────────────────


def legacy(path: Path, layers: Mapping[str, Mapping[str, Array]]) -> Path:
    """A file of weights as Keras 2 wrote them: a group for each layer, in which are its variables with their full names."""
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in layers]
        for layer, arrays in layers.items():
            group = file.require_group(layer)
            group.attrs["weight_names"] = [name.encode() for name in arrays]
            for name, array in arrays.items():
                group[name] = array
    return path


def grouped(network: Any, nested: bool = True) -> dict[str, dict[str, Array]]:
    """What `legacy` writes of a network: variables of what is nested stand in the group of the outermost model."""
    found: dict[str, dict[str, Array]] = {}
    for layer in network.layers:
        inner = placed(layer, "") if getattr(layer, "layers", []) else [(layer.name, layer)]
        found[layer.name] = {f"{at}/{v.name}:0": v.numpy() for at, leaf in inner for v in leaf.weights}
    return found


@pytest.mark.zoo
def test_convnext_of_every_file(tmp_path: Path) -> None:
    """It has models in the model, and scales that are no layer's weight."""
    network = made("ConvNeXtTiny", (32, 32, 3), classes=7)
    network.save(tmp_path / "n.keras")
    network.save_weights(tmp_path / "n.weights.h5")
    written = grouped(network)
    assert next(iter(written["convnext_tiny_stem"])) == "convnext_tiny_stem_conv/kernel:0"
    files = [tmp_path / "n.keras", tmp_path / "n.weights.h5", legacy(tmp_path / "n.h5", written)]
    first, *others = [brought("ConvNeXtTiny", path, classes=7).weights for path in files]
    batch = image(1, 3, 32, 32)
    pixels = batch * np.reshape([0.229, 0.224, 0.225], (1, 3, 1, 1)) + np.reshape([0.485, 0.456, 0.406], (1, 3, 1, 1))
    gives("convnext", "ConvNeXtTiny", first, batch, answers(network, pixels * 255), {"classes": 7, "drop": 0.0})
    for other in others:
        assert other.keys() == first.keys() and all(np.array_equal(other[key], first[key]) for key in first)


@pytest.mark.zoo
@pytest.mark.parametrize("name", ["EfficientNetB1", "EfficientNetB2", "EfficientNetV2S", "EfficientNetV2M"])
def test_larger_efficientnets(name: str) -> None:
    """On sizes that are odd where those are that Keras's weights are for, 240 and 260."""
    rest = {"EfficientNetB1": 240 % 32, "EfficientNetB2": 260 % 32}.get(name, 0)
    options = {"include_preprocessing": False} if "V2" in name else {}
    network = made(name, (32 + rest, 64 + rest, 3), classes=7, **options)
    found = brought(name, source_of("keras", variables(network)), classes=7).weights
    batch = image(1, 3, 32 + rest, 64 + rest)
    settings = command(name)[0] | {"classes": 7}
    gives(
        find(name).library.removeprefix("zoo:"), name, found, batch, answers(network, batch * (1 if options else 255)), settings
    )


def test_norms_that_have_one_vector(tmp_path: Path) -> None:
    """Of InceptionV3's a .weights.h5 says how many vectors they have, and not which."""
    network = made("InceptionV3", (75, 75, 3), include_top=False)
    network.save_weights(tmp_path / "n.weights.h5")
    allowed = [*command("InceptionV3")[1], "fc.*"]
    found = convert(spec("InceptionV3"), tmp_path / "n.weights.h5", mapping="zoo:keras/InceptionV3", allow_missing=allowed)
    wanted = network.get_layer("batch_normalization_5")
    assert np.array_equal(found.weights["Mixed_5b.branch1x1.bn.bias"], wanted.beta.numpy())
    assert np.array_equal(found.weights["Mixed_5b.branch1x1.bn.weight"], np.ones(64))


OLDER = {
    "DenseNet121": {"conv1_conv": "conv1/conv", "conv1_bn": "conv1/bn", "predictions": "fc1000"},
    "MobileNetV3Small": {
        "conv": "Conv",
        "conv_bn": "Conv/BatchNorm",
        "conv_1": "Conv_1",
        "conv_1_bn": "Conv_1/BatchNorm",
        "conv_2": "Conv_2",
        "logits": "Logits",
        "expanded_conv_depthwise": "expanded_conv/depthwise",
        "expanded_conv_squeeze_excite_conv_1": "expanded_conv/squeeze_excite/Conv_1",
        "expanded_conv_10_expand_bn": "expanded_conv_10/expand/BatchNorm",
    },
}
"""Some of the names in files that Keras 2 wrote, by those of today."""


@pytest.mark.parametrize("name", ["MobileNetV3Small", pytest.param("DenseNet121", marks=pytest.mark.zoo)])
def test_names_of_older_files(name: str, tmp_path: Path) -> None:
    network = made(name, (32, 32, 3), classes=7)
    wanted = brought(name, source_of("keras", variables(network)), classes=7).weights
    layers = {}
    for layer, arrays in grouped(network).items():
        old = OLDER[name].get(layer, layer)
        layers[old] = {key.replace(layer, old, 1): array for key, array in arrays.items()}
    found = brought(name, legacy(tmp_path / "n.h5", layers), classes=7).weights
    assert found.keys() == wanted.keys() and all(np.array_equal(found[key], wanted[key]) for key in wanted)


def test_vgg_of_keras_1_and_without_its_top(tmp_path: Path) -> None:
    """`block1_conv1_W_1:0`, and the dense layers, which the file lacks, freshly drawn."""
    network = made("VGG16", (32, 32, 3), include_top=False)
    shown = {"kernel": "W", "bias": "b"}
    layers = {layer.name: {f"{layer.name}_{shown[v.name]}_1:0": v.numpy() for v in layer.weights} for layer in network.layers}
    path = legacy(tmp_path / "n.h5", layers)
    small = {"classes": 3, "size": 32, "grid": 1}
    found = convert(spec("VGG16", **small), path, mapping="zoo:keras/VGG16", allow_missing=["classifier.*"])
    assert len(found.rows) == 26 and len(found.missing) == 6
    kernel = network.get_layer("block1_conv1").kernel.numpy()
    assert np.array_equal(found.weights["features.0.weight"], np.transpose(kernel, (3, 2, 0, 1)))
    assert "`fc1`, for `classifier.0`" in failure(lambda: brought("VGG16", path, **small)).notes


def failure(action: Any) -> Diagnostic:
    with pytest.raises(Failure) as caught:
        action()
    return caught.value.diagnostics[0]


# ── numbers that Keras gives ─────────────────────────────────────────────────────────────────────────────────


def test_numbers_are_counted_from_where_the_file_begins() -> None:
    mapping = {"conv2d": "a", "conv2d_1": "b", "conv2d_10": "no row", "dense": "d", "dense_1": "e", "fc": "f"}
    names = ["conv2d_7/kernel", "conv2d_8/kernel", "dense_2/kernel", "dense_1/bias", "fc/kernel"]
    source = source_of("keras", dict.fromkeys(names, np.zeros(1)))
    assert renumbered(mapping, source) == {
        "conv2d": "a", "conv2d_1": "b", "conv2d_10": "no row", "dense_1": "d", "dense_2": "e", "fc": "f"
    }  # fmt: skip


def test_numbers_with_gaps_stay() -> None:
    mapping = {"conv2d": "a", "conv2d_1": "b"}
    for numbers in ((1, 3), (1, 2, 3), (4,)):
        names = [f"conv2d_{number}/kernel" for number in numbers]
        assert renumbered(mapping, source_of("keras", dict.fromkeys(names, np.zeros(1)))) == mapping


@pytest.mark.zoo
def test_a_network_that_was_not_the_first_of_its_session() -> None:
    network = made("Xception", (75, 75, 3), classes=3)
    first = variables(network)
    later = {re.sub(r"^(conv2d|batch_normalization)(_\d+)?/", _later, name): array for name, array in first.items()}
    assert later.keys() != first.keys()
    one, other = (brought("Xception", source_of("keras", arrays), classes=3).weights for arrays in (first, later))
    assert one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def _later(found: re.Match[str]) -> str:
    return f"{found[1]}_{int((found[2] or '_0')[1:]) + 94}/"


# ── what they are called ─────────────────────────────────────────────────────────────────────────────────────

TINY = source_of("keras", {"a/kernel": np.zeros(1)})


@pytest.mark.parametrize("name", ["zoo:keras/resnet50", "zoo:keras/RESNET-50", "zoo:keras/ResNet50.toml"])
def test_any_spelling_finds_a_mapping(name: str) -> None:
    assert "`conv1_conv`, for `conv1`" in failure(lambda: convert(spec("ResNet50"), TINY, mapping=name)).notes
    assert "`conv1_conv`, for `conv1`" in failure(lambda: convert(spec("ResNet50"), TINY, mapping=Path(name))).notes


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("zoo:keras/resnet51", "did you mean `zoo:keras/ResNet50`?"),
        ("zoo:resnet50", "did you mean `zoo:keras/ResNet50`?"),
        ("zoo:torch/vgg16", "did you mean `zoo:keras/VGG16`?"),
        ("zoo:keras/../keras/vgg_166", "did you mean `zoo:keras/VGG16`?"),
        ("zoo:keras/lenet", "docs/weights.md says which there are"),
        ("zoo:", "docs/weights.md says which there are"),
    ],
)
def test_a_mapping_that_is_not_there(name: str, hint: str) -> None:
    diagnostic = failure(lambda: convert(spec("VGG16"), TINY, mapping=name))
    assert diagnostic.code == "CNN204"
    assert diagnostic.hint == hint
