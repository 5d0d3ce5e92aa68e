"""Keras's files: names, roles and order as the model has them, from the archive and from the bare file."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convspec.ir.types import Array
from convspec.weights.sources import open_source
from tests.weights.files import CONFIGS, LAYERS, contents, floats, refusal, write_h5, write_keras

h5py = pytest.importorskip("h5py")

NAMES = [
    "first/kernel", "first/bias", "norm/gamma", "norm/beta", "norm/moving_mean", "norm/moving_variance",
    "second/kernel", "head/kernel", "head/bias",
]  # fmt: skip


@pytest.mark.parametrize("deflated", [False, True])
def test_an_archive_gives_names_roles_and_order(tmp_path: Path, deflated: bool) -> None:
    path = write_keras(tmp_path / "m.keras", CONFIGS, LAYERS, deflated=deflated)
    source = open_source(path)
    assert (source.kind, source.metadata) == ("keras", {"class": "Functional", "model": "model"})
    assert list(contents(path)) == NAMES
    assert [tensor.role for tensor in source.tensors.values()] == [name.rpartition("/")[2] for name in NAMES]
    arrays = [array for *_, arrays in LAYERS for array in arrays]
    for stored, array in zip(source.tensors.values(), arrays, strict=True):
        np.testing.assert_array_equal(stored.read(), array)


def test_the_archive_orders_layers_as_its_config_does(tmp_path: Path) -> None:
    turned = [CONFIGS[0], *reversed(CONFIGS[1:])]
    assert list(contents(write_keras(tmp_path / "m.keras", turned)))[:3] == ["head/kernel", "head/bias", "second/kernel"]


def test_files_without_names_are_matched_by_class_and_counter(tmp_path: Path) -> None:
    layers = [(key, None, arrays) for key, _, arrays in LAYERS]
    assert list(contents(write_keras(tmp_path / "m.keras", CONFIGS, layers))) == NAMES
    unnamed = [name.replace("first", "conv2d").replace("second", "conv2d_1") for name in NAMES]
    unnamed = [name.replace("norm", "batch_normalization").replace("head", "dense") for name in unnamed]
    assert list(contents(write_h5(tmp_path / "m.weights.h5", layers))) == unnamed


def test_a_bare_file_gives_the_same_names_in_the_order_of_writing(tmp_path: Path) -> None:
    assert list(contents(write_h5(tmp_path / "m.weights.h5"))) == NAMES


@pytest.mark.parametrize(
    ("settings", "number", "names"),
    [
        ({"class": "BatchNormalization", "scale": False}, 3, ["beta", "moving_mean", "moving_variance"]),
        ({"class": "BatchNormalization", "center": False}, 3, ["gamma", "moving_mean", "moving_variance"]),
        ({"class": "BatchNormalization", "scale": False, "center": False}, 2, ["moving_mean", "moving_variance"]),
        ({"class": "LayerNormalization", "center": False}, 1, ["gamma"]),
        ({"class": "LayerScale"}, 1, ["gamma"]),
        ({"class": "PReLU"}, 1, ["alpha"]),
        ({"class": "Embedding"}, 1, ["embeddings"]),
        ({"class": "SeparableConv2D", "use_bias": False}, 2, ["depthwise_kernel", "pointwise_kernel"]),
        ({"class": "DepthwiseConv2D", "use_bias": True}, 2, ["kernel", "bias"]),
        ({"class": "EinsumDense", "bias_axes": "d"}, 2, ["kernel", "bias"]),
        ({"class": "Mine"}, 2, ["0", "1"]),
        ({"class": "Conv2D", "use_bias": True}, 3, ["0", "1", "2"]),
    ],
)
def test_variables_follow_from_class_and_settings(
    tmp_path: Path, settings: dict[str, Any], number: int, names: list[str]
) -> None:
    layers = [("some_group", "layer", [floats(4)] * number)]
    path = write_keras(tmp_path / "m.keras", [{**settings, "name": "layer"}], layers)
    assert [name.removeprefix("layer/") for name in contents(path)] == names
    if names[0] == "0":
        assert open_source(path).tensors["layer/0"].role is None


@pytest.mark.parametrize(
    ("group", "shapes", "names"),
    [
        ("batch_normalization_3", [(4,)] * 3, ["gamma_or_beta", "moving_mean", "moving_variance"]),
        ("batch_normalization", [(4,)] * 2, ["moving_mean", "moving_variance"]),
        ("layer_normalization_1", [(4,)], ["gamma_or_beta"]),
        ("conv2d_12", [(3, 3, 1, 2)], ["kernel"]),
        ("separable_conv2d", [(3, 3, 1, 1), (1, 1, 1, 2)], ["depthwise_kernel", "pointwise_kernel"]),
        ("p_re_lu", [(4,)], ["alpha"]),
        ("my_conv", [(3, 3, 1, 2), (2,)], ["kernel", "bias"]),
        ("my_norm", [(4,)] * 4, ["gamma", "beta", "moving_mean", "moving_variance"]),
        ("my_vector", [(4,)], ["0"]),
        ("my_table", [(5, 4)], ["0"]),
    ],
)
def test_a_bare_file_names_what_class_and_number_tell(
    tmp_path: Path, group: str, shapes: Sequence[tuple[int, ...]], names: list[str]
) -> None:
    path = write_h5(tmp_path / "m.weights.h5", [(group, "layer", [floats(*shape) for shape in shapes])])
    assert [name.removeprefix("layer/") for name in contents(path)] == names


def test_statistics_of_data_are_constants(tmp_path: Path) -> None:
    layers = [("normalization", "prepare", [floats(3), floats(3), np.array(0, np.int64)])]
    tensors = open_source(write_h5(tmp_path / "m.weights.h5", layers)).tensors
    assert {name: stored.role for name, stored in tensors.items()} == dict.fromkeys(
        ("prepare/mean", "prepare/variance", "prepare/count"), "constant"
    )


@pytest.mark.parametrize(("key", "kind"), [("bidirectional", "Bidirectional"), ("lstm_2", "LSTM"), ("gru", "GRU")])
def test_layers_of_another_kind_are_refused_by_name(tmp_path: Path, key: str, kind: str) -> None:
    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        file[f"layers/{key}/cell/vars/0"] = floats(2, 8)
    assert f"its layer `{key}` is a {kind}" in refusal(tmp_path / "m.weights.h5").message


def test_the_state_of_training_is_left_out(tmp_path: Path) -> None:
    path = write_h5(tmp_path / "m.weights.h5")
    with h5py.File(path, "a") as file:
        for group in ("optimizer", "_loss_tracker", "layers/dropout/seed_generator"):
            file[f"{group}/vars/0"] = floats(2)
    assert list(contents(path)) == NAMES


def test_archives_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    path = write_keras(tmp_path / "m.keras", CONFIGS[:3])
    assert "it has weights for `second`, a layer that its config.json does not have" in refusal(path).message
    with zipfile.ZipFile(tmp_path / "n.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    assert "has no model.weights.h5" in refusal(tmp_path / "n.keras").message


@pytest.mark.parametrize("config", ["", "[]", "[" * 100_000, '{"config": 1}', '{"config": {"layers": [1, {"config": []}]}}'])
def test_a_strange_config_is_refused(tmp_path: Path, config: str) -> None:
    inner = write_h5(tmp_path / "m.weights.h5")
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("config.json", config)
        archive.write(inner, "model.weights.h5")
    if "layers" in config:  # no layer is described: what can be had from the weights alone
        assert list(contents(tmp_path / "m.keras")) == NAMES
    else:
        assert "config.json" in refusal(tmp_path / "m.keras").message


def legacy(path: Path, top: str, layers: dict[str, dict[str, Array]]) -> Path:
    with h5py.File(path, "w") as file:
        group = file.create_group(top) if top else file
        group.attrs["layer_names"] = [name.encode() for name in layers]
        for layer, weights in layers.items():
            inner = group.create_group(layer)
            inner.attrs["weight_names"] = [name.encode() for name in weights]
            for name, array in weights.items():
                inner[name] = array
    return path


@pytest.mark.parametrize("top", ["", "model_weights"])
def test_files_of_keras_2_are_read(tmp_path: Path, top: str) -> None:
    layers = {
        "stem": {"stem/kernel:0": floats(3, 3, 1, 2), "stem/bias:0": floats(2)},
        "backbone": {"block/conv/kernel:0": floats(1, 1, 2, 2)},
        "add": {},
        "dw": {"dw/depthwise_kernel:0": floats(3, 3, 2, 1)},
    }
    path = legacy(tmp_path / "m.h5", top, layers)
    assert list(contents(path)) == ["stem/kernel", "stem/bias", "backbone/block/conv/kernel", "dw/depthwise_kernel"]
    assert [stored.role for stored in open_source(path).tensors.values()] == ["kernel", "bias", "kernel", "depthwise_kernel"]


def test_layers_of_keras_2_whose_names_hold_slashes(tmp_path: Path) -> None:
    """One lies in the group of another: `Conv` and `Conv/BatchNorm`."""
    path = tmp_path / "m.h5"
    layers = {"Conv": {"Conv/kernel:0": floats(1, 1, 1, 2)}, "Conv/BatchNorm": {"Conv/BatchNorm/gamma:0": floats(2)}}
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [*layers, "Conv/BatchNorm/none"]
        for layer, weights in layers.items():
            file.require_group(layer).attrs["weight_names"] = list(weights)
            for name, array in weights.items():
                file[layer][name] = array
    assert "names a layer `Conv/BatchNorm/none` and has none" in refusal(path).message
    with h5py.File(path, "a") as file:
        file.attrs["layer_names"] = list(layers)
    assert list(contents(path)) == ["Conv/kernel", "Conv/BatchNorm/gamma"]


def test_roles_of_keras_1_and_statistics_of_pictures(tmp_path: Path) -> None:
    layers = {
        "block1_conv1": {"block1_conv1_W_1:0": floats(1, 1, 1, 2), "block1_conv1_b_1:0": floats(2)},
        "normalization": {f"normalization/{name}:0": floats(3) for name in ("mean", "variance", "count")},
        "other": {"other/mean:0": floats(3), "other/block1_conv1_W_1:0": floats(2)},
    }
    roles = [stored.role for stored in open_source(legacy(tmp_path / "m.h5", "", layers)).tensors.values()]
    assert roles == ["kernel", "bias", "constant", "constant", "constant", "mean", "block1_conv1_W_1"]


def test_a_file_of_keras_2_that_names_what_it_has_not_is_refused(tmp_path: Path) -> None:
    path = legacy(tmp_path / "m.h5", "", {"stem": {"stem/kernel:0": floats(2)}})
    with h5py.File(path, "a") as file:
        file["stem"].attrs["weight_names"] = [b"../stem/kernel:0"]
    assert "names `../stem/kernel:0` in `stem` and has none" in refusal(path).message


def test_without_h5py_the_package_is_named(tmp_path: Path) -> None:
    path = write_h5(tmp_path / "m.weights.h5")
    code = (
        "import sys; sys.modules['h5py'] = None\n"
        "from convspec import Failure\n"
        "from convspec.weights.sources import open_source\n"
        "try: open_source(sys.argv[1])\n"
        "except Failure as caught: print(caught.diagnostics[0].code, caught.diagnostics[0].hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("CNN303 pip install h5py")


def test_reading_imports_no_keras(tmp_path: Path) -> None:
    path = write_keras(tmp_path / "m.keras", CONFIGS)
    code = (
        "import sys\n"
        "from convspec.weights.sources import open_source\n"
        "[tensor.read() for tensor in open_source(sys.argv[1]).tensors.values()]\n"
        "print({'keras', 'tensorflow', 'torch'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
