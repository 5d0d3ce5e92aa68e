"""Files that Keras itself writes, held against the model they were written from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convspec.weights.sources import open_source
from tests.weights.files import contents

keras = pytest.importorskip("keras")


def network() -> Any:
    """Nested, shared, wrapped in attention, with and without biases, some layers named and some not; trained a step."""
    layers = keras.layers
    keras.utils.set_random_seed(1)
    back = keras.Sequential([keras.Input((12, 12, 3)), layers.Conv2D(4, 3, name="c"), layers.BatchNormalization(name="b")])
    image = keras.Input((12, 12, 3))
    shared = layers.Conv2D(4, 3, padding="same", name="shared")
    x = shared(shared(back(image)))
    x = layers.SeparableConv2D(5, 3, use_bias=False)(layers.DepthwiseConv2D(3)(x))
    x = layers.Reshape((-1, 5))(layers.PReLU()(layers.Dropout(0.1)(x)))
    x = layers.LayerNormalization()(layers.MultiHeadAttention(2, 3, name="look")(x, x))
    model = keras.Model(image, layers.Dense(3, use_bias=False)(layers.GlobalAveragePooling1D()(x)))
    model.compile("adam", "mse")
    model.fit(np.ones((2, 12, 12, 3)), np.ones((2, 3)), verbose=0)
    return model


@pytest.fixture(scope="module")
def model() -> Any:
    return network()


@pytest.mark.parametrize("name", ["m.keras", "m.weights.h5", "m.h5"])
@pytest.mark.filterwarnings("ignore")
def test_every_weight_has_keras_s_own_path_and_order(tmp_path: Path, model: Any, name: str) -> None:
    (model.save_weights if "weights" in name else model.save)(tmp_path / name)
    wanted = {str(variable.path): variable.numpy() for variable in model.weights}
    if name != "m.h5":  # the parts of attention are one layer's here
        wanted = {path.replace("attention_output", "out"): array for path, array in wanted.items()}
        parts = ("query", "key", "value", "out")
        turned = {path: path for path in wanted}
        turned |= {f"look/{part}/{kind}": f"look/{part}_{kind}" for part in parts for kind in ("kernel", "bias")}
        wanted = {turned[path]: array for path, array in wanted.items()}
    contents(tmp_path / name)
    tensors = open_source(tmp_path / name).tensors
    assert list(tensors) == list(wanted)
    for path, array in wanted.items():
        np.testing.assert_array_equal(tensors[path].read(), array)


def test_a_subclassed_model_is_named_by_its_attributes(tmp_path: Path) -> None:
    base: Any = keras.Model

    class Own(base):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.entry = keras.layers.Conv2D(3, 3)
            self.blocks = [keras.layers.Dense(4), keras.layers.Dense(5)]

        def call(self, x: Any) -> Any:
            return self.blocks[1](self.blocks[0](self.entry(x)))

    made = Own()
    made(np.zeros((1, 8, 8, 3)))
    made.save_weights(tmp_path / "m.weights.h5")
    found = contents(tmp_path / "m.weights.h5")
    shapes = {name: shape for name, (_, shape, _) in found.items()}
    assert shapes == {
        "entry/kernel": (3, 3, 3, 3), "entry/bias": (3,),
        "blocks/dense/kernel": (3, 4), "blocks/dense/bias": (4,), "blocks/dense_1/kernel": (4, 5), "blocks/dense_1/bias": (5,),
    }  # fmt: skip


@pytest.mark.parametrize("network", ["MobileNetV2", pytest.param("NASNetMobile", marks=pytest.mark.zoo)])
def test_a_bare_file_keeps_the_order_of_a_large_model(tmp_path: Path, network: str) -> None:
    """HDF5 lists groups by name; the order in which they lie in the file is that of the model all the same."""
    made = getattr(keras.applications, network)(weights=None, include_top=False, input_shape=(32, 32, 3))
    made.save_weights(tmp_path / "m.weights.h5")
    layers = list(dict.fromkeys(name.partition("/")[0] for name in open_source(tmp_path / "m.weights.h5").tensors))
    assert layers == [layer.name for layer in made.layers if layer.weights]


def test_bfloat16_comes_out(tmp_path: Path) -> None:
    dense = keras.layers.Dense(2, dtype="bfloat16", name="d")
    model = keras.Sequential([keras.Input((3,)), dense])
    model.save_weights(tmp_path / "m.weights.h5")
    found = contents(tmp_path / "m.weights.h5")
    kernel = np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(dense.kernel, "float32")))
    assert found["d/kernel"][:2] == ("bfloat16", (3, 2))
    read = open_source(tmp_path / "m.weights.h5").tensors["d/kernel"].read()
    np.testing.assert_array_equal(read.astype(np.float32), kernel)
